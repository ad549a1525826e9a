"""A graph of vectors by usearch: labels in, the labels of likely neighbours out, to bytes and back.

Nothing leaves it: what fills a place that became free costs ten times as long as a new one, so whoever asks sorts out
what is gone, and makes another graph in time. It knows no keys and no scopes, locks nothing and touches no file. Bytes
reach native code only as they were written: it is for whoever keeps them to prove that.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any, Final

__all__ = ["Neighbours", "Unusable"]

_FORMAT: Final = "backends-neighbours-1"
_CONNECTIVITY: Final = 16
_EXPANSION_ADD: Final = 64
_EXPANSION_SEARCH: Final = 64
"""The three make the recall and the time that docs/caching.md states."""
_STEPS: Final = 127
"""Vectors are kept in 8 bits a number here: enough to find candidates, and a quarter of the memory."""
_COARSENESS: Final = 0.05
"""A cosine of such vectors is off by less: by 0.014 where one number of 3,072 is a hundred times as large as the others."""


class Unusable(Exception):  # noqa: N818 - it describes the bytes
    """Bytes that are no graph of these vectors; the message says why."""


class Neighbours:
    """The graph.

    Args:
        engine: the module ``usearch.index``.
        numeric: the numpy module.
        dimensions: of each vector.
    """

    def __init__(self, engine: Any, numeric: Any, dimensions: int) -> None:
        self._numeric = numeric
        self._dimensions = dimensions
        self._index = engine.Index(
            ndim=dimensions,
            metric="cos",
            dtype="i8",
            connectivity=_CONNECTIVITY,
            expansion_add=_EXPANSION_ADD,
            expansion_search=_EXPANSION_SEARCH,
        )
        self._version = str(sys.modules[engine.__package__].__version__)

    def add(self, labels: Sequence[int], vectors: Sequence[bytes]) -> None:
        """Add vectors, 32-bit floats, under labels that are not there; from 0 to 2**63 - 1."""
        if labels:
            numeric = self._numeric
            self._index.add(numeric.array(labels, dtype=numeric.uint64), self._coarse(b"".join(vectors)), threads=1)

    def nearest(self, vector: bytes, least: float) -> list[int]:
        """Return the labels of vectors that are likely the nearest, the nearest first.

        There are 64 at most, and none whose cosine is certainly below ``least``.
        """
        if not len(self._index):
            return []
        found = self._index.search(self._coarse(vector)[0], _EXPANSION_SEARCH, threads=1)
        near = int(self._numeric.searchsorted(found.distances, 1 - least + _COARSENESS, side="right"))
        labels: list[int] = found.keys[:near].tolist()
        return labels

    def labels(self) -> set[int]:
        """Return all labels."""
        return set(self._numeric.asarray(self._index.keys).tolist()) if len(self._index) else set()

    def _coarse(self, vectors: bytes) -> Any:
        numeric = self._numeric
        exact = numeric.frombuffer(vectors, dtype=numeric.float32).reshape(-1, self._dimensions)
        with numeric.errstate(all="ignore"):  # a file may hold anything
            scale = _STEPS / numeric.abs(exact).max(axis=1, keepdims=True)  # a cosine does not mind the length
            return numeric.rint(exact * scale).astype(numeric.int8)

    # -- bytes ---------------------------------------------------------------------------------------------------------

    def dumped(self) -> bytes:
        """Return the graph as bytes."""
        return b"".join((self._head(), self._index.save()))

    @classmethod
    def restored(cls, engine: Any, numeric: Any, dimensions: int, content: bytes) -> Neighbours:
        """Return the graph of bytes that are as :meth:`dumped` gave them.

        Raises:
            Unusable: they are of another version, dimension or machine, or no graph.
        """
        graph = cls(engine, numeric, dimensions)
        head = graph._head()
        if not content.startswith(head):
            raise Unusable("it is of another version, machine or dimension")
        try:
            graph._index.load(content[len(head) :])
        except Exception as problem:  # whatever native code says: it is no graph
            raise Unusable(str(problem)) from None
        graph._index.expansion_add, graph._index.expansion_search = _EXPANSION_ADD, _EXPANSION_SEARCH
        return graph

    def _head(self) -> bytes:
        facts = [_FORMAT, self._version, sys.byteorder, self._dimensions, _CONNECTIVITY]
        return json.dumps(facts).encode() + b"\n"
