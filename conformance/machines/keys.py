"""Rules that drive a key pool at random; what must hold is in :mod:`conformance.machines.keys_bench`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from backends.resilience.keys import KeyPool
from conformance.machines import strategies as own
from conformance.machines.bench import Rules, run_rules
from conformance.machines.keys_bench import MOST_KEYS, KeysBench

__all__ = ["KeysRules", "run"]


class KeysRules(Rules):
    """Random leases and outcomes in any order, keys coming and going, and time passing."""

    bench_class = KeysBench
    subject = KeyPool
    bench: KeysBench

    @initialize(
        keys=st.integers(1, 4),
        strategy=own.key_strategies(),
        limit=st.none() | st.integers(1, 2),
        weights=st.lists(st.integers(1, 4), min_size=4, max_size=4),
    )
    def new(self, keys: int, strategy: str, limit: int | None, weights: list[int]) -> None:
        """Begin."""
        given = weights[:keys] if strategy == "weighted" else None
        self.do("new", keys=keys, strategy=strategy, limit=limit, weights=given)
        for turn in range(4 if given else 0):
            self.do("acquire", tried=[], affinity=None)
            self.do("release", lease=turn)

    @rule(
        tried=st.just([]) | st.lists(st.integers(0, MOST_KEYS - 1), max_size=3, unique=True),
        affinity=own.affinities(),
    )
    def acquire(self, tried: list[int], affinity: str | None) -> None:
        """Ask for a key."""
        self.do("acquire", tried=tried, affinity=affinity)

    @precondition(lambda self: self.bench.leases)
    @rule(times=st.integers(1, 6), back=st.booleans())
    def take_turns(self, times: int, back: bool) -> None:
        """Ask several times running, giving back or not."""
        for _ in range(times):
            known = len(self.bench.leases)
            self.do("acquire", tried=[], affinity=None)
            if back and len(self.bench.leases) > known:
                self.do("release", lease=known)

    @precondition(lambda self: self.bench.leases)
    @rule(index=own.indices())
    def release(self, index: int) -> None:
        """Give one back."""
        self.do("release", lease=index % len(self.bench.leases))

    @precondition(lambda self: self.bench.leases)
    @rule(index=own.indices(), seconds=own.durations(10))
    def cool(self, index: int, seconds: float) -> None:
        """A rate limit."""
        self.do("cool", lease=index % len(self.bench.leases), seconds=seconds)

    @precondition(lambda self: self.bench.leases)
    @rule(index=own.indices(), reason=st.sampled_from(["401", "402", "403"]))
    def retire(self, index: int, reason: str) -> None:
        """A refusal."""
        self.do("retire", lease=index % len(self.bench.leases), reason=reason)

    @precondition(lambda self: self.bench.leases)
    @rule(
        index=own.indices(),
        failed=st.booleans(),
        tokens=st.none() | st.lists(st.integers(0, 1000), min_size=2, max_size=2),
    )
    def record(self, index: int, failed: bool, tokens: list[int] | None) -> None:
        """An outcome."""
        self.do("record", lease=index % len(self.bench.leases), failed=failed, tokens=tokens)

    @rule(number=st.integers(0, MOST_KEYS - 1), limit=st.none() | st.integers(1, 3))
    def add(self, number: int, limit: int | None) -> None:
        """A key comes."""
        self.do("add", number=number, limit=limit)

    @rule(number=st.integers(0, MOST_KEYS - 1))
    def remove(self, number: int) -> None:
        """A key goes."""
        self.do("remove", number=number)

    @rule(old=st.integers(0, MOST_KEYS - 1), new=st.integers(0, MOST_KEYS - 1))
    def rotate(self, old: int, new: int) -> None:
        """A key is replaced."""
        self.do("rotate", old=old, new=new)

    @rule(seconds=own.durations(12))
    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.do("advance", seconds=seconds)


def run(settings: hypothesis.settings | None = None, machine_class: Callable[..., Any] = KeyPool) -> None:
    """Check a key pool class; raises Disagreement when it is wrong (KEY-04 to 08, 11 to 13)."""
    run_rules(KeysRules, machine_class, settings)
