"""Metrics: sums that hold, percentiles that are right, memory that does not grow."""

from __future__ import annotations

import json
import math
import random
import sys
from typing import Any

import pytest

from backends.telemetry.metrics import BoundedCounter, Histogram, Metrics
from backends.types import Usage


def deep_size(value: Any, seen: set[int] | None = None) -> int:
    """Return the bytes of an object and of all it holds."""
    seen = set() if seen is None else seen
    if id(value) in seen:
        return 0
    seen.add(id(value))
    size = sys.getsizeof(value)
    if isinstance(value, dict):
        return size + sum(deep_size(one, seen) for pair in value.items() for one in pair)
    names = [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
    held = [getattr(value, name) for name in names] + list(getattr(value, "__dict__", {}).values())
    return size + sum(deep_size(one, seen) for one in held)


@pytest.mark.parametrize("spread", ["uniform", "lognormal", "two peaks"])
def test_percentiles_are_within_the_bucket_error(spread: str) -> None:
    """Beside a sorted list of the same values, each is off by 2.3 % at most; mean and extremes are exact."""
    chance = random.Random(7)
    draw = {
        "uniform": lambda: chance.uniform(0.001, 2.0),
        "lognormal": lambda: chance.lognormvariate(-1.0, 1.5),
        "two peaks": lambda: chance.choice([0.02, 30.0]) * chance.uniform(0.9, 1.1),
    }[spread]
    values = sorted(draw() for _ in range(20_000))
    histogram = Histogram()
    for value in values:
        histogram.record(value)
    for q in (0.0, 1.0, 25.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.9, 100.0):
        exact = values[max(1, math.ceil(len(values) * q / 100)) - 1]
        assert histogram.percentile(q) == pytest.approx(exact, rel=0.023), q
    assert histogram.mean == pytest.approx(math.fsum(values) / len(values))
    assert (histogram.min, histogram.max, histogram.count) == (values[0], values[-1], 20_000)


def test_a_histogram_of_nothing() -> None:
    """There is nothing to say, and zero is not made up."""
    assert Histogram().snapshot() == {
        "count": 0,
        "mean": None,
        "min": None,
        "max": None,
        "p50": None,
        "p90": None,
        "p95": None,
        "p99": None,
    }


def test_one_value_is_all_percentiles() -> None:
    """No bucket's middle is reported where the value is known."""
    histogram = Histogram()
    histogram.record(0.123)
    assert {histogram.percentile(q) for q in (0.0, 50.0, 100.0)} == {0.123}


@pytest.mark.parametrize(
    ("seconds", "counted"),
    [(-5.0, 0.0), (0.0, 0.0), (float("nan"), 0.0), (1e-9, 1e-9), (float("inf"), 1e-6 * 2**40), (1e12, 1e-6 * 2**40)],
)
def test_odd_values_stay_in_range(seconds: float, counted: float) -> None:
    """A clock that jumped never raises or spoils the sums."""
    histogram = Histogram()
    histogram.record(seconds)
    histogram.record(1.0)
    assert histogram.total == counted + 1.0
    assert histogram.count == 2


def test_every_bucket_edge_is_inside() -> None:
    """Values at and beside each power of two find a bucket whose middle is near."""
    for power in range(41):
        for value in (1e-6 * 2.0**power, math.nextafter(1e-6 * 2.0**power, 0.0)):
            histogram = Histogram()
            histogram.record(value)
            histogram.record(1e9)
            assert histogram.percentile(50.0) == pytest.approx(value, rel=0.023)


@pytest.mark.parametrize("q", [-1.0, 101.0, float("nan")])
def test_percentile_range(q: float) -> None:
    """From 0 to 100."""
    with pytest.raises(ValueError, match="q"):
        Histogram().percentile(q)


def test_counter_is_bounded_in_number_and_length() -> None:
    """A server that invents names cannot fill the memory, and the total stays right."""
    counter = BoundedCounter(3)
    for number in range(1000):
        counter.add(f"{number:04}" + "x" * 500)
    counter.add("0000" + "x" * 500, 5)
    counts = counter.snapshot()
    assert len(counts) == 4
    assert counts["(other)"] == 997
    assert counts["0000" + "x" * 124] == 6
    assert counter.total == sum(counts.values()) == 1005
    assert counter.get("unknown") == 0


def test_requests_add_up() -> None:
    """Requests are successes, failures and cancelled when idle; rows and classes sum to the totals."""
    metrics = Metrics(0.0, 1_700_000_000.0)
    chance = random.Random(3)
    for number in range(1000):
        metrics.started()
        outcome = chance.choice(["success", "failure", "cancelled"])
        metrics.finished(
            outcome,  # type: ignore[arg-type]
            model=chance.choice([None, "small", "large"]),
            endpoint=chance.choice(["default", "other"]),
            error=chance.choice([None, "ServerError", "RateLimitError"]) if outcome == "failure" else None,
            queued=0.01,
            first_token=0.1 if number % 2 else None,
            total=1.0,
            usage=Usage(input_tokens=3, output_tokens=2, cached_tokens=1) if number % 3 else None,
            attempts=1 + number % 2,
        )
    told = metrics.snapshot(100.0, 1_700_000_100.0)
    assert told["total_requests"] == 1000 == told["successes"] + told["failures"] + told["cancelled"]
    assert told["active_requests"] == 0
    assert sum(told["errors"].values()) == told["failures"]
    for rows in (told["models"], told["endpoints"]):
        for name in ("successes", "failures", "cancelled"):
            assert sum(row[name] for row in rows.values()) == told[name]
        assert sum(row["requests"] for row in rows.values()) == 1000
        assert sum(row["input_tokens"] for row in rows.values()) == told["tokens"]["input"] == 3 * 666
        assert sum(row["total_tokens"] for row in rows.values()) == told["tokens"]["total"] == 5 * 666
    assert told["tokens"]["cached"] == 666
    assert told["attempts"] == 1500
    assert told["latency"]["total"]["count"] == told["successes"]
    assert told["latency"]["queued"]["count"] == 1000
    assert told["latency"]["first_token"]["count"] == 500
    assert told["success_rate"] == told["successes"] / (told["successes"] + told["failures"])
    assert told["throughput"]["requests_per_second"] == 10.0
    assert (told["uptime_seconds"], told["timestamp"], told["since"]) == (100.0, 1_700_000_100.0, 1_700_000_000.0)
    json.dumps(told, allow_nan=False)


def test_nothing_yet_is_none_not_zero() -> None:
    """No rate and no percentile is made up from nothing."""
    told = Metrics(5.0, 0.0).snapshot(5.0, 0.0)
    assert told["success_rate"] is None
    assert told["throughput"] == {"requests_per_second": None, "output_tokens_per_second": None}
    assert told["latency"]["total"]["p99"] is None


def test_tokens_are_the_providers() -> None:
    """A total it reports is kept, a missing one is summed, a zero is a zero, an estimate and a silence are counted."""
    metrics = Metrics(0.0, 0.0)
    for usage in (
        Usage(input_tokens=10, output_tokens=5, total_tokens=40, reasoning_tokens=25),
        Usage(input_tokens=1, output_tokens=2, estimated=True),
        Usage(input_tokens=0, output_tokens=0, total_tokens=0),
        None,
    ):
        metrics.started()
        metrics.finished("success", usage=usage)
    assert metrics.snapshot(1.0, 1.0)["tokens"] == {
        "input": 11,
        "output": 7,
        "total": 43,
        "cached": 0,
        "cache_write": 0,
        "reasoning": 25,
        "audio": 0,
        "estimated_requests": 1,
        "unreported_requests": 1,
    }


def test_reset_keeps_the_sums_true_for_what_is_under_way() -> None:
    """A request that began before the reset and ends after it is counted once."""
    metrics = Metrics(0.0, 0.0)
    metrics.started()
    metrics.started()
    metrics.finished("failure", error="ServerError", total=1.0)
    metrics.retried("503")
    metrics.reset(50.0, 60.0)
    told = metrics.snapshot(51.0, 61.0)
    assert (told["total_requests"], told["active_requests"], told["failures"], told["retries"]) == (1, 1, 0, {})
    assert (told["since"], told["uptime_seconds"], told["models"]) == (60.0, 1.0, {})
    metrics.finished("success")
    told = metrics.snapshot(52.0, 62.0)
    assert told["total_requests"] == told["successes"] == 1


def test_a_snapshot_is_a_copy() -> None:
    """Later requests do not change what was reported."""
    metrics = Metrics(0.0, 0.0)
    before = metrics.snapshot(1.0, 1.0)
    metrics.started()
    metrics.retried("429")
    metrics.finished("failure", model="m", error="RateLimitError")
    assert (before["models"], before["errors"], before["retries"]) == ({}, {}, {})


def test_memory_does_not_grow_with_requests() -> None:
    """After a crowd of models, endpoints, errors and reasons, 100,000 requests more leave every structure as it is."""
    metrics = Metrics(0.0, 0.0)

    def requests(amount: int) -> None:
        for number in range(amount):
            metrics.started()
            metrics.retried(f"reason {number}")
            metrics.finished(
                "success" if number % 2 else "failure",
                model=f"model {number}",
                endpoint=f"endpoint {number}",
                error=f"error {number}",
                queued=number / 7,
                first_token=0.1,
                total=number / 3,
                usage=Usage(1, 2, 3),
                attempts=1,
            )

    requests(1_000)
    before = deep_size(metrics)
    structures = [len(part) for part in metrics.snapshot(1.0, 1.0).values() if isinstance(part, dict)]
    requests(100_000)
    # The integers themselves may take a few bytes more; nothing else may.
    assert deep_size(metrics) - before < 200
    assert [len(part) for part in metrics.snapshot(1.0, 1.0).values() if isinstance(part, dict)] == structures
    assert before < 60_000


def test_names_must_be_some() -> None:
    """A bound below one is refused."""
    for make in (lambda: BoundedCounter(0), lambda: Metrics(0.0, 0.0, names=0)):
        with pytest.raises(ValueError, match="names"):
            make()
