"""Chapter BRK: the circuit breaker, by what reaches the server and what callers are told."""

from __future__ import annotations

from typing import Any, Final

from conformance.blackbox.findings import Told
from conformance.blackbox.question import question
from conformance.blackbox.trial import Trial
from conformance.simulators.faults import Status

_THRESHOLD: Final = 3
_RESET: Final = 0.3


async def _breaking(trial: Trial, **settings: Any) -> None:
    """Make a client without retries, so that each call is one attempt."""
    await trial.client(**{"max_retries": 0, "failure_threshold": _THRESHOLD, "reset_timeout": 60.0, **settings})


async def _open(trial: Trial) -> int:
    """Trip the breaker; return how many requests have been sent so far."""
    already = len(trial.requests)
    trial.fault(Status(503), nth=tuple(range(1, _THRESHOLD + 1)))
    await _fail(trial, _THRESHOLD)
    trial.equal(len(trial.requests) - already, _THRESHOLD, "calls that reached the server before the breaker opened")
    return len(trial.requests)


async def _fail(trial: Trial, times: int) -> None:
    for _ in range(times):
        await trial.refused("a call that the server fails")


@question("BRK-01", "breaker")
async def brk_01(trial: Trial) -> None:
    """The breaker opens after as many failures in a row as its threshold says; a success in between starts the count anew."""
    await _breaking(trial)
    trial.fault(Status(500), nth=(1, 2, 4, 5, 7, 8, 9))
    await _fail(trial, _THRESHOLD - 1)
    await trial.call()
    await _fail(trial, _THRESHOLD - 1)
    await trial.call()
    await _fail(trial, _THRESHOLD)
    trial.equal(len(trial.requests), 9, "requests at the server: a success resets the count, so none was withheld")
    await trial.refused("the call after the threshold")
    trial.equal(len(trial.requests), 9, "requests at the server after the breaker opened")


@question("BRK-02", "breaker")
async def brk_02(trial: Trial) -> None:
    """An open breaker fails at once, sends nothing, and says when to come back."""
    await _breaking(trial)
    sent = await _open(trial)
    error = await trial.refused("a call while the breaker is open")
    trial.equal(len(trial.requests), sent, "requests at the server while open")
    trial.equal(error.kind, "unavailable", "class of the refusal")
    trial.expect(error.retry_after is not None, "the refusal does not say when to come back")
    trial.expect(0 < (error.retry_after or 0) <= 60.5, f"the refusal says {error.retry_after} s with a timeout of 60 s")


@question("BRK-03", "breaker")
async def brk_03(trial: Trial) -> None:
    """After the reset timeout exactly one probe is sent; the others fail at once as long as it is under way."""
    await _breaking(trial, reset_timeout=_RESET, wish={"max_concurrent_requests": 20})
    sent = await _open(trial)
    await trial.outlast(_RESET + 0.1)
    trial.sim.hold()
    calls = [trial.start() for _ in range(8)]
    await trial.until(held=1)
    await trial.quiet()
    trial.equal(len(trial.requests) - sent, 1, "probes at the server")
    trial.sim.let_go()
    refused = [end for end in await trial.ends(calls) if isinstance(end, Told)]
    trial.equal(len(refused), 7, "calls refused while the probe was under way")
    await trial.call()
    trial.equal(len(trial.requests) - sent, 2, "requests after a good probe")


@question("BRK-05", "breaker")
async def brk_05(trial: Trial) -> None:
    """Answers of the 400 family, 429 included, never open the breaker."""
    statuses = (400, 404, 413, 422, 429, 400, 422, 404)
    for status in statuses:
        await _breaking(trial, failure_threshold=2)
        trial.fault(Status(status), nth=(1, 2))
        sent = len(trial.requests)
        await trial.ends([trial.start()])
        await trial.ends([trial.start()])
        # A 429 may rest the only key: a client that then waits, or says so, has opened no breaker.
        (end,) = await trial.ends([trial.start()])
        opened = isinstance(end, Told) and end.kind == "unavailable"
        trial.expect(not opened, f"the breaker opened on {status}")
        trial.expect(
            status == 429 or len(trial.requests) - sent == 3, f"a call was withheld after two answers {status}"
        )


@question("BRK-09", "breaker", "endpoints")
async def brk_09(trial: Trial) -> None:
    """The breaker of one endpoint leaves the others alone; the same failure of one request on two keys counts once."""
    other = await trial.another_simulator()
    place = {"base_url": other.base_url(trial.place.provider), "api_keys": ["sk-endpoint-9d2f61c07b3e4a58"]}
    await _breaking(trial, endpoints={"other": place})
    sent = await _open(trial)
    await trial.call(endpoint="other")
    trial.equal(len(trial.at(other)), 1, "requests at the other endpoint while the first one's breaker is open")
    await trial.refused("a call to the first endpoint")
    trial.equal(len(trial.requests), sent, "requests at the first endpoint while its breaker is open")
    if "keys" in trial.claims:
        await _breaking(trial, keys=("sk-first-0001", "sk-second-0002"), max_retries=1, failure_threshold=2)
        trial.fault(Status(500), nth=(1, 2))
        await _fail(trial, 1)
        sent = len(trial.requests)
        await trial.call()
        trial.equal(
            len(trial.requests) - sent, 1, "requests after one request failed on two keys, with a threshold of 2"
        )
