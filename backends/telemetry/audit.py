"""The audit log: one line of JSON for each finished call, appended and never changed, chained so that a change is found.

A line holds who, what, when, the outcome, tokens and cost; never a key (its fingerprint stands for it) and never a text of
a request or answer. This module only ever adds to a file: it rewrites, truncates and deletes nothing.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from backends.errors import ConfigurationError
from backends.telemetry.audit_chain import GENESIS, Chain, Link, chained, files_of, last_link, verify
from backends.telemetry.events import CallEnded, Event, fields_of

__all__ = ["AuditLog", "Chain", "verify"]

_OWNER_ONLY: Final = 0o600
_LEAST_BYTES: Final = 4096


class AuditLog:
    """An observer that writes an audit log. Safe from many threads, processes and after a fork: writers take turns.

    When the disk fails the call goes on: the failure is logged once and counted in ``report()["observers"]``.

    Args:
        path: the file, made with mode 0600. It is opened at once, so that a mistake shows here and not in a report.
        actor: who calls, as text or as a function that tells when a call ends (from a context variable, say); the user
            id of the process when not given.
        fsync: wait for the disk after every line. That blocks the event loop for as long as the disk takes.
        max_bytes: before a line would make the file longer, the file becomes ``PATH.1`` (``.2`` and so on: the highest
            number is the youngest) and a new one continues the chain; None never does that. No file is ever deleted.

    Raises:
        ConfigurationError: an argument is wrong, the file cannot be opened, is a link or may be read or written by others,
            or the system has no file locks.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        actor: str | Callable[[], str] | None = None,
        fsync: bool = False,
        max_bytes: int | None = None,
    ) -> None:
        if max_bytes is not None and (isinstance(max_bytes, bool) or max_bytes < _LEAST_BYTES):
            raise ConfigurationError(f"max_bytes must be {_LEAST_BYTES} or more, or None, not {max_bytes!r}.")
        try:
            import fcntl
        except ImportError:  # not a POSIX system
            raise ConfigurationError("The audit log needs file locks, which this system does not have.") from None
        self._flock = fcntl.flock
        self._exclusive, self._unlock = fcntl.LOCK_EX, fcntl.LOCK_UN
        self._path = Path(path)
        self._actor = actor if actor is not None else f"uid:{os.getuid()}"
        self._fsync = fsync
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._descriptor: int | None = None
        self._last = Link(0, GENESIS)
        self._size = -1
        self._torn = False
        try:
            self._descriptor = self._open()
        except OSError as problem:
            raise ConfigurationError(f"The audit log {self._path} cannot be opened: {problem.strerror}.") from None

    def __call__(self, event: Event, /) -> None:
        """Append a line for the end of a call.

        Raises:
            OSError: the disk failed; what was written of the line is closed off by the next one.
        """
        if isinstance(event, CallEnded):
            actor = self._actor if isinstance(self._actor, str) else self._actor()
            self._append({"time": _stamp(event), "actor": actor, "process": os.getpid(), **fields_of(event)})

    def close(self) -> None:
        """Close the file; idempotent. A later call opens it again."""
        with self._lock:
            self._close()

    def _append(self, fields: dict[str, Any]) -> None:
        if self._process != os.getpid():
            # The parent's lock may be held for ever, and a descriptor shared with it would share its file lock.
            self._lock, self._process = threading.Lock(), os.getpid()
            self._close()
        with self._lock:
            descriptor = self._own_turn()
            try:
                data, link = chained(fields, self._last)
                if self._max_bytes is not None and self._size and self._size + len(data) > self._max_bytes:
                    os.rename(self._path, _next_name(self._path))
                    self._close()  # ends this turn
                    descriptor = self._own_turn()
                    data, link = chained(fields, self._last)
                _write(descriptor, b"\n" + data if self._torn else data)
                if self._fsync:
                    os.fsync(descriptor)
                self._size += len(data) + self._torn
                self._last, self._torn = link, False
            finally:
                if self._descriptor is not None:
                    self._flock(self._descriptor, self._unlock)

    def _own_turn(self) -> int:
        """Wait until no other writer is at the file that now has the name, and learn where its chain has got to."""
        while True:
            if self._descriptor is None:
                self._descriptor = self._open()
            self._flock(self._descriptor, self._exclusive)
            held = os.fstat(self._descriptor)
            try:
                named = os.stat(self._path, follow_symlinks=False)
            except FileNotFoundError:
                named = None
            if named is not None and os.path.samestat(held, named):
                if held.st_size != self._size:
                    self._catch_up(held.st_size)
                return self._descriptor
            self._close()  # it was renamed meanwhile

    def _catch_up(self, size: int) -> None:
        """Somebody else wrote, a line of ours broke off, or the file is new to us."""
        files = [name for name in files_of(self._path) if name.stat().st_size]
        self._last, torn = last_link(files[-1]) if files else (Link(0, GENESIS), False)
        self._size, self._torn = size, torn and size > 0

    def _open(self) -> int:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self._path, flags, _OWNER_ONLY)
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode) or stat.S_IMODE(mode) & ~_OWNER_ONLY:
            os.close(descriptor)
            raise ConfigurationError(f"The audit log {self._path} must be a file of your own alone: chmod 600 it.")
        self._size = -1
        return descriptor

    def _close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _stamp(event: CallEnded) -> str:
    """Return when the call was submitted, as ISO 8601 in UTC with microseconds."""
    return datetime.fromtimestamp(event.call.at, UTC).isoformat(timespec="microseconds")


def _next_name(path: Path) -> Path:
    numbers = [int(name.suffix[1:]) for name in files_of(path) if name != path]
    return path.with_name(f"{path.name}.{max(numbers, default=0) + 1}")


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
