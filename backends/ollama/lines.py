"""Lines of a stream, bytes to JSON objects: the part that every stream reader of Ollama shares.

Wire facts: each line is one JSON object, the last has ``"done": true`` (chat, generate) or ``"status": "success"``
(progress); ``{"error": text}`` may take the place of any of them. Bytes that end before the last line were cut short.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from backends.errors import BackendError
from backends.types import Chunk
from backends.wire.jsontext import loads
from backends.wire.ndjson import NDJSONDecoder
from backends.wire.values import FormatError

__all__ = ["Fail", "LineReader"]

Fail = Callable[[Any], BackendError]
"""Makes the typed error of an object with ``error`` in it."""


class LineReader:
    """Base of the readers: subclasses turn one object into chunks in :meth:`take`, and set ``done`` at the last one.

    Args:
        fail: makes the typed error of an error line.
        max_event_bytes: bound of one line.
    """

    __slots__ = ("_decoder", "_fail", "done")

    def __init__(self, fail: Fail, max_event_bytes: int) -> None:
        self._decoder = NDJSONDecoder(max_event_bytes)
        self._fail = fail
        self.done = False

    def feed(self, data: bytes) -> Iterator[Chunk]:
        """Yield the chunks that the next bytes complete, each before a later error in the same bytes is raised.

        Raises:
            BackendError: the server sent an error line.
            FormatError: a line is not a JSON object, not UTF-8, or too long.
        """
        start, size = 0, len(data)
        while start < size and not self.done:
            end = data.find(b"\n", start) + 1 or size
            # Line by line: a bad line must not take the good ones before it along.
            for line in self._decoder.feed(data[start:end]):
                yield from self._line(loads(line))
            start = end

    def finish(self) -> Iterator[Chunk]:
        """Take the end of the bytes; a last line without line feed counts when it is whole."""
        if self.done:
            return
        try:
            lines = self._decoder.close()
        except FormatError:
            return  # the bytes end inside a character: cut short, which the caller says
        for line in lines:
            try:
                event = loads(line)
            except FormatError:
                if line.lstrip()[:1] == "{":
                    return  # as above: the bytes end inside an object
                raise
            yield from self._line(event)

    def _line(self, event: Any) -> Iterable[Chunk]:
        if type(event) is not dict:
            raise FormatError("a line of the stream is not a JSON object")
        if event.get("error"):
            raise self._fail(event)
        return self.take(event)

    def take(self, event: dict[str, Any]) -> Iterable[Chunk]:
        """Return the chunks of one object."""
        raise NotImplementedError
