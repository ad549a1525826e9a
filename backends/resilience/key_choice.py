"""Which of several ready keys goes next. It knows no states and no leases; :mod:`backends.resilience.keys` says who is ready."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from hashlib import blake2b

from backends.resilience.key_state import Entry

__all__ = ["Strategy", "choose", "first_is_best"]


class Strategy(StrEnum):
    """How a key is chosen among those that are ready; among equals they take turns."""

    ROUND_ROBIN = "round_robin"
    LEAST_LOADED = "least_loaded"
    """The fewest in flight."""
    WEIGHTED = "weighted"
    """In proportion to their weights, spread evenly: smooth weighted round robin, as nginx does it."""
    MOST_HEADROOM = "most_headroom"
    """The largest share left of its scarcest rate limit; a key of which nothing is known counts as fresh."""


def first_is_best(strategy: Strategy, first: Entry) -> bool:
    """Say whether no key whose turn comes later could be a better choice than a ready one whose turn it is."""
    return strategy is Strategy.ROUND_ROBIN or (strategy is Strategy.LEAST_LOADED and not first.in_flight)


def choose(strategy: Strategy, ready: Sequence[Entry], affinity: bytes | None, now: float) -> Entry:
    """Return the key to use.

    Args:
        strategy: how.
        ready: at least one, in the order of their turns.
        affinity: what requests that should share a key have in common; it goes before every strategy.
        now: monotonic seconds.
    """
    if affinity is not None:
        # Rendezvous hashing: each key has its own opinion of each affinity, the highest wins; when a key drops out,
        # only what it held moves.
        return max(ready, key=lambda entry: blake2b(affinity, digest_size=8, key=entry.fingerprint.encode()).digest())
    if strategy is Strategy.LEAST_LOADED:
        return min(ready, key=lambda entry: entry.in_flight)
    if strategy is Strategy.MOST_HEADROOM:
        return max(ready, key=lambda entry: entry.headroom(now))
    if strategy is Strategy.WEIGHTED:
        return _smooth(ready)
    return ready[0]


def _smooth(ready: Sequence[Entry]) -> Entry:
    """Each key earns its weight; the richest goes and pays what all of them earned."""
    for entry in ready:
        entry.credit += entry.weight
    richest = max(ready, key=lambda entry: entry.credit)
    richest.credit -= sum(entry.weight for entry in ready)
    return richest
