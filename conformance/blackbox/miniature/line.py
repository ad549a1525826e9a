"""Who of the small client's calls may go: so many at once, the others in a line, with a length that may follow the server."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from conformance.blackbox.miniature.parts import Failure, now

__all__ = ["Line"]

_CUT: Final = 0.7
_SLOW: Final = 1.5
"""An answer that takes so many times longer than usual is a slow one."""


class Line:
    """So many at once, the others wait by priority and then by age, so many of them and no more.

    Attributes:
        limit: how many may go now. ceiling: how many may ever.
        adaptive: the limit follows refusals and times of answers.
        longest: seconds beyond which nobody is let wait, as far as can be told; None lets all.
    """

    def __init__(self, limit: int, room: int) -> None:
        self.limit = self.ceiling = limit
        self.room = room
        self.active = 0
        self.waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self.adaptive = False
        self.longest: float | None = None
        self._came = 0
        self._usual = 0.0
        self._good = 0
        self._cut_at = -1.0

    @asynccontextmanager
    async def place(self, priority: int) -> AsyncIterator[None]:
        """Wait for a place and hold it."""
        await self._enter(priority)
        try:
            yield
        finally:
            self.active -= 1
            self._admit()

    def order(self, priority: int, age: int) -> tuple[int, int]:
        """Return what the waiting are sorted by."""
        return priority, age

    def full(self) -> bool:
        """Say whether nobody else may wait."""
        return len([1 for *_, turn in self.waiting if not turn.done()]) >= self.room

    def before(self, priority: int) -> int:
        """Return how many of the waiting go before a newcomer."""
        return len([1 for rank, _, turn in self.waiting if rank <= priority and not turn.done()])

    # -- what the server shows -----------------------------------------------------------------------------------------

    def answered(self, sent: float) -> None:
        """Learn how long an answer took to a request that was sent at a time."""
        took = now() - sent
        if self._usual and took > _SLOW * self._usual:
            self.refused(sent)
            return
        self._usual += (took - self._usual) * (0.2 if self._usual else 1.0)
        self._good += 1
        if self.adaptive and self._good >= self.limit:
            self.limit, self._good = min(self.ceiling, self.limit + 1), 0

    def refused(self, sent: float) -> None:
        """Learn that the server could not serve a request well; once for all that were sent together."""
        if self.adaptive and sent > self._cut_at:
            self.limit, self._good, self._cut_at = max(1, int(self.limit * _CUT)), 0, now()

    # -- places --------------------------------------------------------------------------------------------------------

    async def _enter(self, priority: int) -> None:
        if self.active < self.limit:
            self.active += 1
            return
        if self.full():
            raise Failure("queue_full", f"{self.room} calls wait already")
        if self.longest is not None and (self.before(priority) + 1) * self._usual / self.limit > self.longest:
            raise Failure("queue_full", f"it would wait longer than {self.longest:g} s")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._came += 1
        heapq.heappush(self.waiting, (*self.order(priority, self._came), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.active -= 1
                self._admit()
            raise

    def _admit(self) -> None:
        while self.waiting and self.active < self.limit:
            turn = heapq.heappop(self.waiting)[2]
            if not turn.done():
                self.active += 1
                turn.set_result(None)
