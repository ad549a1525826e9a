"""How events become bytes: an ``event:`` line with the payload's type and its ``data:`` line; there is no ``[DONE]``."""

from __future__ import annotations

from collections.abc import Iterable

from conformance.simulators.openai.framing import named
from conformance.simulators.provider import Answer, Event, Stream

__all__ = ["frame", "sse"]

frame = named


def sse(events: Iterable[Event]) -> Answer:
    """A streamed answer."""
    return Answer(stream=Stream(list(events), frame), content_type="text/event-stream; charset=utf-8")
