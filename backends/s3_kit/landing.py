"""Where a download lands: in memory, or in a partial file beside its target that takes the target's name only when all
is well.

A landing outlives attempts: what has arrived stays, and the next attempt continues from there as long as the object is
the same (its ETag). A partial file outlives the process, too; its ETag stands in a small file beside it. Nothing here
talks to a server, and a file that is not complete and verified never has the target's name.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

from backends import errors
from backends.s3_kit.digests import Digests

__all__ = ["FileLanding", "Landing", "MemoryLanding"]

_PIECE: Final = 1 << 20
_LARGEST_NOTE: Final = 8_192
_WORTH_KEEPING: Final = 64 * 1024
"""Bytes below which a download that broke off begins anew: a second request would save nothing."""


class Landing:
    """What has arrived of one object. Used by one thread at a time."""

    path: Path | None = None

    def __init__(self) -> None:
        self.position = 0
        """Bytes that are here; the next piece goes after them."""
        self.etag: str | None = None
        """Of the object they belong to; without one, nothing is continued."""
        self.resumed_from = 0
        """Bytes that were here before this download began."""
        self.resumed = False
        """True once a request asked for the rest only; what went before may then be to blame for a bad whole."""
        self.digests = Digests()

    @property
    def continues(self) -> bool:
        """True when what is here is worth asking for the rest only."""
        return self.etag is not None and self.position >= _WORTH_KEEPING

    def open(self) -> None:
        """Get ready, again before every attempt; idempotent."""

    def begin(self, etag: str | None, total: int | None) -> None:
        """An answer with bytes of this object is about to be read."""
        del total
        self.etag = etag

    def write(self, data: bytes) -> None:
        """Take the next bytes."""
        self.digests.update(data)
        self.position += len(data)

    def restart(self) -> None:
        """Forget what has arrived."""
        self.position = 0
        self.resumed_from = 0
        self.etag = None
        self.digests = Digests()

    def finish(self) -> None:
        """Everything is here and was verified."""

    def discard(self) -> None:
        """What is here is wrong: leave nothing behind."""
        self.restart()

    def close(self) -> None:
        """Give everything back; what has arrived may stay for a later download. Idempotent."""


class MemoryLanding(Landing):
    """Bytes in memory, no more than ``largest``."""

    def __init__(self, largest: int) -> None:
        super().__init__()
        self._largest = largest
        self._pieces: list[bytes] = []

    def begin(self, etag: str | None, total: int | None) -> None:
        """Refuse an object that is too large before it is read."""
        super().begin(etag, total)
        if total is not None and total > self._largest:
            self._refuse()

    def write(self, data: bytes) -> None:
        """Take the next bytes, within the bound."""
        if self.position + len(data) > self._largest:
            self._refuse()
        super().write(data)
        self._pieces.append(data)

    def restart(self) -> None:
        """Forget what has arrived."""
        super().restart()
        self._pieces.clear()

    @property
    def content(self) -> bytes:
        """All of it."""
        return b"".join(self._pieces)

    def _refuse(self) -> None:
        raise errors.ResponseFormatError(
            f"The object is larger than max_response_bytes ({self._largest}); download it to a file.", code="too_large"
        )


class FileLanding(Landing):
    """A partial file beside its target.

    Args:
        target: where the complete file goes.
        identity: what makes the object this one (address, bucket, key, version), so that partial files are not mixed
            up.
        resume: use, and leave behind, a partial file.
    """

    def __init__(self, target: Path, identity: str, *, resume: bool) -> None:
        super().__init__()
        self.path = target
        self._resume = resume
        mark = hashlib.sha256(f"{target.name}\0{identity}".encode()).hexdigest()[:16]
        self._partial = target.parent / f".{mark}.partial"
        self._note = target.parent / f".{mark}.partial.json"
        self._file: IO[bytes] | None = None

    def open(self) -> None:
        """Open the partial file, and take over what is in it when its note says what it is."""
        if self._file is not None:
            return
        with self._telling():
            self.path_parent().mkdir(parents=True, exist_ok=True)
            self._file = self._opened()
            etag = self._noted() if self._resume else None
            if etag is None:
                self._file.truncate(0)
                return
            for piece in _pieces(self._file):
                Landing.write(self, piece)
            self.etag = etag
            self.resumed_from = self.position

    def path_parent(self) -> Path:
        """The folder of the target."""
        assert self.path is not None
        return self.path.parent

    def begin(self, etag: str | None, total: int | None) -> None:
        """Note whose bytes these are before the first of them is written."""
        super().begin(etag, total)
        with self._telling():
            if etag is None or not self._resume:
                self._note.unlink(missing_ok=True)
            elif self._noted() != etag:
                self._note.write_text(json.dumps({"version": 1, "etag": etag, "total": total}), encoding="utf-8")

    def write(self, data: bytes) -> None:
        """Append to the partial file."""
        assert self._file is not None
        with self._telling():
            self._file.write(data)
        super().write(data)

    def restart(self) -> None:
        """Empty the partial file."""
        super().restart()
        if self._file is not None:
            with self._telling():
                self._note.unlink(missing_ok=True)
                self._file.seek(0)
                self._file.truncate(0)

    def finish(self) -> None:
        """Make it durable, then give it its name."""
        assert self._file is not None
        assert self.path is not None
        with self._telling():
            self._file.flush()
            os.fsync(self._file.fileno())
            os.replace(self._partial, self.path)
            self._note.unlink(missing_ok=True)
            self._file.close()
            self._file = None
            _sync_folder(self.path.parent)

    def discard(self) -> None:
        """Remove the partial file and its note."""
        super().restart()
        if self._file is not None:
            self._file.close()
            self._file = None
        for path in (self._partial, self._note):
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the partial file; it stays only if a later download can continue it."""
        if self._file is None:
            return
        if not self._resume or not self.continues:
            self.discard()
            return
        with contextlib.suppress(OSError):  # a full disk was reported when it was written to
            self._file.close()
        self._file = None

    def _opened(self) -> IO[bytes]:
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        file = os.fdopen(os.open(self._partial, flags, 0o666), "r+b")
        if not _locked(file):
            # Another download of the same object to the same place is under way: use a name of our own, for once.
            file.close()
            self._resume = False
            self._partial = self._partial.with_name(f".{os.urandom(8).hex()}.partial")
            self._note = self._partial.with_suffix(".partial.json")
            file = os.fdopen(os.open(self._partial, flags | os.O_EXCL, 0o666), "r+b")
        return file

    def _noted(self) -> str | None:
        """Return the ETag of the bytes in the partial file, None when it is not known."""
        try:
            with self._note.open("rb") as file:
                note: Any = json.loads(file.read(_LARGEST_NOTE))
        except (OSError, ValueError, RecursionError):
            return None  # no note, or a damaged one: begin anew
        etag = note.get("etag") if isinstance(note, dict) and note.get("version") == 1 else None
        return etag if isinstance(etag, str) and etag else None

    @contextlib.contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise errors.ConfigurationError(f"{self.path} cannot be written: {error.strerror or error}.") from error


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        yield piece


def _locked(file: IO[bytes]) -> bool:
    """Take the partial file for ourselves; True where the system has no such locks."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True


def _sync_folder(folder: Path) -> None:
    """Make the new name itself durable, where the system can."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError:
        return  # not every file system can sync a folder; the data is on disk
    finally:
        os.close(handle)
