"""Normalisation and cosine similarity, with numpy and without: the same numbers."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends import errors
from backends.hf_tei import cosine_similarity, normalize, similarities, vectors

NUMBERS = st.floats(-1e150, 1e150).filter(lambda number: number == 0 or abs(number) > 1e-150)
MATRICES = st.integers(1, 6).flatmap(
    lambda width: st.lists(st.lists(NUMBERS, min_size=width, max_size=width).filter(any), min_size=1, max_size=5)
)


@pytest.fixture(params=["numpy", "plain", "absent"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run a test in each way: numpy for the smallest work, never, and where it is not installed."""
    monkeypatch.setattr(vectors, "_WORTH_AN_IMPORT", math.inf if request.param == "plain" else 0)
    if request.param == "absent":
        monkeypatch.setitem(sys.modules, "numpy", None)
    return request.param


def test_length_one(way: str) -> None:
    assert normalize([[3.0, 4.0], [0.0, -2.0]]) == ((0.6, 0.8), (0.0, -1.0))
    assert normalize([[1e200, 0.0]]) == ((1.0, 0.0),)
    assert isinstance(normalize([[1, 2]])[0][0], float)


def test_angles(way: str) -> None:
    assert cosine_similarity([1.0, 0.0], [2.0, 0.0]) == 1.0
    assert cosine_similarity([1.0, 0.0], [0.0, 5.0]) == 0.0
    assert cosine_similarity([1.0, 1.0], [-3.0, -3.0]) == pytest.approx(-1.0, abs=1e-12)
    assert similarities([1.0, 0.0], [[1.0, 1.0], [-1.0, 0.0]]) == pytest.approx((math.sqrt(0.5), -1.0))
    assert cosine_similarity([0.1] * 7, [0.1] * 7) <= 1.0


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ([], "and not empty"),
        ("vectors", "must be a list of vectors"),
        ([[]], r"vectors\[0\] must be a list of numbers"),
        (["12"], r"vectors\[0\] must be a list of numbers"),
        ([[1.0], [1.0, 2.0]], r"vectors\[1\] has 2 numbers, and the first vector 1"),
        ([[1.0, math.nan]], "finite"),
        ([[math.inf, -math.inf]], "finite"),
        ([[0.0, 0.0]], "nothing but zeros"),
        ([["a", 1.0]], r"vectors\[0\] must be a list of finite numbers"),
    ],
)
def test_what_is_no_vector(way: str, bad: object, said: str) -> None:
    with pytest.raises(errors.InvalidRequestError, match=said):
        normalize(bad)
    with pytest.raises(errors.InvalidRequestError):
        similarities([1.0, 2.0], bad)


@given(MATRICES)
def test_both_ways_agree(rows: list[list[float]]) -> None:
    before = vectors._WORTH_AN_IMPORT
    try:
        vectors._WORTH_AN_IMPORT = 0
        with_numpy = normalize(rows), similarities(rows[0], rows)
        vectors._WORTH_AN_IMPORT = sys.maxsize
        without = normalize(rows), similarities(rows[0], rows)
    finally:
        vectors._WORTH_AN_IMPORT = before
    for left, right in zip(with_numpy[0], without[0], strict=True):
        assert left == pytest.approx(right, rel=1e-12, abs=1e-12)
    assert with_numpy[1] == pytest.approx(without[1], rel=1e-12, abs=1e-12)
    assert with_numpy[1][0] == pytest.approx(1.0)


def test_arrays_are_taken(way: str) -> None:
    if way != "absent":
        assert normalize(numpy.array([[3.0, 4.0]], dtype="float32"))[0] == pytest.approx((0.6, 0.8))
        assert similarities(numpy.array([1.0, 0.0]), [numpy.array([1.0, 0.0])]) == (1.0,)


def test_large_work_agrees_with_small() -> None:
    rows = [[float((7 * row + 3 * column) % 11 - 5) for column in range(128)] for row in range(64)]
    many = similarities(rows[0], rows)
    one_by_one = [cosine_similarity(rows[0], row) for row in rows]
    assert many == pytest.approx(one_by_one, rel=1e-12, abs=1e-12)


def test_numpy_waits_for_work() -> None:
    program = (
        "import sys; from backends.hf_tei import HFTEI, normalize; normalize([[3.0, 4.0]]); "
        "assert 'numpy' not in sys.modules; normalize([[1.0] * 8192]); assert 'numpy' in sys.modules"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
