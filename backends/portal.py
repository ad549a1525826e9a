"""The bridge from synchronous callers to the asynchronous source: one event loop in one daemon thread per backend.

It starts at the first synchronous call, so building a backend starts nothing; it ends with ``close``. It holds no policy.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import threading
import weakref
from collections.abc import Coroutine
from typing import Any, TypeVar

from backends.errors import ClosedError, ConfigurationError

__all__ = ["Portal"]

T = TypeVar("T")


class Portal:
    """Runs coroutines for threads that have no event loop of their own. Safe from many threads; fork-aware."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._process = os.getpid()
        self._closed = False
        self._end: weakref.finalize[..., Portal] | None = None

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run to completion and return the result or raise the error, as if called here.

        A ``KeyboardInterrupt`` in the waiting thread cancels the work.

        Raises:
            ConfigurationError: called from the portal's own thread, where waiting would never end.
            ClosedError: it was closed before, or meanwhile.
        """
        try:
            future = self._handed_over(work, self._started())
        except BaseException:
            work.close()
            raise
        try:
            return future.result()
        except concurrent.futures.CancelledError:
            if self._closed:
                raise _closed() from None
            raise asyncio.CancelledError from None
        except BaseException:
            future.cancel()
            raise

    def _handed_over(
        self, work: Coroutine[Any, Any, T], loop: asyncio.AbstractEventLoop
    ) -> concurrent.futures.Future[T]:
        with self._lock:  # against close: what is handed over before the loop is told to stop is cancelled by it
            if self._loop is not loop:
                raise _closed()
            return asyncio.run_coroutine_threadsafe(work, loop)

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run in the background if the loop still runs; otherwise there is nothing left to do it for."""
        loop = self._loop
        if loop is not None and self._process == os.getpid() and not loop.is_closed():
            try:
                asyncio.run_coroutine_threadsafe(work, loop)
            except RuntimeError:
                work.close()
        else:
            work.close()

    def _check_process(self) -> None:
        if self._process != os.getpid():
            # The parent's loop and thread do not exist in this process, and its lock may be held for ever.
            self._lock = threading.Lock()
            self._loop = self._thread = None
            self._process = os.getpid()

    def _started(self) -> asyncio.AbstractEventLoop:
        self._check_process()
        loop = self._loop
        if loop is None:
            with self._lock:
                if self._closed:
                    raise _closed()
                loop = self._loop
                if loop is None:
                    loop = self._start()
        if threading.current_thread() is self._thread:
            raise ConfigurationError(
                "A synchronous method was called inside the backend's own event loop; use its async twin."
            )
        return loop

    def _start(self) -> asyncio.AbstractEventLoop:
        loop = asyncio.new_event_loop()
        ready = threading.Event()

        def serve() -> None:
            asyncio.set_event_loop(loop)
            loop.call_soon(ready.set)
            try:
                loop.run_forever()
            finally:
                try:
                    _cancel_all(loop)
                    loop.run_until_complete(loop.shutdown_asyncgens())
                    loop.run_until_complete(loop.shutdown_default_executor())
                finally:
                    asyncio.set_event_loop(None)
                    loop.close()

        thread = threading.Thread(target=serve, name="backends-portal", daemon=True)
        thread.start()
        ready.wait()
        self._thread = thread
        self._loop = loop
        # A backend that nobody closed is closed when it is collected, at the latest when the interpreter ends.
        self._end = weakref.finalize(self, _stop, loop, thread, os.getpid())
        return loop

    @property
    def running(self) -> bool:
        """True while the loop's thread exists in this process."""
        return self._loop is not None and self._process == os.getpid()

    def close(self) -> None:
        """Cancel what runs, stop the loop and wait for its thread; idempotent."""
        self._check_process()
        with self._lock:
            self._closed = True
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None:
            return
        if self._end is not None:
            self._end()


def _closed() -> ClosedError:
    return ClosedError("This backend is closed; make a new one.")


def _stop(loop: asyncio.AbstractEventLoop, thread: threading.Thread, process: int) -> None:
    """Stop the loop and wait for its thread, in the process that started them."""
    if process != os.getpid() or loop.is_closed():
        return
    loop.call_soon_threadsafe(loop.stop)
    if thread is not threading.current_thread():
        thread.join()


def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
