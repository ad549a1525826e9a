"""The store of kept answers beside a model that keeps a plain list in order of use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from backends.cache.store import Entry, Store
from conformance.machines import strategies as own
from conformance.machines.bench import Bench, Rules, run_rules

__all__ = ["CacheBench", "CacheRules", "run"]

_OVERHEAD = 512
_TENANTS = ["one tenant", "another tenant"]


@dataclass(frozen=True)
class _Kept:
    """One answer, as the model sees it."""

    key: str
    version: int
    size: int
    tenant: str
    expires: float | None


class CacheBench(Bench):
    """Steps: new, advance, put, get, invalidate."""

    machine = "cache"

    def do_new(self, max_entries: int, max_bytes: int) -> None:
        """Make the store and an empty list."""
        self.left: list[str] = []
        self.store: Store = self.subject(max_entries, max_bytes, lambda entry: self.left.append(entry.key))
        self.max_entries, self.max_bytes = max_entries, max_bytes
        self.kept: list[_Kept] = []
        self.gone: list[str] = []
        self.now, self.versions, self.evicted, self.expired = 100.0, 0, 0, 0

    def do_advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    def do_put(self, key: str, length: int, tenant: str, ttl: float | None) -> None:
        """Keep an answer of so many bytes."""
        expires = None if ttl is None else self.now + ttl
        self.versions += 1
        one = _Kept(key, self.versions, _OVERHEAD + length, tenant, expires)
        fits = one.size <= self.max_bytes
        if fits:
            self._leave([other for other in self.kept if other.key == key])
            self.kept.append(one)
            while len(self.kept) > self.max_entries or sum(other.size for other in self.kept) > self.max_bytes:
                self.evicted += 1
                self._leave(self.kept[:1])
        entry = Entry(
            key=key,
            scope="scope",
            operation="chat",
            model=None,
            tenant=tenant,
            text=None,
            status=self.versions,
            headers=(),
            content=b"x" * length,
            expires=expires,
        )
        self.agree("whether it is kept", fits, self.store.put(entry))

    def do_get(self, key: str) -> None:
        """Ask for an answer."""
        one = next((other for other in self.kept if other.key == key), None)
        if one is not None and one.expires is not None and one.expires <= self.now:
            self.expired += 1
            self._leave([one])
            one = None
        if one is not None:
            self.kept.remove(one)
            self.kept.append(one)
        found = self.store.get(key, self.now)
        self.agree("which answer is given", one and one.version, found and found.status)

    def do_invalidate(self, tenant: str) -> None:
        """Forget the answers of one tenant."""
        leaving = [one for one in self.kept if one.tenant == tenant]
        self._leave(leaving)
        count = self.store.invalidate(lambda entry: entry.tenant == tenant)
        self.agree("how many were forgotten", len(leaving), count)

    def _leave(self, leaving: list[_Kept]) -> None:
        for one in leaving:
            self.kept.remove(one)
            self.gone.append(one.key)

    def check(self) -> None:
        """Compare order, sizes and counts, and hold the bounds."""
        store = self.store
        self.agree("the keys in order of use", tuple(one.key for one in self.kept), store.keys())
        self.agree("bytes", sum(one.size for one in self.kept), store.bytes)
        self.agree("evicted and expired", (self.evicted, self.expired), (store.evicted, store.expired))
        self.agree("who was said to have left", sorted(self.gone), sorted(self.left))
        self.require(len(store) <= self.max_entries, "more answers than allowed")
        self.require(store.bytes <= self.max_bytes, "more bytes than allowed")


class CacheRules(Rules):
    """Random answers of all sizes, asked for again, forgotten, and time passing."""

    bench_class = CacheBench
    subject = Store
    bench: CacheBench

    @initialize(max_entries=st.integers(1, 4), hundreds=st.integers(6, 30))
    def new(self, max_entries: int, hundreds: int) -> None:
        """Begin."""
        self.do("new", max_entries=max_entries, max_bytes=100 * hundreds)

    @rule(
        key=st.sampled_from("abcdef"),
        hundreds=st.sampled_from([0, 0, 1, 2, 5, 20]),
        tenant=st.sampled_from(_TENANTS),
        ttl=st.none() | own.positive_durations(8),
    )
    def put(self, key: str, hundreds: int, tenant: str, ttl: float | None) -> None:
        """Keep."""
        self.do("put", key=key, length=100 * hundreds, tenant=tenant, ttl=ttl)

    @rule(key=st.sampled_from("abcdef"))
    def get(self, key: str) -> None:
        """Ask."""
        self.do("get", key=key)

    @precondition(lambda self: any(one.expires is not None for one in self.bench.kept))
    @rule(index=own.indices(), late=st.sampled_from([-0.25, 0.0, 0.25]))
    def ask_at_the_end(self, index: int, late: float) -> None:
        """Ask for an answer when its time ends: a moment before, at it, a moment after."""
        mortal = [one for one in self.bench.kept if one.expires is not None]
        one = mortal[index % len(mortal)]
        assert one.expires is not None
        self.do("advance", seconds=max(0.0, one.expires + late - self.bench.now))
        self.do("get", key=one.key)

    @rule(tenant=st.sampled_from(_TENANTS))
    def invalidate(self, tenant: str) -> None:
        """Forget."""
        self.do("invalidate", tenant=tenant)

    @rule(seconds=own.durations(6))
    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.do("advance", seconds=seconds)


def run(settings: hypothesis.settings | None = None, machine_class: Callable[..., Any] = Store) -> None:
    """Check a store class; raises Disagreement when it is wrong (CAC-05)."""
    run_rules(CacheRules, machine_class, settings)
