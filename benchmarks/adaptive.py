"""Part ``adaptive``: a provider that slows down, throttles, dies and recovers, and what different clients make of it.

It runs in virtual time and from seeds, so a run gives the same figures on every machine. The library is the whole
path, the network replaced beneath it; the naive client is what one writes first: no limit, and an immediate repeat after
every failure. Each caller gives up after a while; what comes later is worth nothing to it. LiteLLM's Router keeps its own time,
so its run, of one seed, takes as long as it says, in a process of its own, and is not the same to the digit each time.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from types import TracebackType
from typing import Any, Final, Self

import httpx

from benchmarks import adaptive_router, workload
from benchmarks.context import Context
from benchmarks.machine import Noise
from benchmarks.moody_provider import PHASES, MoodyProvider, Phase, Refused, Unreachable
from benchmarks.play import PATIENCE, PER_SECOND, Ask, play
from benchmarks.processes import ROOT, children_seconds, environment
from benchmarks.virtual_loop import SimulatedClock, VirtualLoop

__all__ = ["CLIENTS", "measure"]

_CEILING: Final = 64
_BUCKET: Final = 10.0
_REPEATS: Final = 5
_INSTALL: Final = "pip install 'backends-conformance[bench]'"


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
        deadline=PATIENCE,
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
        async with asyncio.timeout(PATIENCE):
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
    context.progress.part("adaptive limits", len(CLIENTS) * len(seeds) + 1)
    noise, ended = Noise(), children_seconds()
    rows = []
    with _Router(context, phases, bucket) as router:
        for name, (short, title, make) in CLIENTS.items():
            runs = []
            for seed in seeds:
                context.progress.step(f"{title}, seed {seed}")
                runs.append(_run(make, seed, phases, bucket))
            rows.append({"name": name, "short": short, "title": title, "runs": runs})
        context.progress.step(f"{adaptive_router.TITLE}: real time, {sum(phase.seconds for phase in phases):g} s")
        rows[-1:-1] = router.rows()
    return {
        "noise": noise.result(children_seconds() - ended),
        "settings": {
            "calls_per_second": PER_SECOND,
            "patience": PATIENCE,
            "ceiling": _CEILING,
            "bucket": bucket,
            "phases": [{"name": phase.name, "seconds": phase.seconds} for phase in phases],
        },
        "clients": rows,
        "router": router.told,
    }


def _run(
    make: Callable[[MoodyProvider, VirtualLoop], Ask], seed: int, phases: tuple[Phase, ...], bucket: float
) -> list[dict[str, Any]]:
    from backends.errors import BackendError

    loop = VirtualLoop()
    failures = (BackendError, Refused, Unreachable, TimeoutError)
    asyncio.set_event_loop(loop)
    try:
        played = play(lambda provider: make(provider, loop), seed, phases, bucket, failures)
        spans, _ = loop.run_until_complete(played)
        return spans
    finally:
        asyncio.set_event_loop(None)
        loop.close()


class _Router:
    """The run of LiteLLM's Router, of the first seed; a context manager that leaves no process behind.

    Attributes:
        told: whether it was measured, with its version, or what to do.
    """

    def __init__(self, context: Context, phases: tuple[Phase, ...], bucket: float) -> None:
        self.told: dict[str, Any] = {}
        self._process = subprocess.Popen(
            [context.interpreters.get("litellm", sys.executable), "-m", "benchmarks.adaptive_router"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(),
            cwd=ROOT,
            text=True,
        )
        order = {
            "seed": 0,
            "phases": [asdict(phase) for phase in phases],
            "bucket": bucket,
            "ceiling": _CEILING,
            "repeats": _REPEATS,
        }
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has ended already, and says so to whoever waits for its answer
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.close()

    def rows(self) -> list[dict[str, Any]]:
        """Wait for the run and return the Router's row; none where it cannot be measured here."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        answer = json.loads(line) if line else {}
        if "run" not in answer:
            absent, ended = "absent" in answer, f"its process ended with {self._process.wait()}"
            self.told = {"status": "not installed" if absent else "failed", "remark": _INSTALL if absent else ended}
            return []
        self.told = {
            "status": "measured",
            "remark": "",
            "version": answer["version"],
            "late": answer["late"],
            "processor": answer["processor"],
        }
        return [{"name": "litellm_router", "short": "LiteLLM", "title": adaptive_router.TITLE, "runs": [answer["run"]]}]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
