"""Backoff beside exact arithmetic: fractions instead of floats, multiplication step by step instead of powers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from backends.resilience.backoff import Backoff
from conformance.machines import strategies as own
from conformance.machines.bench import Bench, Rules, run_rules

__all__ = ["BackoffBench", "BackoffRules", "run"]

_ROUNDING = 1e-9


class BackoffBench(Bench):
    """Steps: new, delay, floored, spread."""

    machine = "backoff"

    def do_new(self, initial: float, factor: float, maximum: float, jitter: float) -> None:
        """Make the policy."""
        self.backoff: Backoff = self.subject(initial=initial, factor=factor, maximum=maximum, jitter=jitter)
        self.initial, self.factor, self.maximum = Fraction(initial), Fraction(factor), Fraction(maximum)
        self.jitter = Fraction(jitter)

    def do_delay(self, retry: int, random: float) -> None:
        """Ask for one wait."""
        base = self._base(retry)
        expected = base * (1 + self.jitter * (2 * Fraction(random) - 1))
        wait = self.backoff.delay(retry, lambda: random)
        self.require(
            abs(Fraction(wait) - expected) <= base * Fraction(_ROUNDING),
            f"a wait should be {float(expected)} but is {wait}",
        )

    def do_floored(self, retry: int, hint: float | None, randoms: list[float]) -> None:
        """Ask for one wait with a hint of the server."""
        drawn = _endless(randoms)
        wait = self.backoff.floored(retry, hint, lambda: next(drawn))
        base = self._base(retry)
        least = max(base * (1 - self.jitter), Fraction(hint or 0))
        most = max(base * (1 + self.jitter), Fraction(hint or 0) * (1 + self.jitter))
        slack = most * Fraction(_ROUNDING)
        self.require(hint is None or wait >= hint, f"a wait of {wait} is below the hint of {hint}")
        self.require(least - slack <= wait <= most + slack, f"a wait of {wait} is not in {float(least)}..{float(most)}")

    def do_spread(self, retry: int, hint: float | None, randoms: list[float]) -> None:
        """Let two clients, with different random numbers, ask the same: they must not come back together."""
        one, two = (self.backoff.floored(retry, hint, lambda number=number: number) for number in randoms)  # type: ignore[misc]
        base = self._base(retry)
        spread = self.jitter * max(base, Fraction(hint or 0)) * abs(Fraction(randoms[0]) - Fraction(randoms[1]))
        self.require(one != two or spread < Fraction(_ROUNDING), f"two clients both wait {one}")

    def _base(self, retry: int) -> Fraction:
        wait = self.initial
        for _ in range(retry):
            if wait >= self.maximum or self.factor == 1 or not wait:
                break
            wait *= self.factor
        return min(wait, self.maximum)


def _endless(numbers: list[float]) -> Iterator[float]:
    while True:
        yield from numbers


class BackoffRules(Rules):
    """Random policies, retry numbers from 0 to far beyond any power a float can hold, and hints."""

    bench_class = BackoffBench
    subject = Backoff
    bench: BackoffBench

    @initialize(
        initial=own.durations(4),
        factor=st.sampled_from([1.0, 1.25, 1.5, 2.0, 3.0, 10.0]),
        maximum=own.durations(60),
        jitter=st.sampled_from([0.0, 0.125, 0.25, 0.5, 1.0]),
    )
    def new(self, initial: float, factor: float, maximum: float, jitter: float) -> None:
        """Begin."""
        self.do("new", initial=initial, factor=factor, maximum=maximum, jitter=jitter)

    @rule(retry=st.integers(0, 12) | st.integers(0, 10**9), random=own.random_numbers())
    def delay(self, retry: int, random: float) -> None:
        """Ask for one wait."""
        self.do("delay", retry=retry, random=random)

    @rule(
        retry=st.integers(0, 12),
        hint=st.none() | own.durations(100),
        randoms=st.lists(own.random_numbers(), min_size=2, max_size=2),
    )
    def floored(self, retry: int, hint: float | None, randoms: list[float]) -> None:
        """Ask for one wait with a hint."""
        self.do("floored", retry=retry, hint=hint, randoms=randoms)

    @rule(
        retry=st.integers(0, 12),
        hint=st.none() | own.durations(100),
        randoms=st.permutations([0.125, 0.25, 0.625, 0.875]).map(lambda numbers: numbers[:2]),
    )
    def spread(self, retry: int, hint: float | None, randoms: list[float]) -> None:
        """Compare two clients."""
        self.do("spread", retry=retry, hint=hint, randoms=list(randoms))


def run(settings: hypothesis.settings | None = None, machine_class: Callable[..., Any] = Backoff) -> None:
    """Check a backoff class; raises Disagreement when it is wrong (BAK-02, the floor of BAK-04)."""
    run_rules(BackoffRules, machine_class, settings)
