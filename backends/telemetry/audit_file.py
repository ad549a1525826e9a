"""The file of an audit log: who may write now, where its chain has got to, and when a new file begins.

Threads, processes and both sides of a fork take turns. It only ever adds: it rewrites, truncates and deletes nothing.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from backends.errors import ConfigurationError
from backends.telemetry import process
from backends.telemetry.audit_chain import GENESIS, Link, chained, files_of, last_link

__all__ = ["AuditFile"]

_OWNER_ONLY: Final = 0o600


class AuditFile:
    """See the module docstring.

    Args:
        path: the file, made with mode 0600 and opened at once.
        fsync: wait for the disk after every piece that is written.
        max_bytes: before a line would make the file longer, a new one begins; None never does that.

    Raises:
        ConfigurationError: the file cannot be opened, is a link or may be read or written by others, or the system has no
            file locks.
    """

    def __init__(self, path: Path, *, fsync: bool, max_bytes: int | None) -> None:
        try:
            import fcntl
        except ImportError:  # not a POSIX system
            raise ConfigurationError("The audit log needs file locks, which this system does not have.") from None
        self._flock = fcntl.flock
        self._exclusive, self._unlock = fcntl.LOCK_EX, fcntl.LOCK_UN
        self._path = path
        self._name = os.fspath(path)
        self._fsync = fsync
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._process = process.number
        self._descriptor: int | None = None
        self._place = (0, 0)
        self._last = Link(0, GENESIS)
        self._size = -1
        self._torn = False
        try:
            self._descriptor = self._open()
        except OSError as problem:
            raise ConfigurationError(f"The audit log {path} cannot be opened: {problem.strerror}.") from None

    def append(self, lines: Sequence[str]) -> None:
        """Append lines in their order, each given as the members of its object.

        Raises:
            OSError: the disk failed; what was written of a line is closed off by the next one.
        """
        self._own()
        with self._lock:
            descriptor = self._own_turn()
            try:
                pieces: list[bytes] = [b"\n"] if self._torn else []
                size, last = self._size + len(pieces), self._last
                for members in lines:
                    data, link = chained(members, last)
                    if self._max_bytes is not None and size and size + len(data) > self._max_bytes:
                        self._write(descriptor, b"".join(pieces), last)
                        os.rename(self._path, _next_name(self._path))
                        self._close()  # ends this turn
                        descriptor = self._own_turn()
                        pieces, size = [], self._size
                        data, link = chained(members, self._last)
                    pieces.append(data)
                    size, last = size + len(data), link
                self._write(descriptor, b"".join(pieces), last)
            finally:
                if self._descriptor is not None:
                    self._flock(self._descriptor, self._unlock)

    def close(self) -> None:
        """Close the file; idempotent. A later line opens it again."""
        self._own()
        with self._lock:
            self._close()

    def _own(self) -> None:
        """Forget what the parent holds after a fork: its lock may be held for ever, and a descriptor shared with it would
        share its file lock."""
        number = process.number
        if self._process != number:
            self._lock, self._process = threading.Lock(), number
            self._close()

    def _write(self, descriptor: int, data: bytes, last: Link) -> None:
        if not data:
            return
        left = data
        while left:
            left = left[os.write(descriptor, left) :]
        if self._fsync:
            os.fsync(descriptor)
        self._size += len(data)
        self._last, self._torn = last, False

    def _own_turn(self) -> int:
        """Wait until no other writer is at the file that now has the name, and learn where its chain has got to."""
        while True:
            if self._descriptor is None:
                self._descriptor = self._open()
            self._flock(self._descriptor, self._exclusive)
            try:
                named = os.lstat(self._name)
            except FileNotFoundError:
                named = None
            if named is not None and (named.st_dev, named.st_ino) == self._place:
                if named.st_size != self._size:
                    self._catch_up(named.st_size)
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
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or stat.S_IMODE(found.st_mode) & ~_OWNER_ONLY:
            os.close(descriptor)
            raise ConfigurationError(f"The audit log {self._path} must be a file of your own alone: chmod 600 it.")
        self._size = -1
        self._place = (found.st_dev, found.st_ino)
        return descriptor

    def _close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _next_name(path: Path) -> Path:
    numbers = [int(name.suffix[1:]) for name in files_of(path) if name != path]
    return path.with_name(f"{path.name}.{max(numbers, default=0) + 1}")
