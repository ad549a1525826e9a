"""A file in which kept answers outlive the process: one SQLite table, answers and vectors side by side.

The store in memory is what is searched; the file follows it, and is read once. It holds what was asked and answered, so
it is made readable by its owner alone. A file that is damaged, locked or not writable costs a warning and what it held,
never a call.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from backends.cache.store import Entry
from backends.types import Usage
from backends.wire import jsontext
from backends.wire.values import FormatError

__all__ = ["CacheFile"]

_log = logging.getLogger("backends.cache")
_PATIENCE: Final = 0.05
"""Seconds to wait for another process that writes: a call waits with us."""
_FIELDS: Final = (
    *("key", "scope", "operation", "model", "tenant", "text", "status", "headers", "content"),
    *("provider_request_id", "vector", "created", "expires"),
)
_TABLE: Final = f"CREATE TABLE IF NOT EXISTS answers_1 ({', '.join(_FIELDS)}, PRIMARY KEY (key)) WITHOUT ROWID"
_READ: Final = f"SELECT {', '.join(_FIELDS)} FROM answers_1 ORDER BY created"  # noqa: S608 - names of our own
_WRITE: Final = f"INSERT OR REPLACE INTO answers_1 VALUES ({', '.join('?' * len(_FIELDS))})"  # noqa: S608 - as above


class CacheFile:
    """The file at a path. Each write opens it and closes it again, so nothing stays open across forks and at the end.

    Attributes:
        failures: how often it could not be read or written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.failures = 0

    def read(self) -> list[Entry]:
        """Return the entries, the oldest first; none where the file cannot be read."""
        found: list[Entry] = []
        with self.guarded("read"), self.opened() as connection:
            found.extend(map(_entry, connection.execute(_READ)))
        return found

    def write(self, entry: Entry) -> None:
        """Keep an entry."""
        with self.guarded("written"), self.opened() as connection:
            connection.execute(_WRITE, _row(entry))

    def remove(self, keys: list[str]) -> None:
        """Forget entries."""
        with self.guarded("written"), self.opened() as connection:
            connection.executemany("DELETE FROM answers_1 WHERE key = ?", [(key,) for key in keys])

    @contextmanager
    def guarded(self, what: str) -> Iterator[None]:
        """Take what goes wrong with the file for a failure that is counted and warned of."""
        try:
            yield
        except (sqlite3.Error, OSError, FormatError, LookupError, TypeError, ValueError) as problem:
            self.failures += 1
            _log.warning("The cache file %s cannot be %s; going on without it: %s", self._path, what, problem)

    @contextmanager
    def opened(self) -> Iterator[sqlite3.Connection]:
        """Open the file for one transaction, and close it."""
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        with closing(sqlite3.connect(self._path, timeout=_PATIENCE)) as connection, connection:
            connection.execute("PRAGMA synchronous = OFF")  # what a power cut costs is a cache
            connection.execute(_TABLE)
            yield connection


def _row(entry: Entry) -> tuple[Any, ...]:
    values = {name: getattr(entry, name) for name in _FIELDS}
    facts: Any = entry.headers if entry.usage is None else {"headers": entry.headers, "usage": asdict(entry.usage)}
    return tuple({**values, "headers": jsontext.dumps(facts)}.values())


def _entry(row: tuple[Any, ...]) -> Entry:
    """Return a row as an entry.

    Raises:
        FormatError, LookupError, TypeError, ValueError: somebody else wrote it.
    """
    values = dict(zip(_FIELDS, row, strict=True))
    facts = jsontext.loads(values["headers"])
    if isinstance(facts, dict):  # of an answer that several calls shared
        values["usage"] = Usage(**facts["usage"])
        facts = facts["headers"]
    values["headers"] = tuple((str(name), str(value)) for name, value in facts)
    entry = Entry(**values)
    if not isinstance(entry.content, bytes) or not isinstance(entry.vector, bytes) or not isinstance(entry.key, str):
        raise TypeError("a row has not the types of an answer")
    return entry
