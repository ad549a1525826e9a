"""The circuit breaker, one promise a test."""

from __future__ import annotations

import pytest

from backends.resilience.breaker import Breaker, Lease, Refusal, State

WALL = 1_700_000_000.0


def lease(breaker: Breaker, now: float) -> Lease:
    answer = breaker.acquire(now, WALL + now)
    assert isinstance(answer, Lease)
    return answer


def refusal(breaker: Breaker, now: float) -> Refusal:
    answer = breaker.acquire(now, WALL + now)
    assert isinstance(answer, Refusal)
    return answer


def tripped(now: float = 0.0, **settings: float) -> Breaker:
    breaker = Breaker(**settings)  # type: ignore[arg-type]
    for _ in range(breaker.failure_threshold):
        breaker.failure(lease(breaker, now), now, WALL + now)
    return breaker


def test_opens_after_failures_in_a_row() -> None:
    """Four are not enough, five are."""
    breaker = Breaker()
    for _ in range(4):
        breaker.failure(lease(breaker, 0.0), 0.0, WALL)
    assert breaker.state is State.CLOSED
    breaker.failure(lease(breaker, 0.0), 0.0, WALL)
    assert (breaker.state, breaker.opened, breaker.failures) == (State.OPEN, 1, 5)


def test_a_success_resets_the_count() -> None:
    """Failures count in a row only."""
    breaker = Breaker()
    for _ in range(4):
        breaker.failure(lease(breaker, 0.0), 0.0, WALL)
    breaker.success(lease(breaker, 0.0), 0.0, WALL)
    breaker.failure(lease(breaker, 0.0), 0.0, WALL)
    assert (breaker.state, breaker.failures) == (State.CLOSED, 1)


def test_open_refuses_and_says_when_to_come_back() -> None:
    """The wait counts down, and waiting exactly that long is enough."""
    breaker = tripped(now=100.1)
    assert refusal(breaker, 110.3).retry_after == pytest.approx(19.8)
    wait = breaker.wait(117.7)
    assert lease(breaker, 117.7 + wait).probe


def test_waiting_as_told_is_enough_for_any_fraction() -> None:
    """No rounding error makes somebody who waited as told come too early."""
    for step in range(1, 400):
        now = step * 0.1
        breaker = tripped(now=now, reset_timeout=0.3)
        moment = now + 0.07 * (step % 4)
        assert lease(breaker, moment + breaker.wait(moment)).probe


def test_a_microsecond_is_not_waited_for() -> None:
    assert lease(tripped(reset_timeout=1e-6), 0.0).probe


def test_exactly_one_probe() -> None:
    """Of many callers after the reset timeout one gets through; the others still fail fast."""
    breaker = tripped()
    assert lease(breaker, 30.0).probe
    assert all(refusal(breaker, 30.0).retry_after > 0 for _ in range(100))
    assert breaker.state is State.HALF_OPEN


def test_asking_how_long_changes_nothing() -> None:
    """``wait`` is a look, not a step."""
    breaker = tripped()
    assert breaker.wait(30.0) == 0.0
    assert breaker.state is State.OPEN


def test_a_probe_that_succeeds_closes_and_clears() -> None:
    """After that, it takes a full run of failures again."""
    breaker = tripped()
    breaker.success(lease(breaker, 30.0), 31.0, WALL + 31)
    assert (breaker.state, breaker.failures) == (State.CLOSED, 0)
    breaker.failure(lease(breaker, 31.0), 31.0, WALL + 31)
    assert breaker.state is State.CLOSED


def test_a_probe_that_fails_reopens_with_a_fresh_timer() -> None:
    """The wait starts again at the failure, not at the probe's departure."""
    breaker = tripped()
    breaker.failure(lease(breaker, 30.0), 45.0, WALL + 45)
    assert (breaker.state, breaker.opened) == (State.OPEN, 2)
    assert breaker.wait(45.0) == 30.0
    assert refusal(breaker, 74.0).retry_after == 1.0
    assert lease(breaker, 75.0).probe


def test_an_old_success_does_not_close_it() -> None:
    """A call sent before the trip says nothing about the endpoint now, in OPEN and in HALF_OPEN."""
    breaker = Breaker()
    old = [lease(breaker, 0.0) for _ in range(7)]
    for one in old[:5]:
        breaker.failure(one, 1.0, WALL + 1)
    breaker.success(old[5], 2.0, WALL + 2)
    assert breaker.state is State.OPEN
    lease(breaker, 31.0)
    breaker.success(old[6], 32.0, WALL + 32)
    assert breaker.state is State.HALF_OPEN


def test_an_old_failure_does_not_count_against_a_recovered_endpoint() -> None:
    """A call that hung since before the outage fails after the recovery: no trip, no count."""
    breaker = Breaker(failure_threshold=1)
    old = [lease(breaker, 0.0) for _ in range(2)]
    breaker.failure(old[0], 1.0, WALL)
    breaker.success(lease(breaker, 31.0), 31.0, WALL)
    breaker.failure(old[1], 32.0, WALL)
    assert (breaker.state, breaker.failures) == (State.CLOSED, 0)


def test_a_cancelled_probe_frees_the_probe() -> None:
    """It stays HALF_OPEN, and the next caller is the probe at once."""
    breaker = tripped()
    breaker.release(lease(breaker, 30.0), 31.0, WALL)
    assert breaker.state is State.HALF_OPEN
    assert breaker.wait(31.0) == 0.0
    assert lease(breaker, 31.0).probe


def test_a_probe_that_never_comes_back_expires() -> None:
    """After ten reset timeouts, or what was asked for, the next caller is the probe."""
    breaker = tripped()
    lease(breaker, 30.0)
    assert refusal(breaker, 329.0).retry_after == 1.0
    assert lease(breaker, 330.0).probe
    breaker = tripped(probe_timeout=5.0)
    lease(breaker, 30.0)
    assert refusal(breaker, 34.0).retry_after == 1.0
    assert lease(breaker, 35.0).probe
    breaker = tripped(probe_timeout=0.5)
    lease(breaker, 30.0)
    assert lease(breaker, 30.5).probe


@pytest.mark.parametrize("outcome", ["success", "failure", "release"])
def test_an_expired_probe_does_not_speak_for_its_successor(outcome: str) -> None:
    """The late outcome changes nothing: one probe is still out."""
    breaker = tripped(probe_timeout=5.0)
    first = lease(breaker, 30.0)
    second = lease(breaker, 35.0)
    getattr(breaker, outcome)(first, 36.0, WALL)
    assert breaker.state is State.HALF_OPEN
    assert breaker.wait(36.0) > 0
    breaker.success(second, 37.0, WALL)
    assert breaker.state is State.CLOSED


@pytest.mark.parametrize("outcome", ["success", "failure"])
def test_a_probe_that_was_handed_back_has_no_say(outcome: str) -> None:
    """A verdict after the release is ignored."""
    breaker = tripped()
    probe = lease(breaker, 30.0)
    breaker.release(probe, 31.0, WALL)
    getattr(breaker, outcome)(probe, 32.0, WALL)
    assert breaker.state is State.HALF_OPEN


def test_a_call_that_was_cancelled_says_nothing() -> None:
    """In CLOSED a release neither counts nor resets."""
    breaker = Breaker()
    breaker.failure(lease(breaker, 0.0), 0.0, WALL)
    breaker.release(lease(breaker, 0.0), 0.0, WALL)
    assert breaker.failures == 1


def test_transitions_are_recorded_by_both_clocks() -> None:
    """Each with its reason, the newest last."""
    breaker = tripped(now=5.0)
    breaker.failure(lease(breaker, 35.0), 36.0, WALL + 36)
    breaker.success(lease(breaker, 70.0), 71.0, WALL + 71)
    told = [(one.before, one.after, one.monotonic, one.wall) for one in breaker.transitions]
    assert told == [
        (State.CLOSED, State.OPEN, 5.0, WALL + 5),
        (State.OPEN, State.HALF_OPEN, 35.0, WALL + 35),
        (State.HALF_OPEN, State.OPEN, 36.0, WALL + 36),
        (State.OPEN, State.HALF_OPEN, 70.0, WALL + 70),
        (State.HALF_OPEN, State.CLOSED, 71.0, WALL + 71),
    ]
    assert [one.reason for one in breaker.transitions] == [
        "5 failures in a row",
        "the reset timeout passed",
        "the probe failed",
        "the reset timeout passed",
        "the probe succeeded",
    ]


def test_the_record_is_bounded() -> None:
    """An endpoint that flaps for years keeps 64 transitions."""
    breaker = tripped(failure_threshold=1, reset_timeout=1.0)
    for now in range(1, 2000):
        breaker.failure(lease(breaker, float(now)), float(now), WALL)
    assert len(breaker.transitions) == 64
    assert breaker.opened == 2000


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("failure_threshold", 0),
        ("failure_threshold", 2.5),
        ("failure_threshold", True),
        ("reset_timeout", 0.0),
        ("reset_timeout", float("nan")),
        ("reset_timeout", float("inf")),
        ("probe_timeout", -1.0),
        ("probe_timeout", 0.0),
    ],
)
def test_a_wrong_argument_is_named(field: str, value: float) -> None:
    """Construction refuses what makes no sense and says which."""
    wanted = "a whole number, 1 or more" if field == "failure_threshold" else "more than 0 seconds, and finite"
    with pytest.raises(ValueError, match=f"^{field} must be {wanted}$"):
        Breaker(**{field: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("outcome", ["success", "failure", "release"])
def test_a_call_of_before_has_no_say_however_many_probes_were_handed_back(outcome: str) -> None:
    breaker = Breaker(failure_threshold=1)
    old = lease(breaker, 0.0)
    for _ in range(2):
        breaker.failure(lease(breaker, 0.0) if not breaker.opened else lease(breaker, 30.0), 0.0, WALL)
    for _ in range(8):
        probe = lease(breaker, 60.0)
        getattr(breaker, outcome)(old, 60.0, WALL)
        assert (breaker.state, breaker.opened, breaker.failures) == (State.HALF_OPEN, 2, 2)
        assert breaker.wait(60.0) > 0, "the probe is still out"
        breaker.release(probe, 60.0, WALL)
