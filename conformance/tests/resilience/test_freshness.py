"""When keys from outside are fetched anew: who fetches, who waits, until when, and what a refusal changes."""

from __future__ import annotations

import pytest

from backends.resilience.freshness import Freshness, Standing

GO, FETCH, WAIT = Standing("go"), Standing("fetch"), Standing("wait")


def fetched(now: float, good_for: float | None, again_after: float | None = None) -> Freshness:
    freshness = Freshness()
    assert freshness.standing(now) == FETCH
    freshness.came(now, good_for, again_after)
    return freshness


def test_one_fetches_and_the_others_wait() -> None:
    freshness = Freshness()
    assert [freshness.standing(0.0) for _ in range(3)] == [FETCH, WAIT, WAIT]
    freshness.given_up()
    assert freshness.standing(0.0) == FETCH, "whoever fetched was cancelled"
    freshness.came(1.0, 60.0, None)
    assert freshness.standing(1.0) == GO
    assert (freshness.fetched, freshness.failures) == (1, 0)


@pytest.mark.parametrize(
    ("good_for", "again_after", "again_at", "ends_at"),
    [
        (100.0, None, 95.0, 105.0),
        (10_000.0, None, 9_945.0, 10_005.0),
        (100.0, 20.0, 25.0, 105.0),
        (None, 20.0, 25.0, None),
        (None, None, None, None),
    ],
)
def test_keys_are_fetched_anew_before_they_end(
    good_for: float | None, again_after: float | None, again_at: float | None, ends_at: float | None
) -> None:
    """When a tenth of their time is left, but a minute at most; or when the source says. Until they end nobody waits."""
    freshness = fetched(5.0, good_for, again_after)
    if again_at is None:
        assert freshness.standing(1e9) == GO
        return
    assert freshness.standing(again_at - 0.001) == GO
    assert freshness.standing(again_at) == FETCH
    assert freshness.standing(again_at) == GO, "somebody fetches, and the old ones are good"
    if ends_at is not None:
        assert freshness.standing(ends_at - 0.001) == GO
        assert freshness.standing(ends_at) == WAIT


def test_a_failing_source_is_asked_again_after_the_delay() -> None:
    """At that moment and not before it; meanwhile old keys serve for as long as they are good."""
    freshness = fetched(0.0, 100.0)
    assert freshness.standing(90.0) == FETCH
    assert freshness.failed(90.0, 4.0)
    assert [freshness.standing(moment) for moment in (93.9, 94.0)] == [GO, FETCH]
    assert not freshness.failed(100.0, 8.0)
    assert [freshness.standing(moment) for moment in (100.0, 107.9)] == [Standing("wait", 108.0)] * 2
    assert (freshness.fetched, freshness.failures) == (1, 2)
    assert freshness.standing(108.0) == FETCH
    freshness.came(108.0, 100.0, None)
    assert (freshness.fetched, freshness.failures) == (2, 0)


def test_a_refused_key_is_fetched_anew_unless_it_has_just_come() -> None:
    """What came within a second is as new as it gets; a fetch under way is the one that was wanted."""
    freshness = fetched(5.0, 100.0)
    assert not freshness.refused(5.999)
    assert freshness.standing(5.999) == GO
    assert freshness.refused(6.0)
    assert [freshness.standing(6.0) for _ in range(2)] == [FETCH, WAIT]
    assert freshness.refused(6.0)
    freshness.came(6.5, 100.0, None)
    assert freshness.standing(7.0) == GO
