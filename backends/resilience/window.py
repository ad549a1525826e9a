"""A count over the last minute that can promise a bound: never more than the limit in any sixty seconds.

It keeps a sum for each second, so its size does not grow with the traffic. A second leaves the count when all of it is more
than a minute old: for up to a second that is stricter than needed, and never laxer.
"""

from __future__ import annotations

from collections import deque
from typing import Final

__all__ = ["SECONDS", "SlidingWindow"]

SECONDS: Final = 60
"""The length of the window."""


class SlidingWindow:
    """Amounts taken over the last minute. ``now`` is monotonic seconds and must not go back.

    Args:
        limit: the most that may be taken in any sixty seconds, 1 or more.
    """

    __slots__ = ("_limit", "_lowered", "_lowered_until", "_sums", "used")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lowered = limit
        self._lowered_until = 0.0
        self._sums: deque[list[int]] = deque()
        self.used = 0
        """What counts as taken, as of the last call that named the time. Read only."""

    def limit(self, now: float) -> int:
        """Return what may be taken in a minute: what was given, or less for a minute after :meth:`lower`."""
        return self._lowered if now < self._lowered_until else self._limit

    def take(self, amount: int, now: float) -> int:
        """Count an amount, whether there is room or not; return the second it belongs to, for :meth:`correct`."""
        self._forget(now)
        second = int(now)
        if not self._sums or self._sums[-1][0] != second:
            self._sums.append([second, 0])
        self._sums[-1][1] += amount
        self.used += amount
        return second

    def correct(self, second: int, difference: int, now: float) -> None:
        """Change what was taken in a second; what has left the window by now is taken now where it is more."""
        self._forget(now)
        for entry in self._sums:
            if entry[0] == second:
                difference = max(difference, -entry[1])
                entry[1] += difference
                self.used += difference
                return
        if difference > 0:
            self.take(difference, now)

    def ready_at(self, amount: int, now: float) -> float:
        """Return when an amount fits: ``now``, or the moment when enough has left the window.

        More than the whole limit never fits; it is let in when the window is empty.
        """
        self._forget(now)
        ready = self._room_at(amount, self.limit(now), now)
        if now < self._lowered_until < ready:  # before that the whole limit is there again
            ready = min(ready, max(self._lowered_until, self._room_at(amount, self._limit, now)))
        return ready

    def lower(self, limit: int, now: float) -> None:
        """For a minute, allow no more than this (1 or more): the server has less to give than was declared."""
        self._lowered = min(self.limit(now), max(1, limit))
        self._lowered_until = now + SECONDS

    def left(self, now: float) -> int:
        """Return what could be taken now."""
        self._forget(now)
        return max(0, self.limit(now) - self.used)

    def _room_at(self, amount: int, limit: int, now: float) -> float:
        over = self.used + min(amount, limit) - limit
        ready = now
        for second, taken in self._sums:
            if over <= 0:
                break
            over -= taken
            ready = float(second + 1 + SECONDS)
        return ready

    def _forget(self, now: float) -> None:
        while self._sums and self._sums[0][0] + 1 + SECONDS <= now:
            self.used -= self._sums.popleft()[1]
