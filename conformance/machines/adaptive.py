"""The adaptive limit beside a model that remembers every answer and computes each decision anew, and its promises."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from backends.resilience.adaptive import AdaptiveLimit
from conformance.machines.bench import Bench, Rules, run_rules

__all__ = ["AdaptiveBench", "AdaptiveRules", "run"]

_ROUNDING: Final = 1e-6
_WARM_UP: Final = 10


class AdaptiveBench(Bench):
    """Steps: new, send, answer, refuse, give_up, resize, calm."""

    machine = "adaptive"

    def do_new(self, ceiling: int) -> None:
        """Make a limit."""
        self.adaptive: AdaptiveLimit = self.subject(ceiling, 0.0)
        self.ceiling = ceiling
        self.exact = float(min(ceiling, 20))
        self.told: dict[str, list[float]] = {}
        self.usual: dict[str, float] = {}
        self.round: list[tuple[str, float, int]] = []
        self.flying: dict[int, int] = {}
        self.sent = self.decided_at = self.cut_at = 0
        self.now = 0.0

    def do_send(self) -> None:
        """Put one more request on the wire."""
        self.sent += 1
        self.agree("the number of a request", self.sent, self.adaptive.sent())
        self.flying[self.sent] = len(self.flying) + 1

    def do_answer(self, number: int, kind: str, seconds: float) -> None:
        """One of those in flight is answered."""
        in_flight = self.flying.pop(number)
        self.now += 1.0
        self._learn(kind, seconds)
        if number > self.decided_at:
            self.round.append((kind, seconds, in_flight))
            if len(self.round) >= min(int(self.exact + _ROUNDING), 10):
                self._decide()
        self.adaptive.answered(kind, number, seconds, self.now, in_flight)

    def _learn(self, kind: str, seconds: float) -> None:
        told = self.told.setdefault(kind, [])
        told.append(seconds)
        if len(told) <= _WARM_UP:
            # The mean of what was told; what has been forgotten of it since stays forgotten.
            usual = self.usual.get(kind, 0.0)
            self.usual[kind] = usual + (seconds - usual) / len(told)
        else:
            usual = self.usual[kind]
            self.usual[kind] = usual + (min(seconds, 1.5 * usual) - usual) * 2 / 601

    def _decide(self) -> None:
        kinds = {kind: [seconds for one, seconds, _ in self.round if one == kind] for kind, _, _ in self.round}
        # Summed by kind, as the machine does it: at a tie the rounding of another order would decide otherwise.
        took = sum(sum(seconds) for seconds in kinds.values())
        usually = sum(self.usual[kind] * len(seconds) for kind, seconds in kinds.items())
        if usually > 2 * took:
            for kind in kinds:
                self.usual[kind] *= 0.9
        busiest = max(in_flight for _, _, in_flight in self.round)
        self._begin_round()
        if 2 * busiest >= self.exact:
            gradient = 1.0 if took == 0 else min(1.0, max(0.5, 1.5 * usually / took))
            self._set(self.exact * gradient + math.sqrt(self.exact) / 2)

    def do_refuse(self, number: int) -> None:
        """One of those in flight is refused for overload."""
        del self.flying[number]
        self.now += 1.0
        if number > self.cut_at:
            self.cut_at = self.sent
            self._begin_round()
            self._set(0.7 * self.exact)
        self.adaptive.refused(number, self.now)

    def do_give_up(self, number: int) -> None:
        """One of those in flight is cancelled, or fails in a way that says nothing."""
        del self.flying[number]

    def do_resize(self, ceiling: int) -> None:
        """Set another ceiling."""
        self.ceiling = ceiling
        self.exact = min(self.exact, float(ceiling))
        self.adaptive.resize(ceiling, self.now)

    def do_calm(self) -> None:
        """A long time of usual answers to a full house brings it back to the ceiling."""
        kind = max(self.told, key=lambda one: len(self.told[one]))
        for _ in range(250):
            while len(self.flying) < self.adaptive.limit:
                self.do_send()
            self.do_answer(min(self.flying), kind, min(self.told[kind][-1], self.usual[kind]))
        self.agree("the limit after a long calm", self.ceiling, self.adaptive.limit)

    def _begin_round(self) -> None:
        self.round = []
        self.decided_at = self.sent

    def _set(self, wanted: float) -> None:
        self.exact = min(float(self.ceiling), max(1.0, wanted))

    def check(self) -> None:
        """Compare limit and usual times, and hold the span."""
        limit = self.adaptive.limit
        self.require(1 <= limit <= self.ceiling, f"the limit is {limit}, outside of 1 to {self.ceiling}")
        near = {int(self.exact - _ROUNDING), int(self.exact + _ROUNDING)}
        self.require(limit in near, f"the limit should be {self.exact:.3f} but is {limit}")
        status = self.adaptive.status(self.now)
        self.agree("the ceiling", self.ceiling, status["ceiling"])
        self.agree("kinds", set(self.usual), set(status["usual_seconds"]))
        for kind, usual in self.usual.items():
            found = status["usual_seconds"][kind]
            self.require(math.isclose(found, usual, abs_tol=_ROUNDING), f"{kind} usually takes {usual}, not {found}")


class AdaptiveRules(Rules):
    """Random traffic: quick, slow and refused answers, and callers who leave."""

    bench_class = AdaptiveBench
    subject = AdaptiveLimit
    bench: AdaptiveBench

    @initialize(ceiling=st.sampled_from([2, 3, 5, 12]))
    def new(self, ceiling: int) -> None:
        """Begin."""
        self.do("new", ceiling=ceiling)

    @rule(share=st.sampled_from([0.3, 1.0]))
    def send(self, share: float) -> None:
        """Fill a part of the house, or all of it."""
        while len(self.bench.flying) < max(1, int(share * self.bench.adaptive.limit)):
            self.do("send")

    @precondition(lambda self: self.bench.flying)
    @rule(times=st.integers(1, 12), kind=st.sampled_from("ab"), seconds=st.sampled_from([0.0, 0.517, 1.0, 1.013, 4.07]))
    def answer(self, times: int, kind: str, seconds: float) -> None:
        """The oldest are answered, and others take their places."""
        for _ in range(times):
            if self.bench.flying:
                self.do("answer", number=min(self.bench.flying), kind=kind, seconds=seconds)
                self.do("send")

    @precondition(lambda self: self.bench.flying)
    @rule(times=st.integers(1, 6), anew=st.booleans())
    def refuse(self, times: int, anew: bool) -> None:
        """The oldest are refused, one crowd of them or one after another."""
        for _ in range(times):
            if self.bench.flying:
                self.do("refuse", number=min(self.bench.flying))
            if anew:
                self.do("send")

    @precondition(lambda self: self.bench.flying)
    @rule()
    def give_up(self) -> None:
        """One leaves."""
        self.do("give_up", number=max(self.bench.flying))

    @rule(ceiling=st.sampled_from([2, 3, 5, 12]))
    def resize(self, ceiling: int) -> None:
        """Another ceiling."""
        self.do("resize", ceiling=ceiling)

    @precondition(lambda self: self.bench.told and max(map(max, self.bench.told.values())) > 0)
    @rule()
    def calm(self) -> None:
        """The outage is over."""
        self.do("calm")


def run(settings: hypothesis.settings | None = None, machine_class: Callable[..., Any] = AdaptiveLimit) -> None:
    """Check an adaptive limit class; raises Disagreement when it is wrong (LIM-01, LIM-02)."""
    run_rules(AdaptiveRules, machine_class, settings)
