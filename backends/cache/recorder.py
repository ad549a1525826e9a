"""A stream on its way through, remembered for the cache. It changes nothing of what it passes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from backends.operation import Answer, StreamReader
from backends.types import Chunk

__all__ = ["Recorder"]


class Recorder:
    """A reader of a stream that remembers its bytes, up to a bound, until the whole reply was read."""

    def __init__(self, inner: StreamReader[Any], remember: Callable[[Answer, bytes], None], most: int) -> None:
        self._inner = inner
        self._remember = remember
        self._most = most
        self._pieces: list[bytes] = []
        self._size = 0

    @property
    def done(self) -> bool:
        """Whether the terminator was seen."""
        return self._inner.done

    def feed(self, data: bytes) -> Iterable[Chunk]:
        """Read on."""
        self._size += len(data)
        if self._size <= self._most:
            self._pieces.append(data)
        else:
            self._pieces.clear()
        return self._inner.feed(data)

    def finish(self) -> Iterable[Chunk]:
        """Read what was held back."""
        return self._inner.finish()

    def partial(self) -> Any:
        """Return the content so far."""
        return self._inner.partial()

    def reply(self, answer: Answer) -> Any:
        """Return the whole reply, and remember what it was read from."""
        reply = self._inner.reply(answer)
        if self._size <= self._most:
            self._remember(answer, b"".join(self._pieces))
        return reply
