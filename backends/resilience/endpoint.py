"""One endpoint's own queue, breaker, keys and counters behind one lock, safe from every thread and event loop.

The machines decide; this module only guards them and wakes whoever waits for a key. It never talks to a server, never
waits for time to pass and holds its lock for no longer than one step of a machine.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from backends import errors
from backends.resilience import keys as key_pool
from backends.resilience.allowance import ONE, Demand, Draw
from backends.resilience.backoff import Backoff
from backends.resilience.breaker import Breaker, Lease, Refusal
from backends.resilience.budget import RetryBudget
from backends.resilience.clock import Clock
from backends.resilience.keyed import Keyed, KeysBusy
from backends.resilience.passage import Passage
from backends.resilience.status import breaker_status, key_limits, queue_status
from backends.resilience.supply import KeySource
from backends.secret import Key
from backends.settings import Settings
from backends.telemetry.prices import Charge
from backends.types import Usage

__all__ = ["Endpoint", "KeysBusy", "Passage"]


class Endpoint(Keyed):
    """See the module docstring.

    Args:
        base_url: where it is, without a trailing slash.
        name, keys, settings, clock, source: as in :class:`~backends.resilience.keyed.Keyed`.

    Raises:
        ValueError: the weights of the settings do not fit the keys.
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
        super().__init__(name, keys, settings, clock, source)
        self.base_url = base_url
        self.backoff = Backoff(
            settings.initial_retry_delay, settings.backoff_factor, settings.max_retry_delay, settings.jitter
        )
        self._build()

    def _build(self) -> None:
        settings = self.settings
        self.breaker = Breaker(settings.failure_threshold, settings.reset_timeout)
        self.budget = (
            RetryBudget(settings.retry_budget, settings.retry_reserve) if settings.retry_budget is not None else None
        )

    def after_fork(self) -> None:
        """Forget what the parent process holds: its slots, waiters and leases are not ours."""
        self._build_slots()
        self._build()
        self._forget_keys_in_use()

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
        self,
        tried: Collection[str],
        affinity: bytes | None = None,
        only: str | None = None,
        demand: Demand = ONE,
    ) -> Passage | key_pool.Wait | KeysBusy | key_pool.Exhausted:
        """Turn a slot into a passage; on anything else the caller still holds the slot.

        Args:
            tried: fingerprints of keys that this request has used.
            affinity: what requests that should share a key have in common.
            only: fingerprint or name of the one key that will do; None for any.
            demand: what it is expected to take of the budgets.

        Raises:
            ServiceUnavailableError: the breaker is open, or another probe is under way.
        """
        now = self.clock.monotonic()
        with self._lock:
            lease = self.breaker.acquire(now, self.clock.time())
            if isinstance(lease, Refusal):
                raise self._open_error(lease.retry_after)
            if not self.has_keys:
                draw = self._draw_keyless(demand, now)
                if isinstance(draw, key_pool.Wait):
                    self.breaker.release(lease, now, self.clock.time())
                    return draw
                return self._passage(lease, None, draw, now)
            key_lease = self.pool.acquire(now, tried=tried, affinity=affinity, only=only, demand=demand)
            if isinstance(key_lease, key_pool.KeyLease):
                return self._passage(lease, key_lease, key_lease.draw, now)
            self.breaker.release(lease, now, self.clock.time())
            if isinstance(key_lease, key_pool.Busy):
                return KeysBusy(key_lease.until, self._key_version)
            return key_lease

    def expected_wait(self, ahead: int, now: float) -> float:
        """As :meth:`Slots.expected_wait`; while budgets hold everybody back, what they let through counts as well."""
        wait = super().expected_wait(ahead, now)
        held_until = self.admission.held_until
        if held_until is None or held_until <= now:
            return wait
        pace = self.rates.requests_per_minute
        between = 0.0 if pace is None else 60.0 / (pace * max(1, len(self.pool)))
        return max(wait, held_until - now + ahead * between)

    def _passage(self, lease: Lease, key_lease: key_pool.KeyLease | None, draw: Draw | None, now: float) -> Passage:
        self.turnover.began(now)
        return Passage(self, lease, key_lease, draw, now)

    def _open_error(self, wait: float) -> errors.ServiceUnavailableError:
        return errors.ServiceUnavailableError(
            f"The circuit breaker of endpoint {self.name!r} is open; nothing was sent. Come back in {wait:.3g} s.",
            retry_after=wait,
        )

    def finish(
        self,
        breaker_lease: Lease,
        key_lease: key_pool.KeyLease | None,
        outcome: str,
        usage: Usage | None,
        failed: bool,
        charge: Charge | None,
        held: Passage,
    ) -> None:
        """Take back what a passage held and let breaker, key and budgets learn; called once, by the passage."""
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
            if held.draw is not None:
                held.draw.allowance.settle(held.draw, usage, now, refused=failed and outcome != "failure")
            self.turnover.ended(held.began, now)
            granted = self._grant(self.admission.release(now))
            freed = self._take_key_waiters()
        self._wake(granted)
        for waiter in freed:
            waiter.tell()

    # -- changes while calls fly ---------------------------------------------------------------------------------------

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

    def close(self) -> None:
        """Refuse whoever waits and whoever comes."""
        with self._lock:
            self._closed = True
            waiting = self.admission.drain()
            waiting.extend(self._take_key_waiters())
        for waiter in waiting:
            waiter.tell(errors.ClosedError("The backend was closed while this request waited; nothing was sent."))

    def status(self) -> dict[str, Any]:
        """Return the queue's lengths, limits and waits, what is left to repeat with, the breaker's state, and keys and
        budgets; the shape is that of ``queue_status()``."""
        now = self.clock.monotonic()
        with self._lock:
            return {
                **queue_status(self, self.budget, now),
                "breaker": self.breaker.state.value,
                **key_limits(self.pool.snapshot(now), self.keyless, now),
            }

    def breaker_status(self) -> dict[str, Any]:
        """Return state, counts and recent transitions of the breaker."""
        with self._lock:
            return breaker_status(self.breaker, self.settings, self.clock.monotonic())
