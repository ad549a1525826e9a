"""Where saboteurs of chapter STR cut: the reader of a stream, wrapped, and the chunks on their way out. It breaks nothing by itself."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import replace
from typing import Any

from backends.types import Chunk

__all__ = ["Reading", "reading", "rewritten", "taking"]


class Reading:
    """A reader that does what the reader inside it does; saboteurs override one method."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.ended = False

    @property
    def done(self) -> bool:
        """Whether the end was announced."""
        return self.ended or bool(self.inner.done)

    def feed(self, data: bytes) -> Iterable[Chunk]:
        """Take the next bytes."""
        return self.inner.feed(data)  # type: ignore[no-any-return]

    def finish(self) -> Iterable[Chunk]:
        """Take the end of the bytes."""
        return self.inner.finish()  # type: ignore[no-any-return]

    def partial(self) -> Any:
        """Return what has come."""
        return self.inner.partial()

    def reply(self, answer: Any) -> Any:
        """Return the reply."""
        return self.inner.reply(answer)


def reading(backend: Any, change: Callable[[Any], Any]) -> None:
    """Let ``change`` make another reader of each stream's own."""
    stream = backend._stream

    def spoilt(operation: Any, options: Any) -> Any:
        make = operation.stream
        return stream(replace(operation, stream=lambda: change(make())), options)

    backend._stream = spoilt


def rewritten(backend: Any, rewrite: Callable[[AsyncIterator[Chunk]], AsyncIterator[Chunk]]) -> None:
    """Let ``rewrite`` change the chunks of every stream on their way to the caller."""
    flow = backend._flow

    async def spoilt(call: Any, work: Any, state: Any) -> AsyncIterator[Chunk]:
        async with contextlib.aclosing(flow(call, work, state)) as chunks:
            async for chunk in rewrite(chunks):
                yield chunk

    backend._flow = spoilt


def taking(backend: Any, look: Callable[[Any], Any]) -> None:
    """Let ``look`` see, change or refuse every event before it is read."""

    def change(reader: Any) -> Any:
        kind: Any = type(reader)

        class Looking(kind):  # type: ignore[misc]  # whatever reader it is
            __slots__ = ()

            def take(self, payload: Any) -> Any:
                return super().take(look(payload))

        reader.__class__ = Looking
        return reader

    reading(backend, change)
