"""How the bytes of an answer are decoded, and how one of the wrong shape is told: in bounded words.

The answer is hostile until it has been read; what it means is the provider's to say, and nothing here decides what happens
next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from backends import errors
from backends.operation import Operation, StreamReader
from backends.wire import jsontext
from backends.wire.values import FormatError

if TYPE_CHECKING:
    from backends.wire.client import Response

__all__ = [
    "LARGEST_ERROR_BODY",
    "UNREADABLE",
    "brief",
    "decoded",
    "error_text",
    "readable_error",
    "refuse_document",
    "unreadable",
]

UNREADABLE: Final = (
    *(FormatError, KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError),
    OverflowError,  # an integer of a thousand digits where a float belongs
)
"""What reading an answer of the wrong shape raises: each is the answer's fault."""
LARGEST_ERROR_BODY: Final = 65_536
"""Bytes of an answer that is an error, or not what was asked for, that are looked at."""
_LARGEST_MESSAGE: Final = 2_000
_STREAMS_BEGIN: Final = (b"data:", b"event:", b"id:", b"retry:", b":")


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
        return content[:LARGEST_ERROR_BODY].decode("utf-8", "replace")


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


def refuse_document(reader: StreamReader[Any], said: bytes, kind: str, *, begun: bool) -> None:
    """Raise where what came in place of a stream was never meant to be one: a page, or a whole document.

    A JSON document is shown to the reader as the only event of a stream, so that the provider's own error is told as its own.

    Args:
        reader: of the stream; it has seen all of it and no content.
        said: the beginning of the body.
        kind: its content type.
        begun: the reader has made out something of a stream.

    Raises:
        BackendError: it is the provider's error.
        FormatError: it is anything else.
    """
    said = said.strip()
    if not said or "event-stream" in kind or "ndjson" in kind or said.startswith(_STREAMS_BEGIN):
        return
    refusal = FormatError(f"a document came in its place ({kind[:100] or 'no content type'})")
    try:
        document = jsontext.loads(said, max_depth=64)
    except FormatError:
        if begun:
            return
        raise refusal from None
    name = b"event: error\n" if isinstance(document, dict) and document.get("error") else b""
    try:
        for _ in reader.feed(name + b"data: " + jsontext.dumps(document) + b"\n\n"):
            pass  # only its errors matter: a stream without an end is none, whatever it says
    except errors.BackendError:
        raise  # some of ours are errors of value too
    except UNREADABLE:
        pass
    raise refusal


def brief(problem: BaseException) -> str:
    """Say in bounded words what was wrong with an answer."""
    if isinstance(problem, KeyError):
        return f"field {str(problem)[:100]} is missing"
    return (
        f"{type(problem).__name__}: {str(problem)[:200]}"
        if not isinstance(problem, FormatError)
        else str(problem)[:200]
    )
