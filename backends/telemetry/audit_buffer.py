"""Lines of an audit log on their way to its file: kept for a moment, then written together by a thread.

Their order is kept, no line is dropped for want of room, and no more than so many wait. It knows neither file nor chain.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from backends.telemetry import process

__all__ = ["Buffer"]

_MOST: Final = 1000
"""Lines that may wait; whoever brings the next one writes them."""


class Buffer:
    """See the module docstring. Safe from many threads.

    Args:
        write: writes lines in their order; may raise OSError.
        interval: seconds that a line may wait.
    """

    def __init__(self, write: Callable[[Sequence[str]], None], interval: float) -> None:
        self._write = write
        self._interval = interval
        self._renew()

    def _renew(self) -> None:
        self._process = process.number
        self._lines: deque[str] = deque()
        self._turn = threading.Lock()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._problem: OSError | None = None

    def add(self, line: str) -> None:
        """Take one line.

        Raises:
            OSError: the lines that were written since the last call are lost, because the disk failed; this one is kept.
        """
        self._own()
        self._lines.append(line)
        if len(self._lines) >= _MOST:
            self._flush()
        elif not self._wake.is_set():
            self._wake.set()
            if self._thread is None:
                self._begin()
        self._tell()

    def flush(self) -> None:
        """Write what waits.

        Raises:
            OSError: the disk failed, now or in the background since the last call; those lines are lost.
        """
        self._own()
        self._flush()
        self._tell()

    def close(self) -> None:
        """Write what waits and end the thread; idempotent. A later line begins another one.

        Raises:
            OSError: as :meth:`flush`.
        """
        self._own()
        with self._turn:
            thread, self._thread = self._thread, None
            if thread is not None:
                self._closing.set()
                self._wake.set()
        if thread is not None:
            thread.join()
        self._wake.clear()  # before the lines are taken, as in the thread
        self.flush()

    def _own(self) -> None:
        """Forget the parent's lines after a fork: it writes them itself."""
        if self._process != process.number:
            self._renew()

    def _begin(self) -> None:
        with self._turn:
            if self._thread is None:
                self._closing = threading.Event()
                self._thread = threading.Thread(
                    target=self._run, args=(self._wake, self._closing), name="backends-audit", daemon=True
                )
                self._thread.start()

    def _run(self, wake: threading.Event, closing: threading.Event) -> None:
        while not closing.is_set():
            wake.wait()
            closing.wait(self._interval)
            wake.clear()  # before the lines are taken: whoever comes later sets it anew
            self._flush()

    def _flush(self) -> None:
        with self._turn:
            lines = [self._lines.popleft() for _ in range(len(self._lines))]
            if not lines:
                return
            try:
                self._write(lines)
            except OSError as problem:
                self._problem = problem

    def _tell(self) -> None:
        if self._problem is not None:
            problem, self._problem = self._problem, None
            raise problem
