"""How an answer of the wrong shape is told: in bounded words.

The answer is hostile until it has been read; nothing here decides what happens next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from backends.operation import Operation
from backends.wire import jsontext
from backends.wire.values import FormatError

if TYPE_CHECKING:
    from backends.wire.client import Response

__all__ = ["UNREADABLE", "brief", "decoded", "error_text", "readable_error", "unreadable"]

UNREADABLE: Final = (
    *(FormatError, KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError),
    OverflowError,  # an integer of a thousand digits where a float belongs
)
"""What reading an answer of the wrong shape raises: each is the answer's fault."""
_LARGEST_ERROR_BODY: Final = 65_536
_LARGEST_MESSAGE: Final = 2_000


def error_text(data: Any) -> tuple[str, str | None]:
    """Return message and code of the error bodies in use: ``{"error": {...}}``, ``{"error": text}``, ``{"message": ...}``, text."""
    body = data.get("error", data) if isinstance(data, dict) else data
    if isinstance(body, dict):
        message = body.get("message")
        code = body.get("code") or body.get("type")
        return _short(message), str(code)[:200] if code is not None else None
    return _short(body), None


def _short(text: Any) -> str:
    if not isinstance(text, str):
        return ""
    stripped = text.strip()
    if stripped.startswith("<"):
        return "an HTML page instead of the API's own error"
    return stripped[:_LARGEST_MESSAGE]


def readable_error(content: bytes) -> Any:
    """Return the body of an error answer as JSON, or as bounded text where it is none."""
    try:
        return jsontext.loads(content, max_depth=64)
    except FormatError:
        return content[:_LARGEST_ERROR_BODY].decode("utf-8", "replace")


def decoded(operation: Operation[Any], content: bytes) -> Any:
    """Return the body of an answer as its operation expects it.

    Raises:
        FormatError, ValueError: it is not that.
    """
    if operation.expect == "json":
        return jsontext.loads(content, max_depth=128)
    if operation.expect == "text":
        return content.decode("utf-8")
    return content if operation.expect == "bytes" else None


def unreadable(operation: Operation[Any], response: Response, content: bytes, problem: Exception) -> str:
    """Say that an answer cannot be read, what it was and why."""
    kind = response.headers.get("content-type", "no content type")[:100]
    size = "an empty body" if not content else f"{len(content)} bytes"
    return f"The answer to {operation.name} cannot be read: {brief(problem)} ({kind}, {size})."


def brief(problem: BaseException) -> str:
    """Say in bounded words what was wrong with an answer."""
    if isinstance(problem, KeyError):
        return f"field {str(problem)[:100]} is missing"
    return (
        f"{type(problem).__name__}: {str(problem)[:200]}"
        if not isinstance(problem, FormatError)
        else str(problem)[:200]
    )
