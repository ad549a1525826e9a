"""Broken paths of a call: a good backend with one step of the path left out, done twice or done too late.

Each function spoils a backend in place, so that saboteurs can be made of it as well.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from backends.resilience.admission import Admission, Overflow
from backends.resilience.breaker import Breaker, Lease
from backends.resilience.endpoint import Endpoint
from backends.resilience.keys import KeyPool
from backends.resilience.line import Ticket
from backends.secret import Key
from conformance.machines.broken.broken import Broken
from conformance.machines.walk.bench import build
from conformance.saboteurs.common import (
    SpoiltPassage,
    patched_breaker,
    patched_endpoint,
    patched_passage,
    sleep_in_the_slot,
)

__all__ = ["BROKEN", "abandoned_stream_not_counted", "ends_twice", "rotation_keeps_the_old_key"]


def slot_leaked_on_cancel(backend: Any) -> None:
    """A call that is cancelled in flight keeps its slot and its key."""

    class Kept(SpoiltPassage):
        def let_go(self) -> None:
            self._open = False

    patched_passage(backend, Kept)


def ends_twice(backend: Any) -> None:
    """A call that is cancelled is counted where it is cancelled and once more where it is cleaned up."""
    finished = backend._finished

    def twice(call: Any, endpoint: Any, outcome: str, *facts: Any) -> None:
        finished(call, endpoint, outcome, *facts)
        if outcome == "cancelled":
            finished(call, endpoint, outcome, *facts)

    backend._finished = twice


def key_released_twice(backend: Any) -> None:
    """The lease of a key is given back by the attempt that failed and again by its call."""

    def change(endpoint: Endpoint) -> None:
        finish = endpoint.finish

        def twice(breaker_lease: Lease, key_lease: Any, outcome: str, *facts: Any) -> None:
            finish(breaker_lease, key_lease, outcome, *facts)
            if key_lease is not None and outcome == "failure":
                key_lease.entry.in_flight -= 1

        endpoint.finish = twice  # type: ignore[assignment, method-assign]  # breaking it is the point

    patched_endpoint(backend, change)


def probe_not_freed(backend: Any) -> None:
    """A probe that ends without a verdict is never given back: the breaker stays half open for ever."""

    class NeverFreed(Breaker):
        def release(self, lease: Lease, now: float, wall: float) -> None:
            if not lease.probe:
                super().release(lease, now, wall)

    patched_breaker(backend, NeverFreed)


def abandoned_stream_not_counted(backend: Any) -> None:
    """A stream that its reader left after the first chunk is started and never finished in the counters."""
    finished = backend._finished

    def forgetful(call: Any, endpoint: Any, outcome: str, error: Any, usage: Any, first: float | None) -> None:
        if outcome != "cancelled" or first is None:
            finished(call, endpoint, outcome, error, usage, first)

    backend._finished = forgetful


def resize_forgotten_by_waiters(backend: Any) -> None:
    """A larger limit is noted, and whoever waits goes on waiting."""

    def change(endpoint: Endpoint) -> None:
        def noted(*, max_concurrent_requests: int | None = None, queue_size: int | None = None) -> None:
            admission = endpoint.admission
            admission.limit = max_concurrent_requests or admission.limit
            admission.queue_size = admission.queue_size if queue_size is None else queue_size

        endpoint.resize = noted  # type: ignore[method-assign]  # as above

    patched_endpoint(backend, change)


def retry_holds_a_slot(backend: Any) -> None:
    """Whoever waits for a retry sits in a slot meanwhile."""
    patched_endpoint(backend, sleep_in_the_slot)


def batch_member_lost_on_close(backend: Any) -> None:
    """Whoever waits for a batch to leave when the backend is closed is told nothing."""
    batching = backend._batching

    def deaf(endpoint: Endpoint) -> Any:
        found = batching(endpoint)
        found.close = lambda: [desk.batcher.drain() for desk in found._desks.values()]
        return found

    backend._batching = deaf


def cancelled_waiter_stays(backend: Any) -> None:
    """A call that is cancelled in the queue stays there and is given a slot that nobody uses."""

    class Ghostly(Admission[Any]):
        def withdraw(self, ticket: Ticket[Any], now: float) -> bool:
            return True

    def change(endpoint: Endpoint) -> None:
        settings = endpoint.settings
        overflow = Overflow(settings.overflow)
        endpoint.admission = Ghostly(settings.max_concurrent_requests, settings.queue_size, overflow, settings.ageing)

    patched_endpoint(backend, change)


def stream_without_deadline(backend: Any) -> None:
    """The deadline of a stream is forgotten once it was asked for."""
    backend._remaining = lambda call: None


def refusals_not_counted(backend: Any) -> None:
    """A call that the queue turns away is started and never finished in the counters."""
    finished = backend._finished

    def forgetful(call: Any, endpoint: Any, outcome: str, error: str | None, *facts: Any) -> None:
        if error != "QueueFullError":
            finished(call, endpoint, outcome, error, *facts)

    backend._finished = forgetful


def sends_after_close(backend: Any) -> None:
    """A call that waits for its retry when the backend is closed goes on afterwards."""

    def change(endpoint: Endpoint) -> None:
        endpoint._check_open = lambda: None  # type: ignore[method-assign]  # as above

    patched_endpoint(backend, change)


def rotation_keeps_the_old_key(backend: Any) -> None:
    """A key that was replaced is still used in turn with the new one."""

    def change(endpoint: Endpoint) -> None:
        pool = endpoint.pool

        class Hoarding(KeyPool):
            def rotate(self, old_fingerprint: str, new_key: Key) -> None:
                if all(key.fingerprint != new_key.fingerprint for key in self.keys()):
                    self.add(new_key)

        endpoint.pool = Hoarding(pool.keys(), strategy=pool.strategy, per_key_limit=endpoint.settings.per_key_limit)

    patched_endpoint(backend, change)


def last_key_taken_no_key_needed(backend: Any) -> None:
    """An endpoint whose last key was removed sends its requests without one."""
    remove = backend.remove_key

    def removed(fingerprint: str, *, endpoint: str | None = None) -> None:
        remove(fingerprint, endpoint=endpoint)
        found = backend.endpoint(endpoint)
        found.has_keys = bool(len(found.pool))

    backend.remove_key = removed


def _made(spoil: Callable[[Any], None]) -> Callable[..., Any]:
    """Return a factory of backends that ``spoil`` has changed; it keeps the name and the sin."""

    @wraps(spoil)
    def made(row: str, site: Any, **settings: Any) -> Any:
        backend = build(row, site, **settings)
        spoil(backend)
        return backend

    return made


_SPOILS: Final[tuple[tuple[str, Callable[[Any], None]], ...]] = (
    ("QUE-07", slot_leaked_on_cancel),
    ("TRK-02", ends_twice),
    ("KEY-07", key_released_twice),
    ("BRK-06", probe_not_freed),
    ("TRK-02", abandoned_stream_not_counted),
    ("QUE-09", resize_forgotten_by_waiters),
    ("QUE-11", retry_holds_a_slot),
    ("QUE-05", batch_member_lost_on_close),
    ("QUE-06", cancelled_waiter_stays),
    ("BAK-06", stream_without_deadline),
    ("TRK-02", refusals_not_counted),
    ("LIFE-02", sends_after_close),
    ("KEY-08", rotation_keeps_the_old_key),
    ("KEY-03", last_key_taken_no_key_needed),
)
BROKEN = tuple(Broken("walk", requirement, _made(spoil)) for requirement, spoil in _SPOILS)
