"""Part ``overheads``: what counting, observers and a chain add to one call, in processor time.

The same chat call goes through one backend for each way of being watched; the network is replaced in memory, calls follow
one another. The ways take turns every few calls, so that all of them see the same noise, and each figure is the difference
to another way in the same round.
"""

from __future__ import annotations

import asyncio
import gc
import io
import logging
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks import workload
from benchmarks.context import Context
from benchmarks.in_memory import AtOnce
from benchmarks.machine import Noise, versions

if TYPE_CHECKING:
    from backends import OpenAI

__all__ = ["TITLES", "measure"]

TITLES: Final = {
    "uncounted": "nothing counted (the figures of `report()` replaced for this comparison)",
    "plain": "no observer",
    "empty": "an observer that does nothing",
    "logs": "`CallLog`, records formatted into memory",
    "audit": "`AuditLog`, without fsync",
    "otel_api": "`OpenTelemetry` without an SDK: what is our own of it",
    "otel": "`OpenTelemetry`, SDK, spans exported into memory",
    "chain": "a chain with one hop, no observer",
}
_CALLS: Final = 1_000
_TURN: Final = 20
"""Calls before the next way has its turn."""

Way = Callable[[], Awaitable[object]]


def measure(context: Context) -> dict[str, Any]:
    """Run the part in this process."""
    calls = _TURN if context.quick else _CALLS
    context.progress.part("overheads", context.rounds)
    noise = Noise()
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        seconds = asyncio.run(_rounds(context, calls, Path(folder), noise))
    return {
        "noise": noise.result(0.0),
        "settings": {"rounds": context.rounds, "calls": calls, "packages": versions(["opentelemetry-sdk"])},
        "rows": [{"name": name, "seconds": values} for name, values in seconds.items()],
    }


async def _rounds(context: Context, calls: int, folder: Path, noise: Noise) -> dict[str, list[float]]:
    """Return each way's processor seconds for one call, a value for each round."""
    async with AsyncExitStack() as stack:
        ways = await _ways(stack, folder)
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        for way in ways.values():
            await _turn(way)  # connections, imports and caches
        for _ in range(context.rounds):
            context.progress.step()
            noise.beat()
            gc.collect()
            spent = dict.fromkeys(ways, 0.0)
            for _ in range(calls // _TURN):
                for name, way in ways.items():
                    spent[name] += await _turn(way)
            for name, total in spent.items():
                seconds[name].append(total / calls)
    return seconds


async def _turn(way: Way) -> float:
    began = time.process_time()
    for _ in range(_TURN):
        await way()
    return time.process_time() - began


async def _ways(stack: AsyncExitStack, folder: Path) -> dict[str, Way]:
    """Return a call for each way that can be measured here; OpenTelemetry only where its SDK is installed."""
    from backends import ApiKeyMultiplexer
    from backends.telemetry.audit import AuditLog
    from backends.telemetry.logs import CallLog

    observers: dict[str, list[Any]] = {
        "empty": [_look_away],
        "logs": [CallLog(_logger())],
        "audit": [AuditLog(folder / "audit.jsonl", actor="benchmark")],
    }
    observers |= {name: [observer] for name, observer in _open_telemetry().items()}
    made = {name: await stack.enter_async_context(_backend()) for name in ("uncounted", "plain", "chain")}
    made |= {name: await stack.enter_async_context(_backend(observers=these)) for name, these in observers.items()}
    # No setting leaves the figures out, and this comparison wants a floor.
    made["uncounted"]._metrics = _Uncounted()  # type: ignore[assignment]  # noqa: SLF001
    ways: dict[str, Way] = {name: _chat(made[name]) for name in TITLES if name in made}
    multiplexer = await stack.enter_async_context(ApiKeyMultiplexer())
    multiplexer.add_backend("openai", made["chain"])
    multiplexer.create_chain("one", ["openai"])
    ways["chain"] = lambda: multiplexer.achat(workload.MESSAGES, chain="one")
    return ways


def _backend(**more: Any) -> OpenAI:
    from backends import OpenAI

    return OpenAI(
        api_key=workload.KEY, base_url="http://127.0.0.1:9/v1", model=workload.MODEL, transport=AtOnce(), **more
    )


def _chat(backend: OpenAI) -> Way:
    return lambda: backend.achat(workload.MESSAGES)


def _look_away(event: object) -> None:
    del event


class _Uncounted:
    """Metrics that count nothing."""

    def started(self) -> None: ...

    def finished(self, *_: Any, **__: Any) -> None: ...


def _logger() -> logging.Logger:
    """Return a logger whose records are formatted as an application's are, into memory."""
    logger = logging.Logger("benchmark", logging.INFO)
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logger.addHandler(handler)
    return logger


def _open_telemetry() -> dict[str, Any]:
    """Return the observer alone, and over the SDK with exporters in memory; nothing where the SDK is not installed."""
    try:
        from opentelemetry.metrics import NoOpMeterProvider
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import InMemoryMetricReader
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
        from opentelemetry.trace import NoOpTracerProvider
    except ImportError:
        return {}
    from backends.telemetry.otel import OpenTelemetry

    tracers = TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(InMemorySpanExporter()))
    return {
        "otel_api": OpenTelemetry(NoOpTracerProvider(), NoOpMeterProvider()),
        "otel": OpenTelemetry(tracers, MeterProvider([InMemoryMetricReader()])),
    }
