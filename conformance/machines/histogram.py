"""The histogram beside a sorted list of everything that was recorded."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from backends.telemetry.histogram import Histogram
from conformance.machines.bench import Bench, Rules, run_rules

__all__ = ["HistogramBench", "HistogramRules", "run"]

_ERROR = 0.023
_LEAST = 1e-6


class HistogramBench(Bench):
    """Steps: new, record, percentile."""

    machine = "histogram"

    def do_new(self) -> None:
        """Make it, and an empty list."""
        self.histogram: Histogram = self.subject()
        self.values: list[float] = []
        self.size = sys.getsizeof(self.histogram._buckets)

    def do_record(self, seconds: float) -> None:
        """Record one value."""
        self.histogram.record(seconds)
        self.values.append(max(0.0, seconds))

    def do_percentile(self, q: float) -> None:
        """Compare one percentile with the exact one, by nearest rank."""
        exact = sorted(self.values)[max(1, math.ceil(len(self.values) * q / 100)) - 1]
        told = self.histogram.percentile(q)
        self.require(told is not None, "there are values but no percentile")
        assert told is not None
        self.require(
            abs(told - exact) <= max(exact * _ERROR, _LEAST), f"percentile {q} should be about {exact} but is {told}"
        )

    def check(self) -> None:
        """Compare the exact figures; the size never changes."""
        histogram, values = self.histogram, self.values
        self.agree("count", len(values), histogram.count)
        self.agree("extremes", (min(values, default=0.0), max(values, default=0.0)), (histogram.min, histogram.max))
        self.require(math.isclose(math.fsum(values), histogram.total, rel_tol=1e-9), "the sum drifted")
        self.agree("size", self.size, sys.getsizeof(histogram._buckets))
        self.require((histogram.percentile(50) is None) == (not values), "a percentile of nothing")


class HistogramRules(Rules):
    """Random durations over twelve orders of magnitude, often equal ones."""

    bench_class = HistogramBench
    subject = Histogram
    bench: HistogramBench

    @initialize()
    def new(self) -> None:
        """Begin."""
        self.do("new")

    @rule(
        seconds=st.floats(1e-7, 1e6) | st.sampled_from([0.0, -1.0, 1e-6, 1.0, 2.0]),
        times=st.sampled_from([1, 1, 2, 9]),
    )
    def record(self, seconds: float, times: int) -> None:
        """Record."""
        for _ in range(times):
            self.do("record", seconds=seconds)

    @precondition(lambda self: self.bench.values)
    @rule(q=st.floats(0, 100) | st.sampled_from([0.0, 50.0, 90.0, 99.0, 100.0]))
    def percentile(self, q: float) -> None:
        """Ask."""
        self.do("percentile", q=q)


def run(settings: hypothesis.settings | None = None, machine_class: Callable[..., Any] = Histogram) -> None:
    """Check a histogram class; raises Disagreement when it is wrong (TRK-05, 06)."""
    run_rules(HistogramRules, machine_class, settings)
