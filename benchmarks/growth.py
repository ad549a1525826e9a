"""Part ``growth``: how much a process grows over a million finished requests.

The requests take the whole path; only the network is replaced, by a transport in memory. A first ten thousand are not
counted: caches and pools fill once.
"""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import time
from typing import Any, Final

from benchmarks import workload
from benchmarks.context import Context
from benchmarks.in_memory import AtOnce
from benchmarks.machine import Noise, cpus, pin, resident_bytes
from benchmarks.processes import ROOT, children_seconds, environment

__all__ = ["REQUESTS", "measure"]

REQUESTS: Final = 1_000_000
_SAMPLES: Final = 10
_IN_FLIGHT: Final = 8


def measure(context: Context) -> dict[str, Any]:
    """Run the part in a process of its own."""
    requests = 2_000 if context.quick else REQUESTS
    context.progress.part("growth", _SAMPLES + 1)
    noise, ended = Noise(), children_seconds()
    _, cpu = cpus()
    order = [sys.executable, "-m", "benchmarks.growth", str(requests), str(cpu if cpu is not None else -1)]
    process = subprocess.Popen(
        order, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(), cwd=ROOT, text=True
    )
    assert process.stdout is not None
    samples = []
    for line in process.stdout:
        context.progress.step()
        done, resident, seconds = line.split()
        samples.append({"requests": int(done), "resident_bytes": int(resident), "seconds": float(seconds)})
    _, words = process.communicate()
    result: dict[str, Any] = {
        "noise": noise.result(children_seconds() - ended),
        "settings": {"requests": requests, "in_flight": _IN_FLIGHT},
        "status": "measured",
        "remark": "",
        "samples": samples,
    }
    if process.returncode or len(samples) < 2:
        lines = words.strip().splitlines()
        result["status"], result["remark"] = "failed", lines[-1][:300] if lines else "it stopped early"
    return result


async def _finish(requests: int) -> None:
    from backends import OpenAI

    backend = OpenAI(
        api_key=workload.KEY,
        base_url="http://127.0.0.1:9/v1",
        model=workload.MODEL,
        transport=AtOnce(),
        max_concurrent_requests=_IN_FLIGHT,
    )

    async def several(count: int) -> None:
        for _ in range(count):
            await backend.achat(workload.MESSAGES)

    async def many(count: int) -> None:
        await asyncio.gather(*(several(count // _IN_FLIGHT) for _ in range(_IN_FLIGHT)))

    await many(min(10_000, requests))
    began = time.perf_counter()
    for sample in range(_SAMPLES + 1):
        if sample:
            await many(requests // _SAMPLES)
        gc.collect()
        print(sample * requests // _SAMPLES, resident_bytes() or 0, time.perf_counter() - began, flush=True)
    assert backend.report()["endpoints"]["default"]["queue"]["granted"] > requests, "not every request took the path"
    await backend.aclose()


if __name__ == "__main__":
    pin(int(sys.argv[2]) if int(sys.argv[2]) >= 0 else None)
    asyncio.run(_finish(int(sys.argv[1])))
