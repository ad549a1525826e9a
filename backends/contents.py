"""The reader of an answer that is bytes and nothing else: a file, sound. It knows no provider and keeps nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from backends.operation import Answer
from backends.types import Chunk
from backends.values import FileContent

__all__ = ["ContentReader"]


class ContentReader:
    """Passes bytes on. They have no end mark of their own: the end of the HTTP body is their end."""

    __slots__ = ("_size", "done")

    def __init__(self) -> None:
        self._size = 0
        self.done = False

    def feed(self, data: bytes) -> Iterator[Chunk]:
        """Yield the bytes as they are."""
        self._size += len(data)
        yield Chunk(data=data)

    def finish(self) -> Iterable[Chunk]:
        """Take the end of the body as the end; an empty file is one, too."""
        self.done = True
        return ()

    def partial(self) -> None:
        """Nothing is kept."""

    def reply(self, answer: Answer) -> FileContent:
        """Return how much came."""
        return FileContent(**answer.facts(), size=self._size, content_type=answer.headers.get("content-type"))
