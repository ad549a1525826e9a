"""Part ``overheads``: what counting, observers and a chain add to one call, in processor time.

The same chat call goes through one backend for each way of being watched; the network is replaced in memory, calls follow
one another. The ways take turns every few calls, so that all of them see the same noise, and each figure is the difference
to another way in the same round. What a way has written into memory is thrown away after each of its turns, outside the
measurement: else its garbage collections would fall on whichever way happened to run.
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
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks import by_hand, workload
from benchmarks.context import Context
from benchmarks.in_memory import AtOnce
from benchmarks.machine import Noise, versions

if TYPE_CHECKING:
    from backends import OpenAI

__all__ = ["TITLES", "measure", "why_missing"]

TITLES: Final = {
    "uncounted": "nothing counted (the figures of `report()` replaced for this comparison)",
    "plain": "no observer",
    "empty": "an observer that does nothing",
    "logs": "`CallLog`, records formatted into memory",
    "logs_floor": "the same record by hand, with `logging` alone",
    "audit": "`AuditLog`, each line at once, without fsync",
    "audit_buffered": "`AuditLog` with a `flush_interval`, twenty lines at a time",
    "otel_api": "`OpenTelemetry` without an SDK: what is our own of it",
    "otel": "`OpenTelemetry`, SDK, spans exported into memory",
    "otel_floor": "the same span and measurements by hand, with the SDK alone",
    "chain": "a chain with one hop, no observer",
}
_CALLS: Final = 1_000
_TURN: Final = 20
"""Calls before the next way has its turn."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way of being watched: a call, what belongs to the cost of a turn besides, and what throws away what was written."""

    call: Callable[[], Awaitable[object]]
    forget: Callable[[], object] = lambda: None
    settle: Callable[[], object] = lambda: None


def why_missing(name: str) -> str:
    """Return why a way is not among some results."""
    return "not installed" if name.startswith("otel") and not name.endswith("floor") else "not in these results"


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
    call = way.call
    began = time.process_time()
    for _ in range(_TURN):
        await call()
    way.settle()
    spent = time.process_time() - began
    way.forget()
    return spent


async def _ways(stack: AsyncExitStack, folder: Path) -> dict[str, Way]:
    """Return the ways that can be measured here; OpenTelemetry only where its SDK is installed."""
    from backends.telemetry.audit import AuditLog
    from backends.telemetry.logs import CallLog

    async def made(**more: Any) -> OpenAI:
        return await stack.enter_async_context(_backend(**more))

    uncounted = await made()
    # No setting leaves the figures out, and this comparison wants a floor.
    uncounted._metrics = _Uncounted()  # type: ignore[assignment]  # noqa: SLF001
    logger, written = _logger()
    buffered = AuditLog(folder / "buffered.jsonl", actor="benchmark", flush_interval=60.0)
    stack.callback(buffered.close)
    ways = {
        "uncounted": Way(_chat(uncounted)),
        "plain": Way(_chat(await made())),
        "empty": Way(_chat(await made(observers=[_look_away]))),
        "logs": Way(_chat(await made(observers=[CallLog(logger)])), lambda: _empty(written)),
        "logs_floor": Way(_and(_chat(await made()), await by_hand.logging_alone(logger)), lambda: _empty(written)),
        "audit": Way(_chat(await made(observers=[AuditLog(folder / "audit.jsonl", actor="benchmark")]))),
        "audit_buffered": Way(_chat(await made(observers=[buffered])), settle=buffered.flush),
        "chain": Way(await _chain(stack)),
    }
    try:
        telemetry = by_hand.Telemetry()
    except ImportError:
        return _in_order(ways)
    alone = await telemetry.sdk_alone()
    ways |= {
        "otel_api": Way(_chat(await made(observers=[telemetry.without_sdk()]))),
        "otel": Way(_chat(await made(observers=[telemetry.observer])), telemetry.forget),
        "otel_floor": Way(_and(_chat(await made()), alone), telemetry.forget),
    }
    return _in_order(ways)


def _in_order(ways: dict[str, Way]) -> dict[str, Way]:
    return {name: ways[name] for name in TITLES if name in ways}


async def _chain(stack: AsyncExitStack) -> Callable[[], Awaitable[object]]:
    from backends import ApiKeyMultiplexer

    multiplexer = await stack.enter_async_context(ApiKeyMultiplexer())
    multiplexer.add_backend("openai", await stack.enter_async_context(_backend()))
    multiplexer.create_chain("one", ["openai"])
    return lambda: multiplexer.achat(workload.MESSAGES, chain="one")


def _and(call: Callable[[], Awaitable[object]], then: Callable[[], object]) -> Callable[[], Awaitable[object]]:
    async def both() -> None:
        await call()
        then()

    return both


def _empty(written: io.StringIO) -> None:
    written.seek(0)
    written.truncate()


def _backend(**more: Any) -> OpenAI:
    from backends import OpenAI

    return OpenAI(
        api_key=workload.KEY, base_url="http://127.0.0.1:9/v1", model=workload.MODEL, transport=AtOnce(), **more
    )


def _chat(backend: OpenAI) -> Callable[[], Awaitable[object]]:
    return lambda: backend.achat(workload.MESSAGES)


def _look_away(event: object) -> None:
    del event


class _Uncounted:
    """Metrics that count nothing."""

    def started(self) -> None: ...

    def finished(self, *_: Any, **__: Any) -> None: ...


def _logger() -> tuple[logging.Logger, io.StringIO]:
    """Return a logger whose records are formatted as an application's are, and the memory that they go to."""
    logger, written = logging.Logger("benchmark", logging.INFO), io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logger.addHandler(handler)
    return logger, written
