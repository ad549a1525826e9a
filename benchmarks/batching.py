"""Part ``batching``: small texts embedded by many callers, each with a request of its own or sharing requests.

The server is simulated: a fixed time a request, some more for each input, few requests at once. Its figures are those of
an encoder on one accelerator and are recorded with the results; with others the gain is another.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from benchmarks import workload
from benchmarks.context import Context
from benchmarks.in_memory import Embedder
from benchmarks.machine import Noise
from benchmarks.measure import measure as measure_callers

__all__ = ["CALLERS", "SIZES", "measure"]

CALLERS: Final = (1, 8, 64)
SIZES: Final = (1, 32, 64)
"""``max_batch_size``; 1 is off."""
_TIMEOUT: Final = 0.01
_SERVER: Final[dict[str, Any]] = {"workers": 4, "per_request": 0.02, "per_input": 0.0005}
_WINDOW: Final = 1.0
"""Longest window in seconds: a request takes 20 ms here, so more shows no more."""


def measure(context: Context) -> dict[str, Any]:
    """Run the part in this process; the server only waits, so it takes no processor from the callers."""
    seconds = min(context.seconds, _WINDOW)
    levels = CALLERS[-1:] if context.quick else CALLERS
    context.progress.part("batching", context.rounds * len(levels) * len(SIZES))
    noise = Noise()
    rows: list[dict[str, Any]] = [
        {"callers": callers, "size": size, "per_second": [], "inputs_per_request": [], "p50": []}
        for callers in levels
        for size in SIZES
    ]
    for _ in range(context.rounds):
        noise.beat()
        for row in rows:
            context.progress.step(f"{row['callers']} callers, at most {row['size']} in a request")
            for name, value in asyncio.run(_one(row["callers"], row["size"], seconds)).items():
                row[name].append(value)
    settings = {"rounds": context.rounds, "seconds": seconds, "batch_timeout": _TIMEOUT, "server": dict(_SERVER)}
    return {"noise": noise.result(0.0), "settings": settings, "rows": rows}


async def _one(callers: int, size: int, seconds: float) -> dict[str, float]:
    """Measure once; raise if a caller failed or two requests were one where none are shared."""
    from backends import OpenAI

    server = Embedder(**_SERVER)
    switched_on = {"max_batch_size": size, "batch_timeout": _TIMEOUT} if size > 1 else {}
    backend = OpenAI(
        api_key=workload.KEY,
        base_url="http://127.0.0.1:9/v1",
        model="text-embedding-3-small",
        transport=server,
        max_concurrent_requests=max(CALLERS),
        **switched_on,
    )

    async def embed(pieces: list[str]) -> None:
        await backend.aembed("a bicycle chain for nine sprockets")
        pieces.append("")

    async with backend:
        found = await measure_callers(embed, callers, seconds / 4, seconds)
    if found["failures"] or server.inputs != found["everything"]:
        raise RuntimeError(f"{server.inputs} texts for {found['everything']} calls; {found['first_failure']}")
    return {
        "per_second": found["per_second"],
        "p50": found["p50"],
        "inputs_per_request": server.inputs / server.requests,
    }
