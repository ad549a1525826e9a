"""Parts of what a wire call used: exact in sum, to the last token and the last bit."""

from __future__ import annotations

import math
from dataclasses import astuple, fields
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from backends.resilience.shares import cost_shares, shares, usage_shares
from backends.types import Usage
from conformance.machines.bench import default_settings

WEIGHTS = st.lists(st.integers(0, 1_000), min_size=1, max_size=12).filter(any)


@default_settings(200)
@given(st.integers(0, 10**9), WEIGHTS)
def test_whole_numbers(total: int, weights: list[int]) -> None:
    parts = shares(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - total * weight / sum(weights)) <= 1


@default_settings(200)
@given(st.floats(1e-12, 1e6), WEIGHTS, st.randoms(use_true_random=False))
def test_costs_add_up_in_any_order(cost: float, weights: list[int], random: Any) -> None:
    parts = cost_shares(cost, weights)
    random.shuffle(parts)
    assert sum(parts) == cost == math.fsum(parts)


def test_a_cost_of_nothing() -> None:
    assert cost_shares(0.0, [1, 2]) == [0.0, 0.0]


COUNTS = st.none() | st.integers(0, 10_000)


@default_settings(200)
@given(COUNTS, COUNTS, st.lists(st.integers(0, 500), min_size=2, max_size=8), st.data())
def test_every_count_of_a_usage(given_in: int | None, made: int | None, lengths: list[int], data: Any) -> None:
    cached = data.draw(st.none() | st.integers(0, given_in or 0))
    reasoning = data.draw(st.none() | st.integers(0, made or 0))
    whole = Usage(given_in, made, (given_in or 0) + (made or 0), False, cached, None, reasoning)
    parts = usage_shares(whole, lengths, lengths[::-1])
    for place, total in enumerate(astuple(whole)):
        if place != 3:
            column = [astuple(part)[place] for part in parts]
            assert column == [None] * len(lengths) if total is None else sum(column) == total
    for part in parts:
        assert part.estimated
        assert (part.cached_tokens or 0) <= (part.input_tokens or 0)
        assert (part.reasoning_tokens or 0) <= (part.output_tokens or 0)
        assert part.total_tokens == (part.input_tokens or 0) + (part.output_tokens or 0)


@default_settings(30)
@given(st.data(), st.lists(st.integers(0, 500), min_size=2, max_size=8))
def test_no_field_of_a_usage_is_forgotten(data: Any, lengths: list[int]) -> None:
    """Whatever fields there are: each is given whole, to the last token, and what nobody told stays untold."""
    names = [field.name for field in fields(Usage) if field.name != "estimated"]
    counts = data.draw(st.fixed_dictionaries(dict.fromkeys(names, COUNTS)))
    parts = usage_shares(Usage(**counts), lengths, lengths[::-1])
    if not any(value is not None for value in counts.values()):
        assert parts == [Usage()] * len(lengths)
        return
    for name, total in counts.items():
        column = [getattr(part, name) for part in parts]
        assert column == [None] * len(lengths) if total is None else sum(column) == total, name


@default_settings(30)
@given(st.lists(st.integers(0, 500), min_size=2, max_size=8), st.integers(0, 300), st.integers(0, 300))
def test_details_of_details_stay_within_their_own(lengths: list[int], heard: int, spoken: int) -> None:
    whole = Usage(1000, 400, 1400, False, 200, 300, 100, heard + spoken, 150, spoken, 500, 50)
    for part in usage_shares(whole, lengths, lengths[::-1]):
        asked, made = part.input_tokens or 0, part.output_tokens or 0
        assert (part.cache_write_1h_tokens or 0) <= (part.cache_write_tokens or 0) <= asked
        assert (part.image_tokens or 0) <= asked
        assert (part.image_output_tokens or 0) <= made
        assert (part.audio_output_tokens or 0) <= min(made, part.audio_tokens or 0)
        assert (part.audio_tokens or 0) - (part.audio_output_tokens or 0) <= asked


def test_a_usage_that_nobody_told_stays_untold() -> None:
    assert usage_shares(Usage(), [1, 2], [0, 0]) == [Usage(), Usage()]


def test_a_total_that_is_not_the_sum_is_parted_by_itself() -> None:
    parts = usage_shares(Usage(4, 4, 10), [1, 1], [3, 1])
    assert [(part.input_tokens, part.output_tokens, part.total_tokens) for part in parts] == [(2, 3, 5), (2, 1, 5)]


def test_details_go_with_the_counts_that_contain_them() -> None:
    """What was read from and written to a cache with the input, reasoning with the output; audio may be either."""
    whole = Usage(10, 20, 30, False, 5, 10, 4, 6)
    one, two = usage_shares(whole, [4, 1], [1, 3])
    assert one == Usage(8, 5, 13, True, 4, 8, 1, 5)
    assert two == Usage(2, 15, 17, True, 1, 2, 3, 1)


def test_who_sent_or_got_nothing_measurable_counts_like_everybody() -> None:
    """And a detail without a count that contains it is parted by the lengths."""
    one, two = usage_shares(Usage(4, 6, 10, False), [0, 0], [0, 0])
    assert (one, two) == (Usage(2, 3, 5, True), Usage(2, 3, 5, True))
    one, two = usage_shares(Usage(cached_tokens=8, reasoning_tokens=4), [3, 1], [1, 3])
    assert (one.cached_tokens, two.cached_tokens) == (6, 2)
    assert (one.reasoning_tokens, two.reasoning_tokens) == (1, 3)


def test_details_stay_within_their_counts_where_both_are_rounded() -> None:
    """By the lengths alone the one cached token would fall to the second, which sent none."""
    parts = usage_shares(Usage(2, 2, 4, False, 1, None, 1), [1, 1, 1], [1, 1, 1])
    assert [(part.input_tokens, part.cached_tokens) for part in parts] == [(1, 1), (0, 0), (1, 0)]
    assert [(part.output_tokens, part.reasoning_tokens) for part in parts] == [(1, 1), (0, 0), (1, 0)]


def test_a_total_that_is_more_than_its_counts_is_given_whole() -> None:
    """By what each sent, not by the few tokens of the input; also where it is more by one."""
    parts = usage_shares(Usage(1, None, 100), [3, 1], [1, 1])
    assert [part.total_tokens for part in parts] == [75, 25]
    parts = usage_shares(Usage(4, None, 5), [3, 1], [1, 1])
    assert [part.total_tokens for part in parts] == [4, 1]
