"""How answers of a Gemini stream become bytes: ``data:`` and one JSON object, CR LF twice, and nothing else ever."""

from __future__ import annotations

from collections.abc import Iterable

from conformance.simulators.provider import Answer, Event, Stream, encode

__all__ = ["PINGS", "frame", "sse"]

PINGS = (
    Event({"modelVersion": "simulated", "later": 1}),
    Event({"candidates": [{"content": {"role": "model"}, "index": 0}]}),
)
"""Harmless objects: one without candidates, one whose candidate says nothing. Comments the service never sends."""


def frame(event: Event) -> bytes:
    """One event."""
    return b"data: %b\r\n\r\n" % encode(event.payload)


def sse(events: Iterable[Event]) -> Answer:
    """A streamed answer."""
    return Answer(stream=Stream(events, frame), content_type="text/event-stream")
