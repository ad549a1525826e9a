"""Chapter BAK: retries and backoff, judged by how often and when requests reach the server."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime
from itertools import pairwise
from typing import Any

from backends import errors
from backends.resilience.backoff import Backoff
from conformance.check import check
from conformance.checks.common import marked
from conformance.expectations import ErrorCase, expectations_of
from conformance.simulators.faults import CutAfter, CutBeforeTerminator, EmptyStream, ErrorEvent, Hang, Reset, Status
from conformance.trial import Trial


def _arrivals(trial: Trial) -> list[float]:
    return [seen.arrived for seen in trial.requests]


def _gaps(trial: Trial) -> list[float]:
    times = _arrivals(trial)
    return [later - earlier for earlier, later in pairwise(times)]


async def _quick(trial: Trial, **settings: Any) -> Any:
    return await trial.backend(
        **{"initial_retry_delay": 0.01, "max_retry_delay": 0.02, "failure_threshold": 1000, **settings}
    )


@check("BAK-01")
async def bak_01(trial: Trial) -> None:
    """408, 409, 429, 5xx, 529, resets and timeouts before any answer are repeated; 400, 401, 403, 404, 413 and 422 are sent once;
    what the provider says in other words goes before its status."""
    known = expectations_of(trial.subject)
    for action in (
        *(Status(status) for status in (408, 409, 429, 500, 502, 503, 504, 529)),
        *map(_said, known.passing),
        Reset("headers"),
        Hang(),
    ):
        backend = await _quick(trial, max_retries=2, read_timeout=1.0)
        sent = len(trial.requests)
        trial.fault(action, nth=1)
        await trial.call(backend)
        trial.equal(len(trial.requests) - sent, 2, f"requests when the first meets {action}")
    for action in (*map(Status, (400, 401, 403, 404, 413, 422)), *map(_said, known.lasting)):
        backend = await _quick(trial, max_retries=2)
        sent = len(trial.requests)
        trial.fault(action, nth=1)
        async with trial.raises(errors.BackendError, f"{action}"):
            await trial.call(backend)
        trial.equal(len(trial.requests) - sent, 1, f"requests when the first meets {action}")


def _said(case: ErrorCase) -> Status:
    return Status(case.status, code=case.code, message=case.message)


@check("BAK-02")
async def bak_02(trial: Trial) -> None:
    """Delay n is min(initial * factor^n, max), give or take twenty per cent, and the variation survives the cap."""
    backend = await trial.backend(max_retries=7, failure_threshold=1000)
    trial.fault(Status(500), nth=tuple(range(1, 8)))
    await trial.call(backend)
    gaps = _gaps(trial)
    trial.equal(len(gaps), 7, "delays")
    for number, gap in enumerate(gaps):
        nominal = min(1.0 * 2.0**number, 16.0)
        trial.expect(
            0.8 * nominal - 0.05 <= gap <= 1.2 * nominal + 0.05,
            f"delay {number} is {gap:.3f} s, not {nominal:g} s +-20 %",
        )
    capped = gaps[4:]
    trial.expect(max(capped) - min(capped) > 0.05, f"delays at the cap do not vary: {capped}")
    trial.expect(
        all(abs(gap - 16.0) > 1e-3 for gap in capped) and any(gap > 16.0 for gap in _many_delays(backend)),
        "the variation is cut off at the cap",
    )


def _many_delays(backend: Any) -> list[float]:
    backoff: Backoff = backend.endpoint().backoff
    return [backoff.delay(10, iter([share / 100]).__next__) for share in range(100)]


@check("BAK-03")
async def bak_03(trial: Trial) -> None:
    """A request that keeps failing is sent 1 + max_retries times; the last error carries the number of attempts, status and cause."""
    for retries in (0, 1, 3):
        backend = await _quick(trial, max_retries=retries)
        sent = len(trial.requests)
        trial.sim.forget_faults()
        trial.fault(Status(503))
        async with trial.raises(errors.ServerError, f"a provider that is down, max_retries={retries}") as caught:
            await trial.call(backend)
        trial.equal(len(trial.requests) - sent, 1 + retries, f"requests with max_retries={retries}")
        trial.equal(caught.error.attempts, 1 + retries, "attempts that the error tells")
        trial.equal(caught.error.status, 503, "status that the error tells")


_HINTS: tuple[tuple[str, tuple[tuple[str, str], ...] | None, Any, float], ...] = (
    ("retry-after-ms: 2500", (("retry-after-ms", "2500"), ("retry-after", "9")), None, 2.5),
    ("retry-after: 3", (("retry-after", "3"),), None, 3.0),
    ("retry-after: 1.5", (("retry-after", "1.5"),), None, 1.5),
    ("retry-after as a date", None, None, 5.0),
    ("retry-after: 1m0.36s", (("retry-after", "0m4.5s"),), None, 4.5),
    (
        "x-ratelimit-reset-requests",
        (("x-ratelimit-reset-requests", "6s"), ("x-ratelimit-remaining-requests", "0")),
        None,
        6.0,
    ),
    (
        "Google RetryInfo",
        (),
        {
            "error": {
                "code": 429,
                "message": "slow down",
                "details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "4.25s"}],
            }
        },
        4.25,
    ),
)
_NO_HINTS = (
    "-3",
    "nan",
    "soon",
    "",
    "Thu, 01 Jan 1970 00:00:00 GMT",
)


@check("BAK-04")
async def bak_04(trial: Trial) -> None:
    """The hint of the latest answer is a floor for the wait, in every dialect; what makes no sense counts as not said."""
    for name, headers, body, seconds in _HINTS:
        pairs = headers or ()
        if headers is None:
            moment = datetime.fromtimestamp(trial.clock.time() + 5.5, UTC)
            pairs = (("retry-after", format_datetime(moment, usegmt=True)),)
        gap = await _gap_after(
            trial, Status(429, body=body, headers=pairs), initial_retry_delay=0.1, max_retry_delay=0.1
        )
        low, high = (seconds - 1.0, seconds + 2.0) if headers is None else (seconds - 0.01, seconds * 1.25 + 0.05)
        trial.expect(low <= gap <= high, f"{name}: waited {gap:.3f} s where {seconds:g} s were asked")
    for text in _NO_HINTS:
        gap = await _gap_after(
            trial, Status(503, headers=(("retry-after", text),)), initial_retry_delay=2.0, jitter=0.0
        )
        trial.close_to(gap, 2.0, f"wait after retry-after: {text!r}, which says nothing", 0.1)
    backend = await trial.backend(max_retries=3, initial_retry_delay=0.1, failure_threshold=1000)
    start = len(trial.requests)
    for number, seconds in enumerate((2, 4, 8), 1):
        trial.fault(Status(429, headers=(("retry-after", str(seconds)),)), nth=number)
    await trial.call(backend)
    gaps = _gaps(trial)[start:]
    trial.equal(len(gaps), 3, "waits after three growing hints")
    for gap, asked in zip(gaps, (2, 4, 8), strict=True):
        trial.expect(gap >= asked - 0.01, f"waited {gap:.3f} s where the latest answer asked for {asked} s")


async def _gap_after(trial: Trial, action: Status, **settings: Any) -> float:
    backend = await trial.backend(max_retries=1, failure_threshold=1000, **settings)
    start = len(trial.requests)
    trial.fault(action, nth=1)
    await trial.call(backend)
    trial.equal(len(trial.requests) - start, 2, f"requests around {action}")
    return trial.requests[start + 1].arrived - trial.requests[start].arrived


@check("BAK-05")
async def bak_05(trial: Trial) -> None:
    """A hint above the ceiling, or a wait that would pass the deadline, fails at once instead of sleeping."""
    for headers in ((("retry-after", "61"),), (("retry-after", "1000000000"),)):
        backend = await trial.backend(failure_threshold=1000)
        before, sent = trial.now, len(trial.requests)
        trial.fault(Status(429, headers=headers), nth=1)
        async with trial.raises(errors.RateLimitError, f"a hint of {headers[0][1]} s") as caught:
            await trial.call(backend)
        trial.close_to(trial.now, before, "time until the error", 0.1)
        trial.equal(len(trial.requests) - sent, 1, "requests")
        trial.expect((caught.error.retry_after or 0) >= 61, "the error does not tell how long the server asked to wait")
    backend = await trial.backend(failure_threshold=1000, initial_retry_delay=10.0)
    before, sent = trial.now, len(trial.requests)
    trial.fault(Status(503), nth=1)
    async with trial.raises(errors.DeadlineExceededError, "a wait of 10 s with 3 s left"):
        await trial.call(backend, deadline=3.0)
    trial.close_to(trial.now, before, "time until the error", 0.1)
    trial.equal(len(trial.requests) - sent, 1, "requests")


@check("BAK-06")
async def bak_06(trial: Trial) -> None:
    """The deadline covers waiting in the queue, retries and reading a stream."""
    backend = await trial.backend(max_concurrent_requests=1)
    trial.sim.hold()
    first = trial.spawn(trial.call(backend, marked(1)))
    await trial.sim.until(held=1)
    before, sent = trial.now, len(trial.requests)
    async with trial.raises(errors.DeadlineExceededError, "a call that waits in the queue"):
        await trial.call(backend, marked(2), deadline=2.0)
    trial.close_to(trial.now - before, 2.0, "time in the queue until the error", 0.1)
    trial.equal(len(trial.requests), sent, "requests")
    trial.sim.let_go()
    await first

    backend = await trial.backend(
        max_retries=100, initial_retry_delay=1.0, backoff_factor=1.0, jitter=0.0, failure_threshold=1000
    )
    trial.fault(Status(503))
    before = trial.now
    async with trial.raises(errors.DeadlineExceededError, "a call that is repeated") as caught:
        await trial.call(backend, deadline=3.5)
    trial.expect(trial.now - before <= 3.6, f"retries went on for {trial.now - before:.2f} s with a deadline of 3.5 s")
    trial.equal(caught.error.attempts, 4, "attempts within the deadline")
    trial.sim.forget_faults()

    backend = await trial.backend()
    trial.fault(Hang(), nth=1)
    before = trial.now
    async with trial.raises(errors.DeadlineExceededError, "a call that the server never answers"):
        await trial.call(backend, deadline=4.0)
    trial.close_to(trial.now - before, 4.0, "time until the error", 0.1)
    trial.equal(backend.queue_status()["active"], 0, "slots in use after the deadline")


@check("BAK-07")
async def bak_07(trial: Trial) -> None:
    """The server's x-should-retry is obeyed: false stops a retry that the status allows, true makes one that it does not."""
    backend = await _quick(trial)
    trial.fault(Status(503, headers=(("x-should-retry", "false"),)), nth=1)
    async with trial.raises(errors.ServerError, "a 503 that says not to repeat it"):
        await trial.call(backend)
    trial.equal(len(trial.requests), 1, "requests after x-should-retry: false")
    trial.fault(Status(400, headers=(("x-should-retry", "true"),)), nth=1)
    await trial.call(backend)
    trial.equal(len(trial.requests), 3, "requests after x-should-retry: true")


@check("BAK-08")
async def bak_08(trial: Trial) -> None:
    """Spent quota is not retried: waiting seconds does not bring money."""
    backend = await _quick(trial)
    trial.fault(Status(429, code="insufficient_quota"))
    async with trial.raises(errors.QuotaExceededError, "a 429 with insufficient_quota"):
        await trial.call(backend)
    trial.equal(len(trial.requests), 1, "requests")


@check("BAK-09")
async def bak_09(trial: Trial) -> None:
    """A retry is the same request, byte for byte."""
    backend = await _quick(trial, max_retries=3)
    trial.fault(Status(503), nth=(1, 2))
    await trial.call(backend, marked(7))
    seen = trial.requests
    trial.equal(len(seen), 3, "requests")
    first = seen[0]
    for repeat in seen[1:]:
        same = (repeat.method, repeat.path, repeat.query, repeat.body_sha256) == (
            first.method,
            first.path,
            first.query,
            first.body_sha256,
        )
        trial.expect(same, "the retry differs from the first request in method, path, query or body")
        trial.equal(_identity(repeat.headers), _identity(first.headers), "headers of the retry")


def _identity(headers: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    """Return the headers that belong to the request rather than to the attempt (a signature over the time is the attempt's)."""
    attempt = {"authorization", "x-amz-date", "amz-sdk-invocation-id", "amz-sdk-request", "connection"}
    return sorted((name, value) for name, value in headers if name not in attempt)


@check("BAK-10")
async def bak_10(trial: Trial) -> None:
    """A stream is repeated as long as no content has come, and never after the first."""
    for action in (EmptyStream(), ErrorEvent(after_events=0, status=503), Reset("headers"), Status(503), CutAfter(0)):
        backend = await _quick(trial, max_retries=2)
        sent = len(trial.requests)
        trial.fault(action, nth=1)
        await trial.stream(backend).collect()
        trial.equal(len(trial.requests) - sent, 2, f"requests when the first stream meets {action}")
    backend = await _quick(trial, max_retries=2)
    sent = len(trial.requests)
    trial.fault(CutBeforeTerminator(), nth=1)
    async with trial.raises(errors.StreamInterruptedError, "a stream that dies after content") as caught:
        await trial.stream(backend).collect()
    trial.expect(caught.error.partial, "the error does not carry what came")
    trial.equal(len(trial.requests) - sent, 1, "requests when the stream dies after content")


@check("BAK-11")
async def bak_11(trial: Trial) -> None:
    """Over all requests, retries are a bounded share of the traffic: a dead provider is not hammered by every caller's retries."""
    backend = await _quick(
        trial, max_retries=5, retry_budget=0.1, retry_reserve=5.0, max_concurrent_requests=10, queue_size=1000
    )
    trial.fault(Status(503))
    calls = 100
    results = await trial.outcomes(trial.call(backend, marked(number)) for number in range(calls))
    trial.expect(
        all(isinstance(result, errors.ServerError) for result in results),
        "a dead provider gave something else than errors",
    )
    extra = len(trial.requests) - calls
    trial.expect(
        extra <= 5 + 0.1 * calls + 1, f"{extra} retries for {calls} requests with a budget of 10 % and a reserve of 5"
    )
    trial.expect(extra > 0, "there was no retry at all")
