"""Part ``caching``: how long a call takes that the cache answers, beside one that goes to the loopback server.

Ten thousand answers of one scope are kept. The embedder looks a prepared vector up, so what a semantic hit takes here is
what it takes beyond the embedding.
"""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any, Final

from benchmarks import workload
from benchmarks.context import Context
from benchmarks.figures import percentile
from benchmarks.machine import Noise, cpus, versions
from benchmarks.processes import ServerProcess, children_seconds

__all__ = ["TITLES", "measure"]

TITLES: Final = {
    "past": "past the cache (`cache=False`)",
    "miss": "a miss: looked up, sent, kept",
    "exact": "an exact hit",
    "semantic": "a semantic hit, beyond the embedding",
}
_ENTRIES: Final = 10_000
_DIMENSIONS: Final = 384
_CALLS: Final = 200
_TOGETHER: Final = 32
"""Calls in flight while the cache is filled."""


def measure(context: Context) -> dict[str, Any]:
    """Run the part: the server in a process of its own, the caller in this one."""
    entries, calls = (200, 10) if context.quick else (_ENTRIES, _CALLS)
    context.progress.part("caching", context.rounds + 1)
    noise, ended = Noise(), children_seconds()
    with ServerProcess(cpus()[0]) as server:
        rows = asyncio.run(_rounds(context, server.url, entries, calls, noise))
    return {
        "noise": noise.result(children_seconds() - ended),
        "settings": {
            "rounds": context.rounds,
            "entries": entries,
            "dimensions": _DIMENSIONS,
            "calls": calls,
            "packages": versions(["numpy"]),
        },
        "rows": rows,
    }


class _Questions:
    """Questions in two wordings with vectors: near for the two wordings of one, far for any others."""

    def __init__(self) -> None:
        self._chance = random.Random(7)
        self._vectors: dict[str, list[float]] = {}

    def new(self) -> str:
        """Return another question."""
        name = "".join(self._chance.choices("bcdfghjklmnpqrstvwxz", k=12))
        question = f"How do I adjust the {name}?"
        self._vectors[question] = [self._chance.random() - 0.5 for _ in range(_DIMENSIONS)]
        return question

    def reworded(self, question: str) -> str:
        """Return a question in other words."""
        words = "Please tell me h" + question.removeprefix("H")
        self._vectors[words] = [value + 0.1 * (self._chance.random() - 0.5) for value in self._vectors[question]]
        return words

    async def embed(self, text: str) -> list[float]:
        """Return what was prepared."""
        return self._vectors[text]


async def _rounds(context: Context, url: str, entries: int, calls: int, noise: Noise) -> list[dict[str, Any]]:
    from backends import OpenAI
    from backends.cache import Cache

    questions = _Questions()
    kept = [questions.new() for _ in range(entries)]
    unknown = iter([questions.new() for _ in range(calls * context.rounds)])
    cache = Cache(threshold=0.9, embedder=questions.embed, max_entries=2 * _ENTRIES)
    rows: dict[str, dict[str, Any]] = {name: {"name": name, "p50": [], "p99": []} for name in TITLES}
    async with OpenAI(api_key=workload.KEY, base_url=url, model=workload.MODEL, cache=cache) as backend:

        async def timed(question: str, *, cached: bool, **options: Any) -> float:
            began = time.perf_counter()
            reply = await backend.achat([{"role": "user", "content": question}], **options)
            taken = time.perf_counter() - began
            if reply.cached is not cached:
                raise RuntimeError(f"{question!r}: cached={reply.cached}, not {cached}")
            return taken

        context.progress.step("filling")
        for at in range(0, entries, _TOGETHER):
            await asyncio.gather(*(timed(question, cached=False) for question in kept[at : at + _TOGETHER]))
        for _ in range(context.rounds):
            context.progress.step()
            noise.beat()
            taken: dict[str, list[float]] = {name: [] for name in TITLES}
            for question in random.Random(len(rows["past"]["p50"])).sample(kept, calls):
                taken["past"].append(await timed(question, cached=False, cache=False))
                taken["miss"].append(await timed(next(unknown), cached=False))
                taken["exact"].append(await timed(question, cached=True))
                taken["semantic"].append(await timed(questions.reworded(question), cached=True))
            for name, values in taken.items():
                ordered = sorted(values)
                rows[name]["p50"].append(percentile(ordered, 50))
                rows[name]["p99"].append(percentile(ordered, 99))
    return list(rows.values())
