"""The threads of one backend: one pool per endpoint for the network, a small one for files. None starts before its
first job.

Everything here can be awaited from any event loop. Closing wakes the threads that wait on a socket and joins them all.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from backends.errors import ClosedError
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
            return await asyncio.get_running_loop().run_in_executor(self._pool(f"s3-{endpoint}", limit), job)
        except asyncio.CancelledError:
            exchange.abort()
            raise
        finally:
            with self._lock:
                self._running.discard(exchange)

    async def local(self, job: Callable[[], T]) -> T:
        """Run a job on files; it must be short or divisible, for it cannot be interrupted."""
        return await asyncio.get_running_loop().run_in_executor(self._pool("s3-files", _DISK), job)

    async def finally_(self, job: Callable[[], object]) -> None:
        """Run a short job that cleans up, even while the task is being cancelled or after the backend was closed."""
        try:
            await asyncio.shield(self.local(job))
        except ClosedError:
            job()

    def _pool(self, name: str, limit: int) -> ThreadPoolExecutor:
        with self._lock:
            if self._closed:
                raise ClosedError("This backend is closed; make a new one.")
            pool, size = self._pools.get(name, (None, 0))
            if pool is None or size < limit:
                if pool is not None:
                    pool.shutdown(wait=False)  # its threads end when they have nothing left to do
                    self._retired.append(pool)
                pool = ThreadPoolExecutor(limit, thread_name_prefix=name)
                self._pools[name] = (pool, limit)
            return pool

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
