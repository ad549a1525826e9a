"""How often the semantic cache answers rightly and wrongly, and what a lookup costs.

Rates over the labelled pairs, for each kind of difference, threshold and gate; the embedder is whatever function is
given, a bag of hashed words unless another is. Whoever chooses a threshold for an embedder of their own measures here:

    python -m benchmarks.semantic_cache                          # prints rates and costs
    python -m benchmarks.semantic_cache package.module:embed     # with a function text -> vector
"""

from __future__ import annotations

import importlib
import random
import re
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

from backends.cache.gate import GATES, Gate
from backends.cache.index import MemoryIndex, unit
from backends.cache.vocabulary import FUNCTION_WORDS
from benchmarks.semantic_pairs import Pair, read
from conformance.checks.toy_embedder import bag_of_words, cosine

__all__ = ["GATES_COMPARED", "THRESHOLDS", "Rates", "lookup_seconds", "rates", "strangers_that_hit"]

THRESHOLDS: Final = (0.7, 0.8, 0.9, 0.95)


def _equal_words(one: str, other: str) -> str | None:
    """The best rule that was found in the field: the same words of content, in any order."""
    first, second = ({*re.findall(r"\w+", text.casefold())} - FUNCTION_WORDS for text in (one, other))
    return None if first == second else "words"


GATES_COMPARED: Final[Mapping[str, Gate]] = {"no gate": lambda *_: None, "equal words": _equal_words, **GATES}
_LOOKUPS: Final = 200


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


def _chosen(names: Sequence[str]) -> Callable[[str], Sequence[float]]:
    if not names:
        return bag_of_words
    module, _, function = names[0].partition(":")
    found: Callable[[str], Sequence[float]] = getattr(importlib.import_module(module), function)
    return found


def main() -> None:
    """Print rates and costs."""
    pairs, embed = read(), _chosen(sys.argv[1:])
    known: dict[str, Sequence[float]] = {}

    def remembered(text: str) -> Sequence[float]:
        if text not in known:
            known[text] = embed(text)
        return known[text]

    print(f"{len(pairs)} pairs, {sum(pair.same for pair in pairs)} of them the same")
    for name, gate in GATES_COMPARED.items():
        for threshold in THRESHOLDS:
            found = rates(pairs, threshold, gate, remembered)
            print(
                f"{name:11} {threshold:4}: hits {found.hits:6.1%}, false {found.false_hits:7.2%} {found.false_by_kind}"
            )
    import numpy

    for entries, dimensions in ((1_000, 384), (10_000, 384), (10_000, 1_536)):
        print(
            f"{entries} entries of {dimensions}: {lookup_seconds(entries, dimensions, numpy) * 1e3:.3f} ms with numpy"
        )
    print(f"1000 entries of 384: {lookup_seconds(1_000, 384, None) * 1e3:.1f} ms without")


if __name__ == "__main__":
    main()
