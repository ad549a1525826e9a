"""Figures, formats and the measuring loops: arithmetic, no time."""

from __future__ import annotations

import math
import sys

import pytest

from benchmarks.figures import percentile, ratios, summary
from benchmarks.formats import duration, number, span
from benchmarks.machine import peak_bytes, resident_bytes
from benchmarks.measure import measure, measure_arrivals, measure_threads


def test_percentiles_are_values_that_occurred() -> None:
    ordered = [float(value) for value in range(1, 101)]
    assert (percentile(ordered, 50), percentile(ordered, 99), percentile(ordered, 100)) == (50, 99, 100)
    assert percentile([7.0], 99) == 7.0
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)


def test_ratios_are_taken_within_rounds() -> None:
    assert ratios([10, 30], [5, 10]) == [2, 3]
    with pytest.raises(ValueError, match="zip"):
        ratios([1], [1, 2])


def test_a_summary_is_median_and_extremes() -> None:
    taken = summary([3, 1, 8])
    assert (taken.median, taken.low, taken.high) == (3, 1, 8)
    assert taken.spread == pytest.approx(3.5 / 3)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (9021.4, "9,021"), (0.5031, "0.503"), (12.0, "12"), (1.2e-5, "0.000012"), (math.inf, "inf")],
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(("seconds", "text"), [(2, "2 s"), (0.0123, "12.3 ms"), (4.5e-6, "4.5 µs"), (3e-9, "3 ns")])
def test_durations_choose_their_unit(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_span_shows_extremes_only_where_they_differ() -> None:
    assert span(summary([2.0])) == "2"
    assert span(summary([1.0, 2.0, 4.0])) == "2 (1 to 4)"


class Sometimes:
    """A call whose every third try fails."""

    def __init__(self) -> None:
        self.tried = 0

    async def __call__(self, pieces: list[str]) -> None:
        self.block(pieces)

    def block(self, pieces: list[str]) -> None:
        self.tried += 1
        if self.tried % 3 == 0:
            raise ConnectionError("refused")
        pieces.extend(("a", "b"))


async def test_failures_are_counted_and_never_latencies() -> None:
    work = Sometimes()
    found = await measure(work, 3, 0.0, 0.01)
    assert found["everything"] == work.tried
    assert found["failures"] == work.tried // 3
    assert found["first_failure"] == "ConnectionError: refused"
    assert found["calls"] <= work.tried - found["failures"]
    assert found["per_second"] > 0


async def test_without_any_success_there_is_no_rate() -> None:
    async def refused(_: list[str]) -> None:
        raise ConnectionError("refused")

    found = await measure(refused, 2, 0.0, 0.01)
    assert found["failures"] == found["everything"] > 0
    assert (found["per_second"], found["cpu_per_unit"], found["p50"]) == (None, None, None)


async def test_arrivals_make_as_many_calls_as_are_due() -> None:
    work = Sometimes()
    found = await measure_arrivals(work, 1000.0, 0.03)
    assert work.tried == 20 + 30
    assert found["calls"] + found["failures"] >= 30


def test_threads_count_like_tasks() -> None:
    work = Sometimes()
    found = measure_threads(work.block, 2, 0.0, 0.01)
    assert found["everything"] == work.tried
    assert found["failures"] == work.tried // 3


def test_memory_that_is_taken_is_seen() -> None:
    """Without this a growth of nothing could be an instrument that sees nothing."""
    before = resident_bytes()
    if before is None:
        assert sys.platform != "linux"
        return
    held = bytearray(b"x" * 32 * 2**20)
    during = resident_bytes()
    assert during is not None
    assert during - before > 30 * 2**20
    del held
    after, peak = resident_bytes(), peak_bytes()
    assert after is not None
    assert peak is not None
    assert after < during <= peak
