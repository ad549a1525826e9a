"""The line of those who wait: strict order between levels, first come first served within, and nobody starves.

Every operation costs the same however many wait: each level is a linked list through its tickets, so that leaving from
the middle is a matter of two neighbours and leaves nothing behind. This module never decides who may enter; see
:mod:`backends.resilience.admission`.
"""

from __future__ import annotations

import math
from typing import Generic, TypeVar

__all__ = ["Ticket", "WaitingLine"]

T = TypeVar("T")


class Ticket(Generic[T]):
    """A place in a line; opaque, except for what was asked.

    Attributes:
        level: the level it was pushed at, 0 going first.
        front: whether it goes before the others of its level.
        since: monotonic seconds at which it began to wait.

    The other attributes belong to the line: the ticket is its own link in the list.
    """

    __slots__ = ("after", "before", "front", "item", "lane", "level", "since")

    def __init__(self, item: T, level: int, since: float, lane: _Lane[T], *, front: bool) -> None:
        self.level = level
        self.front = front
        self.since = since
        self.item: T | None = item
        self.lane: _Lane[T] | None = lane
        self.before: Ticket[T] | None = None
        self.after: Ticket[T] | None = None


class _Lane(Generic[T]):
    """A doubly linked list of tickets, oldest first."""

    __slots__ = ("first", "last", "length")

    def __init__(self) -> None:
        self.first: Ticket[T] | None = None
        self.last: Ticket[T] | None = None
        self.length = 0

    def append(self, ticket: Ticket[T]) -> None:
        last = self.last
        if last is None:
            self.first = ticket
        else:
            last.after = ticket
            ticket.before = last
        self.last = ticket
        self.length += 1

    def take(self, ticket: Ticket[T]) -> T:
        before, after = ticket.before, ticket.after
        if before is None:
            self.first = after
        else:
            before.after = after
        if after is None:
            self.last = before
        else:
            after.before = before
        self.length -= 1
        item = ticket.item
        # The caller may keep the ticket for long; it must keep neither the item nor the neighbours alive.
        ticket.item = ticket.lane = ticket.before = ticket.after = None
        return item  # type: ignore[return-value]  # None only where T allows it: a ticket is taken once


class WaitingLine(Generic[T]):
    """Those who wait, in order.

    Level 0 goes before level 1, and so on; within a level, those pushed with ``front=True`` go first, then by age.
    Each ``ageing`` seconds waited lift by one level: a ticket of level 2 goes before one of level 0 that came more than
    twice ``ageing`` seconds after it. So a low level is delayed but never starved, and a high one keeps its lead
    however long the line is. ``now`` must not go back from one call to the next.

    Args:
        levels: how many levels there are, 1 or more.
        ageing: seconds of waiting that lift by one level; None for strict levels for ever.

    Raises:
        ValueError: an argument is out of its range; the message names it.
    """

    __slots__ = ("_ageing", "_lanes", "_length", "_owned")

    def __init__(self, levels: int = 3, ageing: float | None = 60.0) -> None:
        if levels < 1:
            raise ValueError("levels must be 1 or more")
        if ageing is not None and not (ageing > 0 and math.isfinite(ageing)):
            raise ValueError("ageing must be more than 0 seconds and finite, or None")
        self._ageing = ageing
        # Two lanes a level, those in front before the others: the order of this tuple is the order without ageing.
        self._lanes: tuple[_Lane[T], ...] = tuple(_Lane() for _ in range(2 * levels))
        self._owned = frozenset(map(id, self._lanes))
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def push(self, item: T, level: int, now: float, *, front: bool = False) -> Ticket[T]:
        """Let ``item`` wait at ``level``; ``front`` puts it before all of its level who were not put in front.

        Raises:
            ValueError: there is no such level.
        """
        index = 2 * level + (not front)
        if not 0 <= index < len(self._lanes):
            raise ValueError(f"level must be from 0 to {len(self._lanes) // 2 - 1}")
        lane = self._lanes[index]
        ticket = Ticket(item, level, now, lane, front=front)
        self._length += 1
        lane.append(ticket)
        return ticket

    def pop(self, now: float) -> T | None:  # noqa: ARG002 - the order does not change while time passes
        """Take out and return who goes next, or None when nobody waits."""
        lanes = self._lanes
        ageing = self._ageing
        chosen: _Lane[T] | None = None
        best = 0.0
        for index in range(0, len(lanes), 2):
            front, others = lanes[index], lanes[index + 1]
            first = front.first or others.first
            if first is None:
                continue
            lane = front if front.first is not None else others
            if ageing is None:
                chosen = lane
                break
            # Who goes first of a level stands in for its oldest: a retry that has just come back must not hide how
            # long the others have waited.
            since = first.since if others.first is None else min(first.since, others.first.since)
            rank = since + ageing * (index // 2)
            if chosen is None or rank < best:
                chosen, best = lane, rank
        if chosen is None or chosen.first is None:
            return None
        self._length -= 1
        return chosen.take(chosen.first)

    def discard(self, ticket: Ticket[T]) -> bool:
        """Take a ticket out of the line, wherever it stands; False when it is no longer, or never was, in this line."""
        lane = ticket.lane
        if lane is None or id(lane) not in self._owned:
            return False
        self._length -= 1
        lane.take(ticket)
        return True

    def lowest(self) -> int | None:
        """Return the level that :meth:`drop_lowest` would take from, or None."""
        for lane in self._lanes[::-2]:
            if lane.last is not None:
                return lane.last.level
        return None

    def drop_lowest(self) -> T | None:
        """Take out and return the youngest of the lowest level; never one that was put in front."""
        for lane in self._lanes[::-2]:
            if lane.last is not None:
                self._length -= 1
                return lane.take(lane.last)
        return None

    def drain(self) -> list[T]:
        """Take out and return everybody, in the order of their levels, whatever their age."""
        items: list[T] = []
        for lane in self._lanes:
            while lane.first is not None:
                items.append(lane.take(lane.first))
        self._length = 0
        return items

    def lengths(self) -> tuple[int, ...]:
        """Return how many wait at each level, level 0 first, by the level they were pushed at."""
        lanes = self._lanes
        return tuple(lanes[index].length + lanes[index + 1].length for index in range(0, len(lanes), 2))

    def oldest(self, now: float) -> float:
        """Return the longest wait in seconds among those in the line, 0.0 when nobody waits."""
        return max((now - lane.first.since for lane in self._lanes if lane.first is not None), default=0.0)
