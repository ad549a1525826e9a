"""Saboteurs of chapter QUE: queues that lose order, slots or requests."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from backends.resilience.admission import Admission, Overflow, Submission
from backends.resilience.endpoint import Endpoint
from backends.resilience.line import Ticket, WaitingLine
from conformance.saboteurs import EVERY_ROW, saboteur
from conformance.saboteurs.common import SpoiltPassage, patched_endpoint, patched_passage, sleep_in_the_slot


def _with_line(backend: Any, kind: type[WaitingLine[Any]]) -> None:
    def change(endpoint: Endpoint) -> None:
        endpoint.admission._line = kind(3, endpoint.settings.ageing)

    patched_endpoint(backend, change)


def _with_admission(backend: Any, kind: type[Admission[Any]]) -> None:
    def change(endpoint: Endpoint) -> None:
        settings = endpoint.settings
        endpoint.admission = kind(
            settings.max_concurrent_requests, settings.queue_size, Overflow(settings.overflow), settings.ageing
        )

    patched_endpoint(backend, change)


@saboteur("QUE-01", "lets one more in than the limit")
def off_by_one(backend: Any) -> None:
    """A limit of three is four."""

    class Generous(Admission[Any]):
        def submit(self, item: Any, level: int, now: float, *, returning: bool = False) -> Submission[Any]:
            self.limit += 1
            try:
                return super().submit(item, level, now, returning=returning)
            finally:
                self.limit -= 1

    _with_admission(backend, Generous)


@saboteur("QUE-01", "runs one request at a time whatever the limit")
def one_at_a_time(backend: Any) -> None:
    """The whole retry loop lives in one queue thread, so nothing is concurrent."""

    def change(endpoint: Endpoint) -> None:
        endpoint.admission.limit = 1

    patched_endpoint(backend, change)


@saboteur("QUE-02", "ignores the priority", subjects=EVERY_ROW)
def no_priorities(backend: Any) -> None:
    """The argument is accepted and forgotten."""

    class Flat(WaitingLine[Any]):
        def push(self, item: Any, level: int, now: float, *, front: bool = False) -> Ticket[Any]:
            del level
            return super().push(item, 1, now, front=front)

    _with_line(backend, Flat)


@saboteur("QUE-03", "serves the newest of a priority first")
def last_in_first_out(backend: Any) -> None:
    """A stack is called a queue."""

    class Stack(WaitingLine[Any]):
        def pop(self, now: float) -> Any:
            waiting = self.drain()
            newest = waiting.pop() if waiting else None
            for item in waiting:
                self.push(item, 1, now)
            return newest

    _with_line(backend, Stack)


@saboteur("QUE-04", "queues without bound")
def endless_queue(backend: Any) -> None:
    """The size of the queue is only a figure."""

    class Endless(Admission[Any]):
        def submit(self, item: Any, level: int, now: float, *, returning: bool = False) -> Submission[Any]:
            overflow, self.overflow = self.overflow, Overflow.WAIT
            try:
                return super().submit(item, level, now, returning=returning)
            finally:
                self.overflow = overflow

    _with_admission(backend, Endless)


@saboteur("QUE-05", "counts a request twice when it fails")
def ends_twice(backend: Any) -> None:
    """A failure is reported as an error and as a cancellation."""
    finish = backend._finished

    def twice(call: Any, endpoint: Any, outcome: Any, *rest: Any) -> None:
        finish(call, endpoint, outcome, *rest)
        if outcome == "failure":
            finish(call, endpoint, "cancelled", *rest)

    backend._finished = twice


@saboteur("QUE-06", "sends what was cancelled while it waited")
def sends_the_dead(backend: Any) -> None:
    """The work runs in a task of its own that nobody cancels."""
    run = backend._run

    async def shielded(call: Any, endpoint: Any) -> Any:
        return await asyncio.shield(asyncio.ensure_future(run(call, endpoint)))

    backend._run = shielded


@saboteur("QUE-07", "keeps the slot of a cancelled request")
def leaks_the_slot(backend: Any) -> None:
    """Every cancellation makes the backend a little smaller."""

    patched_passage(backend, _Clinging)


class _Clinging(SpoiltPassage):
    """A passage that does not let go."""

    __slots__ = ()

    def let_go(self) -> None:
        """Keep everything."""


@saboteur("QUE-08", "has a limit of its own in each thread")
def one_limit_per_thread(backend: Any) -> None:
    """Four threads, four times the limit."""
    endpoints = threading.local()
    find = backend.endpoint

    def found(name: str | None = None) -> Any:
        if threading.current_thread() is threading.main_thread():
            return find(name)
        own = getattr(endpoints, "own", None)
        if own is None:
            shared = find(name)
            own = endpoints.own = Endpoint(
                shared.name, shared.base_url, shared.pool.keys(), shared.settings, shared.clock
            )
        return own

    backend.endpoint = found


@saboteur("QUE-09", "changes the limit without letting anybody in")
def sleepy_resize(backend: Any) -> None:
    """The new limit counts only from the next release."""

    class Sleepy(Admission[Any]):
        def resize(self, now: float, *, limit: int | None = None, queue_size: int | None = None) -> list[Any]:
            del now
            self.limit = limit if limit is not None else self.limit
            self.queue_size = queue_size if queue_size is not None else self.queue_size
            return []

    _with_admission(backend, Sleepy)


@saboteur("QUE-10", "tells only the total")
def flat_status(backend: Any) -> None:
    """All who wait stand under normal."""

    def change(endpoint: Endpoint) -> None:
        status = endpoint.status

        def flat() -> dict[str, Any]:
            told = status()
            total = told["waiting"]["total"]
            return {**told, "waiting": {"high": 0, "normal": total, "low": 0, "total": total}}

        endpoint.status = flat  # type: ignore[method-assign]

    patched_endpoint(backend, change)


@saboteur("QUE-11", "sleeps in its slot", subjects=EVERY_ROW)
def sleeps_in_the_slot(backend: Any) -> None:
    """The sketch of the original plan: one 503 blocks the queue for the whole backoff."""

    patched_endpoint(backend, sleep_in_the_slot)


@saboteur("QUE-12", "gives the slot back when a stream opens")
def frees_the_slot_early(backend: Any) -> None:
    """Open streams are not counted."""
    open_stream = backend._open

    async def spoilt(work: Any, call: Any, key: Any) -> Any:
        opened = await open_stream(work, call, key)
        work.endpoint.admission.limit += 1
        return opened

    backend._open = spoilt


@saboteur("QUE-12", "keeps the slot of a stream that is closed early")
def keeps_closed_streams(backend: Any) -> None:
    """Only a stream read to its end gives its slot back."""
    leaks_the_slot(backend)


@saboteur("QUE-13", "never ages")
def starves_the_low(backend: Any) -> None:
    """A steady flow of high priority keeps the low ones waiting for ever."""

    def change(endpoint: Endpoint) -> None:
        endpoint.admission._line = WaitingLine(3, None)

    patched_endpoint(backend, change)


@saboteur("QUE-14", "searches the whole line at every step")
def linear_search(backend: Any) -> None:
    """Counts who waits before it lets somebody in."""

    class Counting(WaitingLine[Any]):
        def push(self, item: Any, level: int, now: float, *, front: bool = False) -> Ticket[Any]:
            position = 0
            for waiting in range(len(self)):
                position += waiting >= 0
            return super().push(item, level, now, front=front)

    _with_line(backend, Counting)
