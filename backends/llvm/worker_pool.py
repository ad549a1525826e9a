"""The worker processes of one backend: started when they are needed, kept while they are healthy, ended for good.

The default :class:`~backends.llvm.transport.Transport`. There are never more processes than requests under way, for
each has one for itself; a process is ended and forgotten when its exchange failed, was cancelled or took too long, when
it says so itself, and after a while. It serves every thread and event loop; after a fork the child starts its own.
"""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from collections.abc import Iterable
from typing import Final

from backends.errors import ClosedError
from backends.llvm.transport import Request, Returned
from backends.llvm.worker_process import WorkerProcess
from backends.wire.values import Failure, WireError

__all__ = ["WorkerPool"]

_MOST_EXCHANGES: Final = 1_000
"""A process is renewed after so many: a compiler keeps a little of everything it has seen."""


class WorkerPool:
    """See the module docstring.

    Args:
        memory: bytes of address space that each process may have.
    """

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self._begin()

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[WorkerProcess] = []
        self._all: set[WorkerProcess] = set()
        self._dying: list[WorkerProcess] = []
        self._closed = False
        # A pool that nobody closed ends its processes when it is collected, at the latest when the interpreter ends.
        self._end = weakref.finalize(self, _end, self._all, os.getpid())

    async def exchange(self, request: Request) -> Returned:
        """Bring a frame to a process of its own and return the answer.

        Raises:
            WireError: the process could not be started, died, was too slow or said too much.
            ConfigurationError: llvmlite is not installed.
            ClosedError: the pool is closed.
        """
        worker = self._taken()
        try:
            async with asyncio.timeout(request.seconds):
                frame, last = await worker.exchange(request.frame, request.largest)
        except TimeoutError:
            self._dropped(worker)
            raise WireError(Failure.READ_TIMEOUT, f"a worker was silent for {request.seconds:g} s", sent=True) from None
        except BaseException:
            self._dropped(worker)
            raise
        self._given_back(worker, request.most, worn=last)
        return Returned(frame)

    def _taken(self) -> WorkerProcess:
        with self._lock:
            if self._closed:
                raise _closed()
            self._collected()
            while self._idle:
                worker = self._idle.pop()
                if not worker.ended:
                    return worker
                self._forgotten(worker)
        # Not under the lock: starting a process takes a few milliseconds.
        worker = WorkerProcess(self._memory)
        if not self._joined(worker):
            worker.kill()
            worker.close()
            worker.wait()
            raise _closed()
        return worker

    def _joined(self, worker: WorkerProcess) -> bool:
        """Count a new process in; False when the pool was closed while it was started."""
        with self._lock:
            if not self._closed:
                self._all.add(worker)
            return not self._closed

    def _given_back(self, worker: WorkerProcess, most: int, *, worn: bool) -> None:
        with self._lock:
            self._collected()
            keep = not worn and worker.exchanges < _MOST_EXCHANGES and len(self._idle) < most and not self._closed
            if keep:
                self._idle.append(worker)
        if not keep:
            self._dropped(worker)

    def _collected(self) -> None:
        """Let go of killed processes that are gone by now."""
        if self._dying:
            self._dying = [worker for worker in self._dying if not worker.ended]

    def _dropped(self, worker: WorkerProcess) -> None:
        with self._lock:
            self._forgotten(worker)

    def _forgotten(self, worker: WorkerProcess) -> None:
        worker.kill()
        worker.close()
        if worker in self._all:  # not so when the pool was closed meanwhile: then it is waited for there
            self._all.discard(worker)
            self._dying.append(worker)

    @property
    def started(self) -> bool:
        """True when there may be a process."""
        return bool(self._all or self._dying)

    async def aclose(self) -> None:
        """End every process and wait for it; idempotent."""
        with self._lock:
            self._closed = True
            gone, idle = [*self._all, *self._dying], [*self._idle]
            self._all.clear()
            self._idle.clear()
            self._dying.clear()
        self._end.detach()
        for worker in gone:
            worker.kill()
        for worker in idle:  # the pipes of a busy one are closed by whoever waits on them
            worker.close()
        if gone:
            await asyncio.to_thread(_wait, gone)

    def abandon(self) -> None:
        """Let go of the parent's processes, after a fork."""
        self._end.detach()
        for worker in (*self._all, *self._dying):
            worker.close()
            _FORSAKEN.append(worker)
        self._begin()


_FORSAKEN: Final[list[WorkerProcess]] = []
"""Processes of a parent; kept so that their collection warns of nothing and waits for nobody."""


def _closed() -> ClosedError:
    return ClosedError("This backend is closed; make a new one.")


def _wait(workers: Iterable[WorkerProcess]) -> None:
    for worker in workers:
        worker.wait()


def _end(workers: set[WorkerProcess], process: int) -> None:
    if process == os.getpid():
        for worker in workers:
            worker.kill()
            worker.close()
        _wait(workers)
