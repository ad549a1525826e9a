"""Who may start now, who waits, who is turned away: a concurrency limit with a bounded line before it.

The promise: never more than ``limit`` active (except what was active before the limit was lowered), and nobody waits
while there is room, unless all are held back for a while. This module holds items, never runs them; the caller wakes what
it gets back.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Generic, Literal, TypeVar

from backends.resilience.line import Ticket, WaitingLine

__all__ = ["Admission", "Overflow", "Submission"]

T = TypeVar("T")


class Overflow(StrEnum):
    """What happens to an arrival when the line is full."""

    REJECT = "reject"
    """It is turned away."""
    WAIT = "wait"
    """It waits all the same; the size of the line is then only a figure to report against."""
    DROP_LOWEST = "drop_lowest"
    """It takes the place of the youngest of the lowest level if that is below its own; else it is turned away."""


@dataclass(frozen=True, slots=True)
class Submission(Generic[T]):
    """What became of an arrival.

    Attributes:
        state: ``granted`` (start now, call ``release`` at the end), ``queued`` or ``rejected``.
        ticket: the place in the line, for ``withdraw``; only when queued.
        dropped: the waiting item that lost its place to this one, which its owner must be told; else None.
    """

    state: Literal["granted", "queued", "rejected"]
    ticket: Ticket[T] | None = None
    dropped: T | None = None


_GRANTED: Final[Submission[object]] = Submission("granted")
_REJECTED: Final[Submission[object]] = Submission("rejected")


class Admission(Generic[T]):
    """A concurrency limit and the line before it. ``now`` is monotonic seconds.

    Args:
        limit: how many may be active at once, 1 or more.
        queue_size: how many may wait, 0 or more.
        overflow: what happens when more want to wait.
        ageing: seconds of waiting that lift by one level, None for never; see :class:`WaitingLine`.
        levels: how many levels of priority there are.

    Raises:
        ValueError: an argument is out of its range; the message names it.
    """

    __slots__ = (
        "_line",
        "active",
        "dropped",
        "granted",
        "held_until",
        "limit",
        "overflow",
        "peak",
        "queue_size",
        "rejected",
    )

    def __init__(
        self,
        limit: int,
        queue_size: int,
        overflow: Overflow = Overflow.REJECT,
        ageing: float | None = 60.0,
        *,
        levels: int = 3,
    ) -> None:
        self._line: WaitingLine[T] = WaitingLine(levels, ageing)
        self.limit = _checked("limit", limit, 1)
        """How many may be active at once; change it with :meth:`resize`."""
        self.queue_size = _checked("queue_size", queue_size, 0)
        """How many may wait; change it with :meth:`resize`."""
        self.overflow = Overflow(overflow)
        self.active = 0
        """How many are active now. Read only, as are the counters."""
        self.granted = 0
        """How often a place was given, at once or from the line."""
        self.rejected = 0
        """How many arrivals were turned away."""
        self.dropped = 0
        """How many lost their place in the line to a higher arrival."""
        self.peak = 0
        """The most that were ever active at once."""
        self.held_until: float | None = None
        """Nobody is given a place before, although there may be room; see :meth:`hold_back`."""

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._line)

    def submit(self, item: T, level: int, now: float, *, returning: bool = False) -> Submission[T]:
        """Ask for a place for ``item``.

        Args:
            item: what will be handed back when a place comes free.
            level: priority, 0 going first.
            now: monotonic seconds.
            returning: it has had a place before and comes back to repeat: it is never turned away or dropped, and it
                waits before those of its level who have not started.

        Raises:
            ValueError: there is no such level.
        """
        line = self._line
        if self._is_open(now):
            self._grant()
            return _GRANTED  # type: ignore[return-value]  # holds no item, so it fits every T
        dropped: T | None = None
        if not returning and self.overflow is not Overflow.WAIT and len(line) >= self.queue_size:
            lowest = line.lowest() if self.overflow is Overflow.DROP_LOWEST else None
            if lowest is None or lowest <= level:
                self.rejected += 1
                return _REJECTED  # type: ignore[return-value]  # as above
            dropped = line.drop_lowest()
            self.dropped += 1
        return Submission("queued", line.push(item, level, now, front=returning), dropped)

    def release(self, now: float) -> list[T]:
        """Give a place back; return the items that now have one, in order.

        Raises:
            RuntimeError: nobody is active; a place was given back twice.
        """
        if self.active < 1:
            raise RuntimeError("a place was given back that nobody held")
        self.active -= 1
        return self._fill(now)

    def withdraw(self, ticket: Ticket[T], now: float) -> bool:  # noqa: ARG002 - one shape for all that changes the line
        """Leave the line; False when the ticket no longer waits (it was granted, dropped or withdrawn before)."""
        return self._line.discard(ticket)

    def resize(self, now: float, *, limit: int | None = None, queue_size: int | None = None) -> list[T]:
        """Change the limits; None leaves one as it is. Return the items that now have a place.

        Nothing active is interrupted and nobody is put out of the line by a smaller limit.

        Raises:
            ValueError: an argument is out of its range; nothing is changed then.
        """
        new_limit = self.limit if limit is None else _checked("limit", limit, 1)
        self.queue_size = self.queue_size if queue_size is None else _checked("queue_size", queue_size, 0)
        self.limit = new_limit
        return self._fill(now)

    def hold_back(self, until: float) -> None:
        """Give nobody a place before ``until``, or before :meth:`let_on`: whoever had one could not use it."""
        self.held_until = until

    def let_on(self, now: float) -> list[T]:
        """Give places again; return the items that now have one."""
        self.held_until = None
        return self._fill(now)

    def overdue(self, now: float) -> bool:
        """Tell whether the time is up for which all are held back, and nobody has come to let them on."""
        return self.held_until is not None and now >= self.held_until

    def ahead(self, level: int, now: float) -> int | None:
        """Return how many of its level and those above would go before an arrival; None when it would start at once."""
        return None if self._is_open(now) else sum(self._line.lengths()[: level + 1])

    def turn_away(self) -> None:
        """Count an arrival that was refused a place in the line for a reason of its owner's."""
        self.rejected += 1

    def drain(self) -> list[T]:
        """Put everybody out of the line and return them, in the order of their levels; the active stay active."""
        return self._line.drain()

    def lengths(self) -> tuple[int, ...]:
        """Return how many wait at each level, level 0 first."""
        return self._line.lengths()

    def oldest(self, now: float) -> float:
        """Return the longest wait in seconds among those in the line, 0.0 when nobody waits."""
        return self._line.oldest(now)

    def _is_open(self, now: float) -> bool:
        held = self.held_until
        return self.active < self.limit and not self._line and (held is None or now >= held)

    def _grant(self) -> None:
        self.active += 1
        self.granted += 1
        if self.active > self.peak:
            self.peak = self.active

    def _fill(self, now: float) -> list[T]:
        items: list[T] = []
        if self.held_until is not None and now < self.held_until:
            return items
        while self.active < self.limit and self._line:
            items.append(self._line.pop(now))  # type: ignore[arg-type]  # the line is not empty
            self._grant()
        return items


def _checked(name: str, value: int, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{name} must be a whole number, {least} or more")
    return value
