"""Micro-benchmarks of the machines on the path of a call, with pytest-benchmark.

Opt-in: ``pytest benchmarks/test_micro.py``. The normal test run does not collect this folder. Each case asserts that
the operation did its work, and no time.
"""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest

from backends.resilience.admission import Admission
from backends.resilience.backoff import Backoff
from backends.resilience.breaker import Breaker, Lease
from backends.resilience.budget import RetryBudget
from backends.resilience.hints import retry_after
from backends.resilience.keys import KeyLease, KeyPool
from backends.resilience.line import WaitingLine
from backends.secret import Key
from backends.telemetry.histogram import Histogram
from backends.telemetry.metrics import Metrics
from backends.types import Usage
from backends.wire import jsontext
from backends.wire.ndjson import NDJSONDecoder
from backends.wire.sse import SSEDecoder
from benchmarks import workload


def test_waiting_line_push_and_pop(benchmark: Any) -> None:
    """One in, one out, with a thousand waiting."""
    line: WaitingLine[int] = WaitingLine()
    for number in range(1000):
        line.push(number, number % 3, 0.0)

    def turn() -> int | None:
        line.push(1, 1, 0.0)
        return line.pop(0.0)

    assert benchmark(turn) is not None
    assert len(line) == 1000


def test_admission_grant_and_release(benchmark: Any) -> None:
    """The path of a call that need not wait."""
    house: Admission[int] = Admission(32, 100)

    def turn() -> str:
        state = house.submit(1, 1, 0.0).state
        house.release(0.0)
        return state

    assert benchmark(turn) == "granted"
    assert house.active == 0


def test_breaker_acquire_and_success(benchmark: Any) -> None:
    """The path of a call through a closed breaker."""
    breaker = Breaker()

    def turn() -> Any:
        lease = breaker.acquire(0.0, 0.0)
        assert isinstance(lease, Lease)
        breaker.success(lease, 0.0, 0.0)
        return breaker.failures

    assert benchmark(turn) == 0


@pytest.mark.parametrize("count", [1, 100])
def test_key_pool_lease(benchmark: Any, count: int) -> None:
    """Lease, record and give back one of several keys."""
    pool = KeyPool([Key(f"sk-{number}") for number in range(count)])
    usage = Usage(input_tokens=10, output_tokens=20)

    def turn() -> Any:
        lease = pool.acquire(0.0)
        assert isinstance(lease, KeyLease)
        pool.record(lease, usage, False)
        pool.release(lease)
        return lease

    assert benchmark(turn).key is not None
    assert sum(status.in_flight for status in pool.snapshot(0.0)) == 0


def test_backoff_delay(benchmark: Any) -> None:
    """One delay."""
    chance = random.Random(1).random
    assert benchmark(Backoff().delay, 3, chance) > 0


def test_retry_budget(benchmark: Any) -> None:
    """One request counted and one retry asked for."""
    budget = RetryBudget()

    def turn() -> bool:
        for _ in range(5):
            budget.deposit()
        return budget.withdraw()

    assert benchmark(turn)


@pytest.mark.parametrize(
    "headers",
    [{"retry-after": "3"}, {"retry-after-ms": "350"}, {"retry-after": "Sat, 21 Nov 2026 06:00:10 GMT"}],
    ids=["seconds", "milliseconds", "date"],
)
def test_hints(benchmark: Any, headers: dict[str, str]) -> None:
    """One hint read from headers."""
    assert benchmark(retry_after, headers, None, wall=1_795_240_800.0) is not None


def test_histogram_record(benchmark: Any) -> None:
    """One duration counted."""
    histogram = Histogram()
    benchmark(histogram.record, 0.123)
    assert histogram.count > 0


def test_metrics_finished(benchmark: Any) -> None:
    """One finished request counted."""
    metrics = Metrics(0.0, 0.0)
    usage = Usage(input_tokens=10, output_tokens=20)

    def turn() -> None:
        metrics.started()
        metrics.finished(
            "success",
            model="gpt-4o-mini",
            endpoint="default",
            error=None,
            queued=0.0,
            first_token=None,
            total=0.2,
            usage=usage,
            attempts=1,
        )

    benchmark(turn)
    assert metrics.snapshot(1.0, 1.0)


def test_json_dumps(benchmark: Any) -> None:
    """A realistic request encoded, checks included."""
    assert benchmark(jsontext.dumps, {"model": workload.MODEL, "messages": workload.MESSAGES}).startswith(b"{")


def test_json_loads(benchmark: Any) -> None:
    """A realistic answer decoded, checks included."""
    content = workload.answer()
    assert benchmark(lambda: jsontext.loads(content, max_depth=128))["object"] == "chat.completion"


@pytest.mark.parametrize("size", [37, 1400, 65536])
def test_sse_decoder(benchmark: Any, size: int) -> None:
    """A whole stream decoded, cut into pieces of a few sizes."""
    content = b"".join(workload.stream_events())
    pieces = [content[at : at + size] for at in range(0, len(content), size)]

    def decode() -> int:
        decoder = SSEDecoder(1 << 20)
        return sum(len(decoder.feed(piece)) for piece in pieces) + len(decoder.close())

    assert benchmark(decode) == len(workload.stream_events())


def test_ndjson_decoder(benchmark: Any) -> None:
    """A thousand lines decoded from 1,400-byte pieces."""
    content = b'{"model":"llama3","message":{"role":"assistant","content":" token"},"done":false}\n' * 1000
    pieces = [content[at : at + 1400] for at in range(0, len(content), 1400)]

    def decode() -> int:
        decoder = NDJSONDecoder(1 << 20)
        return len(list(itertools.chain.from_iterable(decoder.feed(piece) for piece in pieces)))

    assert benchmark(decode) == 1000
