"""The loop with virtual time: it jumps, never while something is on its way, and it notices when nothing can happen."""

from __future__ import annotations

import asyncio
import itertools
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from conformance.virtual_time import EPOCH, START, JumpClock, LoopClock, Stuck, VirtualTimeLoop


@pytest.fixture
def loop() -> Iterator[VirtualTimeLoop]:
    made = VirtualTimeLoop(most_turns=5_000, patience=0.2)
    yield made
    made.close()


def test_a_day_of_sleep_takes_no_time_at_all(loop: VirtualTimeLoop) -> None:
    """Sleeping moves virtual time by exactly what was asked, and real time by next to nothing."""
    real = time.monotonic()
    loop.run_until_complete(asyncio.sleep(86_400.0))
    assert loop.time() - START == pytest.approx(86_400.0)
    assert time.monotonic() - real < 2.0


def test_timers_fire_in_order_and_at_their_moment(loop: VirtualTimeLoop) -> None:
    seen: list[tuple[str, float]] = []

    async def wake(name: str, delay: float) -> None:
        await asyncio.sleep(delay)
        seen.append((name, loop.time() - START))

    async def both() -> None:
        await asyncio.gather(wake("late", 30.0), wake("early", 0.25), wake("middle", 10.0))

    loop.run_until_complete(both())
    assert [name for name, _ in seen] == ["early", "middle", "late"]
    assert [moment for _, moment in seen] == pytest.approx([0.25, 10.0, 30.0])


def test_a_timeout_does_not_fire_while_bytes_are_on_their_way(loop: VirtualTimeLoop) -> None:
    """A peer in the same loop always answers before a timeout, however short that is."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readexactly(100_000))
        writer.close()

    async def talk() -> int:
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
            writer.write(b"x" * 100_000)
            answer = await asyncio.wait_for(reader.readexactly(100_000), 0.5)
            writer.close()
            await writer.wait_closed()
            return len(answer)

    assert loop.run_until_complete(talk()) == 100_000
    assert loop.time() - START < 0.5


def test_time_stands_still_while_a_thread_works(loop: VirtualTimeLoop) -> None:
    left, right = socket.socketpair()

    def blocks() -> bytes:
        return left.recv(1)  # returns when the test says so, not after a time

    async def both() -> float:
        job = loop.run_in_executor(None, blocks)
        timer = loop.call_later(1.0, lambda: None)
        await asyncio.sleep(0)
        right.send(b"!")
        await job
        timer.cancel()
        return loop.time() - START

    with left, right:
        assert loop.run_until_complete(both()) < 1.0
        loop.run_until_complete(loop.shutdown_default_executor())


def test_a_deadlock_is_noticed(loop: VirtualTimeLoop) -> None:
    async def waits() -> None:
        await loop.create_future()

    task = loop.create_task(waits())
    with pytest.raises(Stuck):
        loop.run_until_complete(task)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(task)


def test_a_loop_that_only_sleeps_is_noticed(loop: VirtualTimeLoop) -> None:
    async def polls() -> None:
        while True:  # noqa: ASYNC110 - polling is what must be noticed
            await asyncio.sleep(0.01)

    task = loop.create_task(polls())
    with pytest.raises(Stuck, match="timers fired in a row"):
        loop.run_until_complete(task)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(task)


def test_a_loop_that_never_rests_is_noticed_by_its_turns(loop: VirtualTimeLoop) -> None:
    """However fast or slow the machine is: what is counted is what the loop did."""

    async def spins() -> None:
        while True:  # noqa: ASYNC110 - spinning is what must be noticed
            await asyncio.sleep(0)

    for _ in range(2):  # they are counted anew, so that what follows can be cleaned up
        task = loop.create_task(spins())
        with pytest.raises(Stuck, match="no end after 5000 turns of the loop"):
            loop.run_until_complete(task)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            loop.run_until_complete(task)


def test_slowness_alone_is_no_hang(loop: VirtualTimeLoop, monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour of real time between any two turns changes nothing."""
    hours = itertools.count()
    monkeypatch.setattr(time, "monotonic", lambda: 3_600.0 * next(hours))
    loop.run_until_complete(asyncio.sleep(86_400.0))
    assert loop.time() - START == pytest.approx(86_400.0)


def test_a_thread_that_was_there_before_does_not_hide_a_deadlock() -> None:
    """What an earlier trial left behind, and a worker without a job, can wake nobody here."""
    over = threading.Event()
    older = threading.Thread(target=over.wait)
    older.start()
    loop = VirtualTimeLoop(patience=5.0)

    async def waits() -> None:
        await loop.run_in_executor(None, int)
        await loop.create_future()

    task = loop.create_task(waits())
    try:
        with pytest.raises(Stuck, match="deadlock"):
            loop.run_until_complete(task)
    finally:
        over.set()
        older.join()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(task)
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


def test_a_thread_of_the_run_is_waited_for_and_given_up_in_the_end(loop: VirtualTimeLoop) -> None:
    over = threading.Event()
    job = loop.run_in_executor(None, over.wait)
    try:
        with pytest.raises(Stuck, match="a thread kept the loop waiting"):
            loop.run_until_complete(job)
    finally:
        over.set()
    assert loop.run_until_complete(job)
    loop.run_until_complete(loop.shutdown_default_executor())


def test_the_wall_clock_moves_with_the_loop(loop: VirtualTimeLoop) -> None:
    clock = LoopClock(loop)
    assert clock.time() == EPOCH
    loop.run_until_complete(clock.sleep(3.5))
    assert clock.time() == pytest.approx(EPOCH + 3.5)
    assert clock.monotonic() == pytest.approx(START + 3.5)


def test_the_jump_clock_never_waits(loop: VirtualTimeLoop) -> None:
    clock = JumpClock()
    loop.run_until_complete(clock.sleep(7.0))
    assert clock.monotonic() == START + 7.0
    assert clock.slept == [7.0]
    assert loop.time() == START
