"""Errors of the OpenAI dialect, from a status or from inside a stream, as the library's own.

Bodies in use: ``{"error": {"message", "type", "param", "code"}}``; ``{"error": "text"}`` (vLLM without a key);
``{"detail": "..."}`` (routes that a FastAPI server does not have); ``{"object": "error", "message", ...}`` (old
vLLM); flat ``{"type": "error", "code", "message"}`` (Responses streams). The code goes before the status: a 429 may
be an empty purse.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from backends import errors
from backends.error_texts import message_of, word_of
from backends.resilience.failures import error_class

__all__ = ["ErrorFacts", "error_facts", "raise_inside", "stream_error", "typed_error"]


_STATUS_OF: Final[dict[str, int]] = {
    "invalid_request_error": 400,
    "invalid_prompt": 400,
    "invalid_value": 400,
    "context_length_exceeded": 400,
    "content_policy_violation": 400,
    "content_filter": 400,
    "moderation_blocked": 400,
    "BadRequestError": 400,
    "invalid_api_key": 401,
    "authentication_error": 401,
    "AuthenticationError": 401,
    "permission_error": 403,
    "model_decommissioned": 400,
    "model_not_found": 404,
    "not_found_error": 404,
    "NotFoundError": 404,
    "timeout": 408,
    "rate_limit_exceeded": 429,
    "rate_limit_error": 429,
    "RateLimitError": 429,
    "requests": 429,
    "tokens": 429,
    "insufficient_quota": 429,
    "credit_balance_exhausted": 429,
    "capacity_exceeded": 498,
    "server_error": 500,
    "internal_error": 500,
    "internal_server_error": 500,
    "InternalServerError": 500,
    "vector_store_timeout": 500,
    "service_unavailable_error": 503,
    "server_is_overloaded": 503,
    "slow_down": 503,
    "overloaded_error": 503,
}
"""Statuses that codes and types imply where an error comes without one, inside a stream that began with 200."""

_QUOTA: Final = frozenset(
    {
        "insufficient_quota",
        "credit_balance_exhausted",
        "billing_hard_limit_reached",
        "billing_not_active",
        "quota_exceeded",
    }
)
_CONTENT: Final = frozenset(
    {
        "content_policy_violation",
        "content_filter",
        "moderation_blocked",
        "image_content_policy_violation",
        "bio_policy",
        "misalignment_policy_violation",
    }
)
_CONTEXT: Final = frozenset({"context_length_exceeded", "context_window_exceeded"})
_UNKNOWN_MODEL: Final = frozenset({"model_not_found", "model_decommissioned"})
_CAPACITY_STATUS: Final = 498
"""Groq's, for a service tier that is full; the code beside it is ``capacity_exceeded``."""
_REQUEST_STATUSES: Final = frozenset({400, 404, 413, 422})


@dataclass(frozen=True, slots=True)
class ErrorFacts:
    """What an error body says: texts bounded, ``status`` only where the body itself holds one."""

    message: str
    code: str | None = None
    kind: str | None = None
    param: str | None = None
    status: int | None = None


def error_facts(data: Any) -> ErrorFacts:
    """Read any of the error bodies; never raises."""
    if isinstance(data, list) and data:
        data = data[0]
    body: Any = data
    if isinstance(data, dict):
        body = data.get("error") or data.get("detail") or data
        if isinstance(body, list):
            body = body[0] if body else data
    if not isinstance(body, dict):
        return ErrorFacts(message_of(body))
    code, kind, param = body.get("code"), body.get("type"), body.get("param")
    status = None
    if isinstance(code, int) and not isinstance(code, bool):
        status, code = (code if 400 <= code <= 599 else None), None
    if kind == "error":
        kind = None  # the envelope of a Responses event, not a kind of error
    return ErrorFacts(
        message_of(body.get("message") or body.get("msg")), word_of(code), word_of(kind), word_of(param), status
    )


def typed_error(
    status: int | None,
    data: Any,
    *,
    model: str | None = None,
    explain: Callable[[str], tuple[str, tuple[str, ...]]] | None = None,
) -> errors.BackendError:
    """Return the typed error of an error body.

    Args:
        status: HTTP status, or None where it is not known (an event inside a stream).
        data: decoded JSON, or text.
        model: the model asked for.
        explain: given an unknown model's name, returns a sentence about it and the nearest known names.
    """
    facts = error_facts(data)
    names = {name for name in (facts.code, facts.kind) if name}
    if status is None:
        status = facts.status or next(
            (_STATUS_OF[name] for name in (facts.code, facts.kind) if name in _STATUS_OF), None
        )
    message = facts.message or (
        f"HTTP {status}." if status is not None else "The provider sent an error without a message."
    )
    if facts.param and facts.param not in message:
        message += f" (parameter {facts.param})"
    suggestions: tuple[str, ...] = ()
    kind = _class(status, names, facts)
    if kind is errors.UnknownModelError:
        about, suggestions = explain(model) if explain is not None and model else ("", ())
        message = f"{message} {about}".strip()
        suggestions = suggestions or _aliases(facts.message)
    return kind(message, status=status, code=facts.code or facts.kind, suggestions=suggestions)


def _class(status: int | None, names: set[str], facts: ErrorFacts) -> type[errors.BackendError]:
    if names & _QUOTA and status in (None, 402, 403, 429):
        return errors.QuotaExceededError
    if status is None or status in _REQUEST_STATUSES:
        if names & _CONTEXT or "maximum context length" in facts.message:
            return errors.ContextLengthError
        if names & _CONTENT:
            return errors.ContentFilterError
        if names & _UNKNOWN_MODEL or (facts.param == "model" and status == 404):
            return errors.UnknownModelError
    if status == _CAPACITY_STATUS:
        return errors.OverloadedError
    return error_class(status) if status is not None else errors.ServerError


def _aliases(message: str) -> tuple[str, ...]:
    """vLLM lists what it serves in the message: ``Valid aliases: a, b.``"""
    _, found, listed = message.partition("Valid aliases: ")
    return tuple(name.strip() for name in listed.rstrip(".").split(",")[:10] if name.strip()) if found else ()


def stream_error(payload: Any) -> errors.BackendError:
    """Return the typed error of an error event inside a stream."""
    return typed_error(None, payload)


def raise_inside(data: Any) -> None:
    """Raise where a whole answer with a good status is an error body.

    Raises:
        BackendError: it is.
    """
    if isinstance(data, dict) and data.get("error") and "choices" not in data and "data" not in data:
        raise stream_error(data)
