"""An event loop that a walk steps through: no socket, no thread, and time that moves only when it is told to.

Between two steps everything that can happen has happened, so what is read then is exact. It decides nothing.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["PuppetClock", "PuppetLoop"]

EPOCH: Final = 1_793_491_200.0
START: Final = 1_000.0
_MOST_TURNS: Final = 20_000


class _NothingComes(selectors.SelectSelector):
    """Stands where sockets would be waited for: moves time to the next timer, or ends the run of the loop."""

    def __init__(self, loop: PuppetLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return nothing; called once in every turn of the loop, with the time until its next timer."""
        self._loop.turn(timeout)
        return []


class PuppetLoop(asyncio.BaseEventLoop):
    """See the module docstring.

    Attributes:
        troubles: what the loop's exception handler was told of, in words.
    """

    _scheduled: list[asyncio.TimerHandle]

    def __init__(self) -> None:
        self._now = START
        self._until = START
        self._turns = 0
        super().__init__()
        self._selector = _NothingComes(self)
        self._clock_resolution = 1e-6  # two floats that mean the same moment may differ in their last digit
        self.troubles: list[str] = []
        self.set_exception_handler(self._note)

    def time(self) -> float:
        """Return virtual monotonic seconds."""
        return self._now

    def turn(self, timeout: float | None) -> None:
        """Move to the next timer that is due in this run, or stop.

        Raises:
            RuntimeError: there is no end of what is to be done at one moment.
        """
        self._turns += 1
        if self._turns > _MOST_TURNS:
            raise RuntimeError(f"{_MOST_TURNS} turns of the loop brought no rest")
        if timeout is not None and timeout <= 0:
            return
        if timeout is not None and self._now + timeout <= self._until + 1e-6:
            self._now += timeout
        else:
            self.stop()

    def advance(self, seconds: float) -> None:
        """Let time pass, each timer firing at its own moment, until nothing is left to be done."""
        self._turns = 0
        self._until = self._now + seconds
        self.run_forever()
        self._now = max(self._now, self._until)

    def settle(self) -> None:
        """Do everything that needs no time."""
        self.advance(0.0)

    def timers(self) -> int:
        """Return how many timers are set and not cancelled."""
        return sum(not handle.cancelled() for handle in self._scheduled)

    def finish(self) -> None:
        """Cancel what is left and close; safe to call twice."""
        if self.is_closed():
            return
        for task in asyncio.all_tasks(self):
            task.cancel()
        self.settle()
        self.run_until_complete(self.shutdown_asyncgens())
        self.close()

    def _note(self, _: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
        error = context.get("exception")
        self.troubles.append(f"{context.get('message')}: {type(error).__name__}: {error}")

    def _process_events(self, _: Any) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody sleeps who would have to be woken."""


class PuppetClock:
    """The clock of a backend in such a loop; knows which tasks sleep."""

    def __init__(self, loop: PuppetLoop) -> None:
        self._loop = loop
        self.sleepers: set[asyncio.Task[Any]] = set()
        """Tasks that wait for time to pass."""

    def monotonic(self) -> float:
        """Return the loop's time."""
        return self._loop.time()

    def time(self) -> float:
        """Return unix seconds that move with it."""
        return EPOCH + self._loop.time() - START

    async def sleep(self, seconds: float) -> None:
        """Wait in the loop."""
        task = asyncio.current_task()
        assert task is not None
        self.sleepers.add(task)
        try:
            await asyncio.sleep(seconds)
        finally:
            self.sleepers.discard(task)
