"""How tokens become events: as ``repr`` of their UTF-8 bytes; and how a refusal does, without any escaping."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from conformance.simulators.openai.framing import DONE, sse
from conformance.simulators.provider import Answer, Event, Part, Stream

__all__ = ["literal", "refused", "spoken", "wrapped"]


def literal(event: Event) -> bytes:
    """``data: b'...'`` and a blank line."""
    return b"data: %b\n\n" % repr(str(event.payload).encode("utf-8", "surrogatepass")).encode()


def wrapped(payload: Any) -> Event:
    """What DocSum makes of JSON that it cannot read: the JSON as a token."""
    return Event(json.dumps(payload, ensure_ascii=False))


def _swallowed(status: int, code: str | None, message: str | None, sent: int) -> Sequence[Event]:
    """An error of the model: nothing is said, the stream ends as if all were well."""
    return (DONE,)


def _wrapped_error(status: int, code: str | None, message: str | None, sent: int) -> Sequence[Event]:
    error = {"error": {"message": message or "Internal server error", "type": "InternalServerError", "code": status}}
    return (wrapped(error), DONE)


def spoken(tokens: Iterable[str], *extra: Event, tells_errors: bool = False) -> Answer:
    """A streamed answer, token by token; ``extra`` events stand before the terminator.

    Args:
        tells_errors: an error of the model comes as a token (DocSum) instead of not at all (ChatQnA).
    """
    events = [*(Event(token) for token in tokens), *extra, DONE]
    return sse(Stream(events, literal, _wrapped_error if tells_errors else _swallowed, pings=()))


def refused(text: str) -> Answer:
    """A guardrail's refusal to a caller who wants a stream."""
    raw = f"data: b'{text}'\n\n".encode()
    return sse(Stream([Event(raw=raw, part=Part.CONTENT), DONE], literal, _swallowed, pings=()))
