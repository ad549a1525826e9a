"""How objects of Ollama's own API become bytes: compact JSON and one line feed, no terminator line, no blank line."""

from __future__ import annotations

from collections.abc import Iterable

from conformance.simulators.provider import Answer, Event, Stream, encode

__all__ = ["line", "ndjson"]


def line(event: Event) -> bytes:
    """One object, one line feed."""
    return encode(event.payload) + b"\n"


def ndjson(events: Iterable[Event], pings: tuple[Event, ...] = ()) -> Answer:
    """A streamed answer; ``pings`` are the objects that mean nothing in this stream."""
    return Answer(stream=Stream(events, line, pings=pings), content_type="application/x-ndjson")
