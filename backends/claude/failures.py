"""Claude's errors as the library's own: from a status, from an event inside a stream, from a line of batch results.

Wire facts: ``{"type": "error", "error": {"type", "message", "details": {"error_code"}}, "request_id"}``. The
``error_code`` names the cause and goes before the type, the type before the status: a 429 may be an empty purse. Inside
a stream that began with 200 there is only the type. Sources: the vendor's error page; ``_error_classes.py`` of the
official SDK 2.14.0. Servers that imitate the API (vLLM) send ``{"error": {"type", "message", "code": 400}}``.
"""

from __future__ import annotations

from typing import Any, Final

from backends import errors
from backends.claude.catalogue import explain
from backends.error_texts import message_of, word_of
from backends.resilience.failures import error_class

__all__ = ["raise_inside", "typed_error"]


_STATUS_OF: Final[dict[str, int]] = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "conflict_error": 409,
    "memory_path_conflict_error": 409,
    "memory_precondition_failed_error": 412,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""Statuses that the types imply where an error comes without one."""

_QUOTA_CODES: Final = frozenset(
    {
        "contract_spend_limit_reached",
        "enforced_spend_limit_reached",
        "linked_organization_billing_unavailable",
        "linked_organization_spend_limit_reached",
    }
)
_QUOTA_TEXTS: Final = (
    "credit balance is too low",
    "specified api usage limits",
    "specified workspace api usage limits",
)
"""An empty purse and a limit that the account set itself come as a plain 400 without a code."""
_CONTEXT_TEXTS: Final = ("prompt is too long", "exceed context limit", "maximum context length")


def typed_error(status: int | None, data: Any, *, model: str | None = None) -> errors.BackendError:
    """Return the typed error of an error body.

    Args:
        status: HTTP status; None where there is none (a stream's event, a line of results).
        data: decoded JSON, or text.
        model: the model asked for.
    """
    message, kind, code = _facts(data)
    if status is None:
        status = _STATUS_OF.get(kind or "")
    if not message:
        message = f"HTTP {status}." if status is not None else "The provider sent an error without a message."
    found = _class(status, message.lower(), code, model)
    suggestions: tuple[str, ...] = ()
    if found is errors.UnknownModelError:
        about, suggestions = explain(model or message.partition(":")[2].strip())
        message = f"{message} {about}".strip()
    return found(message, status=status, code=code or kind, suggestions=suggestions)


def _facts(data: Any) -> tuple[str, str | None, str | None]:
    """Return message, type and code of an error body, bounded; never raises."""
    body = data.get("error", data) if isinstance(data, dict) else data
    if not isinstance(body, dict):
        return message_of(body), None, None
    details = body.get("details")
    code = details.get("error_code") if isinstance(details, dict) else None
    return message_of(body.get("message")), word_of(body.get("type")), word_of(code)


def _class(status: int | None, text: str, code: str | None, model: str | None) -> type[errors.BackendError]:
    if code in _QUOTA_CODES or (status == 400 and any(words in text for words in _QUOTA_TEXTS)):
        return errors.QuotaExceededError
    if status in (400, 413) and any(words in text for words in _CONTEXT_TEXTS):
        return errors.ContextLengthError
    if status == 404 and (text.startswith("model:") or (model is not None and model.lower() in text)):
        return errors.UnknownModelError
    return error_class(status) if status is not None else errors.ServerError


def raise_inside(data: Any, *, model: str | None = None) -> None:
    """Raise where a whole answer with a good status is an error body.

    Raises:
        BackendError: it is.
    """
    if isinstance(data, dict) and (data.get("type") == "error" or (data.get("error") and "type" not in data)):
        raise typed_error(None, data, model=model)
