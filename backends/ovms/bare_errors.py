"""Streams whose errors come bare: ``{"error": text}`` appended without ``data:`` and without ``[DONE]``.

Wire facts: ``src/http_rest_api_handler.cpp`` of the server. To a decoder of server-sent events such a line is an unknown
field, which the standard says to ignore; official clients see the stream just end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, Final, Generic, TypeVar

from backends.operation import Answer, CountsSoFar, Operation, SoFar, StreamReader
from backends.ovms.failures import typed_error
from backends.types import Chunk
from backends.wire.jsontext import loads
from backends.wire.values import FormatError

__all__ = ["BareErrorReader", "watched"]

T = TypeVar("T")
_LONGEST: Final = 65_536


class BareErrorReader(Generic[T]):
    """Passes bytes on to a reader of the dialect and keeps the line that begins with a brace, if one comes.

    Args:
        inner: the reader of the dialect.
    """

    __slots__ = ("_inner", "_line", "_starts", "done")

    def __init__(self, inner: StreamReader[T]) -> None:
        self.done = inner.done
        self._inner = inner
        self._line = b""
        self._starts = True

    def feed(self, data: bytes) -> Iterator[Chunk]:
        """Yield the chunks that the next bytes complete.

        Raises:
            BackendError: the server sent an error, bare or as an event.
            FormatError: an event is not what the dialect has.
        """
        yield from self._inner.feed(data)
        self.done = self._inner.done
        if not self.done:
            self._watch(data)

    def _watch(self, data: bytes) -> None:
        """Follow lines across pieces; one that ends is looked at, one that has not ended waits for the rest."""
        *ended, last = data.replace(b"\r", b"\n").split(b"\n")
        for line in ended:
            self._take(line)
            self._raise()
            self._starts = True
        self._take(last)

    def _take(self, part: bytes) -> None:
        if self._starts and part:
            self._starts = False
            self._line = part[:_LONGEST] if part[:1] == b"{" else b""
        elif self._line:
            self._line += part[: _LONGEST - len(self._line)]

    def _raise(self) -> None:
        line, self._line = self._line, b""
        if not line:
            return
        try:
            found = loads(line, max_depth=64)
        except FormatError:
            return  # an unknown field, or an error that was cut short: the missing terminator says so
        if isinstance(found, dict) and found.get("error"):
            raise typed_error(None, found)

    def finish(self) -> Iterable[Chunk]:
        """Say that the bytes have ended.

        Raises:
            BackendError: their last line is a bare error.
        """
        self._raise()
        chunks = self._inner.finish()
        self.done = self._inner.done
        return chunks

    def partial(self) -> Any:
        """Return the content so far, None when there is none."""
        return self._inner.partial()

    def so_far(self) -> SoFar:
        """Return what has come."""
        return self._inner.so_far() if isinstance(self._inner, CountsSoFar) else SoFar("")

    def reply(self, answer: Answer) -> T:
        """Return the whole reply of a finished stream."""
        return self._inner.reply(answer)


def watched(operation: Operation[T]) -> Operation[T]:
    """Return a streamed operation whose reader notices bare errors."""
    make: Callable[[], StreamReader[T]] | None = operation.stream
    assert make is not None
    return replace(operation, stream=lambda: BareErrorReader(make()))
