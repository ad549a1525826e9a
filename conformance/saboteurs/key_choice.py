"""Saboteurs of chapter KEY, continued: weights and headroom that decide nothing, or too much."""

from __future__ import annotations

from typing import Any

from backends.resilience.allowance import Allowance, Rates
from backends.resilience.endpoint import Endpoint
from backends.resilience.key_state import Entry, KeyLease
from backends.resilience.keys import KeyPool, Strategy
from conformance.saboteurs import saboteur
from conformance.saboteurs.common import patched_endpoint


@saboteur("KEY-13", "gives every key the same share")
def weighs_nothing(backend: Any) -> None:
    """The weights are accepted and inert."""

    def change(endpoint: Endpoint) -> None:
        for entry in endpoint.pool._entries:
            entry.weight = 1.0

    patched_endpoint(backend, change)


@saboteur("KEY-13", "gives a key all of its share in a row")
def bunches(backend: Any) -> None:
    """The counts are right, the load comes in lumps."""

    class Bunched(KeyPool):
        turn = 0

        def _lease(self, entry: Entry, demand: Any, now: float) -> KeyLease:
            heavy = [one for one in self._entries for _ in range(int(one.weight))]
            self.turn += 1
            return super()._lease(heavy[(self.turn - 1) % len(heavy)], demand, now)

    def change(endpoint: Endpoint) -> None:
        if endpoint.settings.key_weights is not None:
            endpoint.pool = Bunched(
                endpoint.pool.keys(), strategy=Strategy.WEIGHTED, weights=endpoint.settings.key_weights
            )

    patched_endpoint(backend, change)


def _with_headroom(backend: Any, kind: type[Allowance]) -> None:
    def change(endpoint: Endpoint) -> None:
        for entry in endpoint.pool._entries:
            entry.allowance = kind(Rates(told=True))

    patched_endpoint(backend, change)


@saboteur("KEY-14", "compares what is left and not the share of it")
def compares_numbers(backend: Any) -> None:
    """A large key that is nearly spent looks better than a small fresh one."""

    class Absolute(Allowance):
        def headroom(self, now: float) -> float | None:
            left = [left / 1_000_000 for _, _, left in self._current(now)]
            return min(left, default=None)

    _with_headroom(backend, Absolute)


@saboteur("KEY-14", "takes a key of which nothing is known for an empty one")
def distrusts_the_unknown(backend: Any) -> None:
    """The first key gets everything."""

    class Distrusting(Allowance):
        def headroom(self, now: float) -> float | None:
            return super().headroom(now) or 0.0

    _with_headroom(backend, Distrusting)
