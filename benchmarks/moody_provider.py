"""A simulated provider with moods: it slows down, throttles, dies and recovers, on a timetable, by its event loop's time.

So many requests are worked on at once; the others wait inside, and what comes on top is refused. A request whose client has
left is worked on all the same to its end when work on it had begun: that is what providers do, and what makes abandoned
requests expensive.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from dataclasses import dataclass
from typing import Final

__all__ = ["PHASES", "MoodyProvider", "Phase", "Refused", "Unreachable"]


@dataclass(frozen=True, slots=True)
class Phase:
    """One mood.

    Attributes:
        name: for the chart.
        seconds: how long it lasts.
        workers: requests worked on at once; 0 is a provider that cannot be reached.
        service: mean seconds of work for one request.
        per_second: requests that it admits a second, by a token bucket that holds those of one second; None for no limit.
    """

    name: str
    seconds: float
    workers: int
    service: float
    per_second: float | None = None


PHASES: Final = (
    Phase("well", 60.0, 16, 1.0),
    Phase("slow", 60.0, 6, 1.5),
    Phase("well again", 40.0, 16, 1.0),
    Phase("throttled", 60.0, 16, 1.0, per_second=5.0),
    Phase("dead", 30.0, 0, 1.0),
    Phase("recovered", 70.0, 16, 1.0),
)
_MOST_WAITING: Final = 40


class Refused(Exception):  # noqa: N818 - an answer, not a fault of the simulation
    """The answer 429 or 503; ``retry_after`` in seconds, None when it does not say."""

    def __init__(self, status: int, retry_after: float | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.retry_after = retry_after


class Unreachable(Exception):  # noqa: N818 - as above
    """No connection."""


class MoodyProvider:
    """See the module docstring.

    Args:
        seed: of the time that each request takes.
        phases: the timetable.
        began: time of the event loop at which it begins.
    """

    def __init__(self, seed: int, phases: tuple[Phase, ...], began: float = 0.0) -> None:
        self._began = began
        self._random = random.Random(seed)
        self._phases = phases
        self._working = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._tokens = 0.0
        self._filled_at = 0.0
        self.arrived = 0
        """Requests that came, answered or not."""
        self.wasted = 0
        """Requests that were refused, met a dead provider, or were done for nobody."""

    def phase(self, now: float) -> Phase:
        """Return the mood at a time of the event loop."""
        now -= self._began
        for phase in self._phases:
            if now < phase.seconds:
                return phase
            now -= phase.seconds
        return self._phases[-1]

    async def serve(self) -> None:
        """Serve one request.

        Raises:
            Refused: it is too much.
            Unreachable: nobody is there.
        """
        loop = asyncio.get_running_loop()
        self.arrived += 1
        phase = self.phase(loop.time())
        if not phase.workers:
            self.wasted += 1
            await asyncio.sleep(0.05)
            raise Unreachable
        self._check(phase, loop.time())
        if self._working >= phase.workers:
            place = loop.create_future()
            self._waiting.append(place)
            try:
                await place
            except asyncio.CancelledError:
                self.wasted += 1
                if place in self._waiting:
                    self._waiting.remove(place)
                elif not place.cancelled():
                    self._next()
                raise
        self._working += 1
        seconds = phase.service * self._random.lognormvariate(-0.08, 0.4)
        done = loop.create_future()
        loop.call_later(seconds, self._finish, done)
        try:
            await done
        except asyncio.CancelledError:
            self.wasted += 1
            raise

    def _check(self, phase: Phase, now: float) -> None:
        if phase.per_second is not None:
            self._tokens = min(phase.per_second, self._tokens + (now - self._filled_at) * phase.per_second)
            self._filled_at = now
            if self._tokens < 1.0:
                self.wasted += 1
                raise Refused(429, (1.0 - self._tokens) / phase.per_second)
            self._tokens -= 1.0
        if len(self._waiting) >= _MOST_WAITING:
            self.wasted += 1
            raise Refused(503)

    def _finish(self, done: asyncio.Future[None]) -> None:
        self._working -= 1
        if not done.done():
            done.set_result(None)
        self._next()

    def _next(self) -> None:
        free = self.phase(asyncio.get_running_loop().time()).workers - self._working
        while free > 0 and self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)
                free -= 1
