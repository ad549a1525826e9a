"""Who leaves together and when: sizes, times, limits found out, early departures."""

from __future__ import annotations

from typing import Any

import pytest

from backends.resilience.batcher import Batch, Batcher

HIGH, NORMAL, LOW = 0, 1, 2


def members(leaving: list[Batch[str]]) -> list[tuple[str, ...]]:
    return [batch.members for batch in leaving]


def test_a_full_batch_leaves_at_once() -> None:
    batcher: Batcher[str] = Batcher(2, 1.0)
    assert batcher.add("one", "a", 0.0)[1] == []
    assert batcher.next_due() == 1.0
    assert members(batcher.add("two", "a", 0.5)[1]) == [("one", "two")]
    assert (batcher.next_due(), len(batcher)) == (None, 0)


def test_time_counts_from_the_first() -> None:
    batcher: Batcher[str] = Batcher(9, 1.0)
    batcher.add("one", "a", 0.0)
    batcher.add("two", "b", 0.5)
    batcher.add("three", "a", 0.9)
    assert members(batcher.due(0.99)) == []
    assert members(batcher.due(1.0)) == [("one", "three")]
    assert batcher.next_due() == 1.5
    assert members(batcher.due(9.0)) == [("two",)]


def test_who_would_burst_a_batch_begins_the_next() -> None:
    batcher: Batcher[str] = Batcher(4, 1.0)
    batcher.add("three", "a", 0.0, items=3)
    assert members(batcher.add("two", "a", 0.5, items=2)[1]) == [("three",)]
    assert batcher.next_due() == 1.5
    assert members(batcher.add("nine", "a", 0.6, items=9)[1]) == [("two",), ("nine",)]


def test_the_provider_bounds_items_and_length() -> None:
    batcher: Batcher[str] = Batcher(9, 1.0)
    batcher.add("one", "a", 0.0, most_items=2)
    assert members(batcher.add("two", "a", 0.0, most_items=2)[1]) == [("one", "two")]
    batcher.add("three", "a", 0.0, length=6, most_length=10)
    assert members(batcher.add("four", "a", 0.0, length=5, most_length=10)[1]) == [("three",)]
    assert members(batcher.add("five", "a", 0.0, length=5, most_length=10)[1]) == [("four", "five")]


def test_who_cannot_wait_takes_the_batch_along() -> None:
    batcher: Batcher[str] = Batcher(9, 1.0)
    batcher.add("patient", "a", 0.0, latest=5.0)
    assert members(batcher.add("hasty", "a", 0.5, latest=1.0)[1]) == [("patient", "hasty")]


def test_the_highest_priority_is_the_batches_and_leaves_with_its_member() -> None:
    batcher: Batcher[str] = Batcher(3, 1.0)
    batcher.add("low", "a", 0.0, level=LOW)
    high, _ = batcher.add("high", "a", 0.0, level=HIGH)
    assert batcher.withdraw(high)
    assert not batcher.withdraw(high)
    batcher.add("normal", "a", 0.0, level=NORMAL)
    assert batcher.due(1.0) == [Batch("a", ("low", "normal"), NORMAL)]


def test_the_last_to_withdraw_leaves_nothing_behind() -> None:
    batcher: Batcher[str] = Batcher(3, 1.0)
    place, _ = batcher.add("one", "a", 0.0)
    assert batcher.withdraw(place)
    assert (batcher.next_due(), batcher.due(9.0), batcher.drain()) == (None, [], [])


def test_what_was_learned_holds_for_its_group_and_is_bounded() -> None:
    batcher: Batcher[str] = Batcher(9, 1.0)
    batcher.learn("a", 2)
    batcher.learn("a", 5)
    batcher.add("one", "a", 0.0)
    batcher.add("other", "b", 0.0)
    assert members(batcher.add("two", "a", 0.0)[1]) == [("one", "two")]
    assert batcher.add("another", "b", 0.0)[1] == []
    for number in range(1_000):
        batcher.learn(number, 1)
    assert len(batcher._limits) == 256


@pytest.mark.parametrize(
    ("size", "timeout", "says"),
    [
        (0, 1.0, "max_size must be 1 or more"),
        (-1, 1.0, "max_size must be 1 or more"),
        (1, -0.1, "timeout must be 0 or more"),
    ],
)
def test_an_argument_out_of_range(size: int, timeout: float, says: str) -> None:
    with pytest.raises(ValueError, match=f"^{says}$"):
        Batcher(size, timeout)


def test_the_least_that_can_be_asked_for() -> None:
    """A batch of one leaves as it comes; without a wait, at once when somebody looks."""
    assert members(Batcher(1, 5.0).add("one", "a", 0.0)[1]) == [("one",)]
    batcher: Batcher[str] = Batcher(2, 0.0)
    batcher.add("one", "a", 3.0)
    assert members(batcher.due(3.0)) == [("one",)]


def test_what_a_member_brings_unless_it_says_otherwise() -> None:
    """One item of no length and of middling priority."""
    place, (batch,) = Batcher(1, 0.0).add("one", "a", 0.0)
    assert (place.items, place.length, place.level, batch.level) == (1, 0, NORMAL, NORMAL)


def test_a_length_at_the_bound_is_full_and_not_too_long() -> None:
    batcher: Batcher[str] = Batcher(9, 1.0)
    batcher.add("one", "a", 0.0, length=4, most_length=10)
    batcher.add("two", "a", 0.0, length=5, most_length=10)
    assert members(batcher.add("three", "a", 0.0, length=1, most_length=10)[1]) == [("one", "two", "three")]


def test_who_withdraws_makes_room() -> None:
    """Of items and of length."""
    batcher: Batcher[str] = Batcher(4, 1.0)
    gone, _ = batcher.add("gone", "a", 0.0, items=2, length=6, most_length=10)
    batcher.add("one", "a", 0.0, length=1, most_length=10)
    batcher.withdraw(gone)
    assert batcher.add("two", "a", 0.0, items=2, length=8, most_length=10)[1] == []
    assert len(batcher) == 2
    assert members(batcher.add("three", "a", 0.0, most_length=10)[1]) == [("one", "two", "three")]


def test_a_place_in_a_batch_that_left_cannot_be_given_back() -> None:
    batcher: Batcher[str] = Batcher(2, 1.0)
    first, _ = batcher.add("one", "a", 0.0)
    second, _ = batcher.add("two", "a", 0.0)
    assert not batcher.withdraw(first)
    assert not batcher.withdraw(second)


def test_what_was_learned_is_shared_and_is_never_less_than_one() -> None:
    """With the machines of other loops; the groups learned of last are remembered."""
    limits: dict[object, int] = {}
    one: Batcher[str] = Batcher(9, 1.0, limits)
    two: Batcher[str] = Batcher(9, 1.0, limits)
    one.learn("a", 0)
    assert limits == {"a": 1}
    assert members(two.add("one", "a", 0.0)[1]) == [("one",)]
    for number in range(256):
        one.learn(number, 1)
        one.learn(0, 1)
    assert "a" not in limits
    assert set(limits) == set(range(256))


def test_no_bound_of_the_provider_makes_a_batch_larger_than_was_asked_for() -> None:
    """Neither its own limit nor what a machine of larger batches has learned."""
    batcher: Batcher[str] = Batcher(2, 1.0, {"a": 5})
    batcher.add("one", "a", 0.0, most_items=9)
    assert members(batcher.add("two", "a", 0.0, most_items=9)[1]) == [("one", "two")]


def test_a_limit_that_another_thread_forgets_first_is_forgotten() -> None:
    class Shared(dict[object, int]):
        def pop(self, key: object, *default: Any) -> Any:
            if key == 0:
                super().pop(key, None)
            return super().pop(key, *default)

    limits = Shared((number, 1) for number in range(256))
    Batcher[str](9, 1.0, limits).learn(256, 2)
    assert set(limits) == set(range(1, 257))
