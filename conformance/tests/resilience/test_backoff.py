"""Backoff as arithmetic: no clock, no sleeping, no chance."""

from __future__ import annotations

from typing import Any

import pytest

from backends.resilience.backoff import Backoff


def always(number: float):
    return lambda: number


def test_grows_by_the_factor_up_to_the_cap() -> None:
    """With a middling random number the waits are the textbook ones."""
    waits = [Backoff().delay(retry, always(0.5)) for retry in range(7)]
    assert waits == pytest.approx([1, 2, 4, 8, 16, 16, 16])


@pytest.mark.parametrize(("number", "expected"), [(0.0, 0.8), (0.5, 1.0), (1.0, 1.2)])
def test_jitter_is_a_share_either_way(number: float, expected: float) -> None:
    """The extremes of the random source give the extremes of the wait."""
    assert Backoff().delay(0, always(number)) == pytest.approx(expected)


def test_jitter_survives_the_cap() -> None:
    """Clients that are all at the cap wake at different moments, above it as well as below."""
    waits = {Backoff().delay(50, always(number / 10)) for number in range(11)}
    assert len(waits) == 11
    assert min(waits) == pytest.approx(12.8)
    assert max(waits) == pytest.approx(19.2)


@pytest.mark.parametrize("retry", [1023, 1024, 5000, 10**6, 10**30, 10**400])
def test_no_retry_number_overflows(retry: int) -> None:
    """However often it was tried, the wait is the cap."""
    assert Backoff().delay(retry, always(0.5)) == 16.0


def test_a_whole_factor_is_not_raised_to_a_power_exactly() -> None:
    """An int factor becomes a float: 2 ** 10**9 would take all memory."""
    assert Backoff(initial=1, factor=2, maximum=16).delay(10**9, always(0.5)) == 16.0


def test_overflow_with_nothing_to_grow_is_nothing() -> None:
    """No initial wait stays none, for every retry."""
    assert Backoff(initial=0).delay(10**9, always(1.0)) == 0.0


def test_an_initial_wait_above_the_cap_is_capped() -> None:
    """A small maximum is enough to make all waits short."""
    assert Backoff(initial=1.0, maximum=0.01).delay(0, always(0.5)) == 0.01


@pytest.mark.parametrize("number", [0.0, 0.3, 0.999])
def test_a_hint_is_a_floor(number: float) -> None:
    """The server's wait is never shortened, and at most a fifth is added."""
    wait = Backoff().floored(0, 107.0, always(number))
    assert 107.0 <= wait <= 107.0 * 1.2


def test_clients_told_the_same_come_back_apart() -> None:
    """Two random numbers give two waits above the same hint."""
    assert Backoff().floored(0, 30.0, always(0.1)) != Backoff().floored(0, 30.0, always(0.9))


def test_a_short_hint_does_not_shorten_the_wait() -> None:
    """The larger of both waits holds."""
    assert Backoff().floored(4, 0.5, always(0.5)) == 16.0


def test_no_hint_is_the_plain_wait() -> None:
    """None means that the server said nothing."""
    assert Backoff().floored(2, None, always(0.5)) == 4.0


@pytest.mark.parametrize("field", ["initial", "factor", "maximum", "jitter"])
@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), 10**400, "1", None, True])
def test_a_wrong_field_is_named(field: str, value: object) -> None:
    """Construction refuses what makes no sense and says which."""
    with pytest.raises(ValueError, match=f"^{field} must be "):
        Backoff(**{field: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("initial", -0.5, "initial must be 0 or more, and finite"),
        ("factor", 0.5, "factor must be 1 or more, and finite"),
        ("maximum", float("inf"), "maximum must be 0 or more, and finite"),
        ("jitter", 1.5, "jitter must be from 0 to 1"),
        ("maximum", "16", "maximum must be a number, not str"),
        ("jitter", True, "jitter must be a number, not bool"),
    ],
)
def test_ranges(field: str, value: Any, says: str) -> None:
    """A factor never shrinks a wait, and no jitter makes one negative."""
    with pytest.raises(ValueError, match=f"^{says}$"):
        Backoff(**{field: value})


def test_a_negative_retry_is_refused() -> None:
    """Counting starts at 0."""
    with pytest.raises(ValueError, match=r"^retry must be 0 or more$"):
        Backoff().delay(-1, always(0.5))


@pytest.mark.parametrize(
    ("field", "value"), [("initial", 0), ("factor", 1), ("maximum", 0), ("jitter", 0), ("jitter", 1)]
)
def test_the_ends_of_a_range_belong_to_it(field: str, value: float) -> None:
    """No wait at all, no growth, no jitter, and as much as there is."""
    assert getattr(Backoff(**{field: value}), field) == value


def test_the_first_retry_is_number_nought() -> None:
    """And waits the initial time."""
    assert Backoff(initial=3.0).delay(0, always(0.5)) == 3.0
