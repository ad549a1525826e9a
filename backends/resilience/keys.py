"""Which key goes next: several credentials for one endpoint, each with its own state and its own totals.

A key is ready, cooling (rate limited until a moment) or retired (refused by the provider), and may have budgets that have no
room for a request before a moment. What an answer means is the caller's to say: this module never sees a status, never
waits, and shows of a key only its name and fingerprint.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from backends.resilience.allowance import Demand, Rates
from backends.resilience.key_choice import Strategy, choose, first_is_best
from backends.resilience.key_state import Entry, KeyLease, KeyStatus, Totals, checked_limit
from backends.secret import Key
from backends.telemetry.prices import Charge
from backends.types import Usage

__all__ = ["Busy", "Exhausted", "KeyLease", "KeyPool", "KeyStatus", "Strategy", "Wait"]

_REMOVED_KEPT: Final = 32


@dataclass(frozen=True, slots=True)
class Wait:
    """No key before ``until`` (monotonic seconds): all that are left are cooling, or have no budget for the request.

    ``paced`` says that budgets are the reason for some of them.
    """

    until: float
    paced: bool = False


@dataclass(frozen=True, slots=True)
class Busy:
    """A key is healthy, but all are at their own limit: ask again after a release.

    Attributes:
        until: monotonic seconds at which a cooling key, or one without budget, comes back, if that may be sooner; None when
            there is none.
    """

    until: float | None = None


@dataclass(frozen=True, slots=True)
class Exhausted:
    """No key is left: all are retired, or there is none. ``reason`` is that of the last one retired."""

    reason: str


_BUSY: Final = Busy()


class KeyPool:
    """The keys of one endpoint.

    Args:
        keys: in the order of use.
        strategy: how to choose among the ready ones.
        per_key_limit: how many leases of one key may be out at once, unless :meth:`add` says otherwise; None for no
            limit.
        weights: one for each key, above 0; empty for equal ones.
        rates: which budgets each key has; None for none.

    Raises:
        ValueError: the same key twice, a limit below 1, or weights that do not fit.
    """

    __slots__ = ("_cursor", "_entries", "_limit", "_older", "_rates", "_removed", "_retired", "strategy")

    def __init__(
        self,
        keys: Iterable[Key],
        *,
        strategy: Strategy = Strategy.ROUND_ROBIN,
        per_key_limit: int | None = None,
        weights: Sequence[float] = (),
        rates: Rates | None = None,
    ) -> None:
        self.strategy = Strategy(strategy)
        self._limit = per_key_limit
        self._rates = rates
        self._entries: list[Entry] = []
        self._removed: list[Entry] = []
        self._older = Totals()
        self._cursor = 0
        self._retired = 0
        given = tuple(keys)
        if weights and len(weights) != len(given):
            raise ValueError(f"there are {len(given)} keys and {len(weights)} weights")
        for number, key in enumerate(given):
            self.add(key, weight=weights[number] if weights else None)

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, key: Key, limit: int | None = None, weight: float | None = None) -> None:
        """Put a key at the end; ``limit`` replaces the pool's own limit per key, ``weight`` is 1 where it is None.

        Raises:
            ValueError: it is in the pool already, the limit is below 1, or the weight is not above 0 or means nothing
                to the strategy.
        """
        if weight is not None and self.strategy is not Strategy.WEIGHTED:
            raise ValueError(f"a weight means nothing to the key strategy {self.strategy.value}; use weighted")
        chosen = self._limit if limit is None else limit
        self._entries.append(self._enter(key, chosen, 1.0 if weight is None else weight))

    def remove(self, which: str) -> None:
        """Offer a key no more. Leases that are out finish on it, and its totals remain.

        Args:
            which: its fingerprint or its name.

        Raises:
            LookupError: no such key in the pool.
        """
        index = self._find(which)
        entry = self._entries.pop(index)
        if index < self._cursor:
            self._cursor -= 1
        self._leave(entry)

    def rotate(self, which: str, new_key: Key) -> None:
        """Put a new key in the place of an old one; leases of the old one finish on it and count for it.

        Args:
            which: fingerprint or name of the old one.
            new_key: what comes in its place.

        Raises:
            LookupError: the old one is not in the pool.
            ValueError: the new one is in the pool already.
        """
        index = self._find(which)
        old = self._entries[index]
        self._entries[index] = self._enter(new_key, old.limit, old.weight, instead_of=old)
        self._leave(old)

    def acquire(
        self,
        now: float,
        *,
        tried: Collection[str] = (),
        affinity: bytes | None = None,
        only: str | None = None,
        demand: Demand | None = None,
    ) -> KeyLease | Wait | Busy | Exhausted:
        """Choose a key for one attempt.

        Args:
            now: monotonic seconds.
            tried: fingerprints of keys this request has used; others go first.
            affinity: what requests that should share a key have in common, such as a digest of a long prefix. They get
                the same key while it is ready, whatever the strategy, and keep it when other keys come or go.
            only: fingerprint or name of the one key that will do; None for any.
            demand: what it takes of the key's budgets; None takes nothing and asks none.

        A key that cools is not offered before its time. When all keys are retired, a request that has not tried any is
        given the one retired last: a refusal may have been a mistake, and a success makes the key ready again.
        """
        fresh: list[Entry] = []
        used: list[Entry] = []
        busy = paced = False
        soonest: float | None = None
        entries = self._those(only)
        turn = self._cursor if only is None else 0
        for entry in entries[turn:] + entries[:turn] if turn else entries:
            if entry.retired:
                continue
            ready_at = entry.ready_at(demand, now)
            if ready_at > now:
                paced = paced or not entry.cools(now)
                if soonest is None or ready_at < soonest:
                    soonest = ready_at
            elif not entry.has_room():
                busy = True
            elif tried and entry.fingerprint in tried:
                used.append(entry)
            else:
                if affinity is None and first_is_best(self.strategy, entry):
                    return self._lease(entry, demand, now)
                fresh.append(entry)
        ready = fresh or used
        if ready:
            return self._lease(choose(self.strategy, ready, affinity, now), demand, now)
        if busy:
            return _BUSY if soonest is None else Busy(soonest)
        if soonest is not None:
            return Wait(soonest, paced)
        return self._last_resort(entries, now, tried, demand)

    def ready(self, now: float, tried: Collection[str] = (), only: str | None = None) -> bool:
        """Tell whether a key outside ``tried`` can be leased now, or as soon as some lease of it is given back."""
        return any(
            not entry.retired and not entry.cools(now) and entry.fingerprint not in tried for entry in self._those(only)
        )

    def next_ready(self, now: float, only: str | None = None) -> float | None:
        """Return ``now`` when a key is healthy, else the moment the first one has cooled, None when all are retired."""
        moments = [max(now, entry.cooling_until) for entry in self._those(only) if not entry.retired]
        return min(moments, default=None)

    def keys(self) -> tuple[Key, ...]:
        """Return the keys in the pool, retired ones included, in order."""
        return tuple(entry.key for entry in self._entries)

    def limit(self, which: str, limit: int | None) -> None:
        """Let at most so many leases of a key be out at once; None for no limit. Those that are out go on.

        Raises:
            LookupError: no such key in the pool.
            ValueError: the limit is below 1.
        """
        self._entries[self._find(which)].limit = checked_limit(limit)

    def renewed(self) -> KeyPool:
        """Return a pool of the same keys, limits and strategy in which nothing has happened yet (after a fork)."""
        pool = KeyPool((), strategy=self.strategy, per_key_limit=self._limit, rates=self._rates)
        pool._entries = [Entry(entry.key, entry.limit, entry.weight, self._rates) for entry in self._entries]
        return pool

    def release(self, lease: KeyLease) -> bool:
        """Give a lease back; False, and no harm done, when it was given back before."""
        if not lease.held:
            return False
        lease.held = False
        lease.entry.in_flight -= 1
        return True

    def cool(self, lease: KeyLease, until: float) -> None:
        """Do not offer this key before ``until`` (monotonic seconds); of several moments the latest holds."""
        entry = lease.entry
        entry.cooling_until = max(entry.cooling_until, until)

    def retire(self, lease: KeyLease, reason: str) -> None:
        """Offer this key no more: the provider refused it. ``reason`` is for people and shows no secret.

        A lease taken before an earlier retirement changes nothing: its refusal is no news.
        """
        entry = lease.entry
        if lease.retirements != entry.retirements:
            return
        self._retired += 1
        entry.retired = self._retired
        entry.retirements += 1
        entry.reason = reason

    def record(self, lease: KeyLease, usage: Usage | None, failed: bool) -> None:
        """Count one outcome for the key. A success of a retired key offered as a last resort makes it ready again."""
        entry = lease.entry
        totals = entry.totals
        totals.requests += 1
        if failed:
            totals.failures += 1
        elif entry.retired and lease.retirements == entry.retirements:
            entry.retired = 0
            entry.reason = None
        if usage is not None:
            totals.input_tokens += usage.input_tokens or 0
            totals.output_tokens += usage.output_tokens or 0

    def charge(self, lease: KeyLease, charge: Charge) -> None:
        """Add what a request on the key is charged."""
        totals = lease.entry.totals
        totals.cost += charge.cost or 0.0
        totals.unknown_costs += charge.cost is None

    def snapshot(self, now: float) -> tuple[KeyStatus, ...]:
        """Return the state of every key in order, then of the last removed ones, then the sum of those before."""
        rows = [entry.status(now) for entry in self._entries]
        rows += [entry.status(now, removed=True) for entry in self._removed]
        older = self._older
        if older.requests:
            rows.append(
                KeyStatus(
                    "(removed)",
                    "",
                    "removed",
                    0,
                    older.requests,
                    older.failures,
                    older.input_tokens,
                    older.output_tokens,
                    cost=older.cost,
                    unknown_costs=older.unknown_costs,
                )
            )
        return tuple(rows)

    def _those(self, only: str | None) -> list[Entry]:
        return self._entries if only is None else [entry for entry in self._entries if entry.answers_to(only)]

    def _find(self, which: str) -> int:
        for index, entry in enumerate(self._entries):
            if entry.answers_to(which):
                return index
        known = ", ".join(entry.key.name[:100] for entry in self._entries[:20])
        # What was asked for is not said again: it may be a key where its name belongs.
        raise LookupError(f"no key with this fingerprint or name is in the pool, which has {known or 'none'}")

    def _enter(self, key: Key, limit: int | None, weight: float, *, instead_of: Entry | None = None) -> Entry:
        if any(entry.answers_to(key.fingerprint) for entry in self._entries):
            raise ValueError(f"{key} is in the pool already")
        if any(entry.answers_to(key.name) for entry in self._entries if entry is not instead_of):
            raise ValueError(f"a key named {key.name[:100]!r} is in the pool already")
        return Entry(key, limit, weight, self._rates)

    def _leave(self, entry: Entry) -> None:
        """Keep the totals of a removed key: one by one for the last few and those in use, as a sum for the rest."""
        self._removed.append(entry)
        for old in self._removed[:-_REMOVED_KEPT]:
            if not old.in_flight:
                self._removed.remove(old)
                self._older.absorb(old.totals)
                # An outcome that is recorded after the release must not be lost.
                old.totals = self._older

    def _lease(self, entry: Entry, demand: Demand | None, now: float) -> KeyLease:
        self._cursor = self._entries.index(entry) + 1
        entry.in_flight += 1
        allowance = entry.allowance
        return KeyLease(entry, None if allowance is None or demand is None else allowance.take(demand, now))

    def _last_resort(
        self, entries: Sequence[Entry], now: float, tried: Collection[str], demand: Demand | None
    ) -> KeyLease | Wait | Busy | Exhausted:
        last = max(entries, key=lambda entry: entry.retired, default=None)
        if last is None:
            return Exhausted("the pool holds no such key" if self._entries else "the pool holds no key")
        if tried:
            return Exhausted(last.reason or "all keys are retired")
        if last.cools(now):
            return Wait(last.cooling_until)
        return self._lease(last, demand, now) if last.has_room() else _BUSY
