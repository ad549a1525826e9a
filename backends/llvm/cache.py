"""Replies by the content of their requests: bounded in number and in bytes, the least recently used goes first.

Compiling is a function of what is compiled, so a hit is right for ever. Pure: it has no lock and no clock.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import Any, Final

__all__ = ["CompileCache", "content_key"]

_MOST_BYTES: Final = 256 << 20


def content_key(endpoint: str, frame: bytes) -> bytes:
    """Return the key of a request: SHA-256 over its endpoint and everything that is sent."""
    return hashlib.sha256(hashlib.sha256(endpoint.encode()).digest() + frame).digest()


class CompileCache:
    """See the module docstring.

    Args:
        most: replies that are kept; 0 keeps none.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._kept: OrderedDict[bytes, tuple[Any, int]] = OrderedDict()
        self._bytes = 0
        self.hits = 0
        self.misses = 0

    def get(self, key: bytes) -> Any | None:
        """Return the reply of a key, None when it is not there."""
        found = self._kept.get(key)
        if found is None:
            self.misses += 1
            return None
        self.hits += 1
        self._kept.move_to_end(key)
        return found[0]

    def put(self, key: bytes, reply: Any, size: int) -> None:
        """Keep a reply of so many bytes, if it is no larger than all may be together."""
        if size > _MOST_BYTES:
            return
        known = self._kept.pop(key, None)
        self._bytes += size - (known[1] if known is not None else 0)
        self._kept[key] = reply, size
        while len(self._kept) > self.most or self._bytes > _MOST_BYTES:
            _, (_, gone) = self._kept.popitem(last=False)
            self._bytes -= gone

    def clear(self) -> None:
        """Forget every reply; hits and misses are counted on."""
        self._kept.clear()
        self._bytes = 0

    def status(self) -> dict[str, int]:
        """Return entries, bytes, hits and misses."""
        return {"entries": len(self._kept), "bytes": self._bytes, "hits": self.hits, "misses": self.misses}
