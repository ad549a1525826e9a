"""Broken batchers."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from backends.resilience.batcher import Batch, Batcher, Place
from conformance.machines.broken.broken import Broken

__all__ = ["BROKEN"]


class SleepsUntilTheNext(Batcher[int]):
    """Looks at the time only when a request arrives, so the last one waits for ever."""

    def next_due(self) -> float | None:
        """Promise nothing."""
        return None


class FillsBeyond(Batcher[int]):
    """Compares with the size after the batch has grown."""

    def add(self, member: int, group: Hashable, now: float, **facts: Any) -> tuple[Place[int], list[Batch[int]]]:
        """Allow one more."""
        self.max_size += 1
        answer = super().add(member, group, now, **facts)
        self.max_size -= 1
        return answer


class KnowsNoProvider(Batcher[int]):
    """The provider's own limits are not looked at."""

    def add(self, member: int, group: Hashable, now: float, **facts: Any) -> tuple[Place[int], list[Batch[int]]]:
        """Drop them."""
        return super().add(member, group, now, **{**facts, "most_items": None, "most_length": None})


class LearnsNothing(Batcher[int]):
    """A limit that the provider showed is found out again with every batch."""

    def learn(self, group: Hashable, items: int) -> None:
        """Forget it."""


class MixesGroups(Batcher[int]):
    """Requests of different models share a batch."""

    def add(self, member: int, group: Hashable, now: float, **facts: Any) -> tuple[Place[int], list[Batch[int]]]:
        """Lump all together."""
        return super().add(member, "a", now, **facts)


class RestartsTheClock(Batcher[int]):
    """Each newcomer puts the departure off, so a slow flow waits for ever."""

    def add(self, member: int, group: Hashable, now: float, **facts: Any) -> tuple[Place[int], list[Batch[int]]]:
        """Count from the newcomer."""
        place, leaving = super().add(member, group, now, **facts)
        if place.waits:
            self._open[group].due = now + self.timeout
        return place, leaving


class IgnoresHaste(Batcher[int]):
    """A request whose deadline is near waits like any other."""

    def add(self, member: int, group: Hashable, now: float, **facts: Any) -> tuple[Place[int], list[Batch[int]]]:
        """Do not look at the deadline."""
        return super().add(member, group, now, **{**facts, "latest": None})


class SendsTheWithdrawn(Batcher[int]):
    """A request that was given up while it waited is sent all the same."""

    def withdraw(self, place: Place[int]) -> bool:
        """Say yes, do nothing."""
        return place.waits


class KeepsPriorityOfTheFirst(Batcher[int]):
    """A HIGH request in a batch that a LOW one opened travels as LOW."""

    def _close(self, group: Hashable) -> Batch[int]:
        level = next(iter(self._open[group].places)).level
        closed = super()._close(group)
        return Batch(closed.group, closed.members, level)


BROKEN = (
    Broken("batcher", "BAT-01", SleepsUntilTheNext),
    Broken("batcher", "BAT-01", FillsBeyond),
    Broken("batcher", "BAT-01", KnowsNoProvider),
    Broken("batcher", "BAT-01", LearnsNothing),
    Broken("batcher", "BAT-03", MixesGroups),
    Broken("batcher", "BAT-01", RestartsTheClock),
    Broken("batcher", "BAT-01", IgnoresHaste),
    Broken("batcher", "BAT-06", SendsTheWithdrawn),
    Broken("batcher", "BAT-07", KeepsPriorityOfTheFirst),
)
