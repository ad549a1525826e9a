"""The store of kept answers: bounded in entries and bytes, least recently used out first, expiring, told the time.

A machine: it reads no clock, locks nothing, touches no file and knows nothing of likeness. Whoever keeps something
beside it (an index, a file) is told of every entry that leaves.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from backends.types import Usage

__all__ = ["Entry", "Store"]

_OVERHEAD = 512
"""Bytes that an entry costs besides what it holds."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One kept answer, as the provider gave it.

    Attributes:
        key, scope: see :class:`backends.cache.exact.Identity`.
        operation, model, tenant: what it answers, for invalidation.
        text: the question, None where only an equal request hits.
        status, headers, content: the answer; ``content`` is its body, or all bytes of its stream.
        provider_request_id: of the request that was sent.
        vector: the question's embedding as 32-bit floats, empty without one.
        usage: what it used, where ``content`` is a part of an answer to several and tells what all of them used.
        created, expires: unix seconds; ``expires`` None never does. Set by the store.
    """

    key: str
    scope: str
    operation: str
    model: str | None
    tenant: str | None
    text: str | None = field(repr=False)
    status: int
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    content: bytes = field(repr=False)
    provider_request_id: str | None = None
    vector: bytes = field(default=b"", repr=False)
    usage: Usage | None = None
    created: float = 0.0
    expires: float | None = None

    @property
    def size(self) -> int:
        """Bytes that it counts for."""
        held = len(self.content) + len(self.vector) + 4 * len(self.text or "")
        return _OVERHEAD + held + sum(len(name) + len(value) for name, value in self.headers)

    def fresh(self, now: float) -> bool:
        """Say whether it has not expired (at the very moment it has)."""
        return self.expires is None or now < self.expires


class Store:
    """See the module docstring.

    Args:
        max_entries, max_bytes: what it may hold, both 1 or more.
        left: called with every entry that leaves, whyever.
    """

    def __init__(self, max_entries: int, max_bytes: int, left: Callable[[Entry], None] | None = None) -> None:
        self.max_entries = max_entries
        self.max_bytes = max_bytes
        self._left = left
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self.bytes = 0
        """Held now."""
        self.evicted = 0
        """Entries that made room for others."""
        self.expired = 0
        """Entries that were met after their time."""

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: str, now: float) -> Entry | None:
        """Return a fresh entry and count it as used; one that has expired leaves."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if not entry.fresh(now):
            self.expired += 1
            self._remove(entry)
            return None
        self._entries.move_to_end(key)
        return entry

    def put(self, entry: Entry) -> bool:
        """Keep an entry, in place of one with its key; the least recently used make room.

        Returns:
            False when it is larger than all that may be held: nothing changes.
        """
        if entry.size > self.max_bytes:
            return False
        before = self._entries.get(entry.key)
        if before is not None:
            self._remove(before)
        self._entries[entry.key] = entry
        self.bytes += entry.size
        while len(self._entries) > self.max_entries or self.bytes > self.max_bytes:
            self.evicted += 1
            self._remove(next(iter(self._entries.values())))
        return True

    def invalidate(self, unwanted: Callable[[Entry], bool]) -> int:
        """Remove what ``unwanted`` says; return how many entries left."""
        leaving = [entry for entry in self._entries.values() if unwanted(entry)]
        for entry in leaving:
            self._remove(entry)
        return len(leaving)

    def keys(self) -> tuple[str, ...]:
        """Return the keys, the least recently used first."""
        return tuple(self._entries)

    def _remove(self, entry: Entry) -> None:
        del self._entries[entry.key]
        self.bytes -= entry.size
        if self._left is not None:
            self._left(entry)
