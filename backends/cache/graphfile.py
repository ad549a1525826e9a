"""Graphs in the file of the cache: in parts, so that nobody who writes an answer waits long, and sealed by a digest.

A graph that was written halfway, by two processes at once, or changed since reads as none. It knows nothing of what the
bytes mean.
"""

from __future__ import annotations

import hashlib
import logging
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from backends.cache.file import CacheFile

__all__ = ["GraphFile"]

_log = logging.getLogger("backends.cache")
_PART: Final = 1 << 20
"""Bytes written at once, in a transaction of their own: some milliseconds."""
_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS graphs_1 (scope PRIMARY KEY, batch, digest)",
    "CREATE TABLE IF NOT EXISTS graph_parts_1 (batch, part, content, PRIMARY KEY (batch, part))",
)
_OPEN: Final = threading.Lock()
"""Held while a graph's thread has the file open: a fork waits until it is closed, and inherits no half of a write."""
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_OPEN.acquire, after_in_parent=_OPEN.release, after_in_child=_OPEN.release)


class GraphFile:
    """What is kept beside the answers in their file."""

    def __init__(self, file: CacheFile) -> None:
        self._file = file

    def read(self, scope: str) -> bytes | None:
        """Return the graph of a scope as it was written; None where there is none, or a damaged one (with a warning)."""
        content, digest = b"", b""
        with self._file.guarded("read"), self._opened() as connection:
            row = connection.execute("SELECT batch, digest FROM graphs_1 WHERE scope = ?", (scope,)).fetchone()
            if row is None:
                return None
            parts = connection.execute("SELECT content FROM graph_parts_1 WHERE batch = ? ORDER BY part", row[:1])
            content, digest = b"".join(part for (part,) in parts), row[1]
        if not digest or hashlib.blake2b(content).digest() != digest:
            _log.warning("A graph in the cache file is damaged, and built anew.")
            return None
        return content

    def write(self, scope: str, content: bytes | None) -> None:
        """Keep a graph in place of the one before; None forgets that."""
        batch = os.urandom(16).hex()
        with self._file.guarded("written"):
            for part, at in enumerate(range(0, len(content or b""), _PART)):
                with self._opened() as connection:
                    piece = (content or b"")[at : at + _PART]
                    connection.execute("INSERT INTO graph_parts_1 VALUES (?, ?, ?)", (batch, part, piece))
            with self._opened() as connection:
                connection.execute("DELETE FROM graphs_1 WHERE scope = ?", (scope,))
                if content is not None:
                    digest = hashlib.blake2b(content).digest()
                    connection.execute("INSERT INTO graphs_1 VALUES (?, ?, ?)", (scope, batch, digest))
                connection.execute("DELETE FROM graph_parts_1 WHERE batch NOT IN (SELECT batch FROM graphs_1)")

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        with _OPEN, self._file.opened() as connection:
            for statement in _TABLES:
                connection.execute(statement)
            yield connection
