"""The datatypes of the KServe v2 protocol: element sizes, numbers to bytes and back, length-prefixed BYTES.

Wire facts: ``specification/protocol/inference_rest.md`` of kserve/open-inference-protocol and its binary tensor
extension: little-endian, no padding; an element of BYTES is its length (4 bytes, little-endian) and its content. Pure;
what is wrong is a ``ValueError`` in words that continue "the data". numpy is not known here.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

__all__ = ["BYTES", "DATATYPES", "JSON_LESS", "Element", "element_size", "elements", "pack", "prefixed", "unpack"]

Element = bool | int | float | bytes
"""One element of a tensor as Python has it."""

BYTES: Final = "BYTES"
_CODES: Final = {
    "BOOL": "?",
    "UINT8": "B",
    "UINT16": "H",
    "UINT32": "I",
    "UINT64": "Q",
    "INT8": "b",
    "INT16": "h",
    "INT32": "i",
    "INT64": "q",
    "FP16": "e",
    "FP32": "f",
    "FP64": "d",
}
DATATYPES: Final = (*_CODES, "BF16", BYTES)
"""Every datatype of the protocol."""
JSON_LESS: Final = frozenset({"FP16", "BF16"})
"""Datatypes without a form in JSON: they travel in binary only."""
_FLOATS: Final = frozenset({"FP16", "FP32", "FP64", "BF16"})
_PREFIX: Final = 4


def element_size(datatype: str) -> int | None:
    """Return the bytes of one element, None for BYTES, whose elements differ.

    Raises:
        ValueError: there is no such datatype.
    """
    if datatype == BYTES:
        return None
    if datatype == "BF16":
        return 2
    code = _CODES.get(datatype)
    if code is None:
        raise ValueError(f"has the datatype {datatype[:40]!r}, which the protocol does not know")
    return struct.calcsize("<" + code)


def pack(datatype: str, values: Sequence[Any]) -> bytes:
    """Return elements in the wire's binary form.

    Args:
        datatype: one of :data:`DATATYPES`.
        values: booleans for BOOL, whole numbers for the integers, numbers for the floats, text or bytes for BYTES.

    Raises:
        ValueError: an element is of another type or out of range.
    """
    if datatype == BYTES:
        return prefixed(map(_content, values))
    kinds = {*map(type, values)}
    allowed: set[type] = {bool} if datatype == "BOOL" else {int, float} if datatype in _FLOATS else {int}
    if not kinds <= allowed:
        wrong = next(kind.__name__ for kind in kinds if kind not in allowed)
        raise ValueError(f"holds a {wrong}, which is no {datatype}")
    try:
        if datatype == "BF16":
            return _to_bf16(values)
        return struct.pack(f"<{len(values)}{_CODES[datatype]}", *values)
    except (struct.error, OverflowError):
        raise ValueError(f"holds a number beyond the range of {datatype}") from None


def unpack(datatype: str, content: bytes) -> tuple[Element, ...]:
    """Return the elements of the wire's binary form; those of BYTES stay bytes.

    Raises:
        ValueError: the bytes are no whole number of elements.
    """
    if datatype == BYTES:
        return tuple(elements(content))
    size = element_size(datatype)
    assert size is not None
    number, rest = divmod(len(content), size)
    if rest:
        raise ValueError(f"has {len(content)} bytes, which is no whole number of {datatype}")
    if datatype == "BF16":
        wide = bytearray(4 * number)
        wide[2::4] = content[0::2]
        wide[3::4] = content[1::2]
        return struct.unpack(f"<{number}f", wide)
    return struct.unpack(f"<{number}{_CODES[datatype]}", content)


def elements(content: bytes) -> Iterator[bytes]:
    """Yield the elements of length-prefixed BYTES.

    Raises:
        ValueError: a length is cut off, or reaches beyond the end.
    """
    at = 0
    while at < len(content):
        if at + _PREFIX > len(content):
            raise ValueError("ends within the length of an element")
        size = int.from_bytes(content[at : at + _PREFIX], "little")
        at += _PREFIX
        if at + size > len(content):
            raise ValueError(f"names an element of {size} bytes where {len(content) - at} are left")
        yield content[at : at + size]
        at += size


def prefixed(contents: Iterable[bytes]) -> bytes:
    """Return elements of BYTES behind their lengths."""
    return b"".join(piece for content in contents for piece in (len(content).to_bytes(_PREFIX, "little"), content))


def _content(value: Any) -> bytes:
    if isinstance(value, str):
        try:
            return value.encode()
        except UnicodeEncodeError:
            raise ValueError("holds a lone surrogate, which is not text") from None
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    raise ValueError(f"holds a {type(value).__name__}, which is no BYTES")


def _to_bf16(values: Sequence[Any]) -> bytes:
    """Return the upper halves of 32-bit floats, rounded to the nearest, ties to even."""
    wide = struct.unpack(f"<{len(values)}I", struct.pack(f"<{len(values)}f", *values))
    return struct.pack(f"<{len(values)}H", *(_upper_half(word) for word in wide))


def _upper_half(word: int) -> int:
    if word & 0x7FFFFFFF > 0x7F800000:  # rounding could make an infinity of a NaN
        return word >> 16 | 0x40
    return (word + 0x7FFF + (word >> 16 & 1)) >> 16
