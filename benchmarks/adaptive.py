"""Part ``adaptive``: a provider that slows down, throttles, dies and recovers, and what different clients make of it.

Everything runs in virtual time and from seeds, so a run gives the same figures on every machine. The library is the whole
path, the network replaced beneath it; the naive client is what one writes first: no limit, and an immediate repeat after
every failure. Each caller gives up after a while; what comes later is worth nothing to it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

import httpx

from benchmarks import workload
from benchmarks.context import Context
from benchmarks.machine import Noise
from benchmarks.moody_provider import PHASES, MoodyProvider, Phase, Refused, Unreachable
from benchmarks.virtual_loop import SimulatedClock, VirtualLoop

__all__ = ["CLIENTS", "measure"]

_PER_SECOND: Final = 10.0
_PATIENCE: Final = 15.0
_CEILING: Final = 64
_BUCKET: Final = 10.0
_REPEATS: Final = 5

Ask = Callable[[], Awaitable[None]]
"""One call of a client; returns when it has its answer, and raises when it has none."""


@dataclass
class _Bucket:
    """What happened to the callers that came within some seconds."""

    came: int = 0
    served: int = 0
    latencies: list[float] = field(default_factory=list)
    wasted: int = 0


class _Transport(httpx.AsyncBaseTransport):
    """The provider behind HTTP."""

    def __init__(self, provider: MoodyProvider) -> None:
        self._provider = provider
        self._body = workload.answer()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            await self._provider.serve()
        except Unreachable:
            raise httpx.ConnectError("refused", request=request) from None
        except Refused as refusal:
            hint = {} if refusal.retry_after is None else {"retry-after": f"{refusal.retry_after:.3f}"}
            return httpx.Response(
                refusal.status, headers=hint, json={"error": {"message": "too much"}}, request=request
            )
        headers = {"content-type": "application/json"}
        return httpx.Response(200, headers=headers, content=self._body, request=request)


def _library(provider: MoodyProvider, loop: VirtualLoop, **settings: Any) -> Ask:
    from backends import OpenAI

    backend = OpenAI(
        api_key=workload.KEY,
        base_url="http://127.0.0.1:9/v1",
        model=workload.MODEL,
        transport=_Transport(provider),
        clock=SimulatedClock(loop),
        random=random.Random(1).random,
        queue_size=1000,
        deadline=_PATIENCE,
        max_concurrent_requests=_CEILING,
        reset_timeout=5.0,
        **settings,
    )

    async def ask() -> None:
        await backend.achat(workload.MESSAGES)

    return ask


def _naive(provider: MoodyProvider, loop: VirtualLoop) -> Ask:
    del loop

    async def ask() -> None:
        async with asyncio.timeout(_PATIENCE):
            for repeat in range(_REPEATS + 1):
                try:
                    await provider.serve()
                except (Refused, Unreachable):
                    if repeat == _REPEATS:
                        raise
                else:
                    return

    return ask


CLIENTS: Final[dict[str, tuple[str, str, Callable[[MoodyProvider, VirtualLoop], Ask]]]] = {
    "adaptive": (
        "adaptive",
        "ours, `adaptive_concurrency`, `max_queue_wait=5`",
        lambda provider, loop: _library(provider, loop, adaptive_concurrency=True, max_queue_wait=5.0),
    ),
    "fixed": ("fixed", "ours, a fixed limit", _library),
    "naive": ("naive", "no limit, immediate repeats", _naive),
}
"""Name -> a word for the charts, a title, and how a client is made."""


def measure(context: Context) -> dict[str, Any]:
    """Run the part."""
    seeds = range(1 if context.quick else 3)
    speed = 10.0 if context.quick else 1.0
    phases = tuple(replace(phase, seconds=phase.seconds / speed) for phase in PHASES)
    bucket = _BUCKET / speed
    context.progress.part("adaptive limits", len(CLIENTS) * len(seeds))
    noise = Noise()
    rows = []
    for name, (short, title, make) in CLIENTS.items():
        runs = []
        for seed in seeds:
            context.progress.step(f"{title}, seed {seed}")
            runs.append(_run(make, seed, phases, bucket))
        rows.append({"name": name, "short": short, "title": title, "runs": runs})
    return {
        "noise": noise.result(0.0),
        "settings": {
            "calls_per_second": _PER_SECOND,
            "patience": _PATIENCE,
            "ceiling": _CEILING,
            "bucket": bucket,
            "phases": [{"name": phase.name, "seconds": phase.seconds} for phase in phases],
        },
        "clients": rows,
    }


def _run(
    make: Callable[[MoodyProvider, VirtualLoop], Ask], seed: int, phases: tuple[Phase, ...], bucket: float
) -> list[dict[str, Any]]:
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(_play(make, seed, loop, phases, bucket))
    finally:
        asyncio.set_event_loop(None)
        loop.close()


async def _play(
    make: Callable[[MoodyProvider, VirtualLoop], Ask],
    seed: int,
    loop: VirtualLoop,
    phases: tuple[Phase, ...],
    length: float,
) -> list[dict[str, Any]]:
    provider = MoodyProvider(seed, phases)
    ask = make(provider, loop)
    arrivals = random.Random(seed + 1000)
    end = sum(phase.seconds for phase in phases)
    buckets = [_Bucket() for _ in range(round(end / length))]
    callers = []
    while loop.time() < end:
        bucket = buckets[min(int(loop.time() / length), len(buckets) - 1)]
        callers.append(loop.create_task(_caller(ask, bucket)))
        before, at = provider.wasted, bucket
        await asyncio.sleep(arrivals.expovariate(_PER_SECOND))
        at.wasted += provider.wasted - before
    await asyncio.gather(*callers)
    return [
        {
            "came": bucket.came,
            "served": bucket.served,
            "p50": _quantile(bucket.latencies, 0.5),
            "p95": _quantile(bucket.latencies, 0.95),
            "wasted": bucket.wasted,
        }
        for bucket in buckets
    ]


async def _caller(ask: Ask, bucket: _Bucket) -> None:
    from backends.errors import BackendError

    loop = asyncio.get_running_loop()
    began = loop.time()
    bucket.came += 1
    try:
        await ask()
    except (BackendError, Refused, Unreachable, TimeoutError):
        return
    bucket.served += 1
    bucket.latencies.append(loop.time() - began)


def _quantile(values: list[float], share: float) -> float | None:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None
