"""The waiting line beside a model that keeps a plain list and sorts it each time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from backends.resilience.line import Ticket, WaitingLine
from conformance.machines import strategies as own
from conformance.machines.bench import Bench, Rules, run_rules

__all__ = ["LineBench", "LineRules", "Waiting", "in_order", "next_of", "run", "youngest_of_lowest"]

_LEVELS = 3


@dataclass(frozen=True)
class Waiting:
    """One who waits, as the model sees it; items are numbered in the order of their arrival."""

    item: int
    level: int
    front: bool
    since: float


def next_of(waiting: list[Waiting], ageing: float | None) -> Waiting | None:
    """Return who goes next: first of the level whose oldest, counted ``ageing`` seconds later a level, came first."""
    if not waiting:
        return None
    oldest = {one.level: min(other.since for other in waiting if other.level == one.level) for one in waiting}
    level = min(oldest) if ageing is None else min(oldest, key=lambda level: (oldest[level] + level * ageing, level))
    return min((one for one in waiting if one.level == level), key=lambda one: (not one.front, one.item))


def in_order(waiting: list[Waiting]) -> list[int]:
    """Return the items of all who wait by level, those put in front first, then by age."""
    return [one.item for one in sorted(waiting, key=lambda one: (one.level, not one.front, one.item))]


def youngest_of_lowest(waiting: list[Waiting]) -> Waiting | None:
    """Return who loses a place first: never one who was put in front."""
    candidates = [one for one in waiting if not one.front]
    return max(candidates, key=lambda one: (one.level, one.item), default=None)


class LineBench(Bench):
    """Steps: new, advance, push, pop, discard, drop_lowest, drain."""

    machine = "line"

    def do_new(self, ageing: float | None) -> None:
        """Make the line and an empty list."""
        self.line: WaitingLine[int] = self.subject(levels=_LEVELS, ageing=ageing)
        self.ageing = ageing
        self.waiting: list[Waiting] = []
        self.tickets: list[Ticket[int]] = []
        self.now = 50.0

    def do_advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    def do_push(self, level: int, front: bool) -> None:
        """Let the next number wait."""
        item = len(self.tickets)
        self.tickets.append(self.line.push(item, level, self.now, front=front))
        self.waiting.append(Waiting(item, level, front, self.now))

    def do_pop(self) -> None:
        """Take who goes next."""
        expected = next_of(self.waiting, self.ageing)
        self._gone(expected)
        self.agree("who goes next", expected and expected.item, self.line.pop(self.now))

    def do_discard(self, ticket: int) -> None:
        """Take out a ticket, which may have left long ago."""
        expected = next((one for one in self.waiting if one.item == ticket), None)
        self._gone(expected)
        self.agree("whether it was waiting", expected is not None, self.line.discard(self.tickets[ticket]))

    def do_drop_lowest(self) -> None:
        """Take who loses a place first."""
        expected = youngest_of_lowest(self.waiting)
        self.agree("the lowest level", expected and expected.level, self.line.lowest())
        self._gone(expected)
        self.agree("who is dropped", expected and expected.item, self.line.drop_lowest())

    def do_drain(self) -> None:
        """Take everybody out."""
        expected = in_order(self.waiting)
        self.waiting.clear()
        self.agree("who was waiting", expected, self.line.drain())

    def _gone(self, one: Waiting | None) -> None:
        if one is not None:
            self.waiting.remove(one)

    def check(self) -> None:
        """Compare sizes and the longest wait."""
        counts = tuple(sum(one.level == level for one in self.waiting) for level in range(_LEVELS))
        self.agree("lengths by level", counts, self.line.lengths())
        self.agree("length", len(self.waiting), len(self.line))
        oldest = max((self.now - one.since for one in self.waiting), default=0.0)
        self.agree("the longest wait", oldest, self.line.oldest(self.now))


class LineRules(Rules):
    """Random arrivals at all levels, leaving from the middle, and time passing."""

    bench_class = LineBench
    subject = WaitingLine
    bench: LineBench

    @initialize(ageing=st.none() | own.positive_durations(8))
    def new(self, ageing: float | None) -> None:
        """Begin."""
        self.do("new", ageing=ageing)

    @rule(level=own.levels(), front=st.sampled_from([False, False, True]))
    def push(self, level: int, front: bool) -> None:
        """Arrive."""
        self.do("push", level=level, front=front)

    @rule(
        arrivals=st.lists(st.tuples(own.levels(), st.sampled_from([False, False, True])), min_size=2, max_size=5),
        lifts=st.integers(0, 2),
    )
    def crowd(self, arrivals: list[tuple[int, bool]], lifts: int) -> None:
        """Several arrive, perhaps so much later that those before them have been lifted."""
        self.do("advance", seconds=lifts * (self.bench.ageing or 1.0))
        for level, front in arrivals:
            self.do("push", level=level, front=front)

    @rule()
    def pop(self) -> None:
        """Take the next."""
        self.do("pop")

    @precondition(lambda self: self.bench.tickets)
    @rule(index=own.indices())
    def discard(self, index: int) -> None:
        """Leave, or try to leave again."""
        self.do("discard", ticket=index % len(self.bench.tickets))

    @rule()
    def drop_lowest(self) -> None:
        """Lose a place."""
        self.do("drop_lowest")

    @rule(seconds=own.durations(12))
    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.do("advance", seconds=seconds)

    @precondition(lambda self: self.bench.ageing)
    @rule(times=st.integers(1, 3), quarters=st.integers(0, 1))
    def age(self, times: int, quarters: int) -> None:
        """Let those who wait come near, or to, a lift."""
        assert self.bench.ageing is not None
        self.do("advance", seconds=self.bench.ageing * times + quarters / 4)

    @precondition(lambda self: len(self.bench.waiting) > 3)
    @rule()
    def drain(self) -> None:
        """Close the line."""
        self.do("drain")


def run(settings: hypothesis.settings | None = None, machine_class: Callable[..., Any] = WaitingLine) -> None:
    """Check a line class; raises Disagreement when it is wrong (QUE-02, 03, 13)."""
    run_rules(LineRules, machine_class, settings)
