"""Batches driven by hand: bounds, times, what each caller is given, who is let go and who is kept."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from clocks import Hand, turns

from backends import errors
from backends.resilience.batching import Batching, Member
from backends.resilience.call import Call

Given = Sequence[Member[Any]]


class Server:
    """Sends by hand: keeps what left with which priority, and answers each member with its work in capitals.

    Args:
        answer: what comes instead, from the members of one wire call.
    """

    def __init__(self, answer: Callable[[Given], Any] | None = None) -> None:
        self._answer = answer
        self.sent: list[tuple[str, int]] = []

    async def __call__(self, members: Given, level: int) -> Sequence[Any]:
        assert len(self.sent) < 20, "it is sent for ever"
        self.sent.append(("".join(member.work for member in members), level))
        answer = None if self._answer is None else self._answer(members)
        if asyncio.iscoroutine(answer):
            answer = await answer
        return [member.work.upper() for member in members] if answer is None else answer


def member(work: str, *, priority: int = 1, queued: float = 0.0, started: float = 0.0, **bounds: int) -> Member[Any]:
    call: Call[Any] = Call("1", "sing", None, priority, None, None, started, queued=queued)  # type: ignore[arg-type]
    return Member(call, work, "group", **{"items": 1, "length": len(work), **bounds})


async def rides(batching: Batching, *members: Member[Any]) -> list[Any]:
    return await asyncio.gather(*map(batching.ride, members), return_exceptions=True)


# -- who leaves, when, and with what ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("bounds", [{"most_items": 2}, {"most_length": 2}, {"items": 2}])
async def test_the_bounds_of_a_wire_call_are_its_members(bounds: dict[str, int]) -> None:
    """In items and in length; here two fill a batch that has room for four, and it leaves at once."""
    server = Server()
    batching = Batching(Hand(), 4, 60.0, server)
    assert await rides(batching, member("a", **bounds), member("b", **bounds)) == ["A", "B"]
    assert server.sent == [("ab", 1)]


@pytest.mark.parametrize(("priorities", "level"), [((2, 2), 2), ((1, 0), 0), ((2, 1), 1)])
async def test_a_journey_has_the_priority_of_its_most_urgent_member(priorities: tuple[int, int], level: int) -> None:
    server = Server()
    await rides(Batching(Hand(), 2, 60.0, server), *(member("a", priority=one) for one in priorities))
    assert server.sent == [("aa", level)]


async def test_one_timer_runs_for_all_who_wait_and_for_no_longer_than_asked() -> None:
    clock, server = Hand(), Server()
    batching = Batching(clock, 4, 0.25, server)
    riding = asyncio.ensure_future(rides(batching, *map(member, "abc")))
    await turns()
    assert (clock.slept, len(batching)) == ([0.25], 3)
    await clock.move(0.25)
    assert await riding == ["A", "B", "C"]
    assert (clock.slept, len(batching)) == ([0.25], 0)


async def test_the_wait_for_a_batch_is_added_to_what_a_call_has_waited() -> None:
    clock = Hand()
    clock.now = 5.0
    batching = Batching(clock, 2, 60.0, Server())
    early, late = member("a", started=5.0, queued=10.0), member("b", started=8.0)
    riding = asyncio.ensure_future(rides(batching, early))
    await turns()
    await clock.move(3.0)
    await rides(batching, late)
    await riding
    assert (early.call.queued, late.call.queued) == (13.0, 0.0)


# -- what each is given ----------------------------------------------------------------------------------------------------


async def test_an_error_of_one_members_own_is_that_members_only() -> None:
    own = errors.ContentFilterError("not this one")
    assert await rides(Batching(Hand(), 2, 60.0, Server(lambda _: ["A", own])), *map(member, "ab")) == ["A", own]


@pytest.mark.parametrize("riders", [1, 2])
async def test_what_failed_for_all_fails_for_each_with_an_error_of_its_own(riders: int) -> None:
    """Who is alone gets what was raised, with all that hangs on it."""
    failure = errors.ServerError("down", status=500)

    def fail(_: Given) -> None:
        raise failure

    ends = await rides(Batching(Hand(), riders, 60.0, Server(fail)), *(member("a") for _ in range(riders)))
    assert [(type(end), end.message, end.status) for end in ends] == [(errors.ServerError, "down", 500)] * riders
    assert len(set(map(id, ends))) == riders
    assert (ends[0] is failure) is (riders == 1)


async def test_results_that_do_not_add_up_are_an_error_for_who_got_none() -> None:
    one, other = await rides(Batching(Hand(), 2, 60.0, Server(lambda _: ["A"])), *map(member, "ab"))
    assert one == "A"
    assert isinstance(other, ValueError)


async def test_a_journey_that_is_cancelled_under_its_callers_leaves_nobody_waiting() -> None:
    def cancelled(_: Given) -> None:
        raise asyncio.CancelledError

    riding = [asyncio.ensure_future(Batching(Hand(), 1, 60.0, Server(cancelled)).ride(member("a")))]
    await turns()
    assert [one.done() and one.cancelled() for one in riding] == [True]


# -- halves ----------------------------------------------------------------------------------------------------------------


def refusing(refused: Callable[[str], bool]) -> Callable[[Given], None]:
    def answer(members: Given) -> None:
        if refused("".join(one.work for one in members)):
            raise errors.InvalidRequestError("refused", status=400)

    return answer


async def test_a_refused_batch_is_halved_until_what_is_refused_stands_alone() -> None:
    server = Server(refusing(lambda text: "x" in text))
    ends = await rides(Batching(Hand(), 4, 60.0, server), *map(member, "xbcd"))
    assert isinstance(ends[0], errors.InvalidRequestError)
    assert ends[1:] == ["B", "C", "D"]
    assert [text for text, _ in server.sent] == ["xbcd", "xb", "cd", "x", "b"]


async def test_a_half_that_is_halved_again_waits_for_no_other_and_disturbs_none() -> None:
    """The first half has come to its end while the second is still on its way."""
    gate = asyncio.Event()

    def answer(members: Given) -> Any:
        text = "".join(one.work for one in members)
        if "x" in text:
            raise errors.InvalidRequestError("refused", status=400)
        return gate.wait() if text == "cd" else None

    class Slow(Server):
        async def __call__(self, members: Given, level: int) -> Sequence[Any]:
            return await super().__call__(members, level) and [one.work for one in members]

    batching = Batching(Hand(), 4, 60.0, Slow(answer))
    riding = [asyncio.ensure_future(batching.ride(member(text))) for text in "xbcd"]
    await turns(30)
    assert [one.done() for one in riding] == [True, True, False, False]
    gate.set()
    ends = await asyncio.gather(*riding, return_exceptions=True)
    assert ends[1:] == ["b", "c", "d"]


async def test_who_has_gone_does_not_keep_the_rest_from_learning_how_many_are_too_many() -> None:
    """One of two leaves while they are refused; the other is served alone, so two were too many."""
    gates = {"ab": asyncio.Event(), "cd": asyncio.Event()}

    async def answer(members: Given) -> None:
        text = "".join(one.work for one in members)
        if text in gates:
            await gates[text].wait()
        if len(text) > 1:
            raise errors.InvalidRequestError("too many", status=400)

    server = Server(answer)
    batching = Batching(Hand(), 4, 60.0, server)
    riding = [asyncio.ensure_future(batching.ride(member(text))) for text in "abcd"]
    await turns()
    riding[0].cancel()
    await turns()
    gates["ab"].set()
    assert await riding[1] == "B"
    await turns()
    assert await rides(batching, *map(member, "ef")) == ["E", "F"]
    assert [text for text, _ in server.sent] == ["abcd", "ab", "cd", "b", "e", "f"]
    gates["cd"].set()
    assert await asyncio.gather(*riding[2:]) == ["C", "D"]


# -- coming to an end ------------------------------------------------------------------------------------------------------


async def test_closing_in_the_callers_own_loop_refuses_them_at_once() -> None:
    server = Server()
    batching = Batching(Hand(), 4, 60.0, server)
    riding = asyncio.ensure_future(rides(batching, *map(member, "ab")))
    await turns()
    batching.close()
    assert len(batching) == 0
    for end in await riding:
        assert isinstance(end, errors.ClosedError)
        assert end.message == "The backend was closed while this request waited; nothing was sent."
    assert server.sent == []


def test_closing_from_outside_leaves_it_to_the_callers_loop() -> None:
    """What belongs to a loop is touched by nobody else."""
    loop = asyncio.new_event_loop()
    batching = Batching(Hand(), 4, 60.0, Server())
    riding = loop.create_task(rides(batching, member("a")))
    loop.run_until_complete(turns())
    batching.close()
    assert len(batching) == 1
    (end,) = loop.run_until_complete(riding)
    assert (type(end), len(batching)) == (errors.ClosedError, 0)
    loop.close()


async def test_a_caller_that_is_thrown_away_gives_its_journey_up() -> None:
    """Nobody has cancelled it: its coroutine was closed, as when its loop has died."""
    left: list[str] = []

    async def never() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            left.append("given up")

    ride = Batching(Hand(), 1, 60.0, Server(lambda _: never())).ride(member("a"))
    ride.send(None)
    await turns()
    ride.close()
    await turns()
    assert left == ["given up"]


async def test_after_a_fork_the_parents_callers_are_forgotten() -> None:
    """New ones ride; the copies of the old ones may be collected without harm."""
    batching = Batching(Hand(), 2, 60.0, Server())
    parents = batching.ride(member("p"))
    parents.send(None)
    assert len(batching) == 1
    batching.after_fork()
    assert len(batching) == 0
    assert await rides(batching, *map(member, "ab")) == ["A", "B"]
    parents.close()
    assert len(batching) == 0


async def test_a_journey_outlives_a_collection_though_nobody_keeps_its_callers() -> None:
    """The loop holds its tasks weakly; whoever left a call to itself still has it carried out."""
    answers: list[weakref.ref[asyncio.Future[None]]] = []
    ended: list[Any] = []

    async def wait() -> None:
        future = asyncio.get_running_loop().create_future()
        answers.append(weakref.ref(future))
        await future

    batching = Batching(Hand(), 1, 60.0, Server(lambda _: wait()))

    async def call() -> None:
        ended.append(await batching.ride(member("a")))

    asyncio.ensure_future(call())  # noqa: RUF006 - nobody keeps it on purpose
    await turns()
    gc.collect()
    future = answers[0]()
    assert future is not None
    future.set_result(None)
    await turns()
    assert ended == ["A"]
