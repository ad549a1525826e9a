"""The keys of one endpoint behind its lock: who waits for one, what calls teach about them, and how they change meanwhile.

The pool decides; this module guards it with the lock that it shares with the slots, and wakes whoever waits for a key. It never
talks to a server and holds the lock for no longer than one step of a machine.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from backends.resilience import keys as key_pool
from backends.resilience.allowance import Allowance, Demand, Draw, Rates
from backends.resilience.clock import Clock
from backends.resilience.key_state import SLACK
from backends.resilience.rate_headers import read_rates
from backends.resilience.slots import Slots
from backends.resilience.supply import KeySource, Supply
from backends.resilience.waiter import Waiter
from backends.secret import Key
from backends.settings import Settings

__all__ = ["Keyed", "KeysBusy"]


@dataclass(frozen=True, slots=True)
class KeysBusy:
    """Healthy keys exist, but all are at their own limit.

    Attributes:
        until: monotonic seconds at which a cooling key comes back, None when none cools.
        version: of the keys when this was found, so that a key freed in between is not missed.
    """

    until: float | None
    version: int


class Keyed(Slots):
    """See the module docstring. ``keys`` empty means that this server takes no key.

    Args:
        name: the endpoint's name in messages.
        keys: its credentials.
        settings: its limits and policies.
        clock: where time comes from.
        source: where its keys come from instead, and are fetched anew.

    Raises:
        ValueError: the weights of the settings do not fit the keys.
    """

    def __init__(
        self, name: str, keys: Iterable[Key], settings: Settings, clock: Clock, source: KeySource | None
    ) -> None:
        super().__init__(name, settings, clock)
        by_headroom = settings.key_strategy == key_pool.Strategy.MOST_HEADROOM
        self.rates = Rates(
            settings.requests_per_minute,
            settings.tokens_per_minute,
            told=settings.rate_limit_headers or by_headroom,
            obeyed=settings.rate_limit_headers,
        )
        given = tuple(keys)
        if source is not None and settings.key_weights is not None:
            raise ValueError("keys that are fetched have no weights")
        self.pool = key_pool.KeyPool(
            given,
            strategy=key_pool.Strategy(settings.key_strategy),
            per_key_limit=settings.per_key_limit,
            weights=settings.key_weights or (),
            rates=self.rates,
        )
        self.supply = Supply(source) if source is not None else None
        self.has_keys = bool(given) or self.supply is not None
        self._build_keys()

    def _build_keys(self) -> None:
        self._key_waiters: deque[Waiter] = deque()
        self._key_version = 0
        self.keyless: Allowance | None = self.rates.allowance()
        """The budgets of a server that takes no key. Where there are keys, each has its own."""

    def _forget_keys_in_use(self) -> None:
        """Forget who waits and what is leased: after a fork they are the parent's."""
        self.supply = self.supply.renewed() if self.supply is not None else None
        self._build_keys()
        self.pool = self.pool.renewed()

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

    def next_key_at(self, only: str | None = None) -> float | None:
        """Return when the next cooling key is ready (monotonic), now when one is, None without live keys."""
        now = self.clock.monotonic()
        with self._lock:
            return self.pool.next_ready(now, only) if self.has_keys else now

    def has_ready_key(self, tried: Collection[str], only: str | None = None) -> bool:
        """Say whether a key that was not tried could be leased now, or as soon as a call gives it back."""
        now = self.clock.monotonic()
        with self._lock:
            return self.pool.ready(now, tried, only)

    def key_status(self) -> tuple[key_pool.KeyStatus, ...]:
        """Return usage and health of each key, masked."""
        now = self.clock.monotonic()
        with self._lock:
            return self.pool.snapshot(now)

    # -- what calls teach, and what others change -----------------------------------------------------------------------

    def cool(self, lease: key_pool.KeyLease, until: float) -> None:
        """Keep a key unused until then (monotonic seconds)."""
        with self._lock:
            self.pool.cool(lease, until)

    def retire(self, lease: key_pool.KeyLease, reason: str) -> None:
        """Take a key out of service."""
        with self._lock:
            self.pool.retire(lease, reason)

    def learn_rates(self, draw: Draw, headers: Mapping[str, str]) -> None:
        """Let the budgets learn what the headers of an answer say (names in lower case)."""
        told = read_rates(headers, self.clock.time())
        if told:
            now = self.clock.monotonic()
            with self._lock:
                draw.allowance.learn(draw, told, now)

    def refuse_rate(self, draw: Draw) -> None:
        """Let the budgets learn that the server answered 429 although they had room."""
        now = self.clock.monotonic()
        with self._lock:
            draw.allowance.refuse(draw, now)

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

    def _draw_keyless(self, demand: Demand, now: float) -> Draw | key_pool.Wait | None:
        if self.keyless is None:
            return None
        ready_at = self.keyless.ready_at(demand, now)
        return self.keyless.take(demand, now) if ready_at - now <= SLACK else key_pool.Wait(ready_at, paced=True)

    def _take_key_waiters(self) -> tuple[Waiter, ...]:
        self._key_version += 1
        if not self._key_waiters:
            return ()
        freed = tuple(self._key_waiters)
        self._key_waiters.clear()
        return freed
