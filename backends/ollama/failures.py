"""Ollama's errors as the library's own: from a status, or from a line ``{"error": text}`` inside a stream.

Wire facts: the body is ``{"error": "<text>"}`` everywhere under ``/api``; there are no codes, so the text tells apart
what one status mixes. Inside a stream there is no status either: it is set here only where the text implies one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from backends import errors
from backends.resilience.failures import error_class
from backends.settings import nearest

__all__ = ["error_text", "raise_inside", "typed_error"]

_LONGEST: Final = 2_000

_BY_TEXT: Final[tuple[tuple[tuple[str, ...], int, type[errors.BackendError], str], ...]] = (
    # (texts of which one must occur, the status they imply, the class, our code)
    (("maximum pending requests",), 503, errors.OverloadedError, "queue_full"),
    (("usage limit",), 429, errors.QuotaExceededError, "usage_limit"),  # of a cloud account: hours or days, not seconds
    (("exceeds the context length",), 400, errors.ContextLengthError, "context_length"),
    (("exceeds maximum context length",), 400, errors.ContextLengthError, "context_length"),
    (("context length exceeded", "prompt is too long"), 400, errors.ContextLengthError, "context_length"),
    (("does not support ",), 400, errors.InvalidRequestError, "capability"),
    (("pull model manifest: file does not exist",), 404, errors.UnknownModelError, "model_not_found"),
    (("requires a newer version of ollama",), 412, errors.InvalidRequestError, "server_too_old"),
    (("not authorized to push", "access denied"), 403, errors.PermissionDeniedError, "push_denied"),
    (("unauthorized", "sign in", "signed in"), 401, errors.AuthenticationError, "unauthorized"),
    (("requires more system memory", "out of memory"), 500, errors.ServerError, "out_of_memory"),
    (("invalid model name",), 400, errors.InvalidRequestError, "model_name"),
    (("digest mismatch",), 400, errors.InvalidRequestError, "digest_mismatch"),
)  # fmt: skip
_HINTS: Final = {
    "capability": "show(model).capabilities lists what a model can do.",
    "unauthorized": "Sign in with `ollama signin` at the server, or set OLLAMA_API_KEY.",
    "push_denied": "Name the model namespace/model with a namespace of your own.",
}


def error_text(data: Any) -> str:
    """Return the text of an error body: ``{"error": text}``, the ``/v1`` shape, or plain text; never raises."""
    body = data.get("error", data.get("message")) if isinstance(data, Mapping) else data
    if isinstance(body, Mapping):
        body = body.get("message")
    if not isinstance(body, str):
        return ""
    body = body.strip()
    return "An HTML page came instead of the API's own error." if body[:1] == "<" else body[:_LONGEST]


def typed_error(
    status: int | None, data: Any, *, model: str | None = None, known: Iterable[str] = ()
) -> errors.BackendError:
    """Return the typed error of an error body.

    Args:
        status: HTTP status; None for a line inside a stream.
        data: decoded JSON, or text.
        model: the model asked for.
        known: names of models that the server was seen to have.
    """
    text = error_text(data)
    lower = text.lower()
    if _is_unknown_model(lower, status):
        return _unknown_model(text, status or 404, model, known)
    for needles, implied, kind, code in _BY_TEXT:
        if (status is None or _agree(status, implied)) and any(needle in lower for needle in needles):
            if kind is errors.UnknownModelError:
                return _unknown_model(text, status or implied, model, known)
            return kind(_sentence(text, _HINTS.get(code)), status=status or implied, code=code)
    if status is None:
        return errors.ServerError(text or "The server sent an error without a text.")
    if status == 403 and not text:
        text = "The server refused the Host header; bind it with OLLAMA_HOST, or reach it by a name that it allows."
    elif status == 404 and not isinstance(data, Mapping):
        text = f"{text or 'Not found'}. The base URL is the server's root, without /api or /v1."
    elif status == 401:
        text = _sentence(text or "The server refused the key", _HINTS["unauthorized"])
    elif status == 499:
        return errors.TransportError(text or "The server saw the connection close.", status=status)
    return error_class(status)(text or f"HTTP {status}", status=status)


def _agree(status: int, implied: int) -> bool:
    """Say whether a text may refine this status: the server gives 500 where it has nothing better."""
    return status == implied or status == 500


def _is_unknown_model(lower: str, status: int | None) -> bool:
    return status in (None, 400, 404, 500) and lower.startswith(("model ", "models ")) and "not found" in lower


def _unknown_model(text: str, status: int, model: str | None, known: Iterable[str]) -> errors.UnknownModelError:
    hint = f"Pull it: pull({model!r})." if model and "pull" not in text.lower() else None
    names = [name for name in known if name != model]
    return errors.UnknownModelError(
        _sentence(text, hint), status=status, code="model_not_found", suggestions=nearest(model, names) if model else ()
    )


def _sentence(text: str, hint: str | None) -> str:
    return f"{text.rstrip('.')}. {hint}" if hint else text


def raise_inside(data: Any, *, model: str | None = None, known: Iterable[str] = ()) -> None:
    """Raise where a whole answer with a good status is an error body.

    Raises:
        BackendError: it is.
    """
    if isinstance(data, Mapping) and data.get("error"):
        raise typed_error(None, data, model=model, known=known)
