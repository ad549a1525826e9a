"""What became of the calls of a backend at its caches: counters only."""

from __future__ import annotations

from typing import Final

__all__ = ["CacheCounters"]

_HITS: Final = ("exact", "similar", "joined")
_NAMES: Final = (*_HITS, "misses", "stored", "evicted", "guarded", "bypassed", "embedder_failures")


class CacheCounters:
    """Counts by name.

    ``exact``, ``similar`` and ``joined`` are hits: an equal request, a question that means the same, another call's
    answer that was on its way. ``guarded`` are look-alikes that the second gate turned away, ``bypassed`` calls that
    could have been kept but asked for chance or for no cache.
    """

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts = dict.fromkeys(_NAMES, 0)

    def add(self, name: str, amount: int = 1) -> None:
        """Count ``amount`` more.

        Raises:
            KeyError: there is no such counter.
        """
        self._counts[name] += amount

    def snapshot(self) -> dict[str, int]:
        """Return the counts, ``hits`` summed up."""
        return {"hits": sum(self._counts[name] for name in _HITS), **self._counts}
