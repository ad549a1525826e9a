"""Chapter LIM: limits that follow the provider, judged by how many requests the server sees, and when."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from itertools import pairwise
from typing import Any, Final

from backends import errors
from backends.types import Priority
from conformance.check import check
from conformance.checks.common import marked, texts
from conformance.simulators.faults import Fault, Hang, Headers, SlowFirstByte, Status
from conformance.simulators.record import fingerprint
from conformance.trial import Trial

CEILING: Final = 6
KEYS: Final = ("sk-budget-0001", "sk-budget-0002")
MINUTE: Final = 60.0


async def _adaptive(trial: Trial, **settings: Any) -> Any:
    given = {
        "adaptive_concurrency": True,
        "max_concurrent_requests": CEILING,
        "queue_size": 1000,
        "max_retries": 0,
        "failure_threshold": 1000,
    }
    return await trial.backend(**{**given, **settings})


async def _in_flight(trial: Trial, backend: Any) -> int:
    """Return how many requests the backend has in flight when there are more than enough of them."""
    trial.sim.hold()
    calls = [trial.spawn(trial.call(backend)) for _ in range(CEILING + 4)]
    await trial.settle()
    await trial.settle()
    found = trial.sim.in_flight
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    trial.sim.let_go()
    await trial.sim.until(in_flight=0)
    return found


def _next(trial: Trial, count: int, action: Any) -> None:
    """Let an action fall on the next requests."""
    trial.fault(action, nth=tuple(range(1, count + 1)))


async def _serve(trial: Trial, backend: Any, count: int, seconds: float) -> None:
    """Have calls served that take so long each."""
    _next(trial, count, SlowFirstByte(seconds))
    await trial.outcomes(trial.call(backend) for _ in range(count))


@check("LIM-01")
async def lim_01(trial: Trial) -> None:
    """An adaptive limit falls on 429, on overload, and when answers take longer than they used to."""
    backend = await _adaptive(trial)
    trial.equal(await _in_flight(trial, backend), CEILING, "requests in flight at first")
    known = CEILING
    for status in (429, 503):
        # No wait is asked for: a key that rests would hide how many may be in flight.
        _next(trial, known, Status(status, headers=(("retry-after", "0"),)))
        await trial.outcomes(trial.call(backend) for _ in range(known))
        now = await _in_flight(trial, backend)
        trial.expect(1 <= now < known, f"after answers {status} {now} are in flight, before it was {known}")
        trial.expect(now >= known // 2, f"one crowd of answers {status} cut the limit from {known} to {now}")
        known = now

    slowed = await _adaptive(trial)
    await _serve(trial, slowed, 2 * CEILING, 1.0)
    await _serve(trial, slowed, CEILING, 6.0)
    now = await _in_flight(trial, slowed)
    trial.expect(now < CEILING, f"answers take six times as long, and {now} are in flight")


@check("LIM-02")
async def lim_02(trial: Trial) -> None:
    """It stays from 1 to its ceiling, grows back, and learns nothing from calls that were cancelled or ran out of time."""
    backend = await _adaptive(trial, max_retry_after=0.0)
    for _ in range(6):
        trial.fault(Status(503), nth=1)
        await trial.outcomes([trial.call(backend)])
    trial.equal(await _in_flight(trial, backend), 1, "requests in flight after six refusals, one after another")
    await _serve(trial, backend, 6 * CEILING, 1.0)
    trial.equal(await _in_flight(trial, backend), CEILING, "requests in flight after a while of usual answers")
    trial.expect(trial.sim.peak_in_flight <= CEILING, f"{trial.sim.peak_in_flight} were in flight at once")

    _next(trial, 2 * CEILING, Hang())
    doomed = [trial.spawn(trial.call(backend)) for _ in range(CEILING)]
    await trial.sleep(30.0)
    for call in doomed:
        call.cancel()
    await asyncio.gather(*doomed, return_exceptions=True)
    await trial.outcomes(trial.call(backend, deadline=20.0) for _ in range(2 * CEILING))
    trial.equal(await _in_flight(trial, backend), CEILING, "requests in flight after calls that nobody waited for")


def _most_in_a_minute(moments: Iterable[float]) -> int:
    ordered = sorted(moments)
    return max(sum(start <= other < start + MINUTE for other in ordered) for start in ordered)


@check("LIM-03")
async def lim_03(trial: Trial) -> None:
    """No sixty seconds see more requests of a key than its budget; the others wait in order, holding nothing, within their deadline."""
    backend = await trial.backend(api_keys=KEYS, requests_per_minute=3, max_concurrent_requests=10, queue_size=50)
    calls = [trial.spawn(trial.call(backend, marked(number))) for number in range(16)]
    await trial.sleep(10.0)
    trial.equal(len(trial.requests), 6, "requests in the first seconds, with two keys of three a minute")
    trial.equal(backend.queue_status()["active"], 0, "slots in use while all wait for their rate")
    before = trial.now
    async with trial.raises(errors.BackendError, "a call whose deadline comes before its turn"):
        await trial.call(backend, marked(90), deadline=5.0)
    trial.expect(trial.now - before <= 5.1, f"it took {trial.now - before:.1f} s to fail")
    urgent = trial.spawn(trial.call(backend, marked(50), priority=Priority.HIGH))
    results = await asyncio.gather(*calls, urgent, return_exceptions=True)
    trial.equal([result for result in results if isinstance(result, BaseException)], [], "errors of those that waited")
    for key in map(fingerprint, KEYS):
        most = _most_in_a_minute(seen.arrived for seen in trial.requests if seen.key_fingerprint == key)
        trial.expect(most <= 3, f"{most} requests of one key within a minute")
    gaps = [later.arrived - earlier.arrived for earlier, later in pairwise(trial.requests)]
    trial.expect(max(gaps) < MINUTE + 2, f"{max(gaps):.0f} s without a request although others waited")
    order = texts(trial.requests)
    trial.expect(marked(90) not in order, "a call was sent after its deadline")
    trial.expect(order.index(marked(50)) < 12, "a call of high priority waited behind the others")
    trial.equal(sorted(order[:6]), [marked(number) for number in range(6)], "those of the first minute")


def _told(remaining: str, reset: str, limit: str = "100") -> Headers:
    """Return headers about requests in both of the families that providers use."""
    return Headers(
        (
            ("x-ratelimit-limit-requests", limit),
            ("x-ratelimit-remaining-requests", remaining),
            ("x-ratelimit-reset-requests", reset),
        )
    )


@check("LIM-04")
async def lim_04(trial: Trial) -> None:
    """A key that has nothing left by the headers rests until they say, the others go on; nonsense is ignored."""
    backend = await trial.backend(api_keys=KEYS, rate_limit_headers=True, max_retries=0)
    tired, fresh = map(fingerprint, KEYS)
    _script(trial, tired, 1, _told("0", "20s"))
    for _ in range(5):
        await trial.call(backend)
    used = [seen.key_fingerprint for seen in trial.requests]
    trial.equal(used, [tired, fresh, fresh, fresh, fresh], "keys used while one has nothing left")
    await trial.sleep(20.5)
    for _ in range(2):
        await trial.call(backend)
    trial.equal({seen.key_fingerprint for seen in trial.requests[5:]}, {tired, fresh}, "keys used after the reset")

    lonely = await trial.backend(api_keys=KEYS[:1], rate_limit_headers=True, max_retries=0)
    _script(trial, tired, 1, _told("1", "20s"))
    await trial.call(lonely)
    _script(trial, tired, 1, _told("0", "20s"))
    start = len(trial.requests)
    pair = [trial.spawn(trial.call(lonely, marked(number))) for number in range(2)]
    await trial.sleep(10.0)
    trial.equal(len(trial.requests) - start, 1, "requests sent of the one that was left")
    trial.equal(lonely.queue_status()["active"], 0, "slots in use while the other waits")
    await asyncio.gather(*pair)
    trial.close_to(trial.requests[-1].arrived - trial.requests[start - 1].arrived, 20.0, "the wait for the reset", 0.1)

    hostile = await trial.backend(api_keys=KEYS[:1], rate_limit_headers=True, max_retries=0)
    nonsense = [
        ("-1", "20s", "100"),
        ("0", "never", "100"),
        ("9" * 400, "1e999", "x"),
        ("0", "99999s", "0"),
        ("0.0", "5s", ""),
    ]
    for number, (remaining, reset, limit) in enumerate(nonsense):
        _script(trial, tired, 1, _told(remaining, reset, limit))
        before = trial.now
        await trial.call(hostile, marked(number))
        await trial.call(hostile, marked(number))
        trial.close_to(trial.now, before, f"time lost to remaining {remaining[:5]!r}, reset {reset!r}", 0.1)


def _script(trial: Trial, key: str, nth: int, action: Headers) -> None:
    trial.script(Fault(action, path=trial.subject.call_path, nth=nth, key=key))


@check("LIM-05")
async def lim_05(trial: Trial) -> None:
    """Who would wait longer than the bound at the present rate is refused at once; a higher priority counts only those before it."""
    backend = await trial.backend(max_concurrent_requests=2, queue_size=100, max_queue_wait=10.0)
    await _serve(trial, backend, 12, 4.0)
    trial.sim.hold()
    flying = [trial.spawn(trial.call(backend, marked(number))) for number in range(2)]
    await trial.sim.until(held=2)
    # Two slots of four seconds each: one comes free every two seconds, so five may wait.
    waiting = [trial.spawn(trial.call(backend, marked(10 + number))) for number in range(5)]
    await trial.settle()
    before = trial.now
    async with trial.raises(errors.QueueFullError, "a call that would wait for twelve seconds"):
        await trial.call(backend, marked(20))
    trial.close_to(trial.now, before, "time that the refusal took", 0.01)
    urgent = trial.spawn(trial.call(backend, marked(30), priority=Priority.HIGH))
    await trial.settle()
    trial.expect(not urgent.done(), "a call of high priority was refused although it goes first")
    await trial.sleep(60.0)
    async with trial.raises(errors.QueueFullError, "a call while nothing has moved for a minute"):
        await trial.call(backend, marked(21), priority=Priority.HIGH)
    trial.sim.let_go()
    await asyncio.gather(*flying, *waiting, urgent)
    sent = texts(trial.requests)
    trial.equal([mark for mark in (marked(20), marked(21)) if mark in sent], [], "refused calls that were sent")
