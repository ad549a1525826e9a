"""A run of callers against the provider with moods: who comes when, who has its answer in time, and what was for nothing.

It knows no client and no clock but its event loop's, so it runs in virtual and in real time alike.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from benchmarks.moody_provider import MoodyProvider, Phase

__all__ = ["PATIENCE", "PER_SECOND", "Ask", "play"]

PER_SECOND: Final = 10.0
"""Callers that come a second, in the mean."""
PATIENCE: Final = 15.0
"""Seconds after which a caller gives up."""

Ask = Callable[[], Awaitable[None]]
"""One call of a client; returns when it has its answer, and raises when it has none."""


@dataclass
class _Bucket:
    """What happened to the callers that came within some seconds."""

    came: int = 0
    served: int = 0
    latencies: list[float] = field(default_factory=list)
    wasted: int = 0


async def play(
    make: Callable[[MoodyProvider], Ask],
    seed: int,
    phases: tuple[Phase, ...],
    length: float,
    failures: tuple[type[BaseException], ...],
) -> tuple[list[dict[str, Any]], float]:
    """Return what happened in each span of time, and by how many seconds a caller came late at most.

    When a caller comes is settled beforehand and does not depend on what became of those before. In virtual time nobody is
    late; in real time somebody is where the client keeps the processor busy.

    Args:
        make: makes the client before the provider.
        seed: of the provider and of the arrivals.
        phases: the provider's timetable, in seconds of the event loop.
        length: of a span.
        failures: by what a call of the client ends that has no answer.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    provider = MoodyProvider(seed, phases, began)
    ask = make(provider)
    arrivals = random.Random(seed + 1000)
    end = sum(phase.seconds for phase in phases)
    buckets = [_Bucket() for _ in range(round(end / length))]
    callers = []
    now = late = 0.0
    while now < end:
        bucket = buckets[min(int(now / length), len(buckets) - 1)]
        callers.append(loop.create_task(_caller(ask, bucket, failures)))
        before = provider.wasted
        now += arrivals.expovariate(PER_SECOND)
        await asyncio.sleep(max(0.0, began + now - loop.time()))
        late = max(late, loop.time() - began - now)
        bucket.wasted += provider.wasted - before
    await asyncio.gather(*callers)
    spans = [
        {
            "came": bucket.came,
            "served": bucket.served,
            "p50": _quantile(bucket.latencies, 0.5),
            "p95": _quantile(bucket.latencies, 0.95),
            "wasted": bucket.wasted,
        }
        for bucket in buckets
    ]
    return spans, late


async def _caller(ask: Ask, bucket: _Bucket, failures: tuple[type[BaseException], ...]) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    bucket.came += 1
    try:
        await ask()
    except failures:
        return
    bucket.served += 1
    bucket.latencies.append(loop.time() - began)


def _quantile(values: list[float], share: float) -> float | None:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None
