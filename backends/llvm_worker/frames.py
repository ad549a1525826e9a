"""Frames: what travels between a caller and a worker. Pure functions over bytes; both sides use them.

A frame is one JSON object, and behind it, where its field ``blobs`` lists sizes, a line feed and that many bytes. Text
stands in the object, bytes stand behind it, and nothing is ever pickled. On a pipe a frame is preceded by
:data:`PREFIX`: its length, and 1 if the worker will answer no more, else 0.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, Final

__all__ = ["MOST_MODULES", "ON_ONE_MODULE", "PREFIX", "cut", "join", "part"]

PREFIX: Final = struct.Struct(">IB")
MOST_MODULES: Final = 64
"""Modules of different callers in one frame."""
ON_ONE_MODULE: Final = frozenset({"verify", "inspect", "optimize", "emit"})
"""Operations whose callers may share a frame."""
_MOST_BLOBS: Final = 1024


def join(text: bytes, blobs: Sequence[bytes]) -> bytes:
    """Return a frame of a JSON object as text, whose ``blobs`` are the sizes of these, and the blobs."""
    return b"".join((text, b"\n", *blobs)) if blobs else text


def part(frame: bytes) -> tuple[bytes, bytes]:
    """Return the JSON text of a frame and the bytes behind it. Compact JSON holds no line feed."""
    text, _, rest = frame.partition(b"\n")
    return text, rest


def cut(rest: bytes, sizes: Any) -> tuple[bytes, ...]:
    """Return the blobs of these sizes.

    Raises:
        ValueError: the sizes are no list of whole numbers, or do not add up to the bytes.
    """
    if not isinstance(sizes, list) or len(sizes) > _MOST_BLOBS:
        raise ValueError("the sizes of the blobs are no list")
    if not all(type(size) is int and size >= 0 for size in sizes) or sum(sizes) != len(rest):
        raise ValueError(f"the sizes of the blobs do not add up to the {len(rest)} bytes behind the header")
    blobs, start = [], 0
    for size in sizes:
        blobs.append(rest[start : start + size])
        start += size
    return tuple(blobs)
