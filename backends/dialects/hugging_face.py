"""What the two inference servers of Hugging Face share: credentials, error bodies, figures in headers.

Wire facts: text-generation-inference 3.3.7 and text-embeddings-inference 1.9.3 (``router/src``). Errors are
``{"error": text, "error_type": kind}``, the kind in lower case at TGI and as a capitalised name at TEI (whose documents
show lower case); the OpenAI side of TEI has ``{"message", "code", "type"}``, that of TGI's streams ``{"error":
{"message", "http_status_code": 422}}`` whatever went wrong. The web framework refuses in plain text, and authentication
with an empty body. The vendor's own front end adds ``{"error", "estimated_time"}`` with 503 and ``{"error"}`` with 429.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from backends import errors
from backends.resilience.failures import error_class

__all__ = ["KEY_FILE_VARIABLES", "KEY_VARIABLES", "header_count", "header_seconds", "typed_error"]

KEY_VARIABLES: Final = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
KEY_FILE_VARIABLES: Final = ("HF_TOKEN_PATH",)

_LONGEST_MESSAGE: Final = 2_000
_LONGEST_CODE: Final = 200
_KINDS: Final[dict[str, tuple[int, type[errors.BackendError]]]] = {
    "validation": (422, errors.InvalidRequestError),
    "template_error": (422, errors.InvalidRequestError),
    "missing_template_variable": (422, errors.InvalidRequestError),
    "tool_error": (422, errors.InvalidRequestError),
    "generation": (424, errors.ServerError),
    "overloaded": (429, errors.OverloadedError),
    "incomplete_generation": (500, errors.ServerError),
    "incomplete_generation_stream": (500, errors.ServerError),
    "stream_serialization_error": (500, errors.ServerError),
    "healthcheck": (503, errors.OverloadedError),
    "empty": (400, errors.InvalidRequestError),
    "tokenizer": (422, errors.InvalidRequestError),
    "backend": (424, errors.ServerError),
    "unhealthy": (503, errors.OverloadedError),
}
"""Kind in lower case -> the status that goes with it, and the class."""
_BEGINNINGS: Final = (
    ("Input validation error", "validation"),
    ("Request failed during generation", "generation"),
    ("Model is overloaded", "overloaded"),
    ("Incomplete generation", "incomplete_generation"),
    ("Template error", "template_error"),
    ("Missing template", "missing_template_variable"),
    ("Tool error", "tool_error"),
)
"""How messages begin, for events that have no kind."""
_TOO_LONG: Final = re.compile(r"tokens.{0,40} must be <=|must have less than \d+ tokens")
_WRONG_MODEL: Final = re.compile(r"\bmodel is not an? |\bis not (?:supported|available) for", re.IGNORECASE)
_COUNT: Final = re.compile(r"[0-9]{1,15}")
_DECIMAL: Final = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,20})?")


def typed_error(status: int | None, data: Any) -> errors.BackendError:
    """Return the typed error of an error body; never raises.

    Args:
        status: HTTP status; None inside a stream, where it follows from the kind and stays None without one.
        data: decoded JSON, or text.
    """
    message, code = _facts(data)
    kind = code.lower() if code is not None else None
    if kind is None and status is None:
        kind = next((kind for beginning, kind in _BEGINNINGS if message.startswith(beginning)), None)
    known = _KINDS.get(kind or "")
    if status is None:
        status = known[0] if known is not None else None
    made = _class(status, known, message)
    if not message:
        message = _WITHOUT_WORDS.get(status or 0, f"HTTP {status}." if status else "The server gave no message.")
    return made(message, status=status, code=code or (kind if known is not None else None))


_WITHOUT_WORDS: Final = {
    401: "The server refused the key, or wants one (HTTP 401).",
    404: "There is no such path (HTTP 404); the base URL is the server's root, without /v1.",
    405: "The path does not take this method (HTTP 405); the base URL is the server's root, without /v1.",
}


def _class(
    status: int | None, known: tuple[int, type[errors.BackendError]] | None, message: str
) -> type[errors.BackendError]:
    if status == 424 and _WRONG_MODEL.search(message):
        return errors.UnsupportedError
    if known is not None and known[0] == status:
        made = known[1]
    elif status is None:
        return errors.ServerError
    else:
        made = error_class(status) if status != 424 else errors.ServerError
    return errors.ContextLengthError if made is errors.InvalidRequestError and _TOO_LONG.search(message) else made


def _facts(data: Any) -> tuple[str, str | None]:
    """Return message and kind, both bounded."""
    kind: Any = None
    if isinstance(data, Mapping):
        body = data.get("error", data.get("message"))
        kind = data.get("error_type", data.get("type"))
        if isinstance(body, Mapping):
            kind = body.get("code") or body.get("type")
            body = body.get("message")
        data = body
    text = data.strip() if isinstance(data, str) else ""
    if text[:1] == "<":
        text = "An HTML page came instead of the server's own error."
    return text[:_LONGEST_MESSAGE], kind[:_LONGEST_CODE] if isinstance(kind, str) and kind else None


def header_count(headers: Mapping[str, str], name: str) -> int | None:
    """Return a whole number from a header, None where it is absent or none."""
    found = _COUNT.fullmatch(headers.get(name, ""))
    return int(found[0]) if found is not None else None


def header_seconds(headers: Mapping[str, str], name: str, unit: float = 0.001) -> float | None:
    """Return a duration in seconds from a header that counts in ``unit``, None where it is absent or none."""
    found = _DECIMAL.fullmatch(headers.get(name, ""))
    return float(found[0]) * unit if found is not None else None
