"""Chapter QUE: the priority queue and the concurrency limit, judged by what the server sees and when."""

from __future__ import annotations

import asyncio
import math
from typing import Any

from backends import errors
from backends.resilience.line import WaitingLine
from backends.types import Priority
from conformance.check import check
from conformance.checks.common import marked, texts
from conformance.simulators.faults import Status
from conformance.trial import Trial


async def _saturated(trial: Trial, **settings: Any) -> tuple[Any, asyncio.Task[Any]]:
    """Return a backend with one slot that is taken by a call held at the server."""
    backend = await trial.backend(**{"max_concurrent_requests": 1, "queue_size": 50, **settings})
    trial.sim.hold()
    first = trial.spawn(trial.call(backend, marked(0)))
    await trial.sim.until(held=1)
    return backend, first


async def _one_by_one(trial: Trial, count: int) -> None:
    """Answer held requests one at a time, so that each grant of a slot is a step of its own."""
    for number in range(1, count + 1):
        await trial.sim.until(seen=number)
        trial.sim.let_go(1)
    await trial.settle()
    trial.sim.let_go()


@check("QUE-01")
async def que_01(trial: Trial) -> None:
    """The server never sees more requests at once than the limit allows, and it sees that many."""
    backend = await trial.backend(max_concurrent_requests=3, queue_size=50)
    trial.sim.hold()
    calls = [trial.spawn(trial.call(backend, marked(number))) for number in range(12)]
    await trial.sim.until(held=3)
    await trial.settle()
    trial.equal(trial.sim.in_flight, 3, "requests in flight with a limit of 3")
    trial.sim.let_go()
    results = await asyncio.gather(*calls, return_exceptions=True)
    trial.equal([result for result in results if isinstance(result, BaseException)], [], "errors of the calls")
    trial.equal(trial.sim.peak_in_flight, 3, "most requests ever in flight")
    trial.equal(len(trial.requests), 12, "requests in all")


@check("QUE-02")
async def que_02(trial: Trial) -> None:
    """Among the waiting, every HIGH is sent before every NORMAL, and every NORMAL before every LOW."""
    backend, first = await _saturated(trial)
    order = [Priority.LOW, Priority.NORMAL, Priority.HIGH, Priority.LOW, Priority.HIGH, Priority.NORMAL]
    calls = [first]
    for number, priority in enumerate(order, 1):
        calls.append(trial.spawn(trial.call(backend, marked(number), priority=priority)))
        await trial.settle()
    await _one_by_one(trial, len(calls))
    await asyncio.gather(*calls)
    trial.equal(texts(trial.requests), [marked(n) for n in (0, 3, 5, 2, 6, 1, 4)], "order at the server")


@check("QUE-03")
async def que_03(trial: Trial) -> None:
    """Within one priority the waiting are sent in the order in which they came."""
    backend, first = await _saturated(trial)
    calls = [first]
    for number in range(1, 9):
        calls.append(trial.spawn(trial.call(backend, marked(number))))
        await trial.settle()
    await _one_by_one(trial, len(calls))
    await asyncio.gather(*calls)
    trial.equal(texts(trial.requests), [marked(number) for number in range(9)], "order at the server")


@check("QUE-04")
async def que_04(trial: Trial) -> None:
    """A full queue refuses at once and sends nothing; the overflow policy may instead wait, or drop the youngest of the lowest priority."""
    backend, first = await _saturated(trial, queue_size=2)
    waiting = [trial.spawn(trial.call(backend, marked(number), priority=Priority.LOW)) for number in (1, 2)]
    await trial.settle()
    before = trial.now
    async with trial.raises(errors.QueueFullError, "a call that finds the queue full"):
        await trial.call(backend, marked(3), priority=Priority.HIGH)
    trial.close_to(trial.now, before, "time that the refusal took", 0.01)
    trial.sim.let_go()
    await asyncio.gather(first, *waiting)
    trial.equal(texts(trial.requests), [marked(0), marked(1), marked(2)], "requests: the refused one was not sent")

    patient, first = await _saturated(trial, queue_size=1, overflow="wait")
    waiting = [trial.spawn(trial.call(patient, marked(number))) for number in (11, 12, 13)]
    await trial.settle()
    trial.sim.let_go()
    results = await asyncio.gather(first, *waiting, return_exceptions=True)
    trial.equal([result for result in results if isinstance(result, BaseException)], [], "errors with overflow=wait")

    dropping, first = await _saturated(trial, queue_size=2, overflow="drop_lowest")
    low = [trial.spawn(trial.call(dropping, marked(number), priority=Priority.LOW)) for number in (21, 22)]
    await trial.settle()
    high = trial.spawn(trial.call(dropping, marked(23), priority=Priority.HIGH))
    await trial.settle()
    trial.sim.let_go()
    results = await asyncio.gather(first, *low, high, return_exceptions=True)
    trial.equal(
        [type(result).__name__ for result in results if isinstance(result, BaseException)],
        ["QueueFullError"],
        "errors with overflow=drop_lowest",
    )
    trial.expect(
        isinstance(results[2], errors.QueueFullError), "the youngest of the lowest priority is the one dropped"
    )


@check("QUE-05")
async def que_05(trial: Trial) -> None:
    """Every submitted request ends exactly once, as a result, an error or a cancellation, whatever happens to the others."""
    backend = await trial.backend(
        max_concurrent_requests=4, queue_size=200, max_retries=1, initial_retry_delay=0.1, failure_threshold=1000
    )
    total = 60
    trial.fault(Status(500), nth=(3, 8, 13, 23, 28))
    trial.fault(Status(422), nth=(4, 11, 25, 32))
    ends: dict[int, list[str]] = {number: [] for number in range(total)}

    async def one(number: int) -> None:
        try:
            await trial.call(backend, marked(number), priority=Priority(number % 3))
        except errors.BackendError:
            ends[number].append("error")
        except asyncio.CancelledError:
            ends[number].append("cancelled")
            raise
        else:
            ends[number].append("result")

    tasks = [trial.spawn(one(number)) for number in range(total)]
    for number in range(0, total, 6):
        await asyncio.sleep(0)
        if trial.random.random() < 0.5:
            await trial.settle()
        tasks[number].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    # A task that was cancelled before its first step never submitted anything.
    submitted = {number: end for number, end in ends.items() if end or not tasks[number].cancelled()}
    trial.expect(
        all(len(end) == 1 for end in submitted.values()), f"requests that did not end exactly once: {submitted}"
    )
    report = backend.report()
    trial.equal(report["total_requests"], len(submitted), "requests counted")
    counted = {kind: sum(end == [kind] for end in submitted.values()) for kind in ("result", "error", "cancelled")}
    trial.equal(
        {"result": report["successes"], "error": report["failures"], "cancelled": report["cancelled"]},
        counted,
        "endings counted by the backend and seen by the callers",
    )
    trial.equal(backend.queue_status()["active"], 0, "slots in use when idle")


@check("QUE-06")
async def que_06(trial: Trial) -> None:
    """A request cancelled while it waits in the queue is never sent."""
    backend, first = await _saturated(trial)
    doomed = trial.spawn(trial.call(backend, marked(1)))
    kept = trial.spawn(trial.call(backend, marked(2)))
    await trial.settle()
    doomed.cancel()
    await asyncio.gather(doomed, return_exceptions=True)
    trial.sim.let_go()
    await asyncio.gather(first, kept)
    await trial.settle()
    trial.equal(texts(trial.requests), [marked(0), marked(2)], "requests at the server")
    trial.equal(backend.queue_status()["waiting"]["total"], 0, "places in the queue when idle")


@check("QUE-09")
async def que_09(trial: Trial) -> None:
    """Limits can be changed while requests fly and wait: a larger one lets the waiting in, a smaller one interrupts nobody."""
    backend, first = await _saturated(trial)
    waiting = [trial.spawn(trial.call(backend, marked(number))) for number in range(1, 6)]
    await trial.settle()
    trial.equal(trial.sim.in_flight, 1, "in flight with a limit of 1")
    backend.resize(max_concurrent_requests=4)
    await trial.sim.until(held=4)
    await trial.settle()
    trial.equal(trial.sim.in_flight, 4, "in flight after the limit was raised to 4")
    backend.resize(max_concurrent_requests=2)
    trial.sim.let_go(1)
    await trial.settle()
    trial.equal(trial.sim.in_flight, 3, "in flight after the limit was lowered to 2 and one of 4 ended")
    trial.sim.let_go()
    await asyncio.gather(first, *waiting)
    trial.equal(len(trial.requests), 6, "requests in all")
    async with trial.raises(errors.ConfigurationError, "a limit of 0"):
        backend.resize(max_concurrent_requests=0)


@check("QUE-10")
async def que_10(trial: Trial) -> None:
    """The status tells how many wait at each priority, how many are active, and how long the oldest has waited."""
    backend, first = await _saturated(trial)
    waiting = [
        trial.spawn(trial.call(backend, marked(number), priority=priority))
        for number, priority in enumerate([Priority.HIGH, Priority.NORMAL, Priority.NORMAL, Priority.LOW], 1)
    ]
    await trial.settle()
    await trial.sleep(2.0)
    status = backend.queue_status()
    trial.equal(status["waiting"], {"high": 1, "normal": 2, "low": 1, "total": 4}, "waiting by priority")
    trial.equal(status["active"], 1, "active")
    trial.equal(status["max_concurrent_requests"], 1, "the limit")
    trial.close_to(status["oldest_wait_seconds"], 2.0, "the longest wait", 0.1)
    trial.sim.let_go()
    await asyncio.gather(first, *waiting)
    trial.equal(backend.queue_status()["active"], 0, "active when idle")
    trial.expect(
        backend.report()["latency"]["queued"]["max"] >= 2.0, "the report does not tell how long requests waited"
    )


@check("QUE-13")
async def que_13(trial: Trial) -> None:
    """A request of low priority is not starved for ever by a flow of higher ones: waiting lifts it."""
    backend, first = await _saturated(trial, ageing=10.0)
    low = trial.spawn(trial.call(backend, marked(1), priority=Priority.LOW))
    await trial.settle()
    await trial.sleep(25.0)
    high = [trial.spawn(trial.call(backend, marked(number), priority=Priority.HIGH)) for number in (2, 3)]
    await trial.settle()
    await _one_by_one(trial, 4)
    await asyncio.gather(first, low, *high)
    trial.equal(texts(trial.requests)[1], marked(1), "the request sent first after the slot came free")


@check("QUE-14")
async def que_14(trial: Trial) -> None:
    """Entering and leaving the queue costs no more than the logarithm of its length: many wait without search."""
    backend = await trial.backend()
    await trial.call(backend)
    line = backend.endpoint().admission._line
    trial.expect(isinstance(line, WaitingLine), "the queue is not the line whose cost is known")
    few = _steps(type(line), 200)
    many = _steps(type(line), 2_000, most=2 * few)
    trial.expect(
        many <= 2 * few,
        f"steps of the interpreter for one push and pop grew from {few:.1f} with 200 waiting to more than twice that with 2,000",
    )


def _steps(make: Any, waiting: int, most: float = math.inf) -> float:
    """Return how many lines of Python one push and one pop execute with so many waiting; counted, not timed.

    Counting ends soon after ``most``: what is found too slow need not be measured to its end.
    """
    import sys

    line = make()
    for number in range(waiting):
        line.push(number, number % 3, 0.0)
    steps = 0

    def count(frame: Any, event: str, argument: Any) -> Any:
        nonlocal steps
        steps += event == "line"
        return count

    known = sys.gettrace()
    sys.settrace(count)
    try:
        for number in range(100):
            line.push(number, number % 3, 1.0)
            line.pop(1.0)
            if steps > 100 * most:
                break
    finally:
        sys.settrace(known)
    return steps / 100
