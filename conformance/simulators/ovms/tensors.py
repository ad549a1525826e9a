"""Tensors as the simulated server reads and writes them: bytes to Python values and back, by the protocol's text."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

__all__ = ["SIZES", "decode", "encode"]

_FORMATS = {
    "BOOL": "?", "UINT8": "B", "UINT16": "H", "UINT32": "I", "UINT64": "Q", "INT8": "b", "INT16": "h", "INT32": "i",
    "INT64": "q", "FP16": "e", "FP32": "f", "FP64": "d",
}  # fmt: skip
SIZES = {**{name: struct.calcsize("<" + code) for name, code in _FORMATS.items()}, "BF16": 2}
"""Bytes of one element; BYTES is not among them."""


def decode(datatype: str, content: bytes) -> list[Any]:
    """The elements; raises ``ValueError`` for bytes that hold no whole number of them."""
    if datatype == "BYTES":
        found, at = [], 0
        while at < len(content):
            if at + 4 > len(content):
                raise ValueError("half a length")
            (size,) = struct.unpack_from("<I", content, at)
            if at + 4 + size > len(content):
                raise ValueError("an element longer than its tensor")
            found.append(content[at + 4 : at + 4 + size])
            at += 4 + size
        return found
    size = SIZES[datatype]
    if len(content) % size:
        raise ValueError("half an element")
    if datatype == "BF16":
        return [struct.unpack("<f", b"\0\0" + content[start : start + 2])[0] for start in range(0, len(content), 2)]
    return [one[0] for one in struct.iter_unpack("<" + _FORMATS[datatype], content)]


def encode(datatype: str, values: Sequence[Any]) -> bytes:
    """The same the other way; the numbers here are small and need no rounding."""
    if datatype == "BYTES":
        return b"".join(struct.pack("<I", len(value)) + value for value in values)
    if datatype == "BF16":
        return b"".join(struct.pack("<f", value)[2:] for value in values)
    return b"".join(struct.pack("<" + _FORMATS[datatype], value) for value in values)
