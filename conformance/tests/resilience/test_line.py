"""The waiting line: order, leaving, and what it costs."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from backends.resilience.line import WaitingLine
from backends.types import Priority


def test_levels_then_first_come_first_served() -> None:
    """Every HIGH before every NORMAL before every LOW, each by age."""
    line: WaitingLine[str] = WaitingLine()
    for name, level in [("l1", 2), ("n1", 1), ("h1", 0), ("l2", 2), ("h2", 0), ("n2", 1)]:
        line.push(name, level, 0.0)
    assert [line.pop(1.0) for _ in range(7)] == ["h1", "h2", "n1", "n2", "l1", "l2", None]


def test_priorities_are_levels() -> None:
    """The library's own priorities go in as they are."""
    line: WaitingLine[str] = WaitingLine()
    line.push("low", Priority.LOW, 0.0)
    line.push("high", Priority.HIGH, 0.0)
    assert line.pop(0.0) == "high"


def test_those_put_in_front_go_first_in_their_level_only() -> None:
    """A retry goes before newer arrivals of its level, not before a higher level; among retries, by age."""
    line: WaitingLine[str] = WaitingLine()
    line.push("normal", 1, 0.0)
    line.push("retry 1", 1, 1.0, front=True)
    line.push("retry 2", 1, 2.0, front=True)
    line.push("high", 0, 3.0)
    assert [line.pop(3.0) for _ in range(4)] == ["high", "retry 1", "retry 2", "normal"]


def test_ageing_lifts_by_one_level_each_time() -> None:
    """LOW goes before a HIGH that came more than two lifts later, not before one that came just then; a lift is a minute
    unless told otherwise."""
    line: WaitingLine[str] = WaitingLine()
    line.push("low", 2, 0.0)
    line.push("high", 0, 120.0)
    assert line.pop(120.0) == "high"
    line.push("high", 0, 120.5)
    assert line.pop(120.5) == "low"


def test_low_is_not_starved_by_a_steady_stream() -> None:
    """One HIGH arrives for each that leaves, for ever; LOW gets its turn within two lifts."""
    line: WaitingLine[str] = WaitingLine(ageing=10.0)
    line.push("low", 2, 0.0)
    for second in range(100):
        line.push("high", 0, float(second))
        if line.pop(float(second)) == "low":
            assert second == 21
            return
    pytest.fail("LOW was starved")


def test_a_long_line_does_not_melt_the_levels() -> None:
    """When all wait far longer than a lift, HIGH still goes before a LOW of the same age."""
    line: WaitingLine[str] = WaitingLine(ageing=1.0)
    line.push("low", 2, 0.0)
    line.push("high", 0, 1.0)
    assert line.pop(1000.0) == "high"


def test_a_retry_does_not_hide_how_long_its_level_has_waited() -> None:
    """The level is lifted by its oldest, and the retry goes first of it."""
    line: WaitingLine[str] = WaitingLine(ageing=10.0)
    line.push("low", 2, 0.0)
    line.push("retry", 2, 25.0, front=True)
    line.push("high", 0, 25.0)
    assert [line.pop(25.0) for _ in range(3)] == ["retry", "low", "high"]


def test_without_ageing_levels_are_strict() -> None:
    """None means never."""
    line: WaitingLine[str] = WaitingLine(ageing=None)
    line.push("low", 2, 0.0)
    line.push("high", 0, 1e9)
    assert line.pop(1e9) == "high"


def test_leaving_from_the_middle() -> None:
    """A discarded ticket is gone, once; its neighbours keep their order."""
    line: WaitingLine[int] = WaitingLine()
    tickets = [line.push(number, 1, 0.0) for number in range(5)]
    assert [line.discard(tickets[number]) for number in (2, 2, 0, 4)] == [True, False, True, True]
    assert [line.pop(0.0) for _ in range(3)] == [1, 3, None]
    assert not line.discard(tickets[1])


def test_a_ticket_of_another_line_is_refused() -> None:
    """It neither leaves nor disturbs the counts."""
    line: WaitingLine[int] = WaitingLine()
    other: WaitingLine[int] = WaitingLine()
    ticket = other.push(1, 1, 0.0)
    assert not line.discard(ticket)
    assert (len(line), len(other)) == (0, 1)


def test_dropping_takes_the_youngest_of_the_lowest() -> None:
    """Never one that was put in front."""
    line: WaitingLine[str] = WaitingLine()
    for name, level, front in [("n", 1, False), ("l1", 2, False), ("l2", 2, False), ("retry", 2, True)]:
        line.push(name, level, 0.0, front=front)
    assert [(line.lowest(), line.drop_lowest()) for _ in range(4)] == [(2, "l2"), (2, "l1"), (1, "n"), (None, None)]
    assert line.pop(0.0) == "retry"


def test_figures() -> None:
    """Lengths by level and the longest wait."""
    line: WaitingLine[int] = WaitingLine()
    assert (line.lengths(), len(line), line.oldest(9.0)) == ((0, 0, 0), 0, 0.0)
    line.push(1, 1, 5.0)
    line.push(2, 1, 6.0, front=True)
    line.push(3, 2, 7.0)
    assert (line.lengths(), len(line), line.oldest(9.0)) == ((0, 2, 1), 3, 4.0)


def test_drain_returns_everybody() -> None:
    """In the order of their levels; afterwards the line works on."""
    line: WaitingLine[int] = WaitingLine(ageing=1.0)
    tickets = [line.push(number, level, 0.0) for number, level in enumerate([2, 0, 1])]
    assert line.drain() == [1, 2, 0]
    assert (len(line), line.lengths(), line.discard(tickets[0])) == (0, (0, 0, 0), False)
    line.push(7, 0, 0.0)
    assert line.pop(0.0) == 7


def test_falsy_items_are_items() -> None:
    """Zero and the empty string wait like anything else."""
    line: WaitingLine[object] = WaitingLine()
    line.push(0, 0, 0.0)
    line.push("", 0, 0.0)
    assert [line.pop(0.0), line.pop(0.0), len(line)] == [0, "", 0]


@pytest.mark.parametrize("leaving", [(2, 3), (3, 2), (1, 2, 3), (3, 2, 1), (0, 1, 4, 3)])
def test_neighbours_may_leave_in_any_order(leaving: tuple[int, ...]) -> None:
    """Those who stay are let go in theirs."""
    line: WaitingLine[int] = WaitingLine()
    tickets = [line.push(number, 1, 0.0) for number in range(5)]
    assert all(line.discard(tickets[number]) for number in leaving)
    staying = [number for number in range(5) if number not in leaving]
    assert [line.pop(0.0) for _ in range(5)] == staying + [None] * len(leaving)


@pytest.mark.parametrize("front", [False, True])
def test_a_ticket_tells_what_was_asked(front: bool) -> None:
    ticket = WaitingLine[str]().push("one", 2, 7.0, front=front)
    assert (ticket.level, ticket.front, ticket.since) == (2, front, 7.0)


@pytest.mark.parametrize("front", [False, True])
@pytest.mark.parametrize("level", [-1, 3, 10**9])
def test_no_such_level(level: int, front: bool) -> None:
    """It is refused, and nothing is counted."""
    line: WaitingLine[int] = WaitingLine()
    with pytest.raises(ValueError, match=r"^level must be from 0 to 2$"):
        line.push(1, level, 0.0, front=front)
    assert len(line) == 0


def test_one_level_is_enough() -> None:
    """And there is no other."""
    line: WaitingLine[str] = WaitingLine(levels=1)
    line.push("one", 0, 0.0)
    line.push("retry", 0, 1.0, front=True)
    with pytest.raises(ValueError, match=r"^level must be from 0 to 0$"):
        line.push("low", 1, 2.0)
    assert [line.pop(2.0) for _ in range(3)] == ["retry", "one", None]


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("levels", 0, "levels must be 1 or more"),
        ("ageing", 0.0, "ageing must be more than 0 seconds and finite, or None"),
        ("ageing", float("nan"), "ageing must be more than 0 seconds and finite, or None"),
    ],
)
def test_a_wrong_argument_is_named(field: str, value: float, says: str) -> None:
    """Construction refuses what makes no sense and says which."""
    with pytest.raises(ValueError, match=f"^{says}$"):
        WaitingLine(**{field: value})  # type: ignore[arg-type]


class Item:
    """Something that can be watched."""


@pytest.mark.parametrize("leave", ["pop", "discard", "drop_lowest", "drain"])
def test_who_leaves_is_forgotten(leave: str) -> None:
    """A ticket that its owner keeps keeps neither the item nor a neighbour alive."""
    line: WaitingLine[Item] = WaitingLine()
    watched = []
    tickets = []
    for _ in range(3):
        item = Item()
        watched.append(weakref.ref(item))
        tickets.append(line.push(item, 1, 0.0))
        del item
    if leave == "discard":
        assert all(line.discard(ticket) for ticket in tickets)
    elif leave == "drain":
        line.drain()
    else:
        for _ in range(3):
            getattr(line, leave)(*([0.0] if leave == "pop" else []))
    assert [one() for one in watched] == [None, None, None]
    assert all(ticket.before is ticket.after is None for ticket in tickets)


def steps(action: Callable[[], Any]) -> int:
    """Count the lines of Python that an action runs."""
    count = 0

    def trace(_frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        action()
    finally:
        sys.settrace(before)
    return count


def test_a_million_waiting() -> None:
    """Push, pop, leaving and looking cost the same beside a million as beside a thousand, and all come out in order."""
    costs = []
    for size in (1_000, 1_000_000):
        line: WaitingLine[int] = WaitingLine()
        tickets = [line.push(number, number % 3, 0.0) for number in range(size)]
        costs.append(
            (
                steps(lambda line=line: line.push(-1, 2, 0.0)),  # type: ignore[misc]
                steps(lambda line=line: line.pop(0.0)),  # type: ignore[misc]
                steps(lambda line=line, middle=tickets[size // 2]: line.discard(middle)),  # type: ignore[misc]
                steps(lambda line=line: line.drop_lowest()),  # type: ignore[misc]
                steps(lambda line=line: line.lengths()),  # type: ignore[misc]
                steps(lambda line=line: line.oldest(1.0)),  # type: ignore[misc]
            )
        )
    assert costs[0] == costs[1]
    assert len(line) == 1_000_000 - 2
    for number in range(0, 1_000_000, 2):
        line.discard(tickets[number])
    rest = [line.pop(0.0) for _ in range(len(line))]
    expected = [number for level in range(3) for number in range(level, 1_000_000, 3) if number % 2]
    assert rest == expected
    assert all(lane.first is lane.last is None for lane in line._lanes)


def test_a_crowd_that_is_abandoned_is_let_go() -> None:
    """A line of a hundred thousand that nobody empties does not exhaust the stack when it goes."""
    line: WaitingLine[int] = WaitingLine()
    for number in range(100_000):
        line.push(number, 0, 0.0)
    watched = len(line)
    del line
    assert watched == 100_000
