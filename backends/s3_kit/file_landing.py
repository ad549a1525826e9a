"""A download on its way to a file: a partial file beside the target that takes the target's name only when all is well.

It outlives the process; the ETag of what is in it stands in a small file beside it. A file that is not complete and
verified never has the target's name.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Final

from backends import errors
from backends.s3_kit.landing import Landing

__all__ = ["FileLanding"]

_PIECE: Final = 1 << 20
_LARGEST_NOTE: Final = 8_192


class FileLanding(Landing):
    """A partial file beside its target.

    Args:
        target: where the complete file goes.
        identity: what makes the object this one (address, bucket, key, version), so that partial files are not mixed
            up.
        resume: use, and leave behind, a partial file.
    """

    path: Path

    def __init__(self, target: Path, identity: str, *, resume: bool) -> None:
        super().__init__()
        self.path = target
        self._resume = resume
        mark = hashlib.sha256(f"{target.name}\0{identity}".encode()).hexdigest()[:16]
        self._partial = target.parent / f".{mark}.partial"
        self._note = target.parent / f".{mark}.partial.json"
        self._file: IO[bytes] | None = None

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
        self._let_go()
        for path in (self._partial, self._note):
            path.unlink(missing_ok=True)

    def _open(self, check: Callable[[], object]) -> None:
        """Open the partial file, and take over what is in it when its note says what it is."""
        if self._file is not None:
            return
        with self._telling():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._opened()
            etag = self._noted() if self._resume else None
            if etag is None:
                self._file.truncate(0)
                return
            try:
                for piece in _pieces(self._file):
                    check()
                    Landing.write(self, piece)
            except BaseException:
                self._let_go()  # before anything takes it for a partial file that is not worth keeping
                super().restart()
                raise
            self.etag = etag
            self.resumed_from = self.position

    def _close(self) -> None:
        """Close the partial file; it stays only if a later download can continue it."""
        if self._file is None:
            return
        if self._resume and self.continues:
            self._let_go()
        else:
            self.discard()

    def _let_go(self) -> None:
        if self._file is not None:
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
