"""Admission beside a model that keeps plain lists, and the promises that hold whatever the model says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from backends.resilience.admission import Admission, Overflow
from backends.resilience.line import Ticket
from conformance.machines import strategies as own
from conformance.machines.bench import Bench, Rules, run_rules
from conformance.machines.line import Waiting, in_order, next_of, youngest_of_lowest

__all__ = ["AdmissionBench", "AdmissionRules", "run"]

_LEVELS = 3


class AdmissionBench(Bench):
    """Steps: new, advance, submit, release, release_nothing, withdraw, resize, hold_back, let_on, drain."""

    machine = "admission"

    def do_new(self, limit: int, queue_size: int, overflow: str, ageing: float | None) -> None:
        """Make admission and an empty model."""
        self.admission: Admission[int] = self.subject(limit, queue_size, Overflow(overflow), ageing)
        self.limit, self.queue_size, self.overflow, self.ageing = limit, queue_size, overflow, ageing
        self.waiting: list[Waiting] = []
        self.tickets: dict[int, Ticket[int]] = {}
        self.fates: dict[int, str] = {}
        self.active = self.peak = self.submitted = 0
        self.now = 10.0
        self.held_until: float | None = None

    def do_advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    def do_submit(self, level: int, returning: bool) -> None:
        """Let the next number ask for a place."""
        item = self.submitted
        self.submitted += 1
        dropped: Waiting | None = None
        ahead = self.admission.ahead(level, self.now)
        if self._open():
            self.agree("who goes before an arrival", None, ahead)
            state = "granted"
            self._start(item)
        else:
            self.agree("who goes before an arrival", sum(one.level <= level for one in self.waiting), ahead)
            state = "queued"
            if not returning and self.overflow != "wait" and len(self.waiting) >= self.queue_size:
                victim = youngest_of_lowest(self.waiting)
                if self.overflow == "drop_lowest" and victim is not None and victim.level > level:
                    dropped = victim
                else:
                    state = "rejected"
        if dropped is not None:
            self.waiting.remove(dropped)
            self._end(dropped.item, "dropped")
        if state == "queued":
            self.waiting.append(Waiting(item, level, returning, self.now))
        elif state == "rejected":
            self._end(item, "rejected")
        answer = self.admission.submit(item, level, self.now, returning=returning)
        self.agree("what became of it", state, answer.state)
        self.agree("who was dropped", dropped and dropped.item, answer.dropped)
        self.agree("whether there is a ticket", state == "queued", answer.ticket is not None)
        if answer.ticket is not None:
            self.tickets[item] = answer.ticket

    def do_release(self) -> None:
        """Give a place back."""
        self.active -= 1
        expected = self._fill()
        self.agree("who starts", expected, self.admission.release(self.now))

    def do_release_nothing(self) -> None:
        """Give back a place that nobody holds, which must be refused."""
        try:
            self.admission.release(self.now)
        except RuntimeError:
            return
        self.require(False, "a place that nobody held was taken back")

    def do_withdraw(self, item: int) -> None:
        """Leave the line, or try to after having left it."""
        place = next((one for one in self.waiting if one.item == item), None)
        if place is not None:
            self.waiting.remove(place)
            self._end(item, "withdrawn")
        self.agree("whether it waited", place is not None, self.admission.withdraw(self.tickets[item], self.now))

    def do_resize(self, limit: int | None, queue_size: int | None) -> None:
        """Change the limits."""
        self.limit = self.limit if limit is None else limit
        self.queue_size = self.queue_size if queue_size is None else queue_size
        expected = self._fill()
        self.agree("who starts", expected, self.admission.resize(self.now, limit=limit, queue_size=queue_size))

    def do_hold_back(self, seconds: float) -> None:
        """Give nobody a place for so long."""
        self.held_until = self.now + seconds
        self.admission.hold_back(self.held_until)

    def do_let_on(self) -> None:
        """Give places again."""
        self.held_until = None
        self.agree("who starts", self._fill(), self.admission.let_on(self.now))

    def _held(self) -> bool:
        return self.held_until is not None and self.now < self.held_until

    def _open(self) -> bool:
        return self.active < self.limit and not self.waiting and not self._held()

    def do_drain(self) -> None:
        """Close: everybody who waits is put out."""
        expected = in_order(self.waiting)
        for item in expected:
            self._end(item, "drained")
        self.waiting.clear()
        self.agree("who waited", expected, self.admission.drain())

    def _fill(self) -> list[int]:
        started = []
        while self.active < self.limit and self.waiting and not self._held():
            first = next_of(self.waiting, self.ageing)
            assert first is not None
            self.waiting.remove(first)
            self._start(first.item)
            started.append(first.item)
        return started

    def _start(self, item: int) -> None:
        self.active += 1
        self.peak = max(self.peak, self.active)
        self._end(item, "granted")

    def _end(self, item: int, fate: str) -> None:
        self.require(item not in self.fates, f"item {item} ended as {self.fates.get(item)} and again as {fate}")
        self.fates[item] = fate

    def check(self) -> None:
        """Compare counts, and hold the promises: nobody waits beside a free place, everybody ends exactly once."""
        admission = self.admission
        fates = list(self.fates.values())
        self.agree("active", self.active, admission.active)
        self.agree("peak", self.peak, admission.peak)
        self.agree("granted", fates.count("granted"), admission.granted)
        self.agree("rejected", fates.count("rejected"), admission.rejected)
        self.agree("dropped", fates.count("dropped"), admission.dropped)
        counts = tuple(sum(one.level == level for one in self.waiting) for level in range(_LEVELS))
        self.agree("lengths by level", counts, admission.lengths())
        self.agree("limits", (self.limit, self.queue_size), (admission.limit, admission.queue_size))
        overdue = self.held_until is not None and self.now >= self.held_until
        self.agree("whether holding back is overdue", overdue, admission.overdue(self.now))
        if self.held_until is None:
            self.require(not (sum(admission.lengths()) and admission.active < admission.limit), "a place stays empty")
        self.agree("submitted", self.submitted, len(fates) + sum(admission.lengths()))


class AdmissionRules(Rules):
    """Random arrivals, endings, withdrawals, changed limits and time passing."""

    bench_class = AdmissionBench
    subject = Admission
    bench: AdmissionBench

    @initialize(
        limit=st.integers(1, 3),
        queue_size=st.integers(0, 4),
        overflow=own.overflows(),
        ageing=st.none() | own.positive_durations(8),
    )
    def new(self, limit: int, queue_size: int, overflow: str, ageing: float | None) -> None:
        """Begin."""
        self.do("new", limit=limit, queue_size=queue_size, overflow=overflow, ageing=ageing)

    @rule(level=own.levels(), returning=st.sampled_from([False, False, False, True]))
    def submit(self, level: int, returning: bool) -> None:
        """Arrive."""
        self.do("submit", level=level, returning=returning)

    @rule()
    def release(self) -> None:
        """End one call, or give back what nobody holds."""
        self.do("release" if self.bench.active else "release_nothing")

    @precondition(lambda self: self.bench.tickets)
    @rule(index=own.indices())
    def withdraw(self, index: int) -> None:
        """Leave the line, or try to."""
        items = sorted(self.bench.tickets)
        self.do("withdraw", item=items[index % len(items)])

    @rule(limit=st.none() | st.integers(1, 5), queue_size=st.none() | st.integers(0, 6))
    def resize(self, limit: int | None, queue_size: int | None) -> None:
        """Change the limits."""
        self.do("resize", limit=limit, queue_size=queue_size)

    @rule(seconds=own.durations(5))
    def hold_back(self, seconds: float) -> None:
        """Nobody may start for a while."""
        self.do("hold_back", seconds=seconds)

    @rule()
    def let_on(self) -> None:
        """They may again."""
        self.do("let_on")

    @rule(seconds=own.durations(12))
    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.do("advance", seconds=seconds)

    @precondition(lambda self: len(self.bench.waiting) > 3)
    @rule()
    def drain(self) -> None:
        """Close the line."""
        self.do("drain")


def run(settings: hypothesis.settings | None = None, machine_class: Callable[..., Any] = Admission) -> None:
    """Check an admission class; raises Disagreement when it is wrong (QUE-01 to 05, 09, 13, LIM-03)."""
    run_rules(AdmissionRules, machine_class, settings)
