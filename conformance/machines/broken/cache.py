"""Broken stores of kept answers."""

from __future__ import annotations

from backends.cache.store import Entry, Store
from conformance.machines.broken.broken import Broken

__all__ = ["BROKEN"]


class OldestOut(Store):
    """Lets the oldest make room, however often it is asked for."""

    def get(self, key: str, now: float) -> Entry | None:
        """Leave the order as it is."""
        entry = self._entries.get(key)
        return entry if entry is not None and entry.fresh(now) else super().get(key, now)


class OneTooManyKept(Store):
    """Makes room one answer too late."""

    def put(self, entry: Entry) -> bool:
        """Take the bound for one more."""
        self.max_entries += 1
        try:
            return super().put(entry)
        finally:
            self.max_entries -= 1


class ServesTheExpired(Store):
    """Gives an answer at the very moment its time has ended, and after it."""

    def get(self, key: str, now: float) -> Entry | None:
        """Look at no clock."""
        return super().get(key, 0.0)


class CountsReplacedTwice(Store):
    """Adds the bytes of an answer that takes the place of another, and keeps those of the other counted."""

    def put(self, entry: Entry) -> bool:
        """Forget to subtract."""
        before = self._entries.get(entry.key)
        kept = super().put(entry)
        if before is not None and kept:
            self.bytes += before.size
        return kept


class BoundlessBytes(Store):
    """Counts answers, and never what they weigh."""

    def put(self, entry: Entry) -> bool:
        """Look at the number only."""
        most, self.max_bytes = self.max_bytes, 1 << 60
        try:
            return super().put(entry)
        finally:
            self.max_bytes = most


class LeavesSilently(Store):
    """Forgets without a word: its index and its file still have what it has not."""

    def invalidate(self, unwanted: object) -> int:
        """Tell nobody."""
        left, self._left = self._left, None
        try:
            return super().invalidate(unwanted)  # type: ignore[arg-type]  # handed on as it came
        finally:
            self._left = left


BROKEN = (
    Broken("cache", "CAC-05", OldestOut),
    Broken("cache", "CAC-05", OneTooManyKept),
    Broken("cache", "CAC-05", ServesTheExpired),
    Broken("cache", "CAC-05", CountsReplacedTwice),
    Broken("cache", "CAC-05", BoundlessBytes),
    Broken("cache", "CAC-05", LeavesSilently),
)
