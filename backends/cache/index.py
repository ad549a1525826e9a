"""Which kept questions look like this one: exact cosine similarity over all vectors of a scope, in memory.

With numpy a scope is one matrix and a search one product; without it, arrays and plain loops, about a hundred times
slower. Large scopes are for :mod:`backends.cache.graph`. It keeps no text and no answer, and never searches outside the scope it is given.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from array import array
from collections.abc import Sequence
from operator import mul
from typing import Any, Protocol

__all__ = ["Index", "Matrix", "MemoryIndex", "Rows", "unit"]

_FIRST_ROWS = 8
_ROUNDING = 1e-6
"""32-bit floats: a vector's likeness to itself may fall that far short of 1."""


class Index(Protocol):
    """Vectors by scope and key. A vector is 32-bit floats of length 1, as :func:`unit` makes them.

    Attributes:
        waits: whether a search waits for something outside this process: it is then made in a thread, while the cache
            serves others. ``add`` and ``remove`` never wait.
    """

    waits: bool

    def add(self, scope: str, key: str, vector: bytes) -> None:
        """Add a vector.

        Raises:
            ValueError: it has another dimension than those that are there; the message names both.
        """
        ...

    def remove(self, scope: str, key: str) -> None:
        """Remove a vector, if it is there."""
        ...

    def nearest(self, scope: str, vector: bytes, least: float, most: int) -> list[tuple[float, str]]:
        """Return up to ``most`` keys of a scope whose cosine is ``least`` or more, the likest first.

        Raises:
            ValueError: as for :meth:`add`.
        """
        ...


def unit(vector: Sequence[float]) -> bytes:
    """Return a vector, scaled to length 1, as 32-bit floats.

    Raises:
        ValueError: it is empty, has no direction or holds what is no finite number.
    """
    try:
        values = array("d", vector)
    except (TypeError, OverflowError):
        raise ValueError("the embedding is not a list of numbers") from None
    length = math.hypot(*values)
    if not length or not math.isfinite(length):
        raise ValueError("the embedding is empty, all zeros or not finite")
    return array("f", [value / length for value in values]).tobytes()


class MemoryIndex:
    """The :class:`Index` in memory.

    Args:
        numeric: the numpy module, None for plain Python.
    """

    waits = False

    def __init__(self, numeric: Any = None) -> None:
        self._numeric = numeric
        self._scopes: dict[str, Rows] = {}
        self._width = 0
        self._count = 0

    def add(self, scope: str, key: str, vector: bytes) -> None:
        """See :meth:`Index.add`."""
        self._check(vector)
        rows = self._scopes.get(scope)
        if rows is None:
            rows = self._scopes[scope] = self._rows()
        self._count += rows.put(key, vector)

    def remove(self, scope: str, key: str) -> None:
        """See :meth:`Index.remove`."""
        rows = self._scopes.get(scope)
        if rows is None:
            return
        self._count -= rows.drop(key)
        if not rows.places:
            del self._scopes[scope]

    def nearest(self, scope: str, vector: bytes, least: float, most: int) -> list[tuple[float, str]]:
        """See :meth:`Index.nearest`."""
        self._check(vector)
        rows = self._scopes.get(scope)
        return rows.nearest(vector, least - _ROUNDING, most) if rows is not None else []

    def _rows(self) -> Rows:
        return Matrix(self._numeric) if self._numeric is not None else _Arrays()

    def _check(self, vector: bytes) -> None:
        if self._count and len(vector) != self._width:
            raise ValueError(
                f"the embedding has {len(vector) // 4} dimensions, those in the cache have {self._width // 4}: "
                "another embedder needs another cache"
            )
        self._width = len(vector)


class Rows(ABC):
    """The vectors of one scope; the last fills the place of one that leaves."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.places: dict[str, int] = {}

    def put(self, key: str, vector: bytes) -> int:
        """Keep a vector; return how many there are more."""
        if key in self.places:
            self.write(self.places[key], vector)
            return 0
        self.places[key] = len(self.keys)
        self.keys.append(key)
        self.write(len(self.keys) - 1, vector)
        return 1

    def drop(self, key: str) -> int:
        """Remove a vector; return how many there are less."""
        place = self.places.pop(key, None)
        if place is None:
            return 0
        last = self.keys.pop()
        if last != key:
            self.keys[place] = last
            self.places[last] = place
        self.close(place)
        return 1

    @abstractmethod
    def nearest(self, vector: bytes, least: float, most: int) -> list[tuple[float, str]]:
        """Return keys by likeness."""

    @abstractmethod
    def write(self, place: int, vector: bytes) -> None:
        """Put a vector into a place: one that is taken, or the first behind them."""

    @abstractmethod
    def close(self, place: int) -> None:
        """Fill the place of a vector that left with the last one; ``keys`` is shorter already."""


class _Arrays(Rows):
    """Plain Python."""

    def __init__(self) -> None:
        super().__init__()
        self._vectors: list[array[float]] = []

    def nearest(self, vector: bytes, least: float, most: int) -> list[tuple[float, str]]:
        """Compare one by one."""
        asked = array("f", vector)
        scores = ((sum(map(mul, asked, row)), key) for row, key in zip(self._vectors, self.keys, strict=True))
        return sorted((found for found in scores if found[0] >= least), reverse=True)[:most]

    def write(self, place: int, vector: bytes) -> None:
        """Replace, or append."""
        self._vectors[place : place + 1] = [array("f", vector)]

    def close(self, place: int) -> None:
        """Move the last one."""
        last = self._vectors.pop()
        if place < len(self._vectors):
            self._vectors[place] = last


class Matrix(Rows):
    """One matrix that grows by doubling."""

    def __init__(self, numeric: Any) -> None:
        super().__init__()
        self._numeric = numeric
        self._matrix: Any = None

    def nearest(self, vector: bytes, least: float, most: int) -> list[tuple[float, str]]:
        """Compare all at once."""
        numeric = self._numeric
        scores = self.scores(slice(0, len(self.keys)), vector)
        places = numeric.flatnonzero(scores >= least)
        ranked = places[numeric.argsort(-scores[places], kind="stable")][:most]
        return [(float(scores[place]), self.keys[place]) for place in ranked.tolist()]

    def scores(self, places: Any, vector: bytes) -> Any:
        """Return the exact cosines of some places, a slice or a list of them."""
        numeric = self._numeric
        # Not the operator @: its threads spin, and on a busy machine one search then waits ten times as long.
        return numeric.einsum("ij,j->i", self._matrix[places], numeric.frombuffer(vector, dtype=numeric.float32))

    def write(self, place: int, vector: bytes) -> None:
        """Write a row."""
        numeric = self._numeric
        row = numeric.frombuffer(vector, dtype=numeric.float32)
        if self._matrix is None:
            self._matrix = numeric.empty((_FIRST_ROWS, len(row)), dtype=numeric.float32)
        elif place == len(self._matrix):
            larger = numeric.empty((2 * place, len(row)), dtype=numeric.float32)
            larger[:place] = self._matrix
            self._matrix = larger
        self._matrix[place] = row

    def close(self, place: int) -> None:
        """Copy the last row."""
        self._matrix[place] = self._matrix[len(self.keys)]
