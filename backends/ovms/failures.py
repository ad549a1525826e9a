"""OVMS's errors as the library's own: from a status, or from a bare ``{"error": text}`` within or behind a good one.

Wire facts: ``src/status.cpp`` and ``src/http_server.cpp`` of the server (after v2026.3). The body is ``{"error": text}``
everywhere and there are no codes, so the text tells apart what one status mixes: a refused key and an unknown model of
``/v3/models`` are 500, a graph that is not loaded yet is 404 or 500. A gateway in front of the server may answer in
OpenAI's shape, which is read as such.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from backends import errors
from backends.dialects.openai_errors import error_facts
from backends.dialects.openai_errors import typed_error as dialect_error
from backends.resilience.failures import error_class

__all__ = ["raise_inside", "typed_error"]

_BY_TEXT: Final[tuple[tuple[str, type[errors.BackendError], str], ...]] = (
    # (what the text holds, in lower case; the class; our code)
    ("invalid or missing api-key", errors.AuthenticationError, "unauthorized"),
    ("is not loaded yet", errors.OverloadedError, "not_loaded_yet"),
    ("server is not ready", errors.OverloadedError, "server_not_ready"),
    ("model with requested version is not found", errors.NotFoundError, "version_not_found"),
    ("model with requested version is retired", errors.NotFoundError, "version_retired"),
    ("model with requested name is not found", errors.UnknownModelError, "model_not_found"),
    ("model with requested name and/or version is not found", errors.UnknownModelError, "model_not_found"),
    ("model with name ", errors.UnknownModelError, "model_not_found"),  # KServe's own server
    ("definition with requested name is not found", errors.UnknownModelError, "model_not_found"),
    ("model not found", errors.UnknownModelError, "model_not_found"),
    ("pipeline is retired", errors.UnknownModelError, "model_retired"),
    ("mediapipe is retired", errors.UnknownModelError, "model_retired"),
    ("unsupported method", errors.UnsupportedError, "unsupported_method"),
    ("exceeds model max length", errors.ContextLengthError, "context_length"),
    ("exceeds the maximum allowed length", errors.ContextLengthError, "context_length"),
    ("exceeds the model context", errors.ContextLengthError, "context_length"),
    ("exceeds pipeline capabilities", errors.ContextLengthError, "context_length"),
    ("longer than allowed", errors.ContextLengthError, "context_length"),
    ("invalid request url", errors.InvalidRequestError, "invalid_url"),
    ("the file is not valid json", errors.InvalidRequestError, "invalid_json"),
    ("internal inference error", errors.ServerError, "inference_failed"),
)
_BY_STATUS: Final = {406: errors.UnsupportedError}
_TRUSTED: Final = frozenset({None, 400, 401, 403, 404, 406, 412, 500, 503})
"""Statuses that a text may refine: the server's own. A gateway's 429 or 502 means what it says."""


def typed_error(
    status: int | None,
    data: Any,
    *,
    model: str | None = None,
    explain: Callable[[str], tuple[str, tuple[str, ...]]] | None = None,
) -> errors.BackendError:
    """Return the typed error of an error body.

    Args:
        status: HTTP status; None within a stream or a good answer.
        data: decoded JSON, or text.
        model: the model asked for.
        explain: given an unknown model's name, returns a sentence about it and the nearest known names.
    """
    if isinstance(data, dict) and isinstance(data.get("error"), dict):
        return dialect_error(status, data, model=model, explain=explain)
    text = error_facts(data).message
    lower = text.lower()
    for needle, kind, code in _BY_TEXT:
        if needle in lower and status in _TRUSTED:
            if kind is errors.UnknownModelError:
                return _unknown_model(text, status, code, model, explain)
            return kind(text, status=status, code=code)
    if status is None:
        return errors.ServerError(text or "The server sent an error without a text.")
    return _BY_STATUS.get(status, error_class(status))(text or f"HTTP {status}", status=status)


def _unknown_model(
    text: str,
    status: int | None,
    code: str,
    model: str | None,
    explain: Callable[[str], tuple[str, tuple[str, ...]]] | None,
) -> errors.UnknownModelError:
    if model is None:
        return errors.UnknownModelError(text, status=status, code=code)
    about, suggestions = explain(model) if explain is not None else ("", ())
    sentence = text if model in text else f"{text.rstrip('.')}: {model}."
    return errors.UnknownModelError(f"{sentence} {about}".strip(), status=status, code=code, suggestions=suggestions)


def raise_inside(data: Any) -> None:
    """Raise where a whole answer with a good status is an error body.

    Raises:
        BackendError: it is.
    """
    if isinstance(data, dict) and set(data) == {"error"} and data["error"]:
        raise typed_error(None, data)
