"""Resumable uploads: the content of a file in pieces, and the address that a session got.

Wire facts: google-genai 3.6.1 (``_api_client.py``, ``_extra_utils.py``). A ``start`` request is answered with
``x-goog-upload-url``; pieces go there in order, each with its offset, the last with ``finalize``. Sending a piece again
is harmless. The address may name another host; as in the official client only its path and query are used, so a key
goes nowhere it was not given for.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final
from urllib.parse import urlsplit

from backends.forms import File, file_part
from backends.gemini.parts import PROVIDER_NAME
from backends.parameters import bad_argument
from backends.wire.values import FormatError

__all__ = ["PIECE", "Content", "content_of", "session_path"]

PIECE: Final = 8 * 1024 * 1024
"""Bytes of one piece; the service wants multiples of 256 KiB."""
_LONGEST_URL: Final = 8_192


@dataclass(frozen=True, slots=True)
class Content:
    """A file to be sent.

    Attributes:
        filename: for people.
        mime_type: given, or guessed from the name.
        size: in bytes.
    """

    filename: str
    mime_type: str
    size: int
    source: bytes | Path | BinaryIO
    start: int

    def piece(self, offset: int) -> bytes:
        """Return the next bytes, at most :data:`PIECE`; blocks, so it is run in a thread.

        Raises:
            InvalidRequestError: the file cannot be read, or has become shorter.
        """
        length = min(PIECE, self.size - offset)
        try:
            data = self._read(offset, length)
        except OSError as problem:
            bad_argument(f"file cannot be read: {problem.strerror}", PROVIDER_NAME)
        if len(data) != length:
            bad_argument("file changed its size while it was sent", PROVIDER_NAME)
        return data

    def _read(self, offset: int, length: int) -> bytes:
        if isinstance(self.source, bytes):
            return self.source[offset : offset + length]
        if isinstance(self.source, Path):
            with self.source.open("rb") as file:
                file.seek(offset)
                return file.read(length)
        self.source.seek(self.start + offset)
        return self.source.read(length)


def content_of(file: File, mime_type: str | None) -> Content:
    """Return a caller's file, its size known.

    Raises:
        InvalidRequestError: it is of another type, empty, not seekable, or there is no such file.
    """
    part = file_part("file", file, PROVIDER_NAME)
    source, start = part.content, 0
    try:
        if isinstance(source, bytes):
            size = len(source)
        elif isinstance(source, Path):
            size = source.stat().st_size
        elif not isinstance(source.read(0), bytes):
            bad_argument("file must be opened for reading bytes", PROVIDER_NAME)
        elif source.seekable():
            start = source.tell()
            size = source.seek(0, os.SEEK_END) - start
        else:
            bad_argument("file must be seekable: its size is announced before it is sent", PROVIDER_NAME)
    except OSError as problem:
        bad_argument(f"file cannot be read: {problem.strerror}", PROVIDER_NAME)
    if size <= 0:
        bad_argument("file must not be empty", PROVIDER_NAME)
    return Content(part.filename, mime_type or part.media_type, size, source, start)


def session_path(url: Any, base_url: str) -> str:
    """Return the address of an upload session as a path below the base URL.

    Raises:
        FormatError: there is none, or it does not lead to an upload.
    """
    if not isinstance(url, str) or len(url) > _LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise FormatError("the answer names no upload session")
    parts = urlsplit(url)
    path = parts.path
    own = urlsplit(base_url).path
    if own and path.startswith(f"{own}/"):
        path = path.removeprefix(own)
    if not path.startswith("/upload/") or ".." in path.split("/"):
        raise FormatError("the answer names an upload session that is none")
    return f"{path}?{parts.query}" if parts.query else path
