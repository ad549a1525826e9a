"""A call cancelled at any moment leaves nothing behind: each scenario is cancelled after 0, 1, 2 ... turns of the loop
until one run gets to its end uncancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from base_bench import Parrot, Turning, counted, held, parrot, settle
from clocks import Hurried

from backends import errors
from backends.types import ChatReply

WORDS = [b"one\n", b"two\n", b"three\nEND\n"]
_MOST_TURNS = 200


@dataclass
class Scene:
    """One run: what is cancelled, and what else is going on meanwhile.

    Attributes:
        backend, transport: under test.
        others: calls beside it, which must all succeed.
    """

    backend: Parrot
    transport: Turning
    others: list[asyncio.Task[ChatReply]] = field(default_factory=list)


async def _plain() -> Scene:
    transport = Turning(200)
    return Scene(parrot(transport), transport)


async def _retried() -> Scene:
    transport = Turning(500, 503, 200)
    return Scene(parrot(transport), transport)


async def _other_key() -> Scene:
    transport = Turning(429, 401, 200)
    return Scene(parrot(transport, api_keys=["sk-1", "sk-2", "sk-3"]), transport)


async def _cooling_key() -> Scene:
    transport = Turning(429, 200)
    return Scene(parrot(transport), transport)


async def _queued() -> Scene:
    transport = Turning(200)
    scene = Scene(parrot(transport, max_concurrent_requests=1), transport)
    scene.others = [asyncio.create_task(scene.backend.asay("first"))]
    await settle(lambda: bool(transport.keys))
    return scene


async def _crowded() -> Scene:
    transport = Turning(200)
    scene = Scene(parrot(transport, max_concurrent_requests=2), transport)
    scene.others = [asyncio.create_task(scene.backend.asay(str(number))) for number in range(5)]
    await asyncio.sleep(0)
    return scene


async def _busy_keys() -> Scene:
    transport = Turning(200)
    scene = Scene(parrot(transport, api_keys=["sk-1", "sk-2"], per_key_limit=1), transport)
    scene.others = [asyncio.create_task(scene.backend.asay(str(number))) for number in range(3)]
    await asyncio.sleep(0)
    return scene


async def _probe() -> Scene:
    clock = Hurried()
    transport = Turning(500, 200)
    backend = parrot(transport, failure_threshold=1, max_retries=0, reset_timeout=5.0, clock=clock)
    with pytest.raises(errors.ServerError):
        await backend.asay()
    clock.now += 6
    assert backend.endpoint().breaker_status()["state"] == "open"
    return Scene(backend, transport)


async def _deadline() -> Scene:
    transport = Turning(500, 200)
    return Scene(parrot(transport, deadline=1000.0), transport)


async def _stream() -> Scene:
    transport = Turning(WORDS)
    return Scene(parrot(transport), transport)


async def _stream_queued() -> Scene:
    scene = await _queued()
    scene.transport._answers = [WORDS]
    return scene


async def _stream_retried() -> Scene:
    transport = Turning(503, WORDS)
    return Scene(parrot(transport), transport)


async def _stream_with_limits() -> Scene:
    transport = Turning(WORDS)
    return Scene(parrot(transport, deadline=1000.0, first_token_timeout=100.0), transport)


CALLS = {
    "a call": _plain,
    "a call that is repeated twice": _retried,
    "a call that goes from key to key": _other_key,
    "a call that waits for its key to cool": _cooling_key,
    "a call that waits for a slot": _queued,
    "a call that waits among others": _crowded,
    "a call that waits for a key": _busy_keys,
    "the probe of a half-open breaker": _probe,
    "a call with a deadline": _deadline,
}
STREAMS = {
    "a stream": _stream,
    "a stream opened twice": _stream_retried,
    "a stream with limits": _stream_with_limits,
    "a stream that waits for a slot": _stream_queued,
}


async def _after_turns(turns: int, scene: Scene, work: Awaitable[Any]) -> bool:
    """Cancel the work after so many turns; False when it ended before."""
    task = asyncio.ensure_future(work)
    for _ in range(turns):
        await asyncio.sleep(0)
    cancelled = task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        assert cancelled
    else:
        assert not cancelled
    for other in scene.others:
        assert (await other).text == "hi"
    return cancelled


async def _is_clean(scene: Scene, turns: int) -> None:
    """Nothing is held, everything was counted once, every body was closed, and the next call gets through."""
    backend = scene.backend
    assert held(backend) == [], turns
    total, succeeded, failed, cancelled = counted(backend)
    assert total == succeeded + failed + cancelled, turns
    assert backend.report()["active_requests"] == 0
    assert [body.closed for body in scene.transport.bodies] == [True] * len(scene.transport.bodies), turns
    scene.transport._answers = [200]
    breaker = backend.endpoint().breaker_status()
    assert breaker["state"] in ("closed", "open", "half_open")
    async with asyncio.timeout(5):
        assert (await backend.asay("after")).text == "hi"
    assert backend.endpoint().breaker_status()["state"] == "closed"
    assert held(backend) == []


async def _at_every_moment(
    make: Callable[[], Awaitable[Scene]], work: Callable[[Parrot], Awaitable[Any]], *, late: bool = False
) -> int:
    """Return how many turns the work takes; ``late`` says that it may be cancelled after its success was counted."""
    for turns in range(_MOST_TURNS):
        scene = await make()
        before = counted(scene.backend)
        done_before = [other for other in scene.others if other.done()]
        cancelled = await _after_turns(turns, scene, work(scene.backend))
        after = counted(scene.backend)
        began = int(turns > 0)  # a task cancelled before its first step never ran and is no request
        assert after[0] - before[0] == began
        assert after[2] == before[2]
        ended_well = after[1] - before[1] - sum(1 for other in scene.others if other not in done_before)
        assert ended_well + after[3] - before[3] == began
        if not cancelled or not late:
            assert ended_well == int(not cancelled)
        await _is_clean(scene, turns)
        await scene.backend.aclose()
        if not cancelled:
            return turns
    raise AssertionError("the call never came to its end")


@pytest.mark.parametrize("name", CALLS)
async def test_a_call_cancelled_at_any_moment_leaves_nothing(name: str) -> None:
    """Slot, key, probe, place in the queue and connection are given back; the cancellation is counted once."""
    turns = await _at_every_moment(CALLS[name], lambda backend: backend.asay())
    assert turns > 3


@pytest.mark.parametrize("name", STREAMS)
async def test_a_stream_cancelled_at_any_moment_leaves_nothing(name: str) -> None:
    """As for a call, also between two chunks; the last turn only closes the connection of a whole answer."""

    async def read(backend: Parrot) -> None:
        stream = backend.astream_say()
        try:
            await stream.collect()
        finally:
            await stream.aclose()

    turns = await _at_every_moment(STREAMS[name], read, late=True)
    assert turns > 3


async def test_the_cancelled_are_counted_as_cancelled() -> None:
    """Neither a success nor a failure; the caller's own timeout is a cancellation, too."""
    transport = Turning(200)
    backend = parrot(transport)
    task = asyncio.create_task(backend.asay())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await backend.asay()
    assert counted(backend) == (2, 0, 0, 2)
    assert backend.endpoint().breaker_status()["failures"] == 0
    await backend.aclose()


async def test_a_cancelled_probe_lets_the_next_one_through() -> None:
    """The breaker stays half open and admits another probe at once."""
    scene = await _probe()
    task = asyncio.create_task(scene.backend.asay())
    await asyncio.sleep(0)
    assert scene.backend.endpoint().breaker_status()["state"] == "half_open"
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert scene.backend.endpoint().breaker_status()["state"] == "half_open"
    assert (await scene.backend.asay()).text == "hi"
    assert scene.backend.endpoint().breaker_status()["state"] == "closed"
    await scene.backend.aclose()


async def test_a_grant_that_meets_a_cancellation_goes_to_the_next() -> None:
    """The slot given to a caller who is cancelled in the same turn is not lost."""
    backend = parrot(Turning(200), max_concurrent_requests=1)
    endpoint = backend.endpoint()
    await endpoint.enter(1)
    second = asyncio.create_task(endpoint.enter(1))
    third = asyncio.create_task(endpoint.enter(1))
    await asyncio.sleep(0)
    endpoint.leave()  # the second has it now, and does not know yet
    assert endpoint.status()["active"] == 1
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    await asyncio.wait_for(third, 5)
    endpoint.leave()
    assert held(backend) == []
    await backend.aclose()
