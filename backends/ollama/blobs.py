"""Blobs: the raw files that models are made of, named by the SHA-256 of their content.

A file is hashed and sent in pieces and never held whole.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from backends.parameters import bad_argument
from backends.types import Reply
from backends.wire.multipart import Multipart

__all__ = ["Blob", "FileBody", "digest_of"]

_PIECE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob(Reply):
    """An uploaded blob.

    Attributes:
        digest: ``sha256:`` and 64 hex digits; what ``create(files={name: digest})`` takes.
        size: bytes.
        existed: True when the server had it already.
    """

    digest: str = ""
    size: int = 0
    existed: bool = False


class FileBody(Multipart):
    """A file as the whole body of a request, in the place where the wire takes what it sends in pieces."""

    def __init__(self, path: Path, size: int) -> None:
        super().__init__(())
        self._path = path
        self._bytes = size

    @property
    def content_type(self) -> str:
        """The Content-Type header."""
        return "application/octet-stream"

    @property
    def repeatable(self) -> bool:
        """A file can be read again."""
        return True

    @property
    def length(self) -> int:
        """Bytes of the file."""
        return self._bytes

    def chunks(self) -> Iterator[bytes]:
        """Yield the file in pieces; again from the start each time it is called."""
        with self._path.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece


async def digest_of(content: bytes | Path) -> tuple[str, int]:
    """Return digest and size of a blob; other tasks run between the pieces of a file.

    Raises:
        InvalidRequestError: the file cannot be read.
    """
    if isinstance(content, bytes):
        return f"sha256:{hashlib.sha256(content).hexdigest()}", len(content)
    found, size = hashlib.sha256(), 0
    try:
        with content.open("rb") as file:
            while piece := file.read(_PIECE):
                found.update(piece)
                size += len(piece)
                await asyncio.sleep(0)
    except OSError as problem:
        bad_argument(f"content cannot be read: {problem.strerror}", "ollama")
    return f"sha256:{found.hexdigest()}", size
