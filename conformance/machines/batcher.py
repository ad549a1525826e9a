"""The batcher beside a model that keeps plain lists, and the promises that hold whatever the model says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from backends.resilience.batcher import Batch, Batcher, Place
from conformance.machines import strategies as own
from conformance.machines.bench import Bench, Rules, run_rules

__all__ = ["BatcherBench", "BatcherRules", "run"]

_GROUPS = ("a", "b", "c")


@dataclass(frozen=True, slots=True)
class _Rider:
    """A member as the model knows it."""

    member: int
    items: int
    length: int
    level: int


@dataclass(slots=True)
class _Waiting:
    """An open batch as the model knows it."""

    group: str
    due: float
    riders: list[_Rider]


class BatcherBench(Bench):
    """Steps: new, advance, add, withdraw, due, learn, drain."""

    machine = "batcher"

    def do_new(self, max_size: int, timeout: float) -> None:
        """Make a batcher and an empty model."""
        self.batcher: Batcher[int] = self.subject(max_size, timeout)
        self.max_size, self.timeout = max_size, timeout
        self.waiting: list[_Waiting] = []
        self.places: dict[int, Place[int]] = {}
        self.limits: dict[str, int] = {}
        self.ends: dict[int, str] = {}
        self.added = 0
        self.now = 10.0

    def do_advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    def do_add(
        self,
        group: str,
        items: int,
        length: int,
        level: int,
        most_items: int | None,
        most_length: int | None,
        patience: float | None,
    ) -> None:
        """Let the next number in; ``patience`` is how long it can wait for its answer."""
        rider = _Rider(self.added, items, length, level)
        self.added += 1
        most = min(self.max_size, most_items or self.max_size, self.limits.get(group, self.max_size))
        expected: list[_Waiting] = []
        found = self._of(group)
        if found is not None:
            total_items = sum(one.items for one in found.riders) + items
            total_length = sum(one.length for one in found.riders) + length
            if total_items > most or (most_length is not None and total_length > most_length):
                expected.append(self._leave(found))
                found = None
        if found is None:
            found = _Waiting(group, self.now + self.timeout, [])
            self.waiting.append(found)
        found.riders.append(rider)
        full = sum(one.items for one in found.riders) >= most
        full = full or (most_length is not None and sum(one.length for one in found.riders) >= most_length)
        latest = None if patience is None else self.now + patience
        if full or (latest is not None and latest <= found.due):
            expected.append(self._leave(found))
        place, leaving = self.batcher.add(
            rider.member,
            group,
            self.now,
            items=items,
            length=length,
            most_items=most_items,
            most_length=most_length,
            level=level,
            latest=latest,
        )
        self.places[rider.member] = place
        self._same(expected, leaving)
        for batch in expected:
            own_items = [one.items for one in batch.riders]
            self.require(
                len(own_items) == 1 or sum(own_items) <= self.max_size, "a batch holds more than its size allows"
            )

    def do_withdraw(self, member: int) -> None:
        """Leave before the batch does, or try to after it has left."""
        found = next((batch for batch in self.waiting if any(one.member == member for one in batch.riders)), None)
        if found is not None:
            found.riders = [one for one in found.riders if one.member != member]
            self._end(member, "withdrawn")
            if not found.riders:
                self.waiting.remove(found)
        self.agree("whether it waited", found is not None, self.batcher.withdraw(self.places[member]))

    def do_due(self) -> None:
        """Let go what has waited long enough."""
        expected = [self._leave(batch) for batch in list(self.waiting) if batch.due <= self.now]
        self._same(expected, self.batcher.due(self.now))

    def do_learn(self, group: str, items: int) -> None:
        """The provider refused more than so many."""
        self.limits[group] = max(1, min(items, self.limits.get(group, self.max_size)))
        self.batcher.learn(group, items)

    def do_drain(self) -> None:
        """Close: everybody who waits is put out."""
        expected = [one.member for batch in self.waiting for one in batch.riders]
        for batch in list(self.waiting):
            self._leave(batch)
        self.agree("who waited", expected, self.batcher.drain())

    def _of(self, group: str) -> _Waiting | None:
        return next((batch for batch in self.waiting if batch.group == group), None)

    def _leave(self, batch: _Waiting) -> _Waiting:
        self.waiting.remove(batch)
        for one in batch.riders:
            self._end(one.member, "left")
        return batch

    def _end(self, member: int, end: str) -> None:
        self.require(member not in self.ends, f"member {member} ended as {self.ends.get(member)} and again as {end}")
        self.ends[member] = end

    def _same(self, expected: list[_Waiting], leaving: list[Batch[int]]) -> None:
        told = [(batch.group, tuple(one.member for one in batch.riders)) for batch in expected]
        self.agree("who leaves", told, [(batch.group, batch.members) for batch in leaving])
        levels = [min(one.level for one in batch.riders) for batch in expected]
        self.agree("priorities of what leaves", levels, [batch.level for batch in leaving])

    def check(self) -> None:
        """Compare who waits and until when; everybody is waiting or has ended."""
        waiting = sum(len(batch.riders) for batch in self.waiting)
        self.agree("how many wait", waiting, len(self.batcher))
        self.agree(
            "when the next leaves", min((one.due for one in self.waiting), default=None), self.batcher.next_due()
        )
        self.agree("members", self.added, waiting + len(self.ends))


class BatcherRules(Rules):
    """Random arrivals, departures, limits found out and time passing."""

    bench_class = BatcherBench
    subject = Batcher
    bench: BatcherBench

    @initialize(max_size=st.integers(1, 6), timeout=own.durations(4))
    def new(self, max_size: int, timeout: float) -> None:
        """Begin."""
        self.do("new", max_size=max_size, timeout=timeout)

    @rule(
        group=st.sampled_from(_GROUPS),
        items=st.sampled_from([1, 1, 1, 2, 3, 9]),
        length=st.integers(0, 4),
        level=own.levels(),
        most_items=st.none() | st.integers(1, 6),
        most_length=st.none() | st.integers(1, 8),
        patience=st.none() | own.durations(6),
    )
    def add(self, **facts: Any) -> None:
        """Arrive."""
        self.do("add", **facts)

    @precondition(lambda self: self.bench.places)
    @rule(index=own.indices())
    def withdraw(self, index: int) -> None:
        """Give up, or try to."""
        members = sorted(self.bench.places)
        self.do("withdraw", member=members[index % len(members)])

    @rule(seconds=own.durations(6))
    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.do("advance", seconds=seconds)

    @rule()
    def due(self) -> None:
        """Look at the time."""
        self.do("due")

    @rule(group=st.sampled_from(_GROUPS), items=st.integers(0, 6))
    def learn(self, group: str, items: int) -> None:
        """Find a limit."""
        self.do("learn", group=group, items=items)

    @precondition(lambda self: len(self.bench.waiting) > 1)
    @rule()
    def drain(self) -> None:
        """Close."""
        self.do("drain")


def run(settings: hypothesis.settings | None = None, machine_class: Callable[..., Any] = Batcher) -> None:
    """Check a batcher class; raises Disagreement when it is wrong (BAT-01, 03, 06, 07)."""
    run_rules(BatcherRules, machine_class, settings)
