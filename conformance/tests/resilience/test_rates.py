"""Rate headers, windows, budgets and the expected wait, at their edges; random steps are in the machines."""

from __future__ import annotations

import pytest

from backends.resilience.adaptive import AdaptiveLimit, Change
from backends.resilience.allowance import ONE, Allowance, Demand, Rates
from backends.resilience.rate_headers import Kind, Told, read_rates
from backends.resilience.turnover import Turnover
from backends.resilience.window import SlidingWindow
from backends.types import Usage

WALL = 1_793_491_200.0


def openai(limit: str, remaining: str, reset: str, kind: str = "requests") -> dict[str, str]:
    return {
        f"x-ratelimit-limit-{kind}": limit,
        f"x-ratelimit-remaining-{kind}": remaining,
        f"x-ratelimit-reset-{kind}": reset,
    }


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, {}),
        (openai("60", "59", "1s"), {Kind.REQUESTS: Told(59, 60, 1.0)}),
        (openai("250000", "249900", "24ms", "tokens"), {Kind.TOKENS: Told(249_900, 250_000, 0.024)}),
        (openai("14400", "0", "2m59.5s"), {Kind.REQUESTS: Told(0, 14_400, 179.5)}),
        (openai("60", "99", "1s"), {Kind.REQUESTS: Told(60, 60, 1.0)}),
        (openai("60", "5", "99999999s"), {Kind.REQUESTS: Told(5, 60, 86_400.0)}),
        (openai("60", "5", "soon"), {Kind.REQUESTS: Told(5, 60, None)}),
        (openai("x", "5", "1s"), {Kind.REQUESTS: Told(5, None, 1.0)}),
        (openai("0", "0", "1s"), {}),
        (openai("60", "-1", "1s"), {}),
        (openai("60", "1e3", "1s"), {}),
        (openai("60", "٣", "1s"), {}),
        (openai("60", "9" * 400, "1s"), {}),
        (
            {
                "anthropic-ratelimit-input-tokens-limit": "40000",
                "anthropic-ratelimit-input-tokens-remaining": "100",
                "anthropic-ratelimit-input-tokens-reset": "2026-11-01T00:00:30Z",
            },
            {Kind.INPUT_TOKENS: Told(100, 40_000, 30.0)},
        ),
        (
            {**openai("60", "59", "1s"), "anthropic-ratelimit-requests-remaining": "3"},
            {Kind.REQUESTS: Told(3, None, None)},
        ),
        (
            {**openai("60", "3", "1s"), "anthropic-ratelimit-requests-remaining": "3"},
            {Kind.REQUESTS: Told(3, 60, 1.0)},  # neither is scarcer: the gateway's own
        ),
        (
            {**openai("60", "many", "1s"), **openai("900", "5", "2s", "tokens")},
            {Kind.TOKENS: Told(5, 900, 2.0)},
        ),
    ],
)
def test_what_headers_say(headers: dict[str, str], expected: dict[Kind, Told]) -> None:
    assert read_rates(headers, WALL) == expected


def test_a_window_holds_whatever_the_place_in_the_second() -> None:
    window = SlidingWindow(2)
    window.take(1, 10.9)
    window.take(1, 11.1)
    assert window.ready_at(1, 20.0) == 71.0, "when the whole of second 10 is a minute old"
    assert window.ready_at(2, 20.0) == 72.0
    assert window.ready_at(100, 20.0) == 72.0, "more than the limit goes when the window is empty"
    assert window.left(71.0) == 1


def test_a_correction_after_its_minute_counts_from_then_on_where_it_is_more() -> None:
    window = SlidingWindow(100)
    second = window.take(10, 0.0)
    window.correct(second, 30, 200.0)
    assert window.used == 30
    window.correct(second, -30, 400.0)
    assert window.used == 0
    window.correct(second, 1, 500.0)
    assert window.used == 1


@pytest.mark.parametrize("difference", [5, -5, -10])
def test_a_correction_within_its_minute_leaves_with_what_it_corrects(difference: int) -> None:
    """And takes back no more than was taken."""
    window = SlidingWindow(100)
    second = window.take(10, 0.0)
    window.take(1, 30.0)
    window.correct(second, difference, 20.0)
    assert window.used == 11 + difference
    window.correct(second, -99, 20.0)
    assert (window.used, window.left(61.0)) == (1, 99)


def test_an_unknown_usage_stays_as_it_was_estimated_and_a_refusal_used_no_tokens() -> None:
    allowance = Allowance(Rates(tokens_per_minute=100))
    unknown, refused = (allowance.take(Demand(20, 20), 0.0) for _ in range(2))
    allowance.settle(unknown, Usage(input_tokens=5), 1.0)
    assert allowance.status(1.0)[0]["left"] == 100 - 25 - 40
    allowance.settle(refused, None, 1.0, refused=True)
    allowance.settle(refused, Usage(input_tokens=50, output_tokens=50), 1.0)
    assert allowance.status(1.0)[0]["left"] == 75, "settled once"
    broken, silent = (allowance.take(Demand(10, 10), 1.0) for _ in range(2))
    allowance.settle(broken, None, 2.0)
    allowance.settle(silent, Usage(output_tokens=3), 2.0)
    assert allowance.status(2.0) == [
        {"kind": "tokens", "source": "declared", "limit": 100, "left": 75 - 20 - 13, "resets_in": None}
    ]


def test_a_budget_without_a_limit_is_forgotten_at_its_reset() -> None:
    allowance = Allowance(Rates(told=True, obeyed=True))
    draw = allowance.take(ONE, 0.0)
    allowance.learn(draw, {Kind.REQUESTS: Told(0, None, 5.0)}, 0.0)
    assert allowance.ready_at(ONE, 1.0) == 5.0
    assert allowance.headroom(1.0) is None, "a share of nobody knows what"
    assert allowance.ready_at(ONE, 5.0) == 5.0
    assert allowance.status(5.0) == []


def test_a_budget_that_is_forgotten_leaves_the_others() -> None:
    allowance = Allowance(Rates(told=True))
    told = {Kind.REQUESTS: Told(0, None, 5.0), Kind.TOKENS: Told(3, 10, 20.0)}
    allowance.learn(allowance.take(ONE, 0.0), told, 0.0)
    assert [(row["kind"], row["left"]) for row in allowance.status(5.0)] == [("tokens", 3)]


def test_what_a_later_request_was_told_stands() -> None:
    """An answer that comes late says what was, and what was taken after it is known."""
    allowance = Allowance(Rates(told=True))
    first, second = (allowance.take(ONE, 0.0) for _ in range(2))
    allowance.learn(second, {Kind.REQUESTS: Told(3, 10, None)}, 1.0)
    allowance.learn(first, {Kind.REQUESTS: Told(9, 10, None)}, 2.0)
    assert [row["left"] for row in allowance.status(2.0)] == [3]


def test_no_reset_no_rest() -> None:
    allowance = Allowance(Rates(told=True, obeyed=True))
    allowance.learn(allowance.take(ONE, 0.0), {Kind.REQUESTS: Told(0, 10, None)}, 0.0)
    assert allowance.ready_at(ONE, 1.0) == 1.0


def test_the_expected_wait_grows_while_nothing_moves() -> None:
    turnover = Turnover(0.0)
    assert turnover.expected_wait(3, 2, 0.0) == 0.0, "nothing is known yet"
    for number in range(20):
        turnover.began(float(number))
        turnover.ended(number - 4.0, float(number))
    assert turnover.seconds == pytest.approx(4.0)
    assert turnover.expected_wait(0, 2, 19.0) == pytest.approx(2.0)
    assert turnover.expected_wait(4, 2, 19.0) == pytest.approx(10.0)
    assert turnover.expected_wait(0, 2, 79.0) == pytest.approx(30.0)


def test_an_adaptive_limit_begins_with_twenty_and_remembers_few_kinds() -> None:
    limit = AdaptiveLimit(500, 0.0)
    assert (limit.limit, limit.change) == (20, Change.START)
    for number in range(100):
        limit.answered(f"chat model-{number}", limit.sent(), 1.0, float(number), 1)
    assert len(limit.status(100.0)["usual_seconds"]) == 32
    assert limit.limit == 20, "one request at a time does not need more"


def test_the_latest_answer_holds_where_nothing_was_taken_in_between() -> None:
    """Of a kind that the requests do not use."""
    allowance = Allowance(Rates(told=True))
    first, second = (allowance.take(ONE, 0.0) for _ in range(2))
    allowance.learn(first, {Kind.TOKENS: Told(9, 10, None)}, 0.0)
    allowance.learn(second, {Kind.TOKENS: Told(3, 10, None)}, 0.0)
    assert allowance.status(0.0) == [
        {"kind": "tokens", "source": "provider", "limit": 10, "left": 3, "resets_in": None}
    ]


@pytest.mark.parametrize(("taken", "limit"), [(8, 7), (6, 5), (2, 5)])
def test_a_refusal_within_the_budget_lowers_it_for_a_minute(taken: int, limit: int) -> None:
    """To what the server took before it, and to no less than half, in requests and in tokens."""
    allowance = Allowance(Rates(requests_per_minute=10, tokens_per_minute=100))
    draws = [allowance.take(Demand(6, 4), 0.0) for _ in range(taken)]
    allowance.refuse(draws[-1], 0.0)
    assert [row["limit"] for row in allowance.status(59.0)] == [limit, 10 * limit]
    assert [row["limit"] for row in allowance.status(60.0)] == [10, 100]


def test_a_number_as_long_as_makes_sense_is_read() -> None:
    """Thirteen digits, and counted as no more than a million million."""
    assert read_rates(openai("9" * 13, "9" * 13, "1s"), WALL) == {Kind.REQUESTS: Told(10**12, 10**12, 1.0)}
    assert read_rates(openai("60", "1" * 14, "1s"), WALL) == {}


@pytest.mark.parametrize(
    ("kind", "amount"), [(Kind.REQUESTS, 1), (Kind.TOKENS, 7), (Kind.INPUT_TOKENS, 5), (Kind.OUTPUT_TOKENS, 2)]
)
def test_what_a_request_needs_of_each_kind(kind: Kind, amount: int) -> None:
    assert Demand(5, 2).of(kind) == amount


def test_a_request_larger_than_the_whole_goes_when_the_whole_is_there() -> None:
    """Otherwise it would never go."""
    allowance = Allowance(Rates(told=True, obeyed=True))
    draw = allowance.take(ONE, 0.0)
    allowance.learn(draw, {Kind.TOKENS: Told(9, 10, 30.0)}, 0.0)
    assert allowance.ready_at(Demand(50, 0), 1.0) == 30.0
    assert allowance.ready_at(Demand(50, 0), 30.0) == 30.0


def test_a_budget_is_whole_again_at_its_reset_for_a_minute() -> None:
    """Unless an answer says otherwise first."""
    allowance = Allowance(Rates(told=True))
    draw = allowance.take(ONE, 0.0)
    allowance.learn(draw, {Kind.REQUESTS: Told(2, 10, 30.0)}, 0.0)
    told = {"kind": "requests", "source": "provider", "limit": 10}
    assert allowance.status(10.0) == [{**told, "left": 2, "resets_in": 20.0}]
    assert allowance.status(30.0) == [{**told, "left": 10, "resets_in": 60.0}]
    allowance.take(ONE, 40.0)
    assert allowance.status(50.0) == [{**told, "left": 9, "resets_in": 40.0}]
    assert allowance.status(95.0) == [{**told, "left": 10, "resets_in": 60.0}]


def test_a_lowered_limit_is_not_waited_for_longer_than_it_holds() -> None:
    """Room under the whole limit, once that is back, is room."""
    window = SlidingWindow(2)
    window.take(1, 0.0)
    window.take(1, 40.0)
    window.lower(1, 10.0)
    assert window.ready_at(1, 50.0) == 70.0, "at 61 there is room for two, and from 70 on two are allowed"
    assert window.ready_at(1, 70.0) == 70.0
    assert window.ready_at(2, 70.0) == 101.0


def test_a_slot_that_is_held_for_a_moment_counts_for_a_moment() -> None:
    turnover = Turnover(0.0)
    for began in range(3):
        turnover.ended(float(began), began + 0.5)
    assert turnover.seconds == 0.5
    turnover.ended(9.0, 8.0)  # a clock that went back
    assert turnover.seconds == pytest.approx(0.375)
