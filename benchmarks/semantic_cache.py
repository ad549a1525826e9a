"""Part ``semantic_cache``: how often the semantic cache answers rightly and wrongly, and what a lookup costs.

Rates over the labelled pairs, for each embedder, threshold and gate. Whoever chooses a threshold for an embedder of their
own measures here:

    python -m benchmarks.semantic_cache package.module:embed     # with a function text -> vector
"""

from __future__ import annotations

import importlib
import random
import re
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any, Final

from backends.cache.gate import GATES, Gate
from backends.cache.index import MemoryIndex, unit
from backends.cache.vocabulary import FUNCTION_WORDS
from benchmarks import embedders
from benchmarks.context import Context
from benchmarks.machine import Noise
from benchmarks.processes import children_seconds
from benchmarks.semantic_pairs import HELD_OUT, Pair, read
from conformance.checks.toy_embedder import bag_of_words, cosine

__all__ = ["GATES_COMPARED", "THRESHOLDS", "Rates", "lookup_seconds", "measure", "rates", "strangers_that_hit"]

THRESHOLDS: Final = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95)


def _equal_words(one: str, other: str) -> str | None:
    """The best rule that was found in the field: the same words of content, in any order."""
    first, second = ({*re.findall(r"\w+", text.casefold())} - FUNCTION_WORDS for text in (one, other))
    return None if first == second else "words"


GATES_COMPARED: Final[Mapping[str, Gate]] = {"no gate": lambda *_: None, "equal words": _equal_words, **GATES}
_EMBEDDERS: Final = (
    ("words", "bag of hashed words", embedders.words),
    ("minilm", "all-MiniLM-L6-v2", embedders.minilm),
)
_STRANGERS: Final = 400
"""Different questions, each compared with each."""
_LOOKUPS: Final = 200
_QUICK_SIZES: Final = ((1_000, 384, True),)
_SIZES: Final = (*_QUICK_SIZES, (10_000, 384, True), (10_000, 1_536, True), (1_000, 384, False))


@dataclass(frozen=True, slots=True)
class Rates:
    """What a threshold and a gate let through.

    Attributes:
        hits: share of the pairs that mean the same.
        false_hits: share of the pairs that do not.
        false_by_kind: how many of those by what differs.
    """

    hits: float
    false_hits: float
    false_by_kind: Mapping[str, int]


def rates(pairs: Sequence[Pair], threshold: float, gate: Gate, embed: Callable[[str], Sequence[float]]) -> Rates:
    """Return the rates over labelled pairs."""
    let_through = [pair for pair in pairs if _passes(pair.one, pair.other, threshold, gate, embed)]
    wrong: dict[str, int] = {}
    for pair in let_through:
        if not pair.same:
            wrong[pair.kind] = wrong.get(pair.kind, 0) + 1
    same = sum(pair.same for pair in pairs)
    false = sum(wrong.values())
    return Rates((len(let_through) - false) / same, false / (len(pairs) - same), wrong)


def strangers_that_hit(texts: Iterable[str], gate: Gate) -> tuple[list[tuple[str, str]], int]:
    """Return the pairs of different questions that a gate alone would let through, and how many were compared."""
    compared = list(combinations(texts, 2))
    return [(one, other) for one, other in compared if gate(one, other) is None], len(compared)


def lookup_seconds(entries: int, dimensions: int, numeric: Any) -> float:
    """Return the median seconds of one search among so many random vectors of one scope."""
    chance = random.Random(7)
    index = MemoryIndex(numeric)
    vectors = [unit([chance.gauss(0.0, 1.0) for _ in range(dimensions)]) for _ in range(entries)]
    for number, vector in enumerate(vectors):
        index.add("scope", str(number), vector)
    taken = []
    for vector in vectors[: _LOOKUPS if numeric is not None else 3]:
        began = time.perf_counter()
        index.nearest("scope", vector, 0.8, 32)
        taken.append(time.perf_counter() - began)
    return sorted(taken)[len(taken) // 2]


def _passes(one: str, other: str, threshold: float, gate: Gate, embed: Callable[[str], Sequence[float]]) -> bool:
    return gate(one, other) is None and cosine(embed(one), embed(other)) >= threshold


def measure(context: Context) -> dict[str, Any]:
    """Run the part."""
    context.progress.part("semantic_cache", len(_EMBEDDERS) + 2)
    noise, ended, pairs = Noise(), children_seconds(), read()
    held_out = read(HELD_OUT)
    texts = sorted({text for pair in (*pairs, *held_out) for text in (pair.one, pair.other)})
    rows = []
    for name, title, embed in _EMBEDDERS:
        context.progress.step(title)
        noise.beat()
        row: dict[str, Any] = {"name": name, "title": title, "status": "measured", "remark": "", "versions": {}}
        try:
            known, row["versions"] = embed(texts, embedders.interpreter(context.interpreters))
        except embedders.AbsentError as problem:
            row["status"], _, row["remark"] = str(problem).partition(": ")
            known = {}
        rates_by_set = {"rates": pairs, "held_out": held_out}
        rows.append(
            {**row, **{name: _all_rates(found, known) if known else [] for name, found in rates_by_set.items()}}
        )
    context.progress.step("strangers")
    hits, compared = strangers_that_hit(sorted({pair.one for pair in pairs})[:_STRANGERS], GATES["content"])
    context.progress.step("lookups")
    return {
        "noise": noise.result(children_seconds() - ended),
        "settings": {
            "pairs": len(pairs),
            "same": sum(pair.same for pair in pairs),
            "held_out": len(held_out),
            "held_out_same": sum(pair.same for pair in held_out),
            "thresholds": THRESHOLDS,
        },
        "embedders": rows,
        "strangers": {"compared": compared, "hits": len(hits)},
        "lookups": _lookups(_QUICK_SIZES if context.quick else _SIZES),
    }


def _all_rates(pairs: Sequence[Pair], known: Mapping[str, Sequence[float]]) -> list[dict[str, Any]]:
    rows = []
    for name, gate in GATES_COMPARED.items():
        for threshold in THRESHOLDS:
            found = rates(pairs, threshold, gate, known.__getitem__)
            rows.append({"gate": name, "threshold": threshold, **asdict(found)})
    return rows


def _lookups(sizes: Sequence[tuple[int, int, bool]]) -> list[dict[str, Any]]:
    """Return the cost of a search at each size, with numpy and without."""
    import numpy

    return [
        {
            "entries": entries,
            "dimensions": dimensions,
            "numpy": fast,
            "seconds": lookup_seconds(entries, dimensions, numpy if fast else None),
        }
        for entries, dimensions, fast in sizes
    ]


def main() -> None:
    """Print the rates of an embedder that is named as ``module:function``, else of a bag of words."""
    pairs, embed = read(), bag_of_words
    if sys.argv[1:]:
        module, _, function = sys.argv[1].partition(":")
        embed = getattr(importlib.import_module(module), function)
    known = {text: embed(text) for pair in pairs for text in (pair.one, pair.other)}
    print(f"{len(pairs)} pairs, {sum(pair.same for pair in pairs)} of them the same")
    for row in _all_rates(pairs, known):
        print(
            f"{row['gate']:11} {row['threshold']:4}: hits {row['hits']:6.1%}, false {row['false_hits']:7.2%} "
            f"{row['false_by_kind']}"
        )


if __name__ == "__main__":
    main()
