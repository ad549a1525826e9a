"""One endpoint's own queue, breaker, keys and counters behind one lock, safe from every thread and event loop.

The machines decide; this module only guards them and wakes whoever was granted a slot. It never talks to a server, never
waits for time to pass and holds its lock for no longer than one step of a machine.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

from backends import errors
from backends.resilience import keys as key_pool
from backends.resilience.admission import Admission, Overflow
from backends.resilience.backoff import Backoff
from backends.resilience.breaker import Breaker, Lease, Refusal
from backends.resilience.budget import RetryBudget
from backends.resilience.clock import Clock
from backends.resilience.passage import Passage
from backends.resilience.status import breaker_status, queue_status
from backends.resilience.supply import KeySource, Supply
from backends.resilience.waiter import Waiter
from backends.secret import Key
from backends.settings import Settings
from backends.telemetry.prices import Charge
from backends.types import Usage

__all__ = ["Endpoint", "KeysBusy", "Passage"]


@dataclass(frozen=True, slots=True)
class KeysBusy:
    """Healthy keys exist, but all are at their own limit.

    Attributes:
        until: monotonic seconds at which a cooling key comes back, None when none cools.
        version: of the keys when this was found, so that a key freed in between is not missed.
    """

    until: float | None
    version: int


class Endpoint:
    """See the module docstring. ``keys`` empty means that this server takes no key.

    Args:
        name: the endpoint's name in reports.
        base_url: where it is, without a trailing slash.
        keys: its credentials.
        settings: its limits and policies.
        clock: where time comes from.
        source: where its keys come from instead, and are fetched anew.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        keys: Iterable[Key],
        settings: Settings,
        clock: Clock,
        source: KeySource | None = None,
    ) -> None:
        self.name = name
        self.base_url = base_url
        self.settings = settings
        self.clock = clock
        self.backoff = Backoff(
            settings.initial_retry_delay, settings.backoff_factor, settings.max_retry_delay, settings.jitter
        )
        self._closed = False
        self.supply = Supply(source) if source is not None else None
        self._build(tuple(keys))

    def _build(self, keys: tuple[Key, ...]) -> None:
        settings = self.settings
        self._lock = threading.Lock()
        self._key_waiters: deque[Waiter] = deque()
        self._key_version = 0
        self.admission: Admission[Waiter] = Admission(
            settings.max_concurrent_requests, settings.queue_size, Overflow(settings.overflow), settings.ageing
        )
        self.breaker = Breaker(settings.failure_threshold, settings.reset_timeout)
        self.pool = key_pool.KeyPool(
            keys, strategy=key_pool.Strategy(settings.key_strategy), per_key_limit=settings.per_key_limit
        )
        self.has_keys = bool(keys) or self.supply is not None
        self.budget = (
            RetryBudget(settings.retry_budget, settings.retry_reserve) if settings.retry_budget is not None else None
        )

    def after_fork(self) -> None:
        """Forget what the parent process holds: its slots, waiters and leases are not ours."""
        pool, had_keys = self.pool.renewed(), self.has_keys
        self.supply = self.supply.renewed() if self.supply is not None else None
        self._build(())
        self.pool, self.has_keys = pool, had_keys

    # -- slots ---------------------------------------------------------------------------------------------------------

    async def enter(self, level: int, *, returning: bool = False) -> None:
        """Wait for a slot.

        Args:
            level: the priority, 0 is highest.
            returning: a retry of a request that was let in before; it is never refused and goes before newer ones.

        Raises:
            QueueFullError: there is no room to wait.
            ClosedError: the backend was closed.
        """
        waiter = Waiter()
        now = self.clock.monotonic()
        with self._lock:
            self._check_open()
            admission = self.admission
            submission = admission.submit(waiter, level, now, returning=returning)
            if submission.state == "queued":
                waiter.loop = asyncio.get_running_loop()
                waiter.future = waiter.loop.create_future()
        if submission.dropped is not None:
            submission.dropped.tell(self._full("a request of higher priority took its place"))
        if submission.state == "granted":
            return
        if submission.state == "rejected":
            raise self._full(f"{self.settings.queue_size} requests are waiting")
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

    def leave(self) -> None:
        """Give back a slot that never became a passage."""
        with self._lock:
            granted = self._grant(self.admission.release(self.clock.monotonic()))
        self._wake(granted)

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

    # -- breaker and keys ----------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Refuse at once while the breaker is open, before a request waits for a slot.

        Raises:
            ServiceUnavailableError: the breaker is open.
        """
        with self._lock:
            wait = self.breaker.wait(self.clock.monotonic())
        if wait > 0:
            raise self._open_error(wait)

    def board(
        self, tried: Collection[str], affinity: bytes | None = None, only: str | None = None
    ) -> Passage | key_pool.Wait | KeysBusy | key_pool.Exhausted:
        """Turn a slot into a passage; on anything else the caller still holds the slot.

        Raises:
            ServiceUnavailableError: the breaker is open, or another probe is under way.
        """
        now = self.clock.monotonic()
        with self._lock:
            lease = self.breaker.acquire(now, self.clock.time())
            if isinstance(lease, Refusal):
                raise self._open_error(lease.retry_after)
            if not self.has_keys:
                return Passage(self, lease, None)
            key_lease = self.pool.acquire(now, tried=tried, affinity=affinity, only=only)
            if isinstance(key_lease, key_pool.KeyLease):
                return Passage(self, lease, key_lease)
            self.breaker.release(lease, now, self.clock.time())
            if isinstance(key_lease, key_pool.Busy):
                return KeysBusy(key_lease.until, self._key_version)
            return key_lease

    def _open_error(self, wait: float) -> errors.ServiceUnavailableError:
        return errors.ServiceUnavailableError(
            f"The circuit breaker of endpoint {self.name!r} is open; nothing was sent. Come back in {wait:.3g} s.",
            retry_after=wait,
        )

    async def key_freed(self, busy: KeysBusy) -> None:
        """Wait until some key has been given back, added or rotated since ``busy`` was found, or one has cooled."""
        limit = None if busy.until is None else max(0.0, busy.until - self.clock.monotonic())
        try:
            async with asyncio.timeout(limit):
                await self._key_change(busy.version)
        except TimeoutError:
            return

    async def _key_change(self, version: int) -> None:
        waiter = Waiter()
        waiter.loop = asyncio.get_running_loop()
        waiter.future = waiter.loop.create_future()
        with self._lock:
            self._check_open()
            if self._key_version != version:
                return
            self._key_waiters.append(waiter)
        try:
            await waiter.future
        finally:
            with self._lock:
                if waiter in self._key_waiters:
                    self._key_waiters.remove(waiter)

    def cool(self, lease: key_pool.KeyLease, until: float) -> None:
        """Keep a key unused until then (monotonic seconds)."""
        with self._lock:
            self.pool.cool(lease, until)

    def retire(self, lease: key_pool.KeyLease, reason: str) -> None:
        """Take a key out of service."""
        with self._lock:
            self.pool.retire(lease, reason)

    def finish(
        self,
        breaker_lease: Lease,
        key_lease: key_pool.KeyLease | None,
        outcome: str,
        usage: Usage | None,
        failed: bool,
        charge: Charge | None = None,
    ) -> None:
        """Take back what a passage held and let breaker and key learn; called once, by the passage."""
        now = self.clock.monotonic()
        with self._lock:
            if outcome == "success":
                self.breaker.success(breaker_lease, now, self.clock.time())
            elif outcome == "failure":
                self.breaker.failure(breaker_lease, now, self.clock.time())
            else:
                self.breaker.release(breaker_lease, now, self.clock.time())
            if key_lease is not None:
                self.pool.record(key_lease, usage, failed)
                if charge is not None:
                    self.pool.charge(key_lease, charge)
                self.pool.release(key_lease)
            granted = self._grant(self.admission.release(now))
            freed = self._take_key_waiters()
        self._wake(granted)
        for waiter in freed:
            waiter.tell()

    def _take_key_waiters(self) -> tuple[Waiter, ...]:
        self._key_version += 1
        if not self._key_waiters:
            return ()
        freed = tuple(self._key_waiters)
        self._key_waiters.clear()
        return freed

    # -- changes while calls fly ---------------------------------------------------------------------------------------

    def resize(self, *, max_concurrent_requests: int | None = None, queue_size: int | None = None) -> None:
        """Change the limits; requests in flight go on."""
        with self._lock:
            granted = self._grant(
                self.admission.resize(self.clock.monotonic(), limit=max_concurrent_requests, queue_size=queue_size)
            )
        self._wake(granted)

    def change_keys(self, change: Callable[[key_pool.KeyPool], None]) -> None:
        """Run ``change(pool)`` under the lock and wake whoever waits for a key."""
        with self._lock:
            change(self.pool)
            self.has_keys = self.has_keys or bool(
                self.pool.keys()
            )  # with its last key gone it sends nothing, not keyless
            freed = self._take_key_waiters()
        for waiter in freed:
            waiter.tell()

    def withdraw_retry(self) -> bool:
        """Take one retry from the budget; False when it is spent."""
        if self.budget is None:
            return True
        with self._lock:
            return self.budget.withdraw()

    def deposit_request(self) -> None:
        """Count one request into the retry budget."""
        if self.budget is not None:
            with self._lock:
                self.budget.deposit()

    def next_key_at(self, only: str | None = None) -> float | None:
        """Return when the next cooling key is ready (monotonic), now when one is, None without live keys."""
        now = self.clock.monotonic()
        with self._lock:
            return self.pool.next_ready(now, only) if self.has_keys else now

    def close(self) -> None:
        """Refuse whoever waits and whoever comes."""
        with self._lock:
            self._closed = True
            waiting = self.admission.drain()
            waiting.extend(self._take_key_waiters())
        for waiter in waiting:
            waiter.tell(errors.ClosedError("The backend was closed while this request waited; nothing was sent."))

    def status(self) -> dict[str, Any]:
        """Return the queue's lengths, limits and waits; the shape is part of ``queue_status()``."""
        with self._lock:
            return queue_status(self.admission, self.clock.monotonic())

    def breaker_status(self) -> dict[str, Any]:
        """Return state, counts and recent transitions of the breaker."""
        with self._lock:
            return breaker_status(self.breaker, self.settings, self.clock.monotonic())

    def key_status(self) -> tuple[key_pool.KeyStatus, ...]:
        """Return usage and health of each key, masked."""
        now = self.clock.monotonic()
        with self._lock:
            return self.pool.snapshot(now)

    def has_ready_key(self, tried: Collection[str], only: str | None = None) -> bool:
        """Say whether a key that was not tried could be leased now, or as soon as a call gives it back."""
        now = self.clock.monotonic()
        with self._lock:
            return self.pool.ready(now, tried, only)
