"""The key pool beside a model that keeps one plain record a key and says which keys *may* be chosen.

The model does not prescribe an order where the promise leaves it open; it holds the pool to fairness instead: never the
same key twice running while another is as good, and over an undisturbed run all keys within one of each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from backends.resilience.keys import Busy, Exhausted, KeyLease, KeyPool, Strategy, Wait
from backends.secret import Key
from backends.types import Usage
from conformance.machines.bench import Bench

__all__ = ["MOST_KEYS", "KeysBench"]

MOST_KEYS: Final = 6
"""How many different keys steps may name."""


@dataclass
class _Record:
    """One key, as the model sees it."""

    number: int
    limit: int | None
    cooling_until: float = 0.0
    retired_at: int | None = None
    last_retired: int = 0
    reason: str | None = None
    in_flight: int = 0
    totals: Counter[str] = field(default_factory=Counter)


@dataclass
class _Held:
    """One lease: whose, since which step, and whether it is still out."""

    lease: KeyLease
    record: _Record
    taken: int
    held: bool = True


def _key(number: int) -> Key:
    return Key(f"sk-planted-{number}", name=f"key {number}")


class KeysBench(Bench):
    """Steps: new, advance, acquire, release, cool, retire, record, add, remove, rotate."""

    machine = "keys"

    def do_new(self, keys: int, strategy: str, limit: int | None, weights: list[int] | None = None) -> None:
        """Make a pool of the first ``keys`` keys; ``weights`` are theirs where the strategy is weighted."""
        self.weights = {number: (weights or [1] * keys)[number] for number in range(keys)}
        self.keys = {_key(number).fingerprint: number for number in range(MOST_KEYS)}
        self.pool: KeyPool = self.subject(
            [_key(number) for number in range(keys)],
            strategy=Strategy(strategy),
            per_key_limit=limit,
            weights=weights or (),
        )
        self.untouched = True
        self.strategy, self.limit = strategy, limit
        self.records = [_Record(number, limit) for number in range(keys)]
        self.gone: list[_Record] = []
        self.leases: list[_Held] = []
        self.now, self.moment = 1000.0, 1
        self.last: int | None = None
        self.run_of: Counter[int] = Counter()
        self.winners: list[tuple[str, set[int], int]] = []

    def do_advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    def do_acquire(self, tried: list[int], affinity: str | None) -> None:
        """Ask for a key, as a request that has used those in ``tried``."""
        self.moment += 1
        answer = self.pool.acquire(
            self.now,
            tried={_key(number).fingerprint for number in tried},
            affinity=None if affinity is None else affinity.encode(),
        )
        alive = [one for one in self.records if one.retired_at is None]
        warm = [one for one in alive if one.cooling_until <= self.now]
        free = [one for one in warm if one.limit is None or one.in_flight < one.limit]
        cooling = [one.cooling_until for one in alive if one not in warm]
        if free:
            fresh = [one for one in free if one.number not in tried]
            self._chosen(answer, fresh or free, affinity)
            self._fairness(tried, affinity, undisturbed=len(free) == len(self.records))
        elif warm:
            self.agree("the answer", Busy(min(cooling, default=None)), answer)
        elif cooling:
            self.agree("the answer", Wait(min(cooling)), answer)
        else:
            self._last_resort(answer, tried)

    def _last_resort(self, answer: object, tried: list[int]) -> None:
        last = max(self.records, key=lambda one: one.retired_at or 0, default=None)
        if last is None or tried:
            self.require(isinstance(answer, Exhausted), f"no key is left, but the answer is {answer!r}")
            assert isinstance(answer, Exhausted)
            self.require(last is None or answer.reason == last.reason, "the reason is not that of the last retirement")
        elif last.cooling_until > self.now:
            self.agree("the answer", Wait(last.cooling_until), answer)
        elif last.limit is not None and last.in_flight >= last.limit:
            self.agree("the answer", Busy(), answer)
        else:
            self._chosen(answer, [last], None)
            self._disturb()

    def _chosen(self, answer: object, allowed: list[_Record], affinity: str | None) -> None:
        self.require(isinstance(answer, KeyLease), f"a key is ready, but the answer is {answer!r}")
        assert isinstance(answer, KeyLease)
        number = self.keys[answer.key.fingerprint]
        numbers = {one.number for one in allowed}
        self.require(number in numbers, f"key {number} was chosen, allowed are {sorted(numbers)}")
        record = next(one for one in allowed if one.number == number)
        if affinity is not None:
            for known, among, winner in self.winners:
                if known == affinity and winner in numbers and numbers <= among:
                    self.agree(f"the key of {affinity!r}", winner, number)
            self.winners.append((affinity, numbers, number))
        else:
            others = [one for one in allowed if one is not record]
            if self.strategy == "least_loaded":
                fewest = min(one.in_flight for one in allowed)
                self.agree("the load of the chosen key", fewest, record.in_flight)
                others = [one for one in others if one.in_flight == fewest]
            if self.strategy != "weighted":
                self.require(not others or number != self.last, f"key {number} was chosen twice running beside equals")
        self.last = number
        record.in_flight += 1
        self.run_of[number] += 1
        self.leases.append(_Held(answer, record, self.moment))

    def _fairness(self, tried: list[int], affinity: str | None, *, undisturbed: bool) -> None:
        if tried or affinity or not undisturbed or self.strategy not in ("round_robin", "weighted"):
            self._disturb()
            return
        if self.strategy == "weighted":
            self._proportion()
            return
        counts = [self.run_of[one.number] for one in self.records]
        self.require(max(counts) - min(counts) <= 1, f"the keys were used {counts} times in a row of turns")

    def _proportion(self) -> None:
        """From the beginning, and while nothing else happens, no key is a whole turn from its share."""
        if not self.untouched:
            return
        turns, whole = self.run_of.total(), sum(self.weights.values())
        for number, weight in self.weights.items():
            share = turns * weight / whole
            self.require(
                abs(self.run_of[number] - share) < 1.0, f"key {number} had {self.run_of[number]} turns of {share:.1f}"
            )

    def _disturb(self) -> None:
        self.run_of.clear()
        self.untouched = False

    def do_release(self, lease: int) -> None:
        """Give a lease back, perhaps for the second time."""
        held = self.leases[lease]
        expected, held.held = held.held, False
        held.record.in_flight -= expected
        self.agree("whether it was out", expected, self.pool.release(held.lease))

    def do_cool(self, lease: int, seconds: float) -> None:
        """The provider asked to wait that long."""
        held = self.leases[lease]
        held.record.cooling_until = max(held.record.cooling_until, self.now + seconds)
        self.pool.cool(held.lease, self.now + seconds)
        self._disturb()

    def do_retire(self, lease: int, reason: str) -> None:
        """The provider refused the key."""
        self.moment += 1
        held = self.leases[lease]
        if held.taken > held.record.last_retired:
            held.record.retired_at = held.record.last_retired = self.moment
            held.record.reason = reason
        self.pool.retire(held.lease, reason)
        self._disturb()

    def do_record(self, lease: int, failed: bool, tokens: list[int] | None) -> None:
        """One outcome came in; ``tokens`` are input and output."""
        held = self.leases[lease]
        record = held.record
        if not failed and held.taken > record.last_retired:
            record.retired_at = record.reason = None
            self._disturb()
        arriving, leaving = tokens or (0, 0)
        record.totals.update(requests=1, failures=int(failed), arriving=arriving, leaving=leaving)
        usage = None if tokens is None else Usage(input_tokens=arriving, output_tokens=leaving)
        self.pool.record(held.lease, usage, failed)

    def do_add(self, number: int, limit: int | None) -> None:
        """Add a key; one that is there already must be refused."""
        if any(one.number == number for one in self.records):
            self._refused(ValueError, lambda: self.pool.add(_key(number), limit))
            return
        self.records.append(_Record(number, self.limit if limit is None else limit))
        self.pool.add(_key(number), limit)
        self._changed()

    def do_remove(self, number: int) -> None:
        """Remove a key; one that is not there must be refused."""
        record = next((one for one in self.records if one.number == number), None)
        if record is None:
            self._refused(LookupError, lambda: self.pool.remove(_key(number).fingerprint))
            return
        self.records.remove(record)
        self.gone.append(record)
        self.pool.remove(_key(number).fingerprint)
        self._changed()

    def do_rotate(self, old: int, new: int) -> None:
        """Replace a key."""
        record = next((one for one in self.records if one.number == old), None)
        if record is None or any(one.number == new for one in self.records):
            expected: type[Exception] = LookupError if record is None else ValueError
            self._refused(expected, lambda: self.pool.rotate(_key(old).fingerprint, _key(new)))
            return
        self.records[self.records.index(record)] = _Record(new, record.limit)
        self.gone.append(record)
        self.pool.rotate(_key(old).fingerprint, _key(new))
        self._changed()

    def _changed(self) -> None:
        # Another set of keys: what was fair before says nothing now, and a key that came back is a new one.
        self._disturb()
        self.last = None

    def _refused(self, error: type[Exception], attempt: Callable[[], None]) -> None:
        try:
            attempt()
        except error:
            return
        self.require(False, f"this should have raised {error.__name__}")

    def check(self) -> None:
        """Compare every key's row, and hold the sums: nothing is lost when keys leave, no lease is forgotten."""
        self.agree("number of keys", len(self.records), len(self.pool))
        rows = self.pool.snapshot(self.now)
        present = rows[: len(self.records)]
        self.agree("the order of keys", [f"key {one.number}" for one in self.records], [row.name for row in present])
        for one, row in zip(self.records, present, strict=True):
            warm = one.cooling_until <= self.now
            state = "retired" if one.retired_at is not None else "ready" if warm else "cooling"
            self.agree(f"state of key {one.number}", state, row.state)
            self.agree(f"reason of key {one.number}", one.reason, row.reason)
            cooling_for = one.cooling_until - self.now if state == "cooling" else 0.0
            self.agree(f"cooling of key {one.number}", cooling_for, row.cooling_for)
            self.agree(f"leases out of key {one.number}", one.in_flight, row.in_flight)
            totals = (row.requests, row.failures, row.input_tokens, row.output_tokens)
            self.agree(f"totals of key {one.number}", _totals([one]), totals)
        self.require(all(row.state == "removed" for row in rows[len(present) :]), "a removed key looks present")
        self.agree("leases out", sum(one.held for one in self.leases), sum(row.in_flight for row in rows))
        sums = tuple(
            sum(getattr(row, name) for row in rows)
            for name in ("requests", "failures", "input_tokens", "output_tokens")
        )
        self.agree("the sum over all keys", _totals([*self.records, *self.gone]), sums)
        self._readiness()

    def _readiness(self) -> None:
        alive = [one for one in self.records if one.retired_at is None]
        moments = [max(self.now, one.cooling_until) for one in alive]
        self.agree("when a key is ready", min(moments, default=None), self.pool.next_ready(self.now))
        ready = any(one.cooling_until <= self.now for one in alive)
        self.agree("whether a key is healthy", ready, self.pool.ready(self.now))


def _totals(records: Iterable[_Record]) -> tuple[int, ...]:
    together: Counter[str] = Counter()
    for one in records:
        together.update(one.totals)
    return tuple(together[name] for name in ("requests", "failures", "arriving", "leaving"))
