"""The threads of one backend: one pool per endpoint for the network, a small one for files. None starts before its
first job.

Everything here can be awaited from any event loop. Closing wakes the threads that wait on a socket and joins them all.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from backends.errors import ClosedError
from backends.handover import handed_over
from backends.s3_kit.exchange import Exchange

__all__ = ["Threads"]

T = TypeVar("T")

_DISK: Final = 4


class Threads:
    """See the module docstring."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pools: dict[str, tuple[ThreadPoolExecutor, int]] = {}
        self._retired: list[ThreadPoolExecutor] = []
        self._running: set[Exchange] = set()
        self._closed = False

    @property
    def started(self) -> bool:
        """True when there may be a thread."""
        return bool(self._pools)

    async def exchange(self, endpoint: str, limit: int, exchange: Exchange, job: Callable[[], T]) -> T:
        """Run one attempt in a thread of the endpoint's pool; cancellation ends the exchange.

        Args:
            endpoint: whose pool.
            limit: how many threads it may have now; a larger limit than before replaces the pool.
            exchange: what the job is about.
            job: blocks.
        """
        with self._lock:
            self._running.add(exchange)
        try:
            return await _result(self._submit(f"s3-{endpoint}", limit, job))
        except asyncio.CancelledError:
            exchange.abort()
            raise
        finally:
            with self._lock:
                self._running.discard(exchange)

    async def local(self, job: Callable[[], T]) -> T:
        """Run a job on files; it must be short or divisible, for it cannot be interrupted."""
        return await _result(self._submit("s3-files", _DISK, job))

    async def opened(self, job: Callable[[], T], give_back: Callable[[T], object]) -> T:
        """Run a job on files that opens something; ``give_back`` closes it when the task was cancelled meanwhile."""
        return await handed_over(job, give_back, self.local)

    async def finally_(self, job: Callable[[], object]) -> None:
        """Run a short job that cleans up: once, even while the task is being cancelled or the backend is closed."""

        def even_so(future: asyncio.Future[object]) -> None:
            if future.cancelled():  # by a close that came before its turn
                job()

        try:
            future = self._submit("s3-files", _DISK, job)
        except ClosedError:
            job()
            return
        future.add_done_callback(even_so)
        try:
            await asyncio.shield(future)
        except asyncio.CancelledError:
            if not _given_up(future):
                raise

    def _submit(self, name: str, limit: int, job: Callable[[], T]) -> asyncio.Future[T]:
        with self._lock:
            if self._closed:
                raise _closed()
            pool, size = self._pools.get(name, (None, 0))
            if pool is None or size < limit:
                if pool is not None:
                    pool.shutdown(wait=False)  # its threads end when they have nothing left to do
                    self._retired.append(pool)
                pool = ThreadPoolExecutor(limit, thread_name_prefix=name)
                self._pools[name] = (pool, limit)
            return asyncio.get_running_loop().run_in_executor(pool, job)

    async def close(self) -> None:
        """End what runs and wait for every thread, without blocking the loop."""
        with self._lock:
            self._closed = True
            pools = [*self._retired, *(pool for pool, _ in self._pools.values())]
            running = list(self._running)
            self._pools.clear()
            self._retired.clear()
        for exchange in running:
            exchange.abort()
        if not pools:
            return
        for pool in pools:
            pool.shutdown(wait=False, cancel_futures=True)
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[None] = loop.create_future()

        def join() -> None:
            for pool in pools:
                pool.shutdown(wait=True)
            loop.call_soon_threadsafe(ended.set_result, None)

        joiner = threading.Thread(target=join, name="s3-close", daemon=True)
        joiner.start()
        await asyncio.shield(ended)
        joiner.join()


def _closed() -> ClosedError:
    return ClosedError("This backend is closed; make a new one.")


async def _result(future: asyncio.Future[T]) -> T:
    try:
        return await future
    except asyncio.CancelledError:
        if _given_up(future):
            raise _closed() from None
        raise


def _given_up(future: asyncio.Future[Any]) -> bool:
    """Say whether a close came before the job's turn, which is no cancellation of whoever waits for it."""
    task = asyncio.current_task()
    return future.cancelled() and not (task is not None and task.cancelling())
