"""Chapter BRK: the circuit breaker, judged by what reaches the server and by the errors that callers get."""

from __future__ import annotations

import asyncio
from typing import Any

from backends import errors
from backends.resilience.breaker import State
from conformance.check import check
from conformance.checks.common import elsewhere
from conformance.simulators.faults import CutBeforeTerminator, Status
from conformance.trial import Trial

THRESHOLD = 3
RESET = 30.0


async def _breaking(trial: Trial, **settings: Any) -> Any:
    """Return a backend without retries, so that each call is one attempt."""
    return await trial.backend(**{"max_retries": 0, "failure_threshold": THRESHOLD, "reset_timeout": RESET, **settings})


async def _fail(trial: Trial, backend: Any, times: int, **options: Any) -> None:
    for _ in range(times):
        async with trial.raises(errors.BackendError, "a call that the server fails"):
            await trial.call(backend, **options)


async def _open(trial: Trial, backend: Any) -> None:
    """Trip the breaker with failures of the server, then let the server recover."""
    already = len(trial.requests)
    trial.fault(Status(503), nth=tuple(range(1, THRESHOLD + 1)))
    await _fail(trial, backend, THRESHOLD)
    trial.equal(len(trial.requests) - already, THRESHOLD, "calls that reached the server before the breaker opened")


@check("BRK-01")
async def brk_01(trial: Trial) -> None:
    """The breaker opens after as many outage-class failures in a row as its threshold says; a success in between starts the count anew."""
    backend = await _breaking(trial)
    trial.fault(Status(500), nth=(1, 2, 4, 5, 7, 8, 9))
    await _fail(trial, backend, THRESHOLD - 1)
    await trial.call(backend)
    await _fail(trial, backend, THRESHOLD - 1)
    await trial.call(backend)
    await _fail(trial, backend, THRESHOLD)
    trial.equal(len(trial.requests), 9, "requests at the server: a success resets the count, so none was withheld")
    async with trial.raises(errors.ServiceUnavailableError, "the call after the threshold"):
        await trial.call(backend)
    trial.equal(len(trial.requests), 9, "requests at the server after the breaker opened")


@check("BRK-02")
async def brk_02(trial: Trial) -> None:
    """An open breaker fails at once, sends nothing, and says when to come back."""
    backend = await _breaking(trial)
    await _open(trial, backend)
    await trial.sleep(10.0)
    before, sent = trial.now, len(trial.requests)
    async with trial.raises(errors.ServiceUnavailableError, "a call while the breaker is open") as caught:
        await trial.call(backend)
    trial.close_to(trial.now, before, "time that the refusal took", 0.01)
    trial.equal(len(trial.requests), sent, "requests at the server while open")
    trial.expect(caught.error.retry_after is not None, "the refusal does not say when to come back")
    trial.close_to(caught.error.retry_after, RESET - 10.0, "seconds until a probe", 0.1)


@check("BRK-03")
async def brk_03(trial: Trial) -> None:
    """After the reset timeout exactly one probe is sent; the others fail at once as long as it is under way."""
    backend = await _breaking(trial, max_concurrent_requests=20)
    await _open(trial, backend)
    sent = len(trial.requests)
    await trial.sleep(RESET + 0.1)
    trial.sim.hold()
    calls = [trial.spawn(trial.call(backend)) for _ in range(10)]
    await trial.sim.until(held=1)
    await trial.settle()
    trial.equal(len(trial.requests) - sent, 1, "probes at the server")
    trial.sim.let_go()
    results = await asyncio.gather(*calls, return_exceptions=True)
    refused = [result for result in results if isinstance(result, errors.ServiceUnavailableError)]
    trial.equal(len(refused), 9, "calls refused while the probe was under way")


@check("BRK-04")
async def brk_04(trial: Trial) -> None:
    """A probe that succeeds closes the breaker and clears its count; one that fails opens it again for a full timeout."""
    backend = await _breaking(trial)
    await _open(trial, backend)
    await trial.sleep(RESET + 0.1)
    trial.fault(Status(503), nth=1)
    await _fail(trial, backend, 1)
    sent = len(trial.requests)
    await trial.sleep(RESET - 1.0)
    async with trial.raises(errors.ServiceUnavailableError, "a call before the fresh timeout has passed"):
        await trial.call(backend)
    trial.equal(len(trial.requests), sent, "requests while the timer runs again")
    await trial.sleep(1.1)
    await trial.call(backend)
    trial.fault(Status(503), nth=(1, 2))
    await _fail(trial, backend, THRESHOLD - 1)
    await trial.call(backend)
    trial.equal(
        len(trial.requests) - sent, THRESHOLD + 1, "requests after the probe: closed, with a count that began at zero"
    )


@check("BRK-05")
async def brk_05(trial: Trial) -> None:
    """Answers of the 400 family, 429 included, never open the breaker."""
    backend = await _breaking(trial, failure_threshold=2)
    statuses = (400, 401, 403, 404, 409, 413, 422, 429, 429, 400)
    for number, status in enumerate(statuses, 1):
        trial.fault(Status(status), nth=number)
    for _ in statuses:
        async with trial.raises(errors.BackendError) as caught:
            await trial.call(backend)
        trial.expect(
            not isinstance(caught.error, errors.ServiceUnavailableError),
            f"the breaker opened on {caught.error.__cause__ or 'a 4xx'}",
        )
    trial.equal(len(trial.requests), len(statuses), "requests at the server: none was withheld")


@check("BRK-06")
async def brk_06(trial: Trial) -> None:
    """A probe that is cancelled, or that never ends, frees its place: the breaker cannot stay half-open for ever."""
    backend = await _breaking(trial)
    await _open(trial, backend)
    await trial.sleep(RESET + 0.1)
    trial.sim.hold()
    probe = trial.spawn(trial.call(backend))
    await trial.sim.until(held=1)
    probe.cancel()
    await asyncio.gather(probe, return_exceptions=True)
    trial.sim.let_go()
    await trial.settle()
    sent = len(trial.requests)
    await trial.call(backend)
    trial.equal(len(trial.requests) - sent, 1, "requests sent as the next probe after the first was cancelled")


@check("BRK-07")
async def brk_07(trial: Trial) -> None:
    """A success that was sent before the breaker opened and arrives afterwards does not close it."""
    backend = await _breaking(trial, max_concurrent_requests=20)
    trial.sim.hold()
    early = trial.spawn(trial.call(backend))
    await trial.sim.until(held=1)
    trial.fault(Status(503), nth=tuple(range(1, THRESHOLD + 1)))
    failing = [trial.spawn(trial.call(backend)) for _ in range(THRESHOLD)]
    await trial.sim.until(held=THRESHOLD + 1)
    trial.sim.let_go(THRESHOLD, skip=1)  # the early one stays at the gate while the others are answered
    await asyncio.gather(*failing, return_exceptions=True)
    trial.sim.let_go(1)
    reply = await early
    trial.expect(reply is not None, "the early call was answered")
    trial.sim.let_go()
    sent = len(trial.requests)
    async with trial.raises(errors.ServiceUnavailableError, "a call after the late success"):
        await trial.call(backend)
    trial.equal(len(trial.requests), sent, "requests at the server: the breaker is still open")


@check("BRK-08")
async def brk_08(trial: Trial) -> None:
    """A stream that dies counts as a failure when it ends; a caller who hangs up does not."""
    backend = await _breaking(trial)
    for _ in range(THRESHOLD + 1):
        stream = trial.stream(backend)
        async for _chunk in stream:
            break
        await stream.aclose()
    trial.equal(len(trial.requests), THRESHOLD + 1, "streams opened: hanging up opened no breaker")
    trial.fault(CutBeforeTerminator())
    for _ in range(THRESHOLD):
        async with trial.raises(errors.BackendError, "a stream cut short"):
            await trial.stream(backend).collect()
    sent = len(trial.requests)
    async with trial.raises(errors.ServiceUnavailableError, "a stream after as many died as the threshold says"):
        await trial.stream(backend).collect()
    trial.equal(len(trial.requests), sent, "requests at the server after the breaker opened")


@check("BRK-09")
async def brk_09(trial: Trial) -> None:
    """The breaker of one endpoint leaves the others alone; the same failure of one request on two keys counts once."""
    backend = await _breaking(trial)
    other = await trial.another_simulator()
    backend.create_endpoint("other", **elsewhere(trial, other))
    await _open(trial, backend)
    await trial.call(backend, endpoint="other")
    trial.equal(len(other.requests), 1, "requests at the other endpoint while the first one's breaker is open")
    if "keys" in trial.subject.tags:
        pair = await _breaking(
            trial, max_retries=1, initial_retry_delay=0.0, api_keys=["sk-first-0001", "sk-second-0002"]
        )
        trial.fault(Status(500), nth=(1, 2))
        await _fail(trial, pair, 1)
        trial.equal(pair.report()["circuit_breaker"]["failures"], 1, "failures counted for one request on two keys")


@check("BRK-10")
async def brk_10(trial: Trial) -> None:
    """Every change of state is recorded with monotonic and wall time, and only the legal ones happen."""
    backend = await _breaking(trial)
    await _open(trial, backend)
    opened_at = trial.now
    await trial.sleep(RESET + 0.1)
    trial.fault(Status(503), nth=1)
    await _fail(trial, backend, 1)
    await trial.sleep(RESET + 0.1)
    await trial.call(backend)
    steps = backend.report()["circuit_breaker"]["transitions"]
    legal = {
        (State.CLOSED, State.OPEN),
        (State.OPEN, State.HALF_OPEN),
        (State.HALF_OPEN, State.OPEN),
        (State.HALF_OPEN, State.CLOSED),
    }
    seen = [(State(step["from"]), State(step["to"])) for step in steps]
    trial.equal(
        seen,
        [
            (State.CLOSED, State.OPEN),
            (State.OPEN, State.HALF_OPEN),
            (State.HALF_OPEN, State.OPEN),
            (State.OPEN, State.HALF_OPEN),
            (State.HALF_OPEN, State.CLOSED),
        ],
        "transitions of one trip with a failed and a good probe",
    )
    trial.expect(set(seen) <= legal, f"an illegal transition: {seen}")
    trial.close_to(steps[0]["monotonic"], opened_at, "monotonic time of the first trip", 0.5)
    for step in steps:
        trial.close_to(
            step["wall"] - step["monotonic"], trial.clock.time() - trial.now, "wall and monotonic time agree", 0.01
        )
