"""Broken waiting lines."""

from __future__ import annotations

from typing import Any

from backends.resilience.line import Ticket, WaitingLine
from conformance.machines.broken.broken import Broken

__all__ = ["BROKEN"]


class LastInFirstOut(WaitingLine[int]):
    """Serves the youngest of a level first."""

    def pop(self, now: float) -> int | None:
        """Take from the wrong end."""
        for lane in self._lanes:
            if lane.last is not None:
                self._length -= 1
                return lane.take(lane.last)
        return None


class OneLevel(WaitingLine[int]):
    """Takes priorities and ignores them."""

    def push(self, item: int, level: int, now: float, *, front: bool = False) -> Ticket[int]:
        """Put everybody in the same level."""
        ticket = super().push(item, 0, now, front=front)
        ticket.level = level
        return ticket

    def lengths(self) -> tuple[int, ...]:
        """Report what was asked for."""
        levels = []
        for lane in self._lanes:
            ticket = lane.first
            while ticket is not None:
                levels.append(ticket.level)
                ticket = ticket.after
        return tuple(levels.count(level) for level in range(len(self._lanes) // 2))


class Starving(WaitingLine[int]):
    """Never lifts anybody: LOW waits for ever beside a steady stream of HIGH."""

    def __init__(self, levels: int = 3, ageing: float | None = 60.0) -> None:
        super().__init__(levels, None)


class LevelsMelt(WaitingLine[int]):
    """Lifts the patient to level 0 and no further: in a long line all are there, and HIGH has no lead any more."""

    def pop(self, now: float) -> int | None:
        """Rank by age among all who have been lifted to the top."""
        if self._ageing is None:
            return super().pop(now)
        heads = [lane for lane in self._lanes if lane.first is not None]
        ranked = [
            (max(0, lane.first.level - int((now - lane.first.since) / self._ageing)), lane.first.since, index)
            for index, lane in enumerate(heads)
            if lane.first is not None
        ]
        if not ranked:
            return None
        lane = heads[min(ranked)[2]]
        self._length -= 1
        return lane.take(lane.first) if lane.first is not None else None


class HiddenByReturners(WaitingLine[int]):
    """A retry that has just come back makes its whole level look as if it had just come."""

    def pop(self, now: float) -> int | None:
        """Rank each level by who goes first of it only."""
        lanes = [self._lanes[index] if self._lanes[index].first else self._lanes[index + 1] for index in (0, 2, 4)]
        ranked = [
            (lane.first.since + (self._ageing or 1e9) * level, level, lane)
            for level, lane in enumerate(lanes)
            if lane.first is not None
        ]
        if not ranked:
            return None
        lane = min(ranked, key=lambda rank: rank[:2])[2]
        self._length -= 1
        return lane.take(lane.first) if lane.first is not None else None


class ReturnersLast(WaitingLine[int]):
    """Sends a retry to the end of its level."""

    def push(self, item: int, level: int, now: float, *, front: bool = False) -> Ticket[int]:
        """Ignore ``front``."""
        return super().push(item, level, now)


class ForgetsToLeave(WaitingLine[int]):
    """Says that a ticket was taken out, and serves it later all the same."""

    def discard(self, ticket: Ticket[Any]) -> bool:
        """Only say so."""
        return ticket.lane is not None


class DropsOldest(WaitingLine[int]):
    """Drops whoever has waited longest."""

    def drop_lowest(self) -> int | None:
        """Take from the wrong end."""
        for lane in self._lanes[::-2]:
            if lane.first is not None:
                self._length -= 1
                return lane.take(lane.first)
        return None


BROKEN = (
    Broken("line", "QUE-03", LastInFirstOut),
    Broken("line", "QUE-02", OneLevel),
    Broken("line", "QUE-13", Starving),
    Broken("line", "QUE-02", LevelsMelt),
    Broken("line", "QUE-13", HiddenByReturners),
    Broken("line", "QUE-03", ReturnersLast),
    Broken("line", "QUE-06", ForgetsToLeave),
    Broken("line", "QUE-04", DropsOldest),
)
