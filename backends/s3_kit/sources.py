"""Where the bytes of an upload come from: memory, a file, or a stream; read in pieces, from any thread.

A source that can be read twice is hashed before it is sent, and must still be the same when it has been sent.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Final

from backends import errors

__all__ = ["Source", "open_source"]

_PIECE: Final = 1 << 20


class Source:
    """Bytes to be sent.

    Attributes:
        size: how many, None when only the end will tell.
        name: for guessing a content type; empty when there is none.
    """

    def __init__(self, size: int | None, name: str = "") -> None:
        self.size = size
        self.name = name

    @property
    def repeatable(self) -> bool:
        """True when the same bytes can be read again."""
        return self.size is not None

    def read(self, start: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``start``; fewer at the end only. A stream must be read in order."""
        raise NotImplementedError

    def unchanged(self) -> bool:
        """Say whether the bytes are still those that were there at the beginning."""
        return True

    def close(self) -> None:
        """Give back what was opened here, and nothing else."""

    def sha256(self, check: Callable[[], object]) -> str:
        """Read everything once; ``check`` is called between pieces and may raise."""
        assert self.size is not None
        digest = hashlib.sha256()
        for start in range(0, self.size, _PIECE):
            check()
            digest.update(self.read(start, min(_PIECE, self.size - start)))
        return digest.hexdigest()


class _Memory(Source):
    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        self._data = memoryview(bytes(data))
        super().__init__(len(self._data))

    def read(self, start: int, length: int) -> bytes:
        return bytes(self._data[start : start + length])


class _Seekable(Source):
    """A file object that can be positioned; its present position is the beginning."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._origin = file.tell()
        self._state = _state(file)
        super().__init__(max(0, file.seek(0, os.SEEK_END) - self._origin), name)
        file.seek(self._origin)

    def read(self, start: int, length: int) -> bytes:
        with self._lock:
            self._file.seek(self._origin + start)
            data = _exactly(self._file, length)
        if len(data) < length:
            raise _changed()
        return data

    def unchanged(self) -> bool:
        return _state(self._file) == self._state


class _Path(_Seekable):
    def __init__(self, path: Path) -> None:
        super().__init__(path.open("rb"), path.name)

    def close(self) -> None:
        self._file.close()


class _Stream(Source):
    """A file object that can be read once, in order."""

    def __init__(self, file: Any) -> None:
        super().__init__(None)
        self._file = file
        self._position = 0

    def read(self, start: int, length: int) -> bytes:
        assert start == self._position, "a stream is read in order"
        data = _exactly(self._file, length)
        self._position += len(data)
        return data


def open_source(given: Any) -> Source:
    """Return the source for what a caller passed: a path (``str`` or ``Path``), bytes, or a binary file object.

    Raises:
        InvalidRequestError: it is something else, or the file cannot be read; the message names the file.
    """
    if isinstance(given, bytes | bytearray | memoryview):
        return _Memory(given)
    if isinstance(given, str | os.PathLike):
        path = Path(given)
        if not path.is_file():
            raise _bad(f"source {path} is not a file (pass text as bytes: text.encode())")
        try:
            return _Path(path)
        except OSError as error:
            raise _bad(f"source {path} cannot be read: {error.strerror}") from None
    if not callable(getattr(given, "read", None)):
        raise _bad(f"source must be a path, bytes or a binary file object, not {type(given).__name__}")
    seekable = getattr(given, "seekable", None)
    if callable(seekable) and seekable():
        try:
            return _Seekable(given, "")
        except (OSError, TypeError, ValueError) as error:
            raise _bad(f"source cannot be read: {error}") from None
    return _Stream(given)


def _exactly(file: IO[bytes], length: int) -> bytes:
    pieces: list[bytes] = []
    left = length
    while left:
        piece = file.read(left)
        if not isinstance(piece, bytes | bytearray | memoryview):
            raise _bad("source must give bytes; open it in binary mode")
        if not piece:
            break
        pieces.append(bytes(piece))
        left -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _state(file: IO[bytes]) -> tuple[int, int] | None:
    try:
        found = os.fstat(file.fileno())
    except (OSError, AttributeError, ValueError):
        return None  # not a file of the system
    return found.st_size, found.st_mtime_ns


def _changed() -> errors.InvalidRequestError:
    return _bad("source became shorter while it was read")


def _bad(message: str) -> errors.InvalidRequestError:
    return errors.InvalidRequestError(f"{message}.", provider="s3_kit", code="invalid_argument")
