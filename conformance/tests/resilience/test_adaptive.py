"""The adaptive limit in figures: what it says of itself, when it changes, and when it does not."""

from __future__ import annotations

import pytest

from backends.resilience.adaptive import AdaptiveLimit


def serve(limit: AdaptiveLimit, seconds: float, now: float, rounds: int = 1) -> None:
    """Let so many rounds of answers come while all that is allowed is in flight."""
    for _ in range(rounds):
        for _ in range(min(limit.limit, 10)):
            limit.answered("say", limit.sent(), seconds, now, limit.limit)


@pytest.mark.parametrize("seconds", [2.0, 0.002])
def test_what_it_says_of_its_changes(seconds: float) -> None:
    """Which way it went, why, and how long ago: alike for a server that takes seconds and for one that takes none."""
    limit = AdaptiveLimit(8, 100.0)
    serve(limit, seconds, 105.0, rounds=2)
    told = limit.status(107.0)
    assert (told["now"], told["change"], told["changed_seconds_ago"]) == (8, "start", 7.0), "nothing has changed"
    limit.refused(limit.sent(), 110.0)
    told = limit.status(112.0)
    assert (told["now"], told["change"], told["changed_seconds_ago"]) == (5, "refused", 2.0)
    serve(limit, seconds, 120.0)
    told = limit.status(120.5)
    assert (told["now"], told["change"], told["changed_seconds_ago"]) == (6, "room", 0.5)
    serve(limit, 10 * seconds, 130.0)
    told = limit.status(131.0)
    assert told.pop("usual_seconds").keys() == {"say"}
    assert told == {"now": 4, "ceiling": 8, "change": "slower", "changed_seconds_ago": 1.0}
    limit.resize(2, 140.0)
    assert limit.status(141.0)["change"] == "resized"
    assert limit.status(141.0)["changed_seconds_ago"] == 1.0


def test_the_first_answer_is_the_usual_time() -> None:
    """As it was measured, to the last digit."""
    limit = AdaptiveLimit(1, 0.0)
    limit.answered("say", limit.sent(), 0.1, 1.0, 1)
    assert limit.status(1.0)["usual_seconds"] == {"say": 0.1}


@pytest.mark.parametrize(("second", "usual"), [(1.0, 2.0), (0.9, 1.95 * 0.9)])
def test_a_slow_time_is_forgotten_faster_once_it_is_more_than_twice_what_answers_take(
    second: float, usual: float
) -> None:
    """Twice is not more than twice."""
    limit = AdaptiveLimit(1, 0.0)
    for seconds in (3.0, second):
        limit.answered("say", limit.sent(), seconds, 1.0, 1)
    assert limit.status(1.0)["usual_seconds"]["say"] == pytest.approx(usual)
