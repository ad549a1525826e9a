"""Chapter LIM: limits that follow the provider, by how many requests the server sees and when.

LIM-03 is not asked: that no sixty seconds see too many takes minutes of watching.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from conformance.blackbox.findings import Told
from conformance.blackbox.question import question
from conformance.blackbox.trial import Trial
from conformance.checks.common import marked, texts
from conformance.simulators.actions import Action
from conformance.simulators.faults import Hang, Headers, SlowFirstByte, Status
from conformance.simulators.record import fingerprint

_CEILING: Final = 4
_KEYS: Final = ("sk-rate-0001-5f0c9e7a1b", "sk-rate-0002-5f0c9e7a1b")
_CLOCK: Final = 0.02
_ROUNDS: Final = 8
"""Crowds of answers after which a limit has moved: clients follow at different paces."""


async def _adaptive(trial: Trial, **wish: Any) -> frozenset[str]:
    return await trial.client(
        adaptive_concurrency=True,
        max_concurrent_requests=_CEILING,
        wish={"queue_size": 1000, "max_retries": 0, **wish},
    )


async def _in_flight(trial: Trial) -> int:
    """Return how many requests are in flight when there are more than enough calls; all of them are given up afterwards."""
    trial.sim.hold()
    calls = [trial.start() for _ in range(_CEILING + 2)]
    found = 0
    while True:
        await trial.quiet()
        await trial.quiet()
        if trial.sim.in_flight == found:
            break
        found = trial.sim.in_flight
    for call in reversed(calls):
        await trial.give_up(call)
    trial.sim.let_go()
    await trial.until(in_flight=0)
    return found


async def _crowd(trial: Trial, action: Action, count: int = _CEILING) -> None:
    """Make some calls at once, all of which meet an action."""
    trial.sim.forget_faults()
    trial.fault(action, nth=tuple(range(1, count + 1)))
    await trial.ends([trial.start() for _ in range(count)])


@question("LIM-01", "limit", "adaptive", "cancel")
async def lim_01(trial: Trial) -> None:
    """An adaptive limit falls on 429, on overload, and when answers take longer than they used to."""
    for status in (429, 503):
        await _adaptive(trial)
        before = await _in_flight(trial)
        trial.expect(before > 1, f"{before} in flight at first, with a ceiling of {_CEILING}")
        # No wait is asked for: a key that rests would hide how many may be in flight.
        await _crowd(trial, Status(status, headers=(("retry-after", "0"),)))
        now = await _in_flight(trial)
        trial.expect(1 <= now < before, f"{now} in flight after a crowd of answers {status}, {before} before it")
    await _adaptive(trial)
    await _crowd(trial, SlowFirstByte(0.1), 2 * _CEILING)
    before = await _in_flight(trial)
    for _ in range(3):
        await _crowd(trial, SlowFirstByte(0.6))
    now = await _in_flight(trial)
    trial.expect(1 <= now < before, f"{now} in flight when answers take six times as long, {before} before")


@question("LIM-02", "limit", "adaptive", "cancel")
async def lim_02(trial: Trial) -> None:
    """It stays from 1 to its ceiling, grows back, and learns nothing from calls that were cancelled or ran out of time."""
    ignored = await _adaptive(trial, deadline=60.0)
    for _ in range(6):
        await _crowd(trial, Status(503, headers=(("retry-after", "0"),)), 1)
    least = await _in_flight(trial)
    trial.expect(1 <= least < _CEILING, f"{least} in flight after six refusals, one after another")
    for _ in range(_ROUNDS):
        await _crowd(trial, SlowFirstByte(0.05))
    grown = await _in_flight(trial)
    trial.expect(grown > least, f"{grown} in flight after a while of usual answers, {least} before it")
    trial.expect(trial.sim.peak_in_flight <= _CEILING, f"{trial.sim.peak_in_flight} were in flight at once")
    trial.sim.forget_faults()
    trial.fault(Hang())
    doomed = [trial.start() for _ in range(grown)]
    await trial.outlast(0.3)
    for call in doomed:
        await trial.give_up(call)
    if "deadline" not in ignored:
        await trial.ends([trial.start(deadline=0.2) for _ in range(grown)])
    now = await _in_flight(trial)
    trial.expect(now >= grown, f"{now} in flight after calls that nobody waited for, {grown} before them")


def _left(trial: Trial, remaining: str, reset: str, limit: str = "100") -> Headers:
    return Headers(tuple(zip(trial.place.rates, (limit, remaining, reset), strict=True)))


def _soon(trial: Trial, seconds: int) -> tuple[str, float]:
    """Return a reset so many seconds from now as this provider writes it, and how long it is at least."""
    if not trial.place.dated:
        return f"{seconds}s", float(seconds)
    now = datetime.now(UTC)
    # A time of day has whole seconds only.
    moment = (now + timedelta(seconds=seconds)).replace(microsecond=0)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ"), (moment - now).total_seconds()


@question("LIM-04", "keys", "allowance")
async def lim_04(trial: Trial) -> None:
    """A key that has nothing left by the provider's headers rests until they say, the others go on; nonsense is ignored."""
    await trial.client(keys=_KEYS, rate_limit_headers=True, wish={"max_retries": 0})
    reset, wait = _soon(trial, 2)
    trial.fault(_left(trial, "0", reset), nth=1)
    for _ in range(5):
        await trial.call()
    used = [seen.key_fingerprint for seen in trial.requests]
    trial.equal(used.count(used[0]), 1, f"requests of the key that has nothing left, of five: {used}")
    await trial.outlast(wait + 0.1)
    for _ in range(4):
        await trial.call()
    later = Counter(seen.key_fingerprint for seen in trial.requests[5:])
    trial.expect(later[used[0]], "the key is not used again after the time that its provider named")

    await trial.client(keys=_KEYS[:1], rate_limit_headers=True, wish={"max_retries": 0})
    start = len(trial.requests)
    reset, wait = _soon(trial, 1 + trial.place.dated)
    trial.fault(_left(trial, "0", reset), nth=1)
    await trial.call()
    await trial.call()
    gap = trial.requests[start + 1].arrived - trial.requests[start].arrived
    trial.expect(
        gap >= wait - _CLOCK, f"the only key was used after {gap:.2f} s; nothing is left of it for {wait:.2f} s"
    )
    for remaining, reset in (("0", "never"), ("-1", "3000s"), ("9" * 400, "1e999")):
        trial.fault(_left(trial, remaining, reset), nth=1)
        await trial.call()
        await trial.call()
    trial.equal({seen.key_fingerprint for seen in trial.requests[start:]}, {fingerprint(_KEYS[0])}, "keys used")


@question("LIM-05", "limit", "queue", "priorities", "bounded_wait")
async def lim_05(trial: Trial) -> None:
    """Who would wait longer than the bound at the present rate is refused at once; a higher priority counts those before it."""
    await trial.client(max_concurrent_requests=2, queue_size=1000, max_queue_wait=3.0)
    await _crowd(trial, SlowFirstByte(0.3), 8)
    trial.sim.forget_faults()
    trial.sim.hold()
    start = len(trial.requests)
    # Two slots of 0.3 s each: one comes free every 0.15 s, so some twenty may wait; of sixty, the last would wait for 9 s.
    calls = [trial.start(marked(number)) for number in range(62)]
    await trial.until(held=2)
    await trial.quiet()
    refused = [number for number, call in enumerate(calls) if call.ended.done()]
    trial.expect(refused, "nobody was refused, of sixty who wait for two slots of 0.3 s each with a bound of 3 s")
    trial.expect(refused[0] >= 7, f"call {refused[0]} was refused, which would have waited for less than a second")
    urgent = trial.start(marked(90), priority="high")
    await trial.quiet()
    trial.expect(not urgent.ended.done(), "a call of high priority was refused although it goes first")
    trial.sim.let_go()
    ends = await trial.ends([*calls, urgent])
    told = [ends[number] for number in refused]
    kinds = {end.kind for end in told if isinstance(end, Told)}
    trial.equal(kinds, {"queue_full"}, "classes of the refusals")
    trial.equal(sum(isinstance(end, Told) for end in ends), len(refused), "calls that failed")
    wrong = {marked(number) for number in refused} & set(texts(trial.requests[start:]))
    trial.equal(sorted(wrong), [], "refused calls that were sent")
