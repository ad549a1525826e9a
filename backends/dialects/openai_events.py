"""Server-sent events of the OpenAI dialect, bytes to JSON objects: the part that every stream reader here shares.

Wire facts: each event is ``data: {...}``; chat and completions end with ``data: [DONE]``; Responses, images and
audio name their events and end with a typed one. Comments and events that are neither are harmless. An object with
``error`` in it is the provider's error, whatever the status was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from backends.dialects.openai_errors import stream_error
from backends.errors import BackendError
from backends.types import Chunk
from backends.wire.jsontext import loads
from backends.wire.sse import SSEDecoder
from backends.wire.values import FormatError

__all__ = ["MAX_EVENT_BYTES", "EventReader"]

MAX_EVENT_BYTES: Final = 8 * 1024 * 1024


class EventReader:
    """Base of the readers: subclasses turn one payload into chunks in :meth:`take`, and set ``done`` at a typed end.

    Args:
        max_event_bytes: bound of one event.
    """

    __slots__ = ("_decoder", "done")

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._decoder = SSEDecoder(max_event_bytes)
        self.done = False

    def feed(self, data: bytes) -> Iterator[Chunk]:
        """Yield the chunks that the next bytes complete, each before a later error in the same bytes is raised.

        Raises:
            BackendError: the provider sent an error event.
            FormatError: an event is not what the dialect has.
        """
        take = self.take
        for event in () if self.done else self._decoder.feed(data):
            text = event.data
            if text[:1] != "{":
                if text.strip() == "[DONE]":
                    self.ended()
                    self.done = True
                    return
                if event.event is not None or not text.strip():
                    continue  # a ping, or an event of somebody's own
            payload = loads(text)
            if not isinstance(payload, dict):
                raise FormatError("a stream event is not a JSON object")
            if payload.get("error") or event.event == "error":
                raise self.failure(payload)
            yield from take(payload)
            if self.done:
                return

    def finish(self) -> Iterable[Chunk]:
        """Take the end of the bytes; an event without its blank line is not an event.

        Raises:
            FormatError: the last event was larger than allowed.
        """
        if not self.done:
            self._decoder.close()
        return ()

    def failure(self, payload: dict[str, Any]) -> BackendError:
        """Return the typed error of an error event; overridden where a server has words of its own."""
        return stream_error(payload)

    def take(self, payload: dict[str, Any]) -> Iterable[Chunk]:
        """Return the chunks of one payload."""
        raise NotImplementedError

    def ended(self) -> None:
        """Look at what came when the terminator arrives; may raise FormatError."""
