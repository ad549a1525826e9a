"""Time for checks: an event loop whose clock jumps, and clocks made from it. Nothing here ever waits for real time to
pass
except for the instant that bytes need between two sockets of this process, and for threads.

What does not end is found by counting what the loop did, never by how long that took: a loaded machine comes to the same
verdict. Only a thread that keeps the loop waiting is given up after real seconds.

The loop can lie in one way: it takes silence on every socket for :data:`GRACE` real seconds as proof that nothing is on
its way. That holds for peers that live in the same loop (the simulators); it does not hold for other processes, so a
check
that talks to one uses an ordinary loop.
"""

from __future__ import annotations

import asyncio
import selectors
import threading
import time
from collections.abc import Callable
from typing import Any, Final

__all__ = ["EPOCH", "GRACE", "MOST_TURNS", "JumpClock", "LoopClock", "Stuck", "VirtualTimeLoop"]

EPOCH: Final = 1_793_491_200.0
"""Unix seconds (2026-11-01) that the wall clock of checks starts from."""
START: Final = 1_000.0
"""Where the monotonic clock starts: not at zero, which code may mistake for "never"."""
GRACE: Final = 0.001
"""Real seconds of silence on every socket that mean: nothing is on its way."""
MOST_TURNS: Final = 100_000
"""Turns of the loop after which a run does not end: twelve times what the longest check takes."""
_MOST_IDLE_JUMPS: Final = 1_000
"""Timers in a row without a byte: four times what any check needs that ends."""
_DEADLOCK: Final = 0.25
"""Real seconds without a timer, a ready socket, an executor job or a thread of the run's own, after which nothing can happen
any more."""
_WORKER: Final = "asyncio_"
"""How the names of a loop's own worker threads begin; without a job they are idle."""


class Stuck(Exception):  # noqa: N818 - a finding, told apart from errors of the harness
    """The loop can make no progress, or turned too often and did not end."""


class _JumpingSelector(selectors.DefaultSelector):
    """Waits for sockets as usual, except that silence moves the loop's time to the next timer."""

    def __init__(self) -> None:
        super().__init__()
        self.loop: VirtualTimeLoop | None = None

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return ready sockets; an empty list after a jump."""
        loop = self.loop
        if loop is None:
            return super().select(timeout)
        loop.turn()
        if timeout is not None and timeout <= 0:
            return super().select(timeout)
        ready = super().select(loop.grace(timeout))
        if ready:
            loop.busy()
            return ready
        if timeout is None or loop.working():
            return self._wait(loop, None if timeout is None else timeout)
        loop.jump(timeout)
        return []

    def _wait(self, loop: VirtualTimeLoop, timeout: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait in real time for a thread or an executor job to wake the loop."""
        began = time.monotonic()
        quiet = 0.0
        while True:
            ready = super().select(0.05)
            if ready:
                loop.busy()
                return ready
            if timeout is not None and not loop.working():
                return []  # the job ended without waking us: look at the timers again
            quiet += 0.05
            if timeout is None and not loop.working() and quiet >= _DEADLOCK and not loop.threads():
                raise Stuck("deadlock: no timer is set, no socket is ready and nothing else runs")
            if time.monotonic() - began > loop.patience:
                raise Stuck(f"a thread kept the loop waiting for {loop.patience:g} s of real time")


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose ``time()`` jumps to the next timer as soon as every socket is silent.

    Args:
        most_turns: turns of the loop after which a run that does not end raises :class:`Stuck`.
        patience: real seconds after which a thread that keeps the loop waiting does.
    """

    def __init__(self, most_turns: int = MOST_TURNS, patience: float = 60.0) -> None:
        self._virtual_now = START
        self._most_turns = most_turns
        self._turns = 0
        self._idle_jumps = 0
        self._older_threads = frozenset(threading.enumerate())
        self.patience = patience
        self.jobs = 0
        self.used_threads = False
        self.waiting_here = 0
        """Requests that a simulator of this loop has read and not answered yet."""
        selector = _JumpingSelector()
        super().__init__(selector)
        # Two floats that mean the same moment may differ in their last digit after a jump.
        self._clock_resolution = 1e-6
        selector.loop = self

    def finish(self) -> None:
        """Cancel what is left and close; a task that refuses to end is left to the garbage collector."""
        try:
            left = asyncio.all_tasks(self)
            for task in left:
                task.cancel()
            if left:
                self.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            self.run_until_complete(self.shutdown_asyncgens())
            self.run_until_complete(self.shutdown_default_executor())
        except (Stuck, asyncio.CancelledError):
            pass  # nothing more can be learnt from a loop that does not end
        finally:
            self.close()

    def time(self) -> float:
        """Return virtual monotonic seconds."""
        return self._virtual_now

    def jump(self, seconds: float) -> None:
        """Move time on; called by the selector when nothing is ready."""
        self._idle_jumps += 1
        if self._idle_jumps > _MOST_IDLE_JUMPS:
            raise Stuck(f"{_MOST_IDLE_JUMPS} timers fired in a row and no byte was exchanged")
        self._virtual_now += seconds

    def busy(self) -> None:
        """A socket was ready: there is progress."""
        self._idle_jumps = 0

    def grace(self, timeout: float | None) -> float:
        """Return how long silence must last: a long jump needs better proof, since it would fire a timeout."""
        return GRACE if timeout is not None and timeout < 1.0 else 2 * GRACE

    def turn(self) -> None:
        """Count a turn of the loop.

        Raises:
            Stuck: it was one too many. They are counted anew, so that what follows can be cleaned up.
        """
        self._turns += 1
        if self._turns > self._most_turns:
            self._turns = 0
            raise Stuck(f"no end after {self._most_turns} turns of the loop")

    def threads(self) -> list[threading.Thread]:
        """Return the threads that began after this loop and may still wake it; an older one knows nothing of it."""
        return [
            thread
            for thread in threading.enumerate()
            if thread not in self._older_threads and not thread.name.startswith(_WORKER)
        ]

    def working(self) -> bool:
        """Say whether a thread may be at work: more jobs are out than requests wait at the simulators."""
        return self.jobs > self.waiting_here

    def run_in_executor(  # type: ignore[override]  # the types of the arguments do not matter here
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> Any:
        """Run in a thread; time stands still until it is done."""
        self.jobs += 1
        self.used_threads = True
        try:
            future = super().run_in_executor(executor, func, *args)
        except BaseException:
            self.jobs -= 1
            raise
        future.add_done_callback(self._job_done)
        return future

    def _job_done(self, _: object) -> None:
        self.jobs -= 1


class LoopClock:
    """The clock of a backend that runs inside a :class:`VirtualTimeLoop` (or any loop)."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def monotonic(self) -> float:
        """Return the loop's time."""
        return self._loop.time()

    def time(self) -> float:
        """Return unix seconds that move with the loop."""
        return EPOCH + self._loop.time() - START

    async def sleep(self, seconds: float) -> None:
        """Sleep in the loop."""
        await asyncio.sleep(seconds)


class JumpClock:
    """A clock whose sleep returns at once and moves its time: for backends that live in a real thread. Thread-safe."""

    def __init__(self, start: float = START) -> None:
        self._lock = threading.Lock()
        self._now = start
        self.slept: list[float] = []
        """What was asked for, in order."""

    def monotonic(self) -> float:
        """Return seconds moved by sleeping only."""
        return self._now

    def time(self) -> float:
        """Return unix seconds that move with it."""
        return EPOCH + self._now - START

    def advance(self, seconds: float) -> None:
        """Move time on."""
        with self._lock:
            self._now += seconds

    async def sleep(self, seconds: float) -> None:
        """Move time on and give others a turn."""
        self.slept.append(seconds)
        self.advance(max(0.0, seconds))
        await asyncio.sleep(0)
