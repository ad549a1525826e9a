"""Admission: limits, overflow, retries that come back, changes while calls fly."""

from __future__ import annotations

import pytest

from backends.resilience.admission import Admission, Overflow

HIGH, NORMAL, LOW = 0, 1, 2


def full(overflow: Overflow = Overflow.REJECT, *, limit: int = 1, queue_size: int = 2) -> Admission[str]:
    """Return one whose places are taken, with nobody waiting."""
    admission: Admission[str] = Admission(limit, queue_size, overflow)
    for number in range(limit):
        assert admission.submit(f"active {number}", NORMAL, 0.0).state == "granted"
    return admission


def test_never_more_than_the_limit() -> None:
    """The first five start, the sixth waits, and starts when one ends."""
    admission = full(limit=5)
    assert admission.submit("six", NORMAL, 1.0).state == "queued"
    assert (admission.active, admission.lengths()) == (5, (0, 1, 0))
    assert admission.release(2.0) == ["six"]
    assert (admission.active, admission.peak, admission.granted) == (5, 5, 6)


def test_a_full_queue_rejects_at_once() -> None:
    """Nothing changes but a counter."""
    admission = full(queue_size=1)
    admission.submit("waits", LOW, 0.0)
    answer = admission.submit("too many", HIGH, 0.0)
    assert (answer.state, answer.ticket, answer.dropped) == ("rejected", None, None)
    assert (admission.rejected, admission.lengths()) == (1, (0, 0, 1))


def test_no_queue_at_all() -> None:
    """A size of zero means: now or never."""
    admission = full(queue_size=0)
    assert admission.submit("now", HIGH, 0.0).state == "rejected"
    assert admission.release(0.0) == []
    assert admission.submit("now", HIGH, 0.0).state == "granted"


def test_overflow_wait() -> None:
    """Nobody is turned away, however many come."""
    admission = full(Overflow.WAIT, queue_size=0)
    assert {admission.submit(str(number), LOW, 0.0).state for number in range(1000)} == {"queued"}
    assert len(admission) == 1000


def test_overflow_drop_lowest() -> None:
    """A higher arrival takes the place of the youngest of the lowest level."""
    admission = full(Overflow.DROP_LOWEST)
    admission.submit("old low", LOW, 0.0)
    admission.submit("young low", LOW, 1.0)
    answer = admission.submit("high", HIGH, 2.0)
    assert (answer.state, answer.dropped) == ("queued", "young low")
    assert admission.submit("another low", LOW, 3.0).state == "rejected"
    assert admission.submit("normal", NORMAL, 3.0).dropped == "old low"
    assert admission.submit("another normal", NORMAL, 4.0).state == "rejected"
    assert (admission.dropped, admission.rejected, admission.lengths()) == (2, 2, (1, 1, 0))


def test_a_dropped_ticket_cannot_withdraw() -> None:
    """Its owner learns of it once, through the submission that took its place."""
    admission = full(Overflow.DROP_LOWEST, queue_size=1)
    ticket = admission.submit("low", LOW, 0.0).ticket
    admission.submit("high", HIGH, 0.0)
    assert ticket is not None
    assert not admission.withdraw(ticket, 1.0)
    assert len(admission) == 1


@pytest.mark.parametrize("overflow", list(Overflow))
def test_a_retry_is_never_turned_away_or_dropped(overflow: Overflow) -> None:
    """It waits beyond the size, before newer ones of its level, and nobody takes its place."""
    admission = full(overflow, queue_size=1)
    admission.submit("waits", LOW, 0.0)
    assert admission.submit("retry", LOW, 1.0, returning=True).state == "queued"
    first = admission.submit("high", HIGH, 2.0)
    second = admission.submit("high too", HIGH, 2.0)
    assert "retry" not in (first.dropped, second.dropped)
    started: list[str] = []
    while admission.active:
        started += admission.release(3.0)
    assert "retry" in started
    assert "waits" not in started[: started.index("retry")]


def test_cancelled_while_waiting_is_never_granted() -> None:
    """Withdrawal makes room and is final."""
    admission = full(queue_size=1)
    ticket = admission.submit("cancelled", HIGH, 0.0).ticket
    assert ticket is not None
    assert admission.withdraw(ticket, 0.5)
    assert not admission.withdraw(ticket, 0.5)
    assert admission.submit("next", LOW, 1.0).state == "queued"
    assert admission.release(2.0) == ["next"]


def test_a_granted_ticket_cannot_withdraw() -> None:
    """Whoever was granted must release instead."""
    admission = full()
    ticket = admission.submit("granted", HIGH, 0.0).ticket
    assert admission.release(1.0) == ["granted"]
    assert ticket is not None
    assert not admission.withdraw(ticket, 1.0)
    assert admission.active == 1


def test_a_place_cannot_be_given_back_twice() -> None:
    """A count that drifts below zero would raise the limit for ever."""
    admission = full()
    admission.release(0.0)
    with pytest.raises(RuntimeError, match=r"^a place was given back that nobody held$"):
        admission.release(0.0)
    assert admission.active == 0


def test_raising_the_limit_starts_those_who_wait() -> None:
    """At once, in order."""
    admission = full(queue_size=5)
    for name, level in [("low", LOW), ("high", HIGH), ("normal", NORMAL)]:
        admission.submit(name, level, 0.0)
    assert admission.resize(1.0, limit=3) == ["high", "normal"]
    assert admission.active == 3


def test_lowering_the_limit_interrupts_nobody() -> None:
    """The active go on; places are not given out until there are fewer than the limit."""
    admission = full(limit=3)
    assert admission.resize(0.0, limit=1) == []
    assert admission.active == 3
    admission.submit("waits", HIGH, 0.0)
    assert [admission.release(1.0) for _ in range(3)] == [[], [], ["waits"]]


def test_shrinking_the_queue_puts_nobody_out() -> None:
    """Only new arrivals find it full."""
    admission = full(queue_size=3)
    for number in range(3):
        admission.submit(str(number), LOW, 0.0)
    admission.resize(0.0, queue_size=1)
    assert len(admission) == 3
    assert admission.submit("late", HIGH, 0.0).state == "rejected"


def test_ageing_reaches_the_line() -> None:
    """A LOW that waited long enough goes before a new HIGH."""
    admission: Admission[str] = Admission(1, 10, ageing=5.0)
    admission.submit("active", NORMAL, 0.0)
    admission.submit("low", LOW, 0.0)
    admission.submit("high", HIGH, 11.0)
    assert admission.oldest(11.0) == 11.0
    assert admission.release(11.0) == ["low"]


@pytest.mark.parametrize(("late", "first"), [(119.5, "high"), (120.5, "low")])
def test_a_minute_lifts_by_a_level_unless_told_otherwise(late: float, first: str) -> None:
    admission = full()
    admission.submit("low", LOW, 0.0)
    admission.submit("high", HIGH, late)
    assert admission.release(late) == [first]


def test_held_back_until_a_moment_is_not_held_back_at_it() -> None:
    """Neither an arrival nor one that waits."""
    admission: Admission[str] = Admission(1, 10)
    admission.hold_back(10.0)
    waiting = admission.submit("early", NORMAL, 9.9)
    assert (waiting.state, admission.overdue(9.9), admission.let_on(9.9)) == ("queued", False, ["early"])
    admission.hold_back(20.0)
    admission.submit("waits", NORMAL, 15.0)
    assert admission.release(19.9) == []
    assert (admission.resize(19.9, limit=1), admission.resize(20.0, limit=1)) == ([], ["waits"])
    assert admission.release(20.0) == []
    assert admission.submit("late", NORMAL, 20.0).state == "granted"


def test_drain() -> None:
    """Everybody is put out of the line, and the active stay."""
    admission = full()
    admission.submit("low", LOW, 0.0)
    admission.submit("high", HIGH, 0.0)
    assert admission.drain() == ["high", "low"]
    assert (admission.active, len(admission)) == (1, 0)


@pytest.mark.parametrize(("field", "value"), [("limit", 0), ("limit", 1.5), ("limit", True), ("queue_size", -1)])
def test_a_wrong_argument_is_named_and_changes_nothing(field: str, value: int) -> None:
    """At construction and at resizing."""
    says = f"^{field} must be a whole number, {int(field == 'limit')} or more$"
    with pytest.raises(ValueError, match=says):
        Admission(**{"limit": 1, "queue_size": 1, field: value})
    admission = full()
    with pytest.raises(ValueError, match=says):
        admission.resize(0.0, **{"limit": 9, "queue_size": 9, field: value})
    assert (admission.limit, admission.queue_size) == (1, 2)
