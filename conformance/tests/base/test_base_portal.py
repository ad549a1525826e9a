"""The bridge for synchronous callers: started late, shared, refused where it would wait for itself, closed for good."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from base_bench import Turning, counted, held, parrot, saying, script

from backends import errors
from backends.portal import Portal


async def _value(value: Any) -> Any:
    await asyncio.sleep(0)
    return value


async def _for_ever(began: threading.Event, ended: threading.Event) -> None:
    began.set()
    try:
        await asyncio.Event().wait()
    finally:
        ended.set()


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


def test_it_starts_with_the_first_call_and_ends_with_close() -> None:
    """One thread for any number of calls; closing twice is closing once."""
    portal = Portal()
    assert not portal.running
    assert "backends-portal" not in threads()
    assert [portal.run(_value(number)) for number in range(3)] == [0, 1, 2]
    assert portal.running
    assert sum(thread.name == "backends-portal" for thread in threading.enumerate()) == 1
    portal.close()
    portal.close()
    assert not portal.running
    assert "backends-portal" not in threads()


def test_one_loop_serves_many_threads_at_once() -> None:
    """All first calls at the same moment start one loop."""
    portal = Portal()
    loops: list[Any] = []
    barrier = threading.Barrier(8)

    async def loop() -> Any:
        return asyncio.get_running_loop()

    def call() -> None:
        barrier.wait()
        loops.append(portal.run(loop()))

    callers = [threading.Thread(target=call) for _ in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(10)
    assert len(loops) == 8
    assert len(set(map(id, loops))) == 1
    portal.close()


def test_after_close_work_is_refused_and_not_left_unawaited() -> None:
    """The coroutine handed over is closed, so that nothing warns of it."""
    portal = Portal()
    portal.run(_value(1))
    portal.close()
    work = _value(2)
    with pytest.raises(errors.ClosedError):
        portal.run(work)
    with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
        work.send(None)
    portal.spawn(_value(3))
    never = Portal()
    never.close()
    with pytest.raises(errors.ClosedError):
        never.run(_value(4))


def test_closing_ends_what_waits_in_other_threads() -> None:
    """The work is cancelled and cleans up; its caller gets a ClosedError, not a cancellation it never asked for."""
    portal = Portal()
    began, ended = threading.Event(), threading.Event()
    caught: list[BaseException] = []

    def call() -> None:
        try:
            portal.run(_for_ever(began, ended))
        except BaseException as error:
            caught.append(error)

    caller = threading.Thread(target=call)
    caller.start()
    assert began.wait(10)
    portal.close()
    caller.join(10)
    assert not caller.is_alive()
    assert ended.is_set()
    assert [type(error) for error in caught] == [errors.ClosedError]


def test_closing_while_others_call_hangs_nobody() -> None:
    """Whatever the moment, a caller gets its result or a ClosedError."""
    for _ in range(30):
        portal = Portal()
        portal.run(_value(0))
        odd: list[Any] = []

        def call(portal: Portal = portal, odd: list[Any] = odd) -> None:
            try:
                while True:
                    portal.run(_value(1))
            except errors.ClosedError:
                return
            except BaseException as error:
                odd.append(error)

        callers = [threading.Thread(target=call, daemon=True) for _ in range(4)]
        for caller in callers:
            caller.start()
        portal.close()
        for caller in callers:
            caller.join(10)
        assert not any(caller.is_alive() for caller in callers)
        assert odd == []


def test_an_interrupt_cancels_the_work_and_the_portal_lives_on() -> None:
    """Control-C in the waiting thread: the call's slot and key are given back, the next call works."""
    told = script(
        """
import json, os, signal, threading, asyncio
from base_bench import Turning, counted, held, parrot
import httpx

class Silent(httpx.AsyncBaseTransport):
    def __init__(self):
        self.calls = 0
        self.ended = threading.Event()
    async def handle_async_request(self, request):
        self.calls += 1
        if self.calls > 1:
            return httpx.Response(200, json={"text": "hi"}, request=request)
        asyncio.get_running_loop().call_soon(os.kill, os.getpid(), signal.SIGINT)
        try:
            await asyncio.Event().wait()
        finally:
            self.ended.set()

transport = Silent()
backend = parrot(transport)
try:
    backend.say()
    told = ["no interrupt"]
except KeyboardInterrupt:
    told = ["interrupt"]
assert transport.ended.wait(10)
told.append(backend.say().text)
told += [held(backend), counted(backend)]
backend.close()
print(json.dumps(told))
"""
    )
    assert told == ["interrupt", "hi", [], [2, 1, 0, 1]]


async def test_a_synchronous_call_inside_a_running_loop_works() -> None:
    """It blocks the caller's loop, as every synchronous call does, and comes back."""
    backend = parrot()
    assert backend.say().text == "hi"
    assert (await backend.asay()).text == "hi"
    assert backend.stream_say is not None
    await backend.aclose()


async def test_a_synchronous_stream_inside_a_running_loop_works() -> None:
    """Chunk by chunk."""
    backend = parrot(Turning([b"one\n", b"two\nEND\n"]))
    assert [chunk.text for chunk in backend.stream_say()] == ["one", "two"]
    await backend.aclose()


@pytest.mark.parametrize(
    "call",
    [
        lambda backend: backend.say(),
        lambda backend: next(backend.stream_say()),
        lambda backend: backend.stream_say().collect(),
    ],
    ids=["call", "stream", "collect"],
)
def test_a_synchronous_call_inside_the_portals_own_loop_is_refused(call: Callable[[Any], Any]) -> None:
    """It would wait for itself for ever; the message names the way out, and nothing is left unawaited."""
    backend = parrot(saying())

    async def inside() -> None:
        call(backend)

    with pytest.raises(errors.ConfigurationError, match="use its async twin"):
        backend.portal.run(inside())
    assert backend.say().text == "hi"
    assert held(backend) == []
    assert counted(backend)[1] == 1
    backend.close()


def test_errors_and_cancellations_come_through_as_they_are() -> None:
    """The error raised inside is the error raised outside; a cancellation inside is one outside."""
    portal = Portal()
    problem = errors.NotFoundError("gone", status=404)

    async def fail() -> None:
        raise problem

    async def cancel() -> None:
        raise asyncio.CancelledError

    with pytest.raises(errors.NotFoundError) as caught:
        portal.run(fail())
    assert caught.value is problem
    with pytest.raises(asyncio.CancelledError):
        portal.run(cancel())
    portal.close()


def test_closing_ends_background_work_and_open_generators() -> None:
    """What was spawned is cancelled; an asynchronous generator left open is closed."""
    portal = Portal()
    began, ended, closed = threading.Event(), threading.Event(), threading.Event()

    async def generator() -> Any:
        try:
            yield 1
        finally:
            closed.set()

    async def begin() -> Any:
        left = generator()
        await anext(left)
        return left

    left = portal.run(begin())
    portal.spawn(_for_ever(began, ended))
    assert began.wait(10)
    portal.close()
    assert ended.is_set()
    assert closed.is_set()
    del left


def test_a_forgotten_portal_ends_with_its_owner() -> None:
    """A backend that nobody closed leaves no thread behind when it is collected, and none when the process ends."""
    backend = parrot()
    backend.say()
    assert "backends-portal" in threads()
    del backend
    ends = time.monotonic() + 5
    while "backends-portal" in threads() and time.monotonic() < ends:
        import gc

        gc.collect()
    assert "backends-portal" not in threads()
    assert script("import json; from base_bench import parrot; b = parrot(); print(json.dumps(b.say().text))") == "hi"


def test_a_backend_is_closed_from_inside_its_own_loop() -> None:
    """The thread does not wait for itself."""
    backend = parrot()
    backend.say()
    with contextlib.suppress(errors.ClosedError):  # its own end may come before its result
        backend.portal.run(_closing(backend))
    with pytest.raises(errors.ClosedError):
        backend.say()
    ends = time.monotonic() + 5
    while "backends-portal" in threads() and time.monotonic() < ends:
        time.sleep(0.001)
    assert "backends-portal" not in threads()


async def _closing(backend: Any) -> None:
    await backend.aclose()
