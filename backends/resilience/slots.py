"""The slots of one endpoint: who waits for one, how many there are now, and how long they are held.

The machines decide; this module guards them with one lock, which it shares with the endpoint, and wakes whoever was granted
a slot. It never waits for time to pass and holds its lock for no longer than one step of a machine.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque

from backends import errors
from backends.resilience.adaptive import AdaptiveLimit
from backends.resilience.admission import Admission, Overflow
from backends.resilience.clock import Clock
from backends.resilience.turnover import Turnover
from backends.resilience.waiter import Waiter
from backends.settings import Settings

__all__ = ["Slots"]


class Slots:
    """See the module docstring.

    Args:
        name: the endpoint's name in messages.
        settings: its limits.
        clock: where time comes from.
    """

    def __init__(self, name: str, settings: Settings, clock: Clock) -> None:
        self.name = name
        self.settings = settings
        self.clock = clock
        self._closed = False
        self._build_slots()

    def _build_slots(self) -> None:
        settings, now = self.settings, self.clock.monotonic()
        self._lock = threading.Lock()
        ceiling = settings.max_concurrent_requests
        self.adaptive = AdaptiveLimit(ceiling, now) if settings.adaptive_concurrency else None
        self.admission: Admission[Waiter] = Admission(
            ceiling if self.adaptive is None else self.adaptive.limit,
            settings.queue_size,
            Overflow(settings.overflow),
            settings.ageing,
        )
        self.turnover = Turnover(now)

    async def enter(self, level: int, *, returning: bool = False, let_on: bool = False) -> None:
        """Wait for a slot.

        Args:
            level: the priority, 0 is highest.
            returning: a retry of a request that was let in before; it is never refused and goes before newer ones.
            let_on: it has held the others back, and holds them no longer once it stands in line.

        Raises:
            QueueFullError: there is no room to wait, or the wait would be longer than ``max_queue_wait``.
            ClosedError: the backend was closed.
        """
        waiter = Waiter()
        now = self.clock.monotonic()
        with self._lock:
            self._check_open()
            admission = self.admission
            if not returning:
                self._check_wait(level, now)
            submission = admission.submit(waiter, level, now, returning=returning)
            if submission.state == "queued":
                waiter.loop = asyncio.get_running_loop()
                waiter.future = waiter.loop.create_future()
            let_in = self._grant(admission.let_on(now)) if let_on or admission.overdue(now) else []
        self._wake(let_in)
        if submission.dropped is not None:
            submission.dropped.tell(self._full("a request of higher priority took its place"))
        if submission.state == "granted":
            return
        if submission.state == "rejected":
            raise self._full(f"{admission.queue_size} requests are waiting")
        assert waiter.future is not None
        try:
            await waiter.future
        except BaseException:
            with self._lock:
                now = self.clock.monotonic()
                granted: list[Waiter] = []
                if self.admission is not admission:
                    pass  # a place of the parent process, before a fork
                elif waiter.granted:
                    granted = self._grant(self.admission.release(now))
                elif submission.ticket is not None:
                    self.admission.withdraw(submission.ticket, now)
            self._wake(granted)
            raise

    def leave(self, *, hold_back_until: float | None = None) -> None:
        """Give back a slot that never became a passage.

        Until ``hold_back_until`` (monotonic seconds), or until somebody enters with ``let_on``, nobody else gets one.
        """
        with self._lock:
            if hold_back_until is not None:
                self.admission.hold_back(hold_back_until)
            granted = self._grant(self.admission.release(self.clock.monotonic()))
        self._wake(granted)

    def let_on(self) -> None:
        """Give slots again."""
        with self._lock:
            granted = self._grant(self.admission.let_on(self.clock.monotonic()))
        self._wake(granted)

    def resize(self, *, max_concurrent_requests: int | None = None, queue_size: int | None = None) -> None:
        """Change the limits; requests in flight go on. Where the limit is adaptive, its ceiling changes."""
        now = self.clock.monotonic()
        with self._lock:
            limit = max_concurrent_requests
            if limit is not None and self.adaptive is not None:
                self.adaptive.resize(limit, now)
                limit = self.adaptive.limit
            granted = self._grant(self.admission.resize(now, limit=limit, queue_size=queue_size))
        self._wake(granted)

    def learn_answer(self, kind: str, number: int, seconds: float, in_flight: int) -> None:
        """Let an adaptive limit learn of an answer; see :meth:`AdaptiveLimit.answered`."""
        if self.adaptive is None:
            return
        now = self.clock.monotonic()
        with self._lock:
            self.adaptive.answered(kind, number, seconds, now, in_flight)
            granted = self._follow(self.adaptive, now)
        self._wake(granted)

    def learn_refusal(self, number: int) -> None:
        """Let an adaptive limit learn that the server was asked too much; see :meth:`AdaptiveLimit.refused`."""
        if self.adaptive is None:
            return
        now = self.clock.monotonic()
        with self._lock:
            self.adaptive.refused(number, now)
            granted = self._follow(self.adaptive, now)
        self._wake(granted)

    def _follow(self, adaptive: AdaptiveLimit, now: float) -> list[Waiter]:
        if adaptive.limit == self.admission.limit:
            return []
        return self._grant(self.admission.resize(now, limit=adaptive.limit))

    def expected_wait(self, ahead: int, now: float) -> float:
        """Return seconds that somebody with so many before him would wait for a slot; to be called under the lock."""
        return self.turnover.expected_wait(ahead, self.admission.limit, now)

    def _check_wait(self, level: int, now: float) -> None:
        most = self.settings.max_queue_wait
        ahead = self.admission.ahead(level, now) if most is not None else None
        if most is None or ahead is None:
            return
        expected = self.expected_wait(ahead, now)
        if expected > most:
            self.admission.turn_away()
            raise self._full(f"a slot is expected to come free in {expected:.3g} s, max_queue_wait is {most:g} s")

    def _grant(self, waiters: list[Waiter]) -> list[Waiter]:
        for waiter in waiters:
            waiter.granted = True
        return waiters

    def _wake(self, waiters: list[Waiter]) -> None:
        left = deque(waiters)
        while left:
            waiter = left.popleft()
            if waiter.tell():
                continue
            with self._lock:  # its loop is closed: the slot goes to the next
                if waiter.granted:
                    waiter.granted = False  # it is given back here, not again when the dead caller is collected
                    left.extend(self._grant(self.admission.release(self.clock.monotonic())))

    def _full(self, why: str) -> errors.QueueFullError:
        return errors.QueueFullError(f"The queue of endpoint {self.name!r} is full: {why}. Nothing was sent.")

    def _check_open(self) -> None:
        if self._closed:
            raise errors.ClosedError("This backend is closed; make a new one.")
