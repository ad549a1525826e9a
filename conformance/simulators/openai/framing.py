"""How events of the OpenAI dialect become bytes: bare ``data:`` lines for chat, named events for Responses, images."""

from __future__ import annotations

from typing import Any

from conformance.simulators.provider import Answer, Event, Part, Stream, encode

__all__ = ["DONE", "data_only", "named", "sse"]

DONE = Event(raw=b"data: [DONE]\n\n", part=Part.TERMINATOR)
"""The terminator of chat and completion streams."""


def data_only(event: Event) -> bytes:
    """``data: {...}`` and a blank line."""
    return b"data: %b\n\n" % encode(event.payload)


def named(event: Event) -> bytes:
    """``event: type``, ``data: {...}`` and a blank line; the name is the payload's ``type``."""
    payload: Any = event.payload
    name = event.name or (payload.get("type") if isinstance(payload, dict) else None)
    data = data_only(event)
    return data if name is None else b"event: %b\n%b" % (str(name).encode(), data)


def sse(stream: Stream) -> Answer:
    """A streamed answer."""
    return Answer(stream=stream, content_type="text/event-stream; charset=utf-8")
