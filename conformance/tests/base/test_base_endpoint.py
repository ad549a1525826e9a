"""One endpoint under many callers: deadlines, closing, dead loops, and no wake-up lost between threads."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import httpx
import pytest
from base_bench import Parrot, Turning, counted, held, parrot, saying, settle
from clocks import Hurried

from backends import errors
from backends.resilience.waiter import Waiter
from backends.types import ChatReply, Priority
from conformance.virtual_time import LoopClock, VirtualTimeLoop

T = TypeVar("T")


def virtually(work: Callable[[VirtualTimeLoop], Awaitable[T]]) -> T:
    """Run in a loop whose time jumps."""
    loop = VirtualTimeLoop()
    try:
        return loop.run_until_complete(work(loop))
    finally:
        loop.finish()


class Slow(httpx.AsyncBaseTransport):
    """Answers after some of the loop's seconds."""

    def __init__(self, *seconds: float, status: int = 200) -> None:
        self._seconds = list(seconds)
        self._status = status
        self.sent = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.sent += 1
        await asyncio.sleep(self._seconds.pop(0) if len(self._seconds) > 1 else self._seconds[0])
        return httpx.Response(self._status, json={"text": "late"}, request=request)


class Gate(httpx.AsyncBaseTransport):
    """Answers when it is opened."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.order: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.order.append(request.content.decode())
        await self.opened.wait()
        return httpx.Response(200, json={"text": "hi"}, request=request)


# -- keys ------------------------------------------------------------------------------------------------------------


async def test_an_endpoint_that_lost_its_last_key_sends_nothing_without_one() -> None:
    """Removing the last key is no wish to call without: the call fails before the wire, and a new key mends it."""
    gate = Gate()
    gate.opened.set()
    backend = parrot(gate)
    [key] = backend.endpoint().key_status()
    backend.remove_key(key.fingerprint)
    with pytest.raises(errors.AuthenticationError, match="no key"):
        await backend.asay()
    assert gate.order == []
    backend.add_key("sk-fresh")
    await backend.asay()
    assert len(gate.order) == 1
    await backend.aclose()


# -- deadlines -------------------------------------------------------------------------------------------------------


def test_a_deadline_ends_an_attempt() -> None:
    """Exactly then, with everything given back; it is a failure, and the breaker learns nothing of it."""

    async def work(loop: VirtualTimeLoop) -> None:
        backend = parrot(Slow(10.0), clock=LoopClock(loop))
        begun = loop.time()
        with pytest.raises(errors.DeadlineExceededError) as caught:
            await backend.asay(deadline=3.0)
        assert loop.time() - begun == pytest.approx(3.0, abs=1e-3)
        assert (caught.value.attempts, caught.value.provider) == (1, "openai")
        assert held(backend) == []
        assert counted(backend) == (1, 0, 1, 0)
        assert backend.endpoint().breaker_status()["failures"] == 0
        await backend.aclose()

    virtually(work)


def test_a_deadline_ends_the_wait_in_the_queue() -> None:
    """Nothing of the late one is sent; the one before it is not touched."""

    async def work(loop: VirtualTimeLoop) -> None:
        transport = Slow(10.0)
        backend = parrot(transport, clock=LoopClock(loop), max_concurrent_requests=1)
        first = asyncio.create_task(backend.asay())
        await asyncio.sleep(0)
        with pytest.raises(errors.DeadlineExceededError) as caught:
            await backend.asay(deadline=3.0)
        assert (caught.value.attempts, transport.sent) == (0, 1)
        assert caught.value.message == "The deadline passed."
        assert (await first).text == "late"
        assert held(backend) == []
        await backend.aclose()

    virtually(work)


def test_a_deadline_ends_the_wait_for_a_key() -> None:
    """A caller that waits for a busy key gives up in time."""

    async def work(loop: VirtualTimeLoop) -> None:
        backend = parrot(Slow(10.0), clock=LoopClock(loop), per_key_limit=1)
        first = asyncio.create_task(backend.asay())
        await asyncio.sleep(0)
        with pytest.raises(errors.DeadlineExceededError):
            await backend.asay(deadline=3.0)
        assert (await first).text == "late"
        assert held(backend) == []
        await backend.aclose()

    virtually(work)


def test_a_retry_that_would_come_too_late_is_not_waited_for() -> None:
    """The error comes at once and carries the failure under it."""

    async def work(loop: VirtualTimeLoop) -> None:
        backend = parrot(Slow(0.0, status=500), clock=LoopClock(loop), initial_retry_delay=8.0)
        begun = loop.time()
        with pytest.raises(errors.DeadlineExceededError) as caught:
            await backend.asay(deadline=5.0)
        assert loop.time() == pytest.approx(begun, abs=1e-3)
        assert isinstance(caught.value.__cause__, errors.ServerError)
        assert caught.value.status == 500
        await backend.aclose()

    virtually(work)


def test_a_deadline_covers_the_whole_stream() -> None:
    """What had come is on the error; the slot is free again."""

    class Dripping(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            async def drip() -> Any:
                for word in (b"one\n", b"two\n", b"three\n"):
                    yield word
                    await asyncio.sleep(2.0)

            return httpx.Response(200, content=drip(), request=request)

    async def work(loop: VirtualTimeLoop) -> None:
        backend = parrot(Dripping(), clock=LoopClock(loop))
        begun = loop.time()
        stream = backend.astream_say(deadline=3.0)
        with pytest.raises(errors.DeadlineExceededError) as caught:
            await stream.collect()
        assert loop.time() - begun == pytest.approx(3.0, abs=1e-3)
        assert caught.value.partial == "onetwo"
        assert held(backend) == []
        await backend.aclose()

    virtually(work)


@pytest.mark.parametrize("deadline", [0, -1, float("nan"), True, "5", [1]], ids=repr)
async def test_a_deadline_is_a_positive_number(deadline: Any) -> None:
    """Anything else is the caller's mistake, found before the wire."""
    backend = parrot()
    with pytest.raises(errors.InvalidRequestError, match="deadline must be a positive number"):
        await backend.asay(deadline=deadline)
    assert counted(backend) == (0, 0, 0, 0)
    await backend.aclose()


# -- closing ---------------------------------------------------------------------------------------------------------


async def test_closing_refuses_those_who_wait_and_those_who_come() -> None:
    """In the queue and at the keys; who was on the wire may end."""
    gate = Gate()
    backend = parrot(gate, max_concurrent_requests=3, per_key_limit=2)
    calls = [asyncio.create_task(backend.asay(str(number))) for number in range(6)]
    await settle(lambda: len(gate.order) == 2 and bool(backend.endpoint()._key_waiters))
    await backend.aclose()
    gate.opened.set()
    ends = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(end) for end in ends] == [ChatReply, ChatReply] + [errors.ClosedError] * 4
    assert {end.message for end in ends[2:] if isinstance(end, errors.ClosedError)} == {
        "The backend was closed while this request waited; nothing was sent."
    }
    assert len(gate.order) == 2
    with pytest.raises(errors.ClosedError) as caught:
        await backend.endpoint().enter(1)
    assert caught.value.message == "This backend is closed; make a new one."
    with pytest.raises(errors.ClosedError):
        await backend.asay()
    with pytest.raises(errors.ClosedError):
        backend.say()
    with pytest.raises(errors.ClosedError):
        backend.astream_say()
    assert held(backend) == []
    assert counted(backend) == (6, 2, 4, 0)
    await backend.aclose()
    backend.close()


async def test_a_stream_made_before_the_end_cannot_begin_after_it() -> None:
    """It is refused when its first chunk is asked for."""
    backend = parrot(Turning([b"one\nEND\n"]))
    stream = backend.astream_say()
    await backend.aclose()
    with pytest.raises(errors.ClosedError):
        await stream.collect()


async def test_closing_twice_at_once_is_closing_once() -> None:
    """From several tasks."""
    backend = parrot()
    await backend.asay()
    await asyncio.gather(*(backend.aclose() for _ in range(5)))
    with pytest.raises(errors.ClosedError):
        await backend.asay()


# -- order and room ------------------------------------------------------------------------------------------------------


async def test_the_evicted_and_the_refused_are_told() -> None:
    """A higher priority takes the place of the youngest of the lowest; a full queue refuses at once."""
    gate = Gate()
    backend = parrot(gate, max_concurrent_requests=1, queue_size=2, overflow="drop_lowest")
    calls = {}
    for name, priority in (
        ("a", 1),
        ("b", Priority.LOW),
        ("c", Priority.LOW),
        ("d", Priority.HIGH),
        ("e", Priority.LOW),
    ):
        calls[name] = asyncio.create_task(backend.asay(name, priority=priority))
        await asyncio.sleep(0)
    with pytest.raises(errors.QueueFullError) as caught:
        await calls["c"]
    assert caught.value.message == (
        "The queue of endpoint 'default' is full: a request of higher priority took its place. Nothing was sent."
    )
    with pytest.raises(errors.QueueFullError, match="2 requests are waiting"):
        await calls["e"]
    gate.opened.set()
    for name in ("a", "d", "b"):
        assert (await calls[name]).text == "hi"
    assert [name for sent in gate.order for name in "abcde" if f'"{name}"' in sent] == ["a", "d", "b"]
    assert held(backend) == []
    await backend.aclose()


async def test_more_room_lets_in_those_who_wait() -> None:
    """At once, and in their order."""
    gate = Gate()
    backend = parrot(gate, max_concurrent_requests=1)
    calls = [asyncio.create_task(backend.asay(str(number))) for number in range(4)]
    await settle(lambda: len(gate.order) == 1)
    backend.resize(max_concurrent_requests=3)
    await settle(lambda: len(gate.order) == 3)
    assert backend.queue_status()["waiting"]["total"] == 1
    gate.opened.set()
    await asyncio.gather(*calls)
    for wrong in ({"max_concurrent_requests": 0}, {"queue_size": -1}, {"max_concurrent_requests": True}):
        with pytest.raises(errors.ConfigurationError):
            backend.resize(**wrong)
    await backend.aclose()


async def test_a_new_key_serves_those_who_wait_for_one() -> None:
    """Adding a key while all are busy wakes them."""
    gate = Gate()
    backend = parrot(gate, per_key_limit=1)
    calls = [asyncio.create_task(backend.asay()) for _ in range(2)]
    await settle(lambda: bool(backend.endpoint()._key_waiters))
    backend.add_key("sk-parrot-2")
    await settle(lambda: len(gate.order) == 2)
    gate.opened.set()
    await asyncio.gather(*calls)
    assert held(backend) == []
    await backend.aclose()


# -- loops that die ------------------------------------------------------------------------------------------------------


def _waiting_in_a_dead_loop(backend: Parrot, number: int) -> list[Any]:
    """Let so many callers queue in a loop that is closed under them; keep them from being collected."""
    loop = asyncio.new_event_loop()
    callers = [backend.endpoint().enter(1) for _ in range(number)]

    async def start() -> None:
        for caller in callers:
            caller.send(None)

    loop.run_until_complete(start())
    loop.close()
    return callers


def test_a_slot_granted_to_a_dead_loop_goes_on() -> None:
    """To the next in the line, past any number of the dead; their collection gives nothing back twice."""
    backend = parrot(max_concurrent_requests=1, queue_size=5000)
    endpoint = backend.endpoint()
    asyncio.run(endpoint.enter(1))
    dead = _waiting_in_a_dead_loop(backend, 3000)

    async def work() -> None:
        last = asyncio.create_task(backend.asay())
        await asyncio.sleep(0)
        assert endpoint.status()["waiting"]["total"] == 3001
        endpoint.leave()
        assert (await last).text == "hi"

    asyncio.run(work())
    assert held(backend) == []
    for caller in dead:
        caller.close()
    gc.collect()
    assert held(backend) == []
    asyncio.run(backend.asay())
    backend.close()


@pytest.mark.parametrize("held_back", [None, 0.0])
def test_what_is_given_to_the_dead_goes_to_the_living_and_comes_back_once(held_back: float | None) -> None:
    """Also where all were held back until a while ago."""
    backend = parrot(max_concurrent_requests=1)
    endpoint = backend.endpoint()
    asyncio.run(endpoint.enter(1))
    dead = _waiting_in_a_dead_loop(backend, 2)

    async def work() -> None:
        last = asyncio.create_task(endpoint.enter(1))
        await asyncio.sleep(0)
        endpoint.leave(hold_back_until=held_back)
        await asyncio.wait_for(last, 5)

    asyncio.run(work())
    for caller in dead:
        caller.close()
    status = endpoint.status()
    assert (status["active"], status["waiting"]["total"]) == (1, 0)
    endpoint.leave()
    assert held(backend) == []
    backend.close()


def test_the_collected_leave_the_line() -> None:
    """A caller that is thrown away while it waits does not wait any longer."""
    backend = parrot(max_concurrent_requests=1)
    asyncio.run(backend.endpoint().enter(1))
    for caller in _waiting_in_a_dead_loop(backend, 3):
        caller.close()
    assert backend.queue_status()["waiting"]["total"] == 0
    backend.endpoint().leave()
    assert held(backend) == []
    backend.close()


# -- many threads --------------------------------------------------------------------------------------------------------

THREADS, CALLS = 8, 50
PRESSURES: dict[str, dict[str, Any]] = {
    "few slots": {"max_concurrent_requests": 2},
    "one slot": {"max_concurrent_requests": 1},
    "busy keys": {"max_concurrent_requests": 8, "api_keys": ["sk-1", "sk-2"], "per_key_limit": 1},
    "slots and keys": {"max_concurrent_requests": 3, "api_keys": ["sk-1", "sk-2"], "per_key_limit": 1},
    "least loaded keys": {
        "max_concurrent_requests": 8,
        "api_keys": ["1", "2", "3"],
        "per_key_limit": 1,
        "key_strategy": "least_loaded",
    },
}


def _in_threads(work: Callable[[], None]) -> None:
    failures: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, daemon=True) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    ends = time.monotonic() + 20
    for thread in threads:
        thread.join(max(0.0, ends - time.monotonic()))
    assert not any(thread.is_alive() for thread in threads), "a wake-up was lost"
    assert failures == []


@pytest.mark.parametrize("pressure", PRESSURES)
def test_no_wake_up_is_lost_between_loops(pressure: str) -> None:
    """Eight threads with loops of their own share few slots and keys: everyone gets through, nothing is left."""
    backend = parrot(Turning(200), queue_size=1000, **PRESSURES[pressure])

    async def many() -> None:
        gate = asyncio.Semaphore(10)

        async def one() -> None:
            async with gate:
                assert (await backend.asay()).text == "hi"

        await asyncio.gather(*(one() for _ in range(CALLS)))

    _in_threads(lambda: asyncio.run(many()))
    assert held(backend) == []
    assert counted(backend) == (THREADS * CALLS, THREADS * CALLS, 0, 0)
    assert backend.queue_status()["peak_active"] <= backend.settings.max_concurrent_requests
    backend.close()


def test_no_wake_up_is_lost_between_synchronous_threads() -> None:
    """Eight threads call the twin fifty times each over one portal."""
    backend = parrot(saying(), max_concurrent_requests=2, queue_size=1000, api_keys=["1", "2"], per_key_limit=1)

    def many() -> None:
        for _ in range(CALLS):
            assert backend.say().text == "hi"

    _in_threads(many)
    assert held(backend) == []
    assert counted(backend) == (THREADS * CALLS, THREADS * CALLS, 0, 0)
    backend.close()


def test_cancellations_among_threads_lose_nothing() -> None:
    """Every second call is cancelled while it waits or flies; the others all come through."""
    backend = parrot(Turning(200), max_concurrent_requests=2, queue_size=1000, api_keys=["1", "2"], per_key_limit=1)

    async def many() -> None:
        for number in range(CALLS):
            lost, kept = asyncio.create_task(backend.asay()), asyncio.create_task(backend.asay())
            for _ in range(number % 7):
                await asyncio.sleep(0)
            lost.cancel()
            assert (await kept).text == "hi"
            await asyncio.gather(lost, return_exceptions=True)

    _in_threads(lambda: asyncio.run(many()))
    assert held(backend) == []
    total, succeeded, failed, cancelled = counted(backend)
    assert total == succeeded + cancelled
    assert failed == 0
    backend.close()


def test_two_runs_of_a_loop_in_a_row() -> None:
    """One object serves a second ``asyncio.run``; nothing of the first is in its way."""
    backend = parrot(Turning(500, 200, 200), clock=Hurried())
    assert asyncio.run(backend.asay()).attempts == 2
    assert asyncio.run(backend.asay()).attempts == 1
    assert asyncio.run(backend.astream_say().aclose()) is None
    asyncio.run(backend.aclose())
    assert held(backend) == []


# -- limits ----------------------------------------------------------------------------------------------------------------


async def test_the_line_may_be_made_longer_and_shorter() -> None:
    """Each limit by itself; the other stays."""
    gate = Gate()
    backend = parrot(gate, max_concurrent_requests=1, queue_size=1)
    calls = [asyncio.create_task(backend.asay(str(number))) for number in range(2)]
    await settle(lambda: backend.queue_status()["waiting"]["total"] == 1)
    backend.resize(queue_size=2)
    calls.append(asyncio.create_task(backend.asay()))
    await settle(lambda: backend.queue_status()["waiting"]["total"] == 2)
    status = backend.queue_status()
    assert (status["queue_size"], status["max_concurrent_requests"]) == (2, 1)
    with pytest.raises(errors.QueueFullError):
        await backend.asay()
    gate.opened.set()
    await asyncio.gather(*calls)
    await backend.aclose()


async def test_a_full_queue_refuses_whoever_has_not_been_let_in_before() -> None:
    endpoint = parrot(max_concurrent_requests=1, queue_size=0).endpoint()
    await endpoint.enter(1)
    with pytest.raises(errors.QueueFullError) as caught:
        await endpoint.enter(1)
    assert caught.value.message == "The queue of endpoint 'default' is full: 0 requests are waiting. Nothing was sent."
    endpoint.leave()


async def test_who_has_waited_long_goes_before_a_higher_priority_that_comes_late() -> None:
    """By as much as the settings say."""
    clock = Hurried()
    endpoint = parrot(clock=clock, max_concurrent_requests=1, ageing=5.0).endpoint()
    await endpoint.enter(1)
    low = asyncio.create_task(endpoint.enter(int(Priority.LOW)))
    await asyncio.sleep(0)
    clock.now += 11.0
    high = asyncio.create_task(endpoint.enter(int(Priority.HIGH)))
    await asyncio.sleep(0)
    endpoint.leave()
    await settle(lambda: low.done() or high.done())
    assert low.done()
    endpoint.leave()
    await high
    endpoint.leave()


async def test_who_is_granted_and_cancelled_while_all_are_held_back_gives_the_slot_back() -> None:
    clock = Hurried()
    backend = parrot(clock=clock, max_concurrent_requests=2)
    endpoint = backend.endpoint()
    await endpoint.enter(1)
    await endpoint.enter(1)
    third = asyncio.create_task(endpoint.enter(1))
    await asyncio.sleep(0)
    endpoint.leave()
    endpoint.leave(hold_back_until=clock.now + 10.0)
    third.cancel()
    with pytest.raises(asyncio.CancelledError):
        await third
    assert held(backend) == []


async def test_while_all_are_held_back_no_change_of_the_limits_lets_anybody_in() -> None:
    """Neither the caller's nor what an adaptive limit learns; both are kept for later."""
    clock = Hurried()
    backend = parrot(clock=clock, max_concurrent_requests=4, adaptive_concurrency=True)
    endpoint = backend.endpoint()
    for _ in range(4):
        await endpoint.enter(1)
    waiting = asyncio.create_task(endpoint.enter(1))
    await asyncio.sleep(0)
    endpoint.leave(hold_back_until=clock.now + 10.0)
    assert endpoint.adaptive is not None
    endpoint.learn_refusal(endpoint.adaptive.sent())
    assert backend.queue_status()["max_concurrent_requests"] == 2
    clock.now += 1.0
    for _ in range(2):
        endpoint.learn_answer("say", endpoint.adaptive.sent(), 1.0, 2)
    clock.now += 0.5
    status = backend.queue_status()
    assert (status["max_concurrent_requests"], status["adaptive"]["change"]) == (3, "room")
    assert status["adaptive"]["changed_seconds_ago"] == 0.5
    endpoint.leave()
    backend.resize(max_concurrent_requests=3, queue_size=5)
    status = backend.queue_status()
    assert (status["queue_size"], status["active"], status["waiting"]["total"]) == (5, 2, 1)
    endpoint.let_on()
    await waiting
    for _ in range(3):
        endpoint.leave()
    assert held(backend) == []


@pytest.mark.parametrize(("most", "ends"), [(9.9, "refused"), (10.0, "waits")])
async def test_who_would_be_held_back_for_too_long_is_refused(most: float, ends: str) -> None:
    """As long as is allowed is not too long."""
    clock = Hurried()
    backend = parrot(clock=clock, max_queue_wait=most)
    endpoint = backend.endpoint()
    await endpoint.enter(1)
    endpoint.leave(hold_back_until=clock.now + 10.0)
    if ends == "refused":
        for _ in range(2):
            with pytest.raises(errors.QueueFullError) as caught:
                await endpoint.enter(1)
            assert caught.value.message == (
                "The queue of endpoint 'default' is full: a slot is expected to come free in 10 s, "
                "max_queue_wait is 9.9 s. Nothing was sent."
            )
        assert backend.queue_status()["rejected"] == 2
    else:
        waiting = asyncio.create_task(endpoint.enter(1))
        await settle(lambda: backend.queue_status()["waiting"]["total"] == 1)
        endpoint.let_on()
        await waiting
        endpoint.leave()
    assert held(backend) == []


def test_a_waiter_that_never_slept_needs_no_waking() -> None:
    assert Waiter().tell()
