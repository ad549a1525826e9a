"""What a caller iterates over: a stream that owns its slot until it ends, and the synchronous view of it.

A stream ends in exactly one of four ways: finished, failed, closed early, abandoned. Each gives back the slot, the key and
the connection. This module never decodes bytes and never retries.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from types import TracebackType
from typing import Any, Generic, TypeVar

from backends.errors import BackendError
from backends.portal import Portal
from backends.types import Chunk

__all__ = ["AsyncStream", "Stream", "StreamState"]

T = TypeVar("T")


class StreamState(Generic[T]):
    """What the generator and the stream share; apart, so that dropping the stream frees the generator at once."""

    __slots__ = ("provider_request_id", "reply", "request_id")

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        self.provider_request_id: str | None = None
        self.reply: T | None = None


class AsyncStream(Generic[T]):
    """Chunks of one answer, then its ``reply``.

    Nothing is sent before the first chunk is asked for. Use it in ``async for``; close it early with ``aclose`` or
    ``async with``; a stream that is dropped is closed by the event loop.
    """

    __slots__ = ("_generator", "_state")

    def __init__(self, generator: AsyncGenerator[Chunk, None], state: StreamState[T]) -> None:
        self._generator = generator
        self._state = state

    def __aiter__(self) -> AsyncIterator[Chunk]:
        return self

    def __anext__(self) -> Any:
        return self._generator.__anext__()

    @property
    def request_id(self) -> str:
        """Our UUID of the request."""
        return self._state.request_id

    @property
    def finished(self) -> bool:
        """True when the whole answer has come."""
        return self._state.reply is not None

    @property
    def reply(self) -> T:
        """The whole reply.

        Raises:
            BackendError: the stream has not ended yet, or ended in an error.
        """
        if self._state.reply is None:
            raise BackendError(
                "The stream has not finished; its reply is there after the last chunk.", request_id=self.request_id
            )
        return self._state.reply

    async def collect(self) -> T:
        """Read to the end and return the reply."""
        async for _ in self._generator:
            pass
        return self.reply

    async def aclose(self) -> None:
        """End the stream now; its slot, key and connection are given back."""
        await self._generator.aclose()

    async def __aenter__(self) -> AsyncStream[T]:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


class Stream(Generic[T]):
    """The synchronous twin of :class:`AsyncStream`, driven through the backend's portal."""

    __slots__ = ("__weakref__", "_inner", "_portal")

    def __init__(self, make: Callable[[], AsyncStream[T]], portal: Portal) -> None:
        self._portal = portal
        self._inner = make()

    def __iter__(self) -> Iterator[Chunk]:
        return self

    def __next__(self) -> Chunk:
        found = self._portal.run(_next(self._inner))
        if found is None:
            raise StopIteration
        return found

    @property
    def request_id(self) -> str:
        """Our UUID of the request."""
        return self._inner.request_id

    @property
    def finished(self) -> bool:
        """True when the whole answer has come."""
        return self._inner.finished

    @property
    def reply(self) -> T:
        """The whole reply.

        Raises:
            BackendError: the stream has not ended yet, or ended in an error.
        """
        return self._inner.reply

    def collect(self) -> T:
        """Read to the end and return the reply."""
        return self._portal.run(self._inner.collect())

    def close(self) -> None:
        """End the stream now; its slot, key and connection are given back."""
        if self._portal.running:
            self._portal.run(self._inner.aclose())

    def __enter__(self) -> Stream[T]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        inner = getattr(self, "_inner", None)
        if inner is not None and not inner.finished:
            self._portal.spawn(inner.aclose())


async def _next(stream: AsyncStream[Any]) -> Chunk | None:
    try:
        chunk: Chunk = await stream.__anext__()
    except StopAsyncIteration:
        return None
    return chunk
