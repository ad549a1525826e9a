"""Broken key pools."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from backends.resilience.allowance import Demand
from backends.resilience.key_state import Entry
from backends.resilience.keys import Busy, Exhausted, KeyLease, KeyPool, Wait
from backends.secret import Key
from backends.types import Usage
from conformance.machines.broken.broken import Broken

__all__ = ["BROKEN"]


class AlwaysTheFirst(KeyPool):
    """Ties go to the first key, which gets nearly all the traffic."""

    def _lease(self, entry: Entry, demand: Demand | None, now: float) -> KeyLease:
        lease = super()._lease(entry, demand, now)
        self._cursor = 0
        return lease


class Impatient(KeyPool):
    """Offers a rate-limited key before its time."""

    def acquire(
        self,
        now: float,
        *,
        tried: Collection[str] = (),
        affinity: bytes | None = None,
        only: str | None = None,
        demand: Demand | None = None,
    ) -> KeyLease | Wait | Busy | Exhausted:
        """Live in the future."""
        return super().acquire(now + 5.0, tried=tried, affinity=affinity, only=only, demand=demand)


class ShortensTheWait(KeyPool):
    """A later, shorter hint replaces a longer one that still holds."""

    def cool(self, lease: KeyLease, until: float) -> None:
        """Overwrite."""
        lease.entry.cooling_until = until


class DriftsNegative(KeyPool):
    """A lease given back twice counts twice, and the key looks idle for ever."""

    def release(self, lease: KeyLease) -> bool:
        """Forget that it was given back."""
        known = lease.held
        lease.held = True
        super().release(lease)
        return known


class LeaksOnFailure(KeyPool):
    """A key that fails is never counted down."""

    def record(self, lease: KeyLease, usage: Usage | None, failed: bool) -> None:
        """Lose the lease with the error."""
        super().record(lease, usage, failed)
        if failed:
            lease.held = False


class OldSuccessRevives(KeyPool):
    """A success that was under way when the key was retired brings it back."""

    def record(self, lease: KeyLease, usage: Usage | None, failed: bool) -> None:
        """Take it for news."""
        lease.retirements = lease.entry.retirements
        super().record(lease, usage, failed)


class NeverForgives(KeyPool):
    """One refusal by mistake and a single key is dead until the program is restarted."""

    def _last_resort(
        self, entries: Sequence[Entry], now: float, tried: Collection[str], demand: Demand | None
    ) -> KeyLease | Wait | Busy | Exhausted:
        return super()._last_resort(entries, now, tried or ("something",), demand)


class ForgetsTheRemoved(KeyPool):
    """The totals of a removed key are gone."""

    def _leave(self, entry: Entry) -> None:
        pass


class RotatesInPlace(KeyPool):
    """What was sent with the old key is counted for the new one."""

    def rotate(self, which: str, new_key: Key) -> None:
        """Exchange the key under the leases."""
        entry = self._entries[self._find(which)]
        self._enter(new_key, None, 1.0)
        entry.key, entry.fingerprint = new_key, new_key.fingerprint


class NoLimit(KeyPool):
    """Takes a limit per key and ignores it."""

    def _enter(self, key: Key, limit: int | None, weight: float, *, instead_of: Entry | None = None) -> Entry:
        return super()._enter(key, None, weight, instead_of=instead_of)


class EveryKeyTheSame(KeyPool):
    """Takes weights and gives every key the same share."""

    def _enter(self, key: Key, limit: int | None, weight: float, *, instead_of: Entry | None = None) -> Entry:
        return super()._enter(key, limit, 1.0, instead_of=instead_of)


class TriedAgainFirst(KeyPool):
    """Goes back to a key that has just failed while a fresh one is idle."""

    def acquire(
        self,
        now: float,
        *,
        tried: Collection[str] = (),
        affinity: bytes | None = None,
        only: str | None = None,
        demand: Demand | None = None,
    ) -> KeyLease | Wait | Busy | Exhausted:
        """Forget what was tried."""
        answer = super().acquire(now, affinity=affinity, only=only, demand=demand)
        if tried and isinstance(answer, KeyLease) and answer.entry.retired:
            self.release(answer)
            return Exhausted(answer.entry.reason or "")
        return answer


class DeafToAffinity(KeyPool):
    """Spreads the calls of one conversation over all keys, and the provider's prompt cache never hits."""

    def acquire(
        self,
        now: float,
        *,
        tried: Collection[str] = (),
        affinity: bytes | None = None,
        only: str | None = None,
        demand: Demand | None = None,
    ) -> KeyLease | Wait | Busy | Exhausted:
        """Drop the affinity."""
        return super().acquire(now, tried=tried, only=only, demand=demand)


BROKEN = (
    Broken("keys", "KEY-04", AlwaysTheFirst),
    Broken("keys", "KEY-05", Impatient),
    Broken("keys", "KEY-05", ShortensTheWait),
    Broken("keys", "KEY-07", DriftsNegative),
    Broken("keys", "KEY-07", LeaksOnFailure),
    Broken("keys", "KEY-06", OldSuccessRevives),
    Broken("keys", "KEY-06", NeverForgives),
    Broken("keys", "KEY-07", ForgetsTheRemoved),
    Broken("keys", "KEY-08", RotatesInPlace),
    Broken("keys", "KEY-12", NoLimit),
    Broken("keys", "KEY-13", EveryKeyTheSame),
    Broken("keys", "KEY-06", TriedAgainFirst),
    Broken("keys", "KEY-11", DeafToAffinity),
)
