"""What a caller iterates over: a stream that owns its slot until it ends, and the synchronous view of it.

A stream ends in exactly one of four ways: finished, failed, closed early, abandoned. Each gives back the slot, the key and
the connection. This module never decodes bytes and never retries.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from types import TracebackType
from typing import Any, Final, Generic, TypeVar

from backends.errors import BackendError
from backends.portal import Portal
from backends.types import Chunk

__all__ = ["AsyncStream", "Stream", "StreamState"]

T = TypeVar("T")
_READ_AHEAD: Final = 64


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
    """The synchronous twin of :class:`AsyncStream`, driven through the backend's portal.

    Crossing into the event loop's thread costs more than a chunk, so a crossing brings all that have come, at most 64.
    """

    __slots__ = ("__weakref__", "_inner", "_portal", "_reading", "_ready")

    def __init__(self, make: Callable[[], AsyncStream[T]], portal: Portal) -> None:
        self._portal = portal
        self._inner = make()
        self._ready: deque[Chunk | BaseException | None] = deque()
        self._reading: _Reading | None = None

    def __iter__(self) -> Iterator[Chunk]:
        return self

    def __next__(self) -> Chunk:
        if not self._ready:
            if self._reading is None:
                self._reading = _Reading(self._inner)
            self._ready.extend(self._portal.run(self._reading.some()))
        found = self._ready[0]
        if found is None:
            raise StopIteration
        if isinstance(found, BaseException):
            self._ready[0] = None
            raise found
        self._ready.popleft()
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
        if self._reading is None:
            return self._portal.run(self._inner.collect())
        for _ in self:
            pass
        return self.reply

    def close(self) -> None:
        """End the stream now; its slot, key and connection are given back."""
        self._ready.clear()
        self._ready.append(None)
        if self._portal.running:
            self._portal.run(_closed(self._inner, self._reading))

    def __enter__(self) -> Stream[T]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        inner = getattr(self, "_inner", None)
        if inner is not None and not inner.finished:
            self._portal.spawn(_closed(inner, self._reading))


class _Reading:
    """Reads a stream ahead of its synchronous consumer, within bounds, in the portal's loop.

    What is handed over ends with None at the end of the stream, or with the error that ended it.
    """

    def __init__(self, stream: AsyncStream[Any]) -> None:
        self._stream = stream
        self._came: list[Chunk | BaseException | None] = []
        self._something = asyncio.Event()
        self._room = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def some(self) -> list[Chunk | BaseException | None]:
        """Return what has come, waiting until something has."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._read())
        await self._something.wait()
        came, self._came = self._came, []
        self._something.clear()
        self._room.set()
        return came

    async def stop(self) -> None:
        """Read no further, and let go whoever waits in another thread."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._came.append(None)
        self._something.set()

    async def _read(self) -> None:
        end: BaseException | None = None
        try:
            async for chunk in self._stream:
                self._came.append(chunk)
                self._something.set()
                if len(self._came) >= _READ_AHEAD:
                    self._room.clear()
                    await self._room.wait()
        except Exception as error:
            end = error
        self._came.append(end)
        self._something.set()


async def _closed(stream: AsyncStream[Any], reading: _Reading | None) -> None:
    if reading is not None:
        await reading.stop()
    await stream.aclose()
