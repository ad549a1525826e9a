"""Chapter QUE: limits, order and slots, seen at a server that holds its answers."""

from __future__ import annotations

from typing import Any, Final

from conformance.blackbox.conversation import Exchange
from conformance.blackbox.findings import Told
from conformance.blackbox.question import question
from conformance.blackbox.trial import Trial
from conformance.checks.common import marked, texts
from conformance.simulators.faults import Hang, Status

_LONG: Final = 6.0
"""Seconds that a request waits to be repeated."""


async def _saturated(trial: Trial, **settings: Any) -> Exchange:
    """Make a client with one slot that is taken by a call held at the server."""
    await trial.client(**{"max_concurrent_requests": 1, **settings})
    trial.sim.hold()
    first = trial.start(marked(0))
    await trial.until(held=1)
    return first


async def _one_by_one(trial: Trial, count: int) -> None:
    """Answer held requests one at a time, so that each grant of a slot is a step of its own."""
    for number in range(1, count + 1):
        await trial.until(seen=number)
        trial.sim.let_go(1)
    trial.sim.let_go()


@question("QUE-01", "limit")
async def que_01(trial: Trial) -> None:
    """The server never sees more requests at once than the limit allows, and it sees that many."""
    await trial.client(max_concurrent_requests=3, wish={"queue_size": 50})
    trial.sim.hold()
    calls = [trial.start(marked(number)) for number in range(12)]
    await trial.until(held=3)
    await trial.quiet()
    trial.equal(trial.sim.in_flight, 3, "requests in flight with a limit of 3")
    if "queue" in trial.claims:
        await _one_by_one(trial, 12)
    trial.sim.let_go()
    refused = [str(end) for end in await trial.ends(calls) if isinstance(end, Told)]
    # Who has a limit and no queue may refuse what finds no slot.
    trial.expect("queue" not in trial.claims or not refused, f"errors of the calls: {refused}")
    trial.equal(trial.sim.peak_in_flight, 3, "most requests ever in flight")
    trial.equal(len(trial.requests) + len(refused), 12, "calls sent or refused")


@question("QUE-02", "limit", "priorities")
async def que_02(trial: Trial) -> None:
    """Among the waiting, every HIGH is sent before every NORMAL, and every NORMAL before every LOW."""
    calls = [await _saturated(trial, wish={"queue_size": 50})]
    for number, priority in enumerate(("low", "normal", "high", "low", "high", "normal"), 1):
        calls.append(trial.start(marked(number), priority=priority))
        await trial.arrived()
    await _one_by_one(trial, len(calls))
    await trial.ends(calls)
    trial.equal(texts(trial.requests), [marked(number) for number in (0, 3, 5, 2, 6, 1, 4)], "order at the server")


@question("QUE-03", "limit")
async def que_03(trial: Trial) -> None:
    """Within one priority the waiting are sent in the order in which they came."""
    calls = [await _saturated(trial, wish={"queue_size": 50})]
    for number in range(1, 9):
        calls.append(trial.start(marked(number)))
        await trial.arrived()
    await _one_by_one(trial, len(calls))
    await trial.ends(calls)
    trial.equal(texts(trial.requests), [marked(number) for number in range(9)], "order at the server")


@question("QUE-04", "limit", "queue")
async def que_04(trial: Trial) -> None:
    """A full queue refuses at once and sends nothing."""
    calls = [await _saturated(trial, queue_size=2)]
    for number in (1, 2):
        calls.append(trial.start(marked(number)))
        await trial.arrived()
    error = await trial.refused("a call that finds the queue full, while the server answers nobody", marked(3))
    trial.equal(error.kind, "queue_full", "class of the refusal")
    trial.sim.let_go()
    ends = await trial.ends(calls)
    trial.equal([str(end) for end in ends if isinstance(end, Told)], [], "errors of those who had a place")
    trial.equal(texts(trial.requests), [marked(0), marked(1), marked(2)], "requests: the refused one was not sent")


@question("QUE-06", "limit", "cancel")
async def que_06(trial: Trial) -> None:
    """A request cancelled while it waits in the queue is never sent."""
    first = await _saturated(trial, wish={"queue_size": 50})
    doomed, kept = trial.start(marked(1)), trial.start(marked(2))
    await trial.arrived()
    await trial.give_up(doomed)
    trial.sim.let_go()
    await trial.ends([first, kept])
    await trial.call(marked(3))
    trial.equal(texts(trial.requests), [marked(0), marked(2), marked(3)], "requests at the server")


@question("QUE-07", "limit", "cancel")
async def que_07(trial: Trial) -> None:
    """A request cancelled in flight gives back its slot, and its connection is closed."""
    await trial.client(max_concurrent_requests=1)
    trial.fault(Hang(), nth=1)
    doomed = trial.start(marked(1))
    await trial.until(seen=1)
    await trial.give_up(doomed)
    await trial.until(in_flight=0)
    trial.expect(trial.requests[0].aborted, "the server still talks to a client that has left")
    await trial.call(marked(2))
    trial.equal(texts(trial.requests), [marked(1), marked(2)], "requests: the slot serves the next one")


@question("QUE-11", "limit", "retries")
async def que_11(trial: Trial) -> None:
    """A request that waits to be repeated holds no slot."""
    await trial.client(
        max_concurrent_requests=1, wish={"max_retries": 2, "initial_retry_delay": _LONG, "max_retry_delay": _LONG}
    )
    trial.fault(Status(503, headers=(("retry-after", f"{_LONG:g}"),)), nth=1)
    failing = trial.start(marked(1))
    await trial.until(seen=1, in_flight=0)
    # The client has to read the answer first: until then it holds its slot rightly, and may refuse who comes.
    await trial.outlast(_LONG / 4)
    ends = await trial.ends([trial.start(marked(2)), failing])
    trial.equal([str(end) for end in ends if isinstance(end, Told)], [], "errors of the calls")
    trial.equal(texts(trial.requests), [marked(1), marked(2), marked(1)], "order at the server")


@question("QUE-12", "limit", "stream", "cancel")
async def que_12(trial: Trial) -> None:
    """An open stream holds its slot until it ends; closed early, it gives it back."""
    await trial.client(max_concurrent_requests=1)
    trial.fault(Hang(after=3), nth=1)
    stream = trial.start(marked(1), stream=True)
    await trial.until(seen=1)
    second = trial.start(marked(2))
    await trial.quiet()
    trial.equal(len(trial.requests), 1, "requests while the stream is open")
    await trial.give_up(stream)
    await trial.end(second)
    await trial.call(marked(3), stream=True)
    await trial.call(marked(4))
    trial.equal(
        texts(trial.requests), [marked(number) for number in (1, 2, 3, 4)], "requests: every slot was given back"
    )
