"""What holds of the path of a call whatever was done, read from outside: the server, the callers and the public reports.

:func:`check` holds after every step, :func:`at_arrival` as each request arrives, :func:`nothing_left` at the end.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from conformance.leaks import find_leaks
from conformance.machines.walk.rides import ENDINGS

if TYPE_CHECKING:
    from conformance.machines.walk.bench import WalkBench
    from conformance.machines.walk.server import Exchange

__all__ = ["RESET_TIMEOUT", "at_arrival", "check", "is_full", "nothing_left"]

RESET_TIMEOUT: Final = 5.0
"""Seconds that the breakers of a walk stay open."""
PROBE_TIMEOUT: Final = 10 * RESET_TIMEOUT
"""Seconds after which a probe that has not come back is given up for lost."""
_LEVELS: Final = ("high", "normal", "low")
_LEGAL: Final = frozenset(
    {("closed", "open"), ("open", "half_open"), ("half_open", "open"), ("half_open", "closed"), ("open", "closed")}
)
_OUTCOMES: Final = {"result": "successes", "error": "failures", "cancelled": "cancelled"}


def at_arrival(bench: WalkBench, exchange: Exchange) -> str | None:
    """Return what is wrong with a request that arrives now: the limit, the breaker and the key it came under."""
    name = exchange.endpoint
    there = [one for one in bench.server.open if one.endpoint == name]
    if len(there) > bench.limits[name]:
        return f"{len(there)} requests are in flight on {name}, the limit is {bench.limits[name]}"
    if bench.closed:
        return "a request was sent after close"
    if exchange.key is None and "key_required" in bench.row.tags:
        return f"a request was sent without a key, on {name}"
    known = {bench.fingerprint(name, number) for number in bench.keys[name]}
    if exchange.key is not None and exchange.key not in known:
        return f"a request was sent with a key that {name} has no more"
    breaker = bench.backend.endpoint(name).breaker_status()
    if breaker["state"] == "open":
        return f"a request was sent although the breaker of {name} is open"
    if breaker["state"] == "half_open":
        now, last = bench.loop.time(), bench.probes.get(name)
        if last is not None and last in bench.server.open and now - last.at < PROBE_TIMEOUT:
            return f"a second probe was sent on {name}"
        bench.probes[name] = exchange
    return None


def is_full(bench: WalkBench, endpoint: str) -> bool:
    """Say whether there is no room to wait."""
    status = bench.backend.queue_status(endpoint)
    waiting: int = status["waiting"]["total"]
    return waiting >= bench.queues[endpoint] and status["active"] >= bench.limits[endpoint]


def check(bench: WalkBench) -> None:
    """Hold everything that must be true between two steps; raises Disagreement."""
    report = bench.backend.report()
    _endings(bench, report)
    _sums(bench, report)
    for name, described in report["endpoints"].items():
        _slots(bench, name, described["queue"])
        _keys(bench, name, described["keys"])
        _breaker(bench, name, described["circuit_breaker"])
    _deadlines(bench)
    bench.require(not bench.loop.troubles, f"the loop was told of {bench.loop.troubles}")
    if not bench.waiting() and not bench.streams():
        _idle(bench, report)


def _endings(bench: WalkBench, report: dict[str, Any]) -> None:
    """Every call ends once: as its caller saw it, as the observers were told, as the counters say."""
    twice = [ride.number for ride in bench.rides.values() if len(ride.ends) > 1]
    bench.require(not twice, f"calls that ended twice: {twice}")
    told = Counter(event.call.request_id for event in bench.events)
    bench.require(all(count == 1 for count in told.values()), "an observer was told twice that a call ended")
    ended = Counter(event.outcome for event in bench.events)
    found = sum(report["cache"][how] for how in ("exact", "similar", "joined"))
    bench.agree("successes", ended["success"] - found, report["successes"])
    if bench.caches:  # who waited for another's answer is told of its failure, and counted as no request
        bench.require(ended["failure"] >= report["failures"], "failures that no observer was told of")
        bench.require(ended["cancelled"] >= report["cancelled"], "cancelled calls that no observer was told of")
        return
    bench.agree("failures", ended["failure"], report["failures"])
    bench.agree("cancelled", ended["cancelled"], report["cancelled"])
    bench.agree("requests", sum(bench.started.values()), report["total_requests"])
    if bench.batches:
        return  # before a batch some rows ask the server for its limits
    began = [ride for ride in bench.rides.values() if ride.counted]
    bench.agree("requests, by the callers", len(began), report["total_requests"])
    for end in ENDINGS:
        seen = sum(ride.ends == [end] for ride in began)
        bench.agree(f"{_OUTCOMES[end]}, by the callers", seen, report[_OUTCOMES[end]])


def _sums(bench: WalkBench, report: dict[str, Any]) -> None:
    """Requests are successes, failures, cancelled and active; models, endpoints and error classes sum to the totals."""
    parts = [report[name] for name in ("successes", "failures", "cancelled", "active_requests")]
    bench.agree("the sum of all outcomes", report["total_requests"], sum(parts))
    bench.agree("the sum of error classes", report["failures"], sum(report["errors"].values()))
    for rows in ("models", "endpoints"):
        for outcome in ("successes", "failures", "cancelled"):
            counted = [row.get("counters", row) for row in report[rows].values()]
            bench.agree(f"{outcome} over all {rows}", report[outcome], sum(row.get(outcome, 0) for row in counted))
    if bench.exact:
        gone = {ride.number for ride in bench.rides.values() if ride.ended}
        attempts = sum(bool(gone.intersection(exchange.rides)) for exchange in bench.server.arrivals)
        bench.agree("attempts of the calls that ended", attempts, report["attempts"])


def _slots(bench: WalkBench, name: str, queue: dict[str, Any]) -> None:
    """A slot is held for what is open at the server and for nothing else; nobody waits beside a free one."""
    there = [one for one in bench.server.open if one.endpoint == name]
    bench.agree(f"slots in use on {name}", len(there), queue["active"])
    bench.agree(f"limits of {name}", bench.limits[name], queue["max_concurrent_requests"])
    bench.agree(f"queue size of {name}", bench.queues[name], queue["queue_size"])
    waiting = queue["waiting"]["total"]
    bench.require(not waiting or queue["active"] >= bench.limits[name], f"{waiting} wait on {name} beside a free slot")
    bench.require(not (waiting and bench.closed), f"{waiting} wait on {name} after close")
    if bench.exact:
        bench.agree(
            f"the waiting on {name}", _waiting(bench, name), {level: queue["waiting"][level] for level in _LEVELS}
        )


def _waiting(bench: WalkBench, name: str) -> dict[str, int]:
    """Count who must be in the queue: neither at the server nor asleep until a retry or a key."""
    served = {number for exchange in bench.server.open for number in exchange.rides}
    waiting = Counter(
        _LEVELS[ride.level]
        for ride in bench.rides.values()
        if ride.endpoint == name and ride.waits and ride.number not in served and ride.task not in bench.clock.sleepers
    )
    return {level: waiting[level] for level in _LEVELS}


def _keys(bench: WalkBench, name: str, rows: list[dict[str, Any]]) -> None:
    """A key is leased for what is open with it, and counts every other request that came with it."""
    leased: Counter[str] = Counter()
    counted: Counter[str] = Counter()
    for row in rows:
        leased[row["fingerprint"]] += row["in_flight"]
        counted[row["fingerprint"]] += row["requests"] + row["in_flight"]
    there = Counter(one.key for one in bench.server.open if one.endpoint == name and one.key)
    came = Counter(one.key for one in bench.server.arrivals if one.endpoint == name and one.key)
    bench.agree(f"leases of {name}", dict(there), dict(+leased))
    bench.require(all(amount >= 0 for amount in leased.values()), f"a key of {name} was given back twice")
    bench.agree(f"requests by key of {name}", dict(came), dict(+counted))


def _breaker(bench: WalkBench, name: str, breaker: dict[str, Any]) -> None:
    """Every transition is a legal one and follows from the last; a half-open breaker refuses only while its probe is out."""
    if breaker["state"] == "half_open" and breaker["retry_after"] > 0:
        probe = bench.probes.get(name)
        bench.require(
            probe is not None and probe in bench.server.open, f"the breaker of {name} waits for a probe that is gone"
        )
    steps = breaker["transitions"]
    for before, after in itertools.pairwise(steps):
        bench.agree(f"the state before a transition of {name}", before["to"], after["from"])
    moves = {(step["from"], step["to"]) for step in steps}
    bench.require(moves <= _LEGAL, f"the breaker of {name} went {sorted(moves - _LEGAL)}")


def _deadlines(bench: WalkBench) -> None:
    now = bench.loop.time()
    late = [
        ride.number
        for ride in bench.rides.values()
        if ride.waits and ride.deadline_at is not None and ride.deadline_at < now - 1e-6
    ]
    bench.require(not late, f"calls that wait beyond their deadline: {late}")


def _idle(bench: WalkBench, report: dict[str, Any]) -> None:
    """Nobody asks: nothing is held, nothing runs, nothing is timed."""
    bench.agree("active requests while idle", 0, report["active_requests"])
    bench.agree("requests open at the server while idle", 0, len(bench.server.open))
    bench.agree("what an idle backend holds", None, find_leaks([bench.backend]))
    bench.agree("tasks while idle", 0, len(asyncio.all_tasks(bench.loop)))
    bench.agree("timers while idle", 0, bench.loop.timers())


def nothing_left(bench: WalkBench) -> None:
    """Hold what must be true of a closed backend after everything has ended."""
    _idle(bench, bench.backend.report())
    bench.fresh_call("default")
