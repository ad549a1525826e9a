"""Vectors that are here already: made length 1, and compared. With numpy where there is one and it pays, else without.

Both ways give the same numbers to twelve digits. Nothing here is sent anywhere, and numpy is not imported before a call
has enough numbers for it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import ModuleType
from typing import Any, Final, TypeAlias

from backends.parameters import bad_argument

__all__ = ["cosine_similarity", "normalize", "similarities"]

Vector: TypeAlias = Sequence[float]
"""Numbers in a list, a tuple, or anything with ``tolist`` (an array)."""

_WORTH_AN_IMPORT: Final = 4_096
"""Numbers below which plain Python is done before numpy is imported."""


def normalize(vectors: Sequence[Vector]) -> tuple[tuple[float, ...], ...]:
    """Return each vector with length 1.

    Raises:
        InvalidRequestError: one is empty, has another length than the first, holds what is not a finite number, or is
            all zeros and so has no direction.
    """
    rows = _checked(_listed(vectors, "vectors"))
    numpy = _numpy(len(rows) * len(rows[0]))
    if numpy is None:
        return tuple(map(_unit, rows))
    return _tuples(_units(numpy, rows))


def cosine_similarity(left: Vector, right: Vector) -> float:
    """Return the cosine of the angle between two vectors: 1 for the same direction, -1 for opposite ones.

    Raises:
        InvalidRequestError: as for :func:`normalize`.
    """
    return similarities(left, [right])[0]


def similarities(vector: Vector, others: Sequence[Vector]) -> tuple[float, ...]:
    """Return the cosine similarity of a vector to each of several.

    Raises:
        InvalidRequestError: as for :func:`normalize`.
    """
    rows = _checked([_plain(vector), *_listed(others, "others")])
    numpy = _numpy(len(rows) * len(rows[0]))
    if numpy is None:
        source, *rest = map(_unit, rows)
        found = [math.fsum(map(_product, source, other)) for other in rest]
    else:
        matrix = _units(numpy, rows)
        found = (matrix[1:] @ matrix[0]).tolist()
    return tuple(min(1.0, max(-1.0, value)) for value in found)


def _listed(vectors: Any, name: str) -> list[Any]:
    """Return vectors as a list, arrays among them as lists."""
    vectors = _plain(vectors)
    if isinstance(vectors, str | bytes) or not isinstance(vectors, Sequence) or not vectors:
        bad_argument(f"{name} must be a list of vectors, and not empty")
    return [_plain(vector) for vector in vectors]


def _checked(vectors: list[Any]) -> list[Vector]:
    """Return vectors that all have one length and a direction."""
    for index, vector in enumerate(vectors):
        if isinstance(vector, str | bytes) or not isinstance(vector, Sequence) or not vector:
            bad_argument(f"vectors[{index}] must be a list of numbers, and not empty")
        if len(vector) != len(vectors[0]):
            bad_argument(f"vectors[{index}] has {len(vector)} numbers, and the first vector {len(vectors[0])}")
        try:
            finite = all(map(math.isfinite, vector))
        except (TypeError, OverflowError):
            finite = False
        if not finite:
            bad_argument(f"vectors[{index}] must be a list of finite numbers")
        if not any(vector):
            bad_argument(f"vectors[{index}] holds nothing but zeros, which have no direction")
    return vectors


def _plain(value: Any) -> Any:
    """Return arrays as lists, anything else as it is."""
    return value.tolist() if hasattr(value, "tolist") else value


def _unit(vector: Vector) -> tuple[float, ...]:
    length = math.hypot(*vector)
    return tuple(value / length for value in vector)


def _product(left: float, right: float) -> float:
    return left * right


def _units(numpy: Any, rows: list[Vector]) -> Any:
    """Return an array of rows of length 1; the largest number is divided away first, so that no square overflows."""
    matrix = numpy.asarray(rows, dtype="float64")
    matrix = matrix / numpy.abs(matrix).max(axis=1, keepdims=True)
    return matrix / numpy.sqrt((matrix * matrix).sum(axis=1, keepdims=True))


def _tuples(matrix: Any) -> tuple[tuple[float, ...], ...]:
    return tuple(map(tuple, matrix.tolist()))


def _numpy(numbers: int) -> ModuleType | None:
    """Return numpy where it is installed and there is enough for it to do."""
    if numbers < _WORTH_AN_IMPORT:
        return None
    try:
        import numpy
    except ImportError:
        return None
    return numpy
