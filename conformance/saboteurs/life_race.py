"""Backends that are right as long as nobody comes at the same moment.

Each race is committed on purpose: whoever is between look and leap waits there until another thread stands beside it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Final

from conformance.race import SMALLEST_LIMIT
from conformance.saboteurs import saboteur
from conformance.saboteurs.common import patched_endpoint

_PATIENCE: Final = 1.0
"""Seconds that the first waits for the second, who was let go at the same barrier."""


class _Meeting:
    """Where so many threads meet once; ``together`` is done when the last one has come, and later ones pass."""

    def __init__(self, threads: int, together: Callable[[], None] | None = None) -> None:
        self._barrier = threading.Barrier(threads, together)
        self._over = False

    def wait(self) -> bool:
        """Wait for the others, the first time; False for whoever met nobody."""
        if self._over:
            return False
        try:
            self._barrier.wait(_PATIENCE)
        except threading.BrokenBarrierError:
            return False
        finally:
            self._over = True
        return True


@saboteur("LIFE-05", "counts requests without a lock", alone=True, case="calls")
def unlocked_counter(backend: Any) -> None:
    """Reads the count, is interrupted, and writes what it had read plus one."""
    meeting = _Meeting(2)

    def started() -> None:
        metrics = backend._metrics
        requests = metrics.requests
        meeting.wait()
        metrics.started()
        metrics.requests = requests + 1

    backend._started = started


@saboteur("LIFE-05", "looks for a free slot, and takes it later", alone=True, case="calls")
def looks_then_leaps(backend: Any) -> None:
    """Looks whether there is room, is interrupted, and goes in on the strength of it."""
    all_of_them = SMALLEST_LIMIT + 1  # the portal's loop and two of the callers' own

    def change(endpoint: Any) -> None:
        enter, admission = endpoint.enter, endpoint.admission

        def leap() -> None:
            for _ in range(all_of_them):
                admission._grant()

        meeting = _Meeting(all_of_them, leap)

        async def entered(level: int, *, returning: bool = False) -> None:
            room = admission.active < admission.limit
            if not (room and meeting.wait()):
                await enter(level, returning=returning)

        endpoint.enter = entered

    patched_endpoint(backend, change)


@saboteur("LIFE-05", "reads its counters one after the other while calls begin", alone=True, case="changes")
def torn_report(backend: Any) -> None:
    """Reads one count, is interrupted by a call that begins, and reads the others."""
    look, leap = threading.Event(), threading.Event()
    started, report = backend._started, backend.report

    def counted() -> None:
        look.wait(_PATIENCE)
        started()
        leap.set()

    def torn() -> Any:
        before = report()
        look.set()
        leap.wait(_PATIENCE)
        return {**report(), "total_requests": before["total_requests"]}

    backend._started = counted
    backend.report = torn
