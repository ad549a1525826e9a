"""Gemini's errors, ``google.rpc.Status`` as JSON, as the library's own: from a status, a stream event, a batch entry.

Wire facts: ``{"error": {"code", "message", "status", "details": [...]}}``, now and then in an array of one. ``details``
may hold ``ErrorInfo`` (``reason``), ``QuotaFailure`` (which quota) and ``RetryInfo`` (read by
:mod:`backends.resilience.hints`). A bad key is a 400, spent prepaid credit a 402, and a 429 is of a minute or of a day:
only the name of the quota tells.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from backends import errors
from backends.error_texts import LONGEST_MESSAGE, LONGEST_WORD, message_of, word_of
from backends.gemini.catalogue import bare_name, explain
from backends.resilience.failures import error_class
from backends.resilience.hints import retry_after

__all__ = ["blocked", "raise_inside", "typed_error"]

_MOST_DETAILS: Final = 64

_STATUS_OF: Final = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "ABORTED": 409,
    "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 499,
    "INTERNAL": 500,
    "UNKNOWN": 500,
    "DATA_LOSS": 500,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
_OF_RPC: Final = {
    1: 499, 2: 500, 3: 400, 4: 504, 5: 404, 6: 409, 7: 403, 8: 429, 9: 400, 10: 409, 11: 400, 12: 501, 13: 500, 14: 503,
    15: 500, 16: 401,
}  # fmt: skip
"""Entries of batches hold the number of the RPC instead of an HTTP status."""

_LONG_WAIT: Final = re.compile(
    r"per.?day|daily|per.?month|monthly|spend(ing)?.?(limit|cap)|prepa(id|yment)", re.IGNORECASE
)
_BAD_KEY: Final = re.compile(r"API[ _]key (not valid|not found|expired|is invalid)", re.IGNORECASE)
_TOO_LONG: Final = re.compile(
    r"token count .{0,60}exceeds|exceeds the maximum number of tokens|context length", re.IGNORECASE
)
_NO_MODEL: Final = re.compile(
    r"\bmodels?\b.{0,200}(not found|not supported|no longer|does not exist)", re.IGNORECASE | re.DOTALL
)
_KEY_REASONS: Final = frozenset({"API_KEY_INVALID", "API_KEY_EXPIRED"})


@dataclass(frozen=True, slots=True)
class _Facts:
    message: str = ""
    code: int | None = None
    status: str | None = None
    reason: str | None = None
    quotas: str = ""


def _facts(data: Any) -> _Facts:
    """Read any error body; never raises."""
    if isinstance(data, list) and data:
        data = data[0]
    body = data.get("error", data) if isinstance(data, dict) else data
    if not isinstance(body, dict):
        return _Facts(message_of(body))
    reason, quotas = None, []
    details = body.get("details")
    for detail in details[:_MOST_DETAILS] if isinstance(details, list) else ():
        if not isinstance(detail, dict):
            continue
        reason = reason or word_of(detail.get("reason"))
        violations = detail.get("violations")
        for violation in violations[:_MOST_DETAILS] if isinstance(violations, list) else ():
            if isinstance(violation, dict):
                quotas.append(f"{word_of(violation.get('quotaId'))} {word_of(violation.get('description'))}")
    code = body.get("code")
    return _Facts(
        message_of(body.get("message")),
        code if type(code) is int else None,
        word_of(body.get("status")),
        reason or (word_of(code) if isinstance(code, str) else None),
        "\n".join(quotas),
    )


def typed_error(status: int | None, data: Any, *, model: str | None = None) -> errors.BackendError:
    """Return the typed error of an error body.

    Args:
        status: HTTP status, or None where it is not known (inside a stream or a batch): then the body's own word decides.
        data: decoded JSON, or text.
        model: the model asked for, in which case an unknown one brings suggestions.
    """
    facts = _facts(data)
    wait = None
    if status is None:
        wait = retry_after({}, data, wall=0.0)  # nobody else sees the body of an event
        code = facts.code or 0
        status = code if 400 <= code <= 599 else _STATUS_OF.get(facts.status or "") or _OF_RPC.get(code)
    message = facts.message or (
        f"HTTP {status}" if status is not None else "The provider sent an error without a message."
    )
    if status == 404 and isinstance(data, str):
        message = f"{message} The base URL is the service's root, without a version."
    kind = _class(status, facts, model)
    suggestions: tuple[str, ...] = ()
    if kind is errors.UnknownModelError and model is not None:
        about, suggestions = explain(model)
        named = "" if bare_name(model) in message else f"The model asked for was {model}."
        message = " ".join(part for part in (message, named, about) if part)
    return kind(message, status=status, code=facts.reason or facts.status, retry_after=wait, suggestions=suggestions)


def _class(status: int | None, facts: _Facts, model: str | None) -> type[errors.BackendError]:
    if status == 402:
        return errors.QuotaExceededError
    if status == 429:
        # The sentence names billing for a limit of a minute, too: where quotas are named, they alone decide.
        return errors.QuotaExceededError if _LONG_WAIT.search(facts.quotas or facts.message) else errors.RateLimitError
    if status == 400:
        if facts.reason in _KEY_REASONS or _BAD_KEY.search(facts.message):
            return errors.AuthenticationError
        if _TOO_LONG.search(facts.message):
            return errors.ContextLengthError
        if facts.status == "FAILED_PRECONDITION" and "location" in facts.message:
            return errors.PermissionDeniedError
    if status == 404 and model is not None and _NO_MODEL.search(facts.message):
        return errors.UnknownModelError
    if status == 499:
        return errors.TransportError
    return error_class(status) if status is not None else errors.ServerError


def blocked(reason: str, message: str = "", *, prompt: bool) -> errors.ContentFilterError:
    """Return the error of a prompt, or of an answer, of which the provider's policy let nothing through.

    Args:
        reason: the provider's word (``SAFETY``, ``PROHIBITED_CONTENT``...), which becomes the code.
        message: the provider's sentence about it, where there is one.
        prompt: whether the prompt was refused rather than the answer.
    """
    what = "The prompt was blocked" if prompt else "The answer was blocked before any of it came"
    text = f"{what}: {reason[:LONGEST_WORD]}." + (f" {message[:LONGEST_MESSAGE]}" if message else "")
    return errors.ContentFilterError(text, status=200, code=reason[:LONGEST_WORD])


def raise_inside(data: Any, model: str | None = None) -> None:
    """Raise where a whole answer with a good status is an error body.

    Raises:
        BackendError: it is.
    """
    body = data[0] if isinstance(data, list) and data else data
    if isinstance(body, dict) and isinstance(body.get("error"), dict) and "candidates" not in body:
        raise typed_error(None, body, model=model)
