"""One backend as the original plan sketched it: every known defect of the plan's sample code at once.

:data:`DEFECTS` names each defect and the requirements that must reject it. The backend must fail exactly these and pass
every other check of the judged chapters: a contract that rejects it for something else is as wrong as one that lets it pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from backends.resilience.admission import Admission, Overflow
from backends.resilience.batching import Batching
from backends.resilience.breaker import Breaker, Lease, State
from backends.resilience.endpoint import Endpoint
from backends.resilience.failures import AttemptFailed, Blame
from backends.resilience.keys import KeyLease, KeyPool
from backends.resilience.line import Ticket, WaitingLine
from backends.telemetry.metrics import Metrics
from conformance.saboteurs import saboteur
from conformance.saboteurs.bak import judging
from conformance.saboteurs.bat import flushing_late, forgetting, patched_batching
from conformance.saboteurs.common import patched_endpoint, sleep_in_the_slot

__all__ = ["DEFECTS", "as_sketched"]

DEFECTS: Final[Mapping[str, tuple[str, ...]]] = {
    "sorts the whole queue at every entry": ("QUE-14",),
    "runs the whole retry loop in the one queue thread, so nothing is concurrent": (
        "QUE-01", "BRK-07", "KEY-04", "KEY-08", "KEY-12", "LIFE-03", "LIM-01", "LIM-05", "EDG-03",
    ),
    "holds the slot while it sleeps": ("QUE-11", "LIM-03", "LIM-04"),
    "never resets the failure count on a success in CLOSED": ("BRK-01",),
    "admits everyone in HALF-OPEN": ("BRK-03",),
    "retries every exception, 400s included": (
        "BAK-01", "KEY-09", "SEC-01", "TRK-01", "EDG-02", "FLT-02", "FLT-04", "FLT-05", "FLT-06", "SEC-09", "SEC-10",
    ),
    "ignores Retry-After": ("BAK-04", "BAK-05", "FLT-03"),
    "keeps latencies and timestamps in lists that grow for ever": ("TRK-06",),
    "raises KeyError on token counts": ("TRK-03", "TRK-08"),
    "flushes a batch only when the next request arrives": ("BAT-01", "BAT-03", "BAT-06", "BAT-07"),
    "lets the error of a queued batch lose its futures": ("BAT-04",),
    "counts least-loaded by a number nobody decrements on error": (
        "KEY-07", "LIFE-04", "LIFE-05", "QUE-15", "FLT-09", "SEC-08",
    ),
}  # fmt: skip
"""Defect of the plan's sample code -> the requirements that it breaks: its own first, then those that cannot hold without it
(two calls in flight, an error that is final, a hint that is obeyed, an idle backend that holds nothing)."""


class _SketchedLine(WaitingLine[Any]):
    """Sorts on entry; what the interpreter counts as steps grows with the line."""

    def push(self, item: Any, level: int, now: float, *, front: bool = False) -> Ticket[Any]:
        ticket = super().push(item, level, now, front=front)
        position = 0
        for waiting in range(len(self)):
            position = max(position, waiting)
        return ticket


class _SketchedBreaker(Breaker):
    """Three states by name; a count that only grows, and no single probe."""

    def success(self, lease: Lease, now: float, wall: float) -> None:
        failures = self.failures
        super().success(lease, now, wall)
        if not lease.probe:
            self.failures = failures

    def wait(self, now: float) -> float:
        return 0.0 if self.state is State.HALF_OPEN else super().wait(now)


class _SketchedPool(KeyPool):
    """``active_requests`` goes up at the start and down only on success."""

    def record(self, lease: KeyLease, usage: Any, failed: bool) -> None:
        super().record(lease, usage, failed)
        if failed and self.strategy == "round_robin":
            lease.entry.in_flight += 1


class _SketchedMetrics(Metrics):
    """Appends to lists."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.latencies: list[float] = []
        self.request_timestamps: list[float] = []
        super().__init__(*arguments, **options)

    def finished(self, *arguments: Any, **facts: Any) -> None:
        self.latencies.append(facts["total"])
        self.request_timestamps.append(facts["queued"])
        super().finished(*arguments, **facts)


def as_sketched(backend: Any) -> None:
    """Turn a good backend into the sketched one, in place."""
    backend._metrics = _SketchedMetrics(backend._clock.monotonic(), backend._clock.time())
    patched_endpoint(backend, _sketch_endpoint)
    patched_batching(backend, _sketch_batching)
    judging(backend, _sketch_failure)
    perform = backend._perform

    async def counting(operation: Any, options: Any) -> Any:
        reply = await perform(operation, options)
        if operation.name == "chat" and reply.usage.input_tokens is None:
            raise KeyError("usage")
        return reply

    backend._perform = counting


def _sketch_endpoint(endpoint: Endpoint) -> None:
    settings = endpoint.settings
    endpoint.admission = Admission(1, settings.queue_size, Overflow(settings.overflow), settings.ageing)
    endpoint.admission._line = _SketchedLine(3, settings.ageing)
    endpoint.breaker = _SketchedBreaker(settings.failure_threshold, settings.reset_timeout)
    endpoint.pool = _SketchedPool(
        endpoint.pool.keys(),
        strategy=endpoint.pool.strategy,
        per_key_limit=settings.per_key_limit,
        weights=settings.key_weights or (),
        rates=endpoint.rates,
    )
    sleep_in_the_slot(endpoint)


def _sketch_batching(batching: Batching) -> None:
    flushing_late(batching)
    forgetting(batching)


def _sketch_failure(failure: AttemptFailed) -> None:
    failure.hint = None
    if failure.blame is Blame.REQUEST:
        failure.blame, failure.repeatable = Blame.CONTENTION, True


def _registered(defect: str, requirement: str) -> Callable[..., Any]:
    def sketched(backend: Any) -> None:
        as_sketched(backend)

    sketched.__name__ = "as_sketched"
    return saboteur(requirement, f"the plan's sketch: {defect}", alone=True)(sketched)


for _defect, _requirements in DEFECTS.items():
    for _requirement in _requirements:
        _registered(_defect, _requirement)
