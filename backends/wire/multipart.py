"""multipart/form-data (RFC 7578): text fields first, files last, streamed in pieces and never held whole."""

from __future__ import annotations

import mimetypes
import os
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

__all__ = ["FilePart", "Multipart"]

_PIECE: Final = 65_536


@dataclass(frozen=True, slots=True)
class FilePart:
    """One file of a form: bytes, a path, or an open binary file."""

    name: str
    filename: str
    content: bytes | Path | BinaryIO
    content_type: str | None = None

    @property
    def media_type(self) -> str:
        """The type given, or guessed from the file name."""
        return self.content_type or mimetypes.guess_type(self.filename)[0] or "application/octet-stream"


class Multipart:
    """A form ready to be sent.

    Args:
        fields: names and values of text fields, in order.
        files: the files.
        boundary: fixed for tests; random otherwise.

    Raises:
        ValueError: a name holds line breaks.
    """

    def __init__(
        self, fields: Sequence[tuple[str, str]], files: Sequence[FilePart] = (), *, boundary: str | None = None
    ) -> None:
        self._boundary = boundary or secrets.token_hex(16)
        self._fields = tuple(fields)
        self._files = tuple(files)
        self._starts: list[int | None] = []
        for part in self._files:
            if isinstance(part.content, (bytes, Path)):
                self._starts.append(0)
            else:
                seekable = getattr(part.content, "seekable", None)
                self._starts.append(part.content.tell() if seekable is not None and seekable() else None)
        self._heads = [self._head(name, None, None) + value.encode() + b"\r\n" for name, value in self._fields]
        self._file_heads = [self._head(part.name, part.filename, part.media_type) for part in self._files]

    @property
    def content_type(self) -> str:
        """The Content-Type header."""
        return f"multipart/form-data; boundary={self._boundary}"

    @property
    def repeatable(self) -> bool:
        """True when the same bytes can be produced again."""
        return None not in self._starts

    @property
    def length(self) -> int | None:
        """Bytes of the whole body, None when a file's size cannot be known."""
        total = sum(map(len, self._heads)) + len(self._boundary) + 6
        for part, start, head in zip(self._files, self._starts, self._file_heads, strict=True):
            size = _size(part.content, start)
            if size is None:
                return None
            total += len(head) + size + 2
        return total

    def chunks(self) -> Iterator[bytes]:
        """Yield the body in pieces; again from the start each time it is called."""
        yield from self._heads
        for part, start, head in zip(self._files, self._starts, self._file_heads, strict=True):
            yield head
            yield from _pieces(part.content, start)
            yield b"\r\n"
        yield f"--{self._boundary}--\r\n".encode()

    def _head(self, name: str, filename: str | None, media_type: str | None) -> bytes:
        lines = f'--{self._boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"'
        if filename is not None:
            lines += f'; filename="{_quoted(filename)}"\r\nContent-Type: {_quoted(media_type or "")}'
        return (lines + "\r\n\r\n").encode()


def _quoted(text: str) -> str:
    if any(ord(character) < 32 for character in text):
        raise ValueError("a form name, file name or type holds a line break or control character")
    return text.replace('"', "%22")


def _size(content: bytes | Path | BinaryIO, start: int | None) -> int | None:
    if isinstance(content, bytes):
        return len(content)
    if isinstance(content, Path):
        return content.stat().st_size
    if start is None:
        return None
    here = content.tell()
    end = content.seek(0, os.SEEK_END)
    content.seek(here)
    return end - start


def _pieces(content: bytes | Path | BinaryIO, start: int | None) -> Iterator[bytes]:
    if isinstance(content, bytes):
        for offset in range(0, len(content), _PIECE):
            yield content[offset : offset + _PIECE]
        return
    if isinstance(content, Path):
        with content.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece
        return
    if start is not None:
        content.seek(start)
    while piece := content.read(_PIECE):
        yield piece
