"""The index: the same answers with numpy and without, in step with what is added and removed."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy
import pytest

from backends.cache.index import MemoryIndex, unit

BOTH = pytest.mark.parametrize("numeric", [numpy, None], ids=["numpy", "plain"])


def vectors(number: int, dimensions: int = 8) -> list[bytes]:
    chance = random.Random(3)
    return [unit([chance.gauss(0.0, 1.0) for _ in range(dimensions)]) for _ in range(number)]


@BOTH
def test_the_likest_come_first(numeric: Any) -> None:
    index = MemoryIndex(numeric)
    for number in range(5):
        index.add("scope", f"at {number * 20}", unit([math.cos(number / 3), math.sin(number / 3)]))
    found = index.nearest("scope", unit([1.0, 0.0]), 0.5, 3)
    assert [key for _, key in found] == ["at 0", "at 20", "at 40"]
    assert found[0][0] == pytest.approx(1.0, abs=1e-6)
    assert index.nearest("another scope", unit([1.0, 0.0]), 0.0, 3) == []


@BOTH
def test_a_vector_is_as_like_itself_as_can_be(numeric: Any) -> None:
    index = MemoryIndex(numeric)
    for number, vector in enumerate(vectors(50)):
        index.add("scope", str(number), vector)
        assert str(number) in [key for _, key in index.nearest("scope", vector, 1.0, 5)]


def test_both_ways_stay_in_step() -> None:
    chance = random.Random(5)
    fast, plain = MemoryIndex(numpy), MemoryIndex(None)
    pool = vectors(60)
    for step in range(400):
        key = str(chance.randrange(40))
        for index in (fast, plain):
            if step % 3:
                index.add("scope", key, pool[step % 60])
            else:
                index.remove("scope", key)
        asked = pool[chance.randrange(60)]
        one, other = (index.nearest("scope", asked, 0.3, 50) for index in (fast, plain))
        assert sorted(key for _, key in one) == sorted(key for _, key in other)


@BOTH
def test_another_dimension_is_refused_by_name(numeric: Any) -> None:
    index = MemoryIndex(numeric)
    index.add("scope", "a", unit([1.0, 0.0]))
    for refused in (lambda: index.add("other", "b", unit([1.0])), lambda: index.nearest("scope", unit([1.0]), 0.5, 1)):
        with pytest.raises(ValueError, match="1 dimensions, those in the cache have 2"):
            refused()
    index.remove("scope", "a")
    index.add("scope", "b", unit([1.0]))  # an empty index takes any


@pytest.mark.parametrize("vector", [[], [0.0, 0.0], [float("nan")], [float("inf"), 1.0], ["a"], None, 5])
def test_what_is_no_vector_is_refused(vector: Any) -> None:
    with pytest.raises(ValueError, match="the embedding"):
        unit(vector)
