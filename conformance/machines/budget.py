"""The retry budget beside exact arithmetic, and its one promise: repeats stay a share of the traffic."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from backends.resilience.budget import RetryBudget
from conformance.machines.bench import Bench, Rules, run_rules

__all__ = ["BudgetBench", "BudgetRules", "run"]


class BudgetBench(Bench):
    """Steps: new, requests, retry."""

    machine = "budget"

    def do_new(self, tenths: int, reserve: int) -> None:
        """Make an account; ``tenths`` is the ratio in tenths."""
        self.budget: RetryBudget = self.subject(ratio=tenths / 10, reserve=float(reserve))
        self.ratio, self.reserve = Fraction(tenths, 10), reserve
        self.account = Fraction(reserve)
        self.seen = self.allowed = self.refused = 0

    def do_requests(self, amount: int) -> None:
        """Count new requests."""
        for _ in range(amount):
            self.budget.deposit()
            self.account = min(self.account + self.ratio, Fraction(max(self.reserve, 1)))
        self.seen += amount

    def do_retry(self) -> None:
        """Ask for one repeat."""
        expected = self.account >= 1
        if expected:
            self.account -= 1
            self.allowed += 1
        else:
            self.refused += 1
        self.agree("whether a repeat is allowed", expected, self.budget.withdraw())

    def check(self) -> None:
        """Compare counts, and hold the promise."""
        self.agree("counts", (self.allowed, self.refused), (self.budget.granted, self.budget.denied))
        self.require(self.budget.granted <= self.reserve + self.ratio * self.seen, "more repeats than the share")
        self.require(abs(Fraction(self.budget.balance) - self.account) < Fraction(1, 1_000_000), "the account drifted")


class BudgetRules(Rules):
    """Random traffic and repeats."""

    bench_class = BudgetBench
    subject = RetryBudget
    bench: BudgetBench

    @initialize(tenths=st.integers(0, 12), reserve=st.integers(0, 5))
    def new(self, tenths: int, reserve: int) -> None:
        """Begin."""
        self.do("new", tenths=tenths, reserve=reserve)

    @rule(amount=st.integers(1, 60))
    def requests(self, amount: int) -> None:
        """Traffic."""
        self.do("requests", amount=amount)

    @rule(times=st.integers(1, 6))
    def retry(self, times: int) -> None:
        """Repeats."""
        for _ in range(times):
            self.do("retry")


def run(settings: hypothesis.settings | None = None, machine_class: Callable[..., Any] = RetryBudget) -> None:
    """Check a budget class; raises Disagreement when it is wrong (BAK-11)."""
    run_rules(BudgetRules, machine_class, settings)
