"""Multipart forms as servers of the OpenAI dialect take them, and the shapes in which a caller may hand over a file.

Wire facts: text fields first, files last; lists travel as ``name[]``, mappings as ``name[key]``, booleans in lower
case. The service goes by the file name's ending, so bytes without a name get one from their first bytes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

from backends.operation import CallOptions
from backends.parameters import bad_argument
from backends.wire.multipart import FilePart, Multipart

__all__ = ["File", "file_part", "form"]

File = str | os.PathLike[str] | bytes | BinaryIO | tuple[str, bytes | BinaryIO]
"""A path, bytes, an open binary file, or a file name with bytes or an open file."""

_BEGINNINGS: Final = (
    (0, b"RIFF", "wav"),
    (0, b"ID3", "mp3"),
    (0, b"\xff\xfb", "mp3"),
    (0, b"OggS", "ogg"),
    (0, b"fLaC", "flac"),
    (0, b"\x1aE\xdf\xa3", "webm"),
    (4, b"ftyp", "m4a"),
    (0, b"\x89PNG", "png"),
    (0, b"\xff\xd8\xff", "jpg"),
    (0, b"%PDF", "pdf"),
    (0, b"{", "jsonl"),
)


def file_part(name: str, file: File, provider: str | None = None) -> FilePart:
    """Return a caller's file as a part of a form.

    Raises:
        InvalidRequestError: it is of another type, empty, or there is no such file.
    """
    filename: str | None = None
    content: Any = file
    if isinstance(file, tuple):
        if len(file) != 2 or not isinstance(file[0], str) or not file[0]:
            bad_argument(f"{name} must be (file name, content) where it is a tuple", provider)
        filename, content = file
    elif isinstance(file, str | os.PathLike):
        path = Path(file)
        if not path.is_file():
            bad_argument(f"{name}: there is no file {str(path)!r}", provider)
        return FilePart(name, path.name, path)
    if isinstance(content, bytearray | memoryview):
        content = bytes(content)
    if isinstance(content, bytes):
        if not content:
            bad_argument(f"{name} must not be empty", provider)
        return _part(name, filename or f"{name}.{_ending(content)}", content, provider)
    if not hasattr(content, "read") or isinstance(getattr(content, "encoding", None), str):
        bad_argument(
            f"{name} must be a path, bytes or a file opened for reading bytes, not {type(content).__name__}", provider
        )
    if filename is None:
        given = getattr(content, "name", None)  # an open descriptor has a number for a name
        filename = Path(given).name if isinstance(given, str) else f"{name}.{_ending(_beginning(content))}"
    return _part(name, filename, content, provider)


def _beginning(file: Any) -> bytes:
    """Return the next bytes of an open file and leave it where it was; nothing of one that cannot go back."""
    if not (hasattr(file, "seekable") and file.seekable()):
        return b""
    here = file.tell()
    head = file.read(16)
    file.seek(here)
    return head if isinstance(head, bytes) else b""


def _part(name: str, filename: str, content: Any, provider: str | None) -> FilePart:
    if not filename.isprintable():
        bad_argument(f"{name}: its file name holds control characters", provider)
    return FilePart(name, filename, content)


def _ending(content: bytes) -> str:
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "webp"
    return next((ending for at, start, ending in _BEGINNINGS if content.startswith(start, at)), "bin")


def form(
    fields: Mapping[str, Any], files: Sequence[FilePart], options: CallOptions, provider: str | None = None
) -> Multipart:
    """Return the form of a call; ``extra_body`` of its options goes in as further fields.

    Raises:
        InvalidRequestError: a text cannot be sent; the message names the field.
    """
    flat = list(_flat({**fields, **(options.get("extra_body") or {})}))
    for name, value in flat:
        try:
            value.encode()
        except UnicodeEncodeError:
            bad_argument(f"{name} holds a lone surrogate, which is not text", provider)
    try:
        return Multipart(flat, files)
    except ValueError as error:
        bad_argument(f"form: {error}", provider)


def _flat(value: Any, name: str = "") -> Iterable[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _flat(item, f"{name}[{key}]" if name else str(key))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _flat(item, f"{name}[]")
    elif isinstance(value, bool):
        yield name, "true" if value else "false"
    elif value is not None:
        yield name, str(value)
