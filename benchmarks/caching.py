"""Part ``caching``: how long a call takes that the cache answers, beside one that goes to the loopback server.

A hundred thousand answers of one scope are kept: one came from the server, the others are copies of it with questions
of their own. Their vectors stand in groups, as those of questions do. The embedder looks a prepared vector up, so what a
semantic hit takes here is what it takes beyond the embedding.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from benchmarks import workload
from benchmarks.context import Context
from benchmarks.figures import percentile
from benchmarks.machine import Noise, cpus, versions
from benchmarks.processes import ServerProcess, children_seconds

if TYPE_CHECKING:
    from backends.cache import Cache, Entry

__all__ = ["TITLES", "measure"]

TITLES: Final = {
    "past": "past the cache (`cache=False`)",
    "miss": "a miss: looked up, sent, kept",
    "exact": "an exact hit",
    "semantic": "a semantic hit, beyond the embedding",
}
_ENTRIES: Final = 100_000
_DIMENSIONS: Final = 384
_CALLS: Final = 200
_GROUPED: Final = 50
"""Questions of one group: their cosines are about 0.8, those of different groups about 0."""
_INNER: Final = 48
"""Dimensions that the groups differ in, of all."""
_APART: Final = 3.5
"""How far the questions of a group stand apart; the groups themselves stand about 7 apart in each dimension."""
_REWORDED: Final = 0.95
"""Cosine of two wordings of one question."""
_NAMES: Final = "bcdfghjklmnpqrstvwxz"


def measure(context: Context) -> dict[str, Any]:
    """Run the part: the server in a process of its own, the caller in this one."""
    entries, calls = (200, 10) if context.quick else (_ENTRIES, _CALLS)
    context.progress.part("caching", context.rounds + 1)
    noise, ended = Noise(), children_seconds()
    with ServerProcess(cpus()[0]) as server:
        rows, asked, missed = asyncio.run(_rounds(context, server.url, entries, calls, noise))
    return {
        "noise": noise.result(children_seconds() - ended),
        "settings": {
            "rounds": context.rounds,
            "entries": entries,
            "dimensions": _DIMENSIONS,
            "calls": calls,
            "asked": asked,
            "missed": missed,
            "packages": versions(["numpy", "usearch"]),
        },
        "rows": rows,
    }


class _Questions:
    """Questions in two wordings with vectors: near for the two wordings of one, less so for others of its group."""

    def __init__(self, number: int) -> None:
        import numpy

        self._names = random.Random(7)
        self._chance = chance = numpy.random.default_rng(7)
        groups = chance.standard_normal((number // _GROUPED + 1, _INNER)) @ chance.standard_normal(
            (_INNER, _DIMENSIONS)
        )
        self._groups: Any = groups.astype(numpy.float32)
        self._vectors: dict[str, Any] = {}

    def new(self) -> str:
        """Return another question."""
        question = f"How do I adjust the {''.join(self._names.choices(_NAMES, k=12))}?"
        group = self._groups[self._chance.integers(len(self._groups))]
        vector = group + _APART * self._chance.standard_normal(_DIMENSIONS, dtype=group.dtype)
        self._vectors[question] = vector / (vector @ vector) ** 0.5
        return question

    def reworded(self, question: str) -> str:
        """Return a question in other words, ready to be embedded."""
        words = "Please tell me h" + question.removeprefix("H")
        vector = self._vectors[question]
        aside = self._chance.standard_normal(_DIMENSIONS, dtype=vector.dtype)
        aside -= (aside @ vector) * vector
        aside /= (aside @ aside) ** 0.5
        self._vectors[words] = (_REWORDED * vector + (1 - _REWORDED**2) ** 0.5 * aside).tolist()
        return words

    def vector(self, question: str) -> bytes:
        """Return the unit vector of a question as it is kept."""
        kept: bytes = self._vectors[question].tobytes()
        return kept

    async def embed(self, text: str) -> Any:
        """Return what was prepared."""
        return self._vectors[text]


def _fill(cache: Cache, first: Entry, questions: _Questions, kept: list[str]) -> None:
    """Keep copies of an answer as the answers to other questions, and wait until they are indexed."""
    now = time.time()
    for question in kept:
        key = hashlib.sha256(f"{first.scope}\n{question}".encode()).hexdigest()
        cache.put(replace(first, key=key, text=question, vector=questions.vector(question)), now)
    cache.settle()


async def _rounds(
    context: Context, url: str, entries: int, calls: int, noise: Noise
) -> tuple[list[dict[str, Any]], int, int]:
    """Return the rows, and how many semantic hits were asked for and missed."""
    from backends import OpenAI
    from backends.cache import Cache

    questions = _Questions(entries)
    kept = [questions.new() for _ in range(entries)]
    unknown = iter([questions.new() for _ in range(calls * context.rounds)])
    cache = Cache(threshold=0.9, embedder=questions.embed, max_entries=2 * _ENTRIES, max_bytes=1 << 30)
    rows: dict[str, dict[str, Any]] = {name: {"name": name, "p50": [], "p99": []} for name in TITLES}
    asked = missed = 0
    async with OpenAI(api_key=workload.KEY, base_url=url, model=workload.MODEL, cache=cache) as backend:

        async def timed(question: str, **options: Any) -> tuple[float, bool]:
            began = time.perf_counter()
            reply = await backend.achat([{"role": "user", "content": question}], **options)
            return time.perf_counter() - began, reply.cached

        async def expected(question: str, *, cached: bool, **options: Any) -> float:
            taken, found = await timed(question, **options)
            if found is not cached:
                raise RuntimeError(f"{question!r}: cached={found}, not {cached}")
            return taken

        context.progress.step("filling")
        first: list[Entry] = []

        def seen(entry: Entry) -> bool:
            first.append(entry)
            return False  # it stays

        await expected(kept[0], cached=False)
        cache.invalidate(seen)
        _fill(cache, first[0], questions, kept[1:])
        for _ in range(context.rounds):
            context.progress.step()
            noise.beat()
            taken: dict[str, list[float]] = {name: [] for name in TITLES}
            for question in random.Random(len(rows["past"]["p50"])).sample(kept, calls):
                taken["past"].append(await expected(question, cached=False, cache=False))
                taken["miss"].append(await expected(next(unknown), cached=False))
                taken["exact"].append(await expected(question, cached=True))
                seconds, found = await timed(questions.reworded(question))
                asked, missed = asked + 1, missed + (not found)
                if found:  # a graph of neighbours may miss one
                    taken["semantic"].append(seconds)
            for name, values in taken.items():
                ordered = sorted(values)
                rows[name]["p50"].append(percentile(ordered, 50))
                rows[name]["p99"].append(percentile(ordered, 99))
    return list(rows.values()), asked, missed
