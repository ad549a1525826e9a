"""Chapter BAK: how often, how alike and not before when a request comes again."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from typing import Any, Final

from conformance.blackbox.question import question
from conformance.blackbox.trial import Trial
from conformance.simulators.faults import Hang, Reset, Status
from conformance.simulators.record import Seen

_PATIENT: Final = {"max_retries": 2}
_CLOCK: Final = 0.02
"""Seconds by which timers of two processes may disagree about the same wait."""
_WALL: Final = 0.1
"""Seconds by which the moments may differ at which two processes look at the wall clock."""


async def _sent(trial: Trial, action: Any, *, stream: bool = False, fails: bool = False, **wish: Any) -> int:
    """Return how many requests a call takes whose first one meets an action."""
    await trial.client(wish={**_PATIENT, **wish})
    before = len(trial.requests)
    trial.fault(action, nth=1)
    if fails:
        await trial.refused(f"a call that meets {action}", stream=stream)
    else:
        await trial.call(stream=stream)
    return len(trial.requests) - before


@question("BAK-01", "retries")
async def bak_01(trial: Trial) -> None:
    """408, 409, 429, 5xx, 529, resets and timeouts before any answer are repeated; 400, 401, 403, 404, 413 and 422 are sent once."""
    for status in (400, 401, 403, 404, 413, 422):
        trial.equal(await _sent(trial, Status(status), fails=True), 1, f"requests when the first meets a {status}")
    for status in (408, 409, 429, 500, 502, 503, 504, 529):
        trial.equal(await _sent(trial, Status(status)), 2, f"requests when the first meets a {status}")
    trial.equal(await _sent(trial, Reset("headers")), 2, "requests when the first connection is reset")
    if "read_timeout" not in await trial.client(wish={"read_timeout": 0.3}):
        trial.equal(await _sent(trial, Hang(), read_timeout=0.3), 2, "requests when the first is never answered")


@question("BAK-03", "retries")
async def bak_03(trial: Trial) -> None:
    """A request that keeps failing is sent 1 + max_retries times; the last error carries what it tells truly."""
    for retries in (0, 1, 3):
        await trial.client(max_retries=retries)
        sent = len(trial.requests)
        trial.sim.forget_faults()
        trial.fault(Status(503))
        error = await trial.refused(f"a provider that is down, max_retries={retries}")
        trial.equal(len(trial.requests) - sent, 1 + retries, f"requests with max_retries={retries}")
        trial.expect(
            error.attempts in (None, 1 + retries), f"the error tells {error.attempts} attempts of {1 + retries}"
        )
        trial.equal(error.status, 503, "status that the error tells")


@question("BAK-04", "retries")
async def bak_04(trial: Trial) -> None:
    """The hint of the latest answer is a floor for the wait, in the dialects of this provider; nonsense counts as not said."""
    for name, value in (("retry-after", "0.08"), *trial.place.hints):
        waited = await _wait_after(trial, _hinted(name, value))
        trial.expect(waited >= 0.08 - _CLOCK, f"waited {waited:.2f} s where {name or 'the body'} asked for {value}")
    await _until_a_date(trial)
    await trial.client(wish={"max_retries": 3})
    start = len(trial.requests)
    for number, value in enumerate(("0.04", "0.16", "0.32"), 1):
        trial.fault(_hinted("retry-after", value), nth=number)
    await trial.call()
    gaps = _gaps(trial.requests[start:])
    trial.equal(len(gaps), 3, "waits after three growing hints")
    for gap, asked in zip(gaps, (0.04, 0.16, 0.32), strict=True):
        trial.expect(gap >= asked - _CLOCK, f"waited {gap:.2f} s where the latest answer asked for {asked} s")
    for value in ("-3", "soon", "", "nan", "Thu, 01 Jan 1970 00:00:00 GMT"):
        trial.equal(await _sent(trial, _hinted("retry-after", value)), 2, f"requests after retry-after: {value!r}")


async def _until_a_date(trial: Trial) -> None:
    """Expect no retry before a date; a client that cuts its fraction off the wait cannot make up for that by chance."""
    await trial.client(wish=_PATIENT)
    await trial.outlast(1.02 - datetime.now(UTC).microsecond / 1e6)  # nearly a whole second is then cut off
    now, called, start = datetime.now(UTC), asyncio.get_running_loop().time(), len(trial.requests)
    date = now.replace(microsecond=0) + timedelta(seconds=3)
    trial.fault(_hinted("retry-after", format_datetime(date, usegmt=True)), nth=1)
    await trial.call()
    trial.equal(len(trial.requests) - start, 2, "requests around a date")
    asked, came = (date - now).total_seconds(), trial.requests[-1].arrived - called
    trial.expect(
        came >= asked - _WALL, f"came again after {came:.2f} s where retry-after gave a date {asked:.2f} s away"
    )


def _hinted(name: str, value: str) -> Status:
    if name:
        return Status(429, headers=((name, value), ("x-ratelimit-remaining-requests", "0")))
    detail = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": value}
    error = {"code": 429, "message": "slow down", "status": "RESOURCE_EXHAUSTED", "details": [detail]}
    return Status(429, body={"error": error})


async def _wait_after(trial: Trial, action: Status) -> float:
    start = len(trial.requests)
    trial.equal(await _sent(trial, action), 2, f"requests around {action}")
    return _gaps(trial.requests[start:])[0]


def _gaps(seen: list[Seen]) -> list[float]:
    return [later.arrived - (earlier.ended or earlier.arrived) for earlier, later in pairwise(seen)]


@question("BAK-07", "retries")
async def bak_07(trial: Trial) -> None:
    """The server's x-should-retry is obeyed: false stops a retry that the status allows, true makes one that it does not."""
    no, yes = (("x-should-retry", "false"),), (("x-should-retry", "true"),)
    trial.equal(await _sent(trial, Status(503, headers=no), fails=True), 1, "requests after x-should-retry: false")
    trial.equal(await _sent(trial, Status(400, headers=yes)), 2, "requests after x-should-retry: true")


@question("BAK-08", "retries")
async def bak_08(trial: Trial) -> None:
    """Spent quota is not retried: waiting seconds does not bring money."""
    await trial.client(wish=_PATIENT)
    trial.fault(Status(429, code="insufficient_quota"))
    await trial.refused("a 429 with insufficient_quota")
    trial.equal(len(trial.requests), 1, "requests")


@question("BAK-09", "retries")
async def bak_09(trial: Trial) -> None:
    """A retry is the same request, byte for byte, under the same idempotency key where there is one."""
    await trial.client(wish=_PATIENT)
    trial.fault(Status(503), nth=(1, 2))
    await trial.call()
    trial.equal(len(trial.requests), 3, "requests")
    first, *others = [_same(seen) for seen in trial.requests]
    for number, other in enumerate(others, 1):
        trial.equal(other, first, f"what retry {number} must have in common with the first request")


def _same(seen: Seen) -> tuple[str | None, ...]:
    return (
        seen.method,
        seen.path,
        seen.query,
        seen.body_sha256,
        seen.header("idempotency-key"),
        seen.header("content-type"),
    )


@question("BAK-10", "retries", "stream")
async def bak_10(trial: Trial) -> None:
    """A stream that has given content is never begun again."""
    await trial.client(wish=_PATIENT)
    await trial.call(stream=True)
    # A death that nobody can overlook: who takes a clean end for the end breaks another clause.
    middle = Reset("body", after=trial.requests[-1].sent // 2)
    trial.equal(await _sent(trial, middle, stream=True, fails=True), 1, "requests when a stream dies after content")
