"""Bounded decompression of answers: a small body must not become a large one.

Pure: compressed bytes in, plain bytes out, never more than allowed at once.
"""

from __future__ import annotations

import zlib
from typing import Final

from backends.wire.values import Failure, WireError

__all__ = ["Decompressor", "decompressor"]

_FREE: Final = 1_048_576
_GZIP: Final = b"\x1f\x8b"


class Decompressor:
    """Inflates gzip, zlib or bare deflate data and watches the ratio between out and in.

    Gzip data may consist of several members one after the other (RFC 1952, section 2.2). "deflate" is zlib data (RFC 9110,
    section 8.4.1.2), but some servers send it without zlib's head.

    Args:
        bits: zlib window bits; 47 recognises gzip and zlib by their heads.
        ratio: the most bytes out per byte in, beyond the first mebibyte.
        most: the most bytes out in all.
    """

    __slots__ = ("_bits", "_head", "_inflater", "_most", "_ratio", "_seen", "_total")

    def __init__(self, bits: int, ratio: int, most: int) -> None:
        self._bits = bits
        self._inflater = zlib.decompressobj(bits)
        self._head: bytes | None = b""
        """What came before the two bytes that tell one format from another; None after them."""
        self._ratio = ratio
        self._most = most
        self._seen = 0
        self._total = 0

    def feed(self, data: bytes) -> bytes:
        """Return what these bytes inflate to.

        Raises:
            WireError: the data is broken or inflates beyond the bounds.
        """
        self._seen += len(data)
        first = self._head is not None
        if self._head is not None:
            data = self._head + data
            if len(data) < 2:
                self._head = data
                return b""
            self._head = None
        room = min(self._most, max(_FREE, self._seen * self._ratio)) - self._total
        try:
            plain = self._inflate(data, room + 1, first)
        except zlib.error:
            raise WireError(Failure.DECOMPRESSION, "the data is broken", sent=True) from None
        self._total += len(plain)
        if len(plain) > room:
            raise WireError(Failure.DECOMPRESSION, f"it inflates to more than {self._total - 1} bytes", sent=True)
        return plain

    def _inflate(self, data: bytes, most: int, first: bool) -> bytes:
        try:
            plain = self._inflater.decompress(data, most)
        except zlib.error:
            if not first or data[:2] == _GZIP:
                raise
            self._inflater = zlib.decompressobj(-15)
            plain = self._inflater.decompress(data, most)
        while self._inflater.eof and self._inflater.unused_data and len(plain) < most:
            data = self._inflater.unused_data
            if data[:1] != _GZIP[:1]:
                raise zlib.error("data after the end")
            self._inflater = zlib.decompressobj(self._bits)
            plain += self._inflater.decompress(data, most - len(plain))
        return plain

    def finish(self) -> bytes:
        """Say that the bytes have ended.

        Raises:
            WireError: they ended early.
        """
        if self._seen and not self._inflater.eof:
            raise WireError(Failure.DECOMPRESSION, "the data ends early", sent=True)
        return b""


def decompressor(encoding: str | None, ratio: int, most: int) -> Decompressor | None:
    """Return what undoes a Content-Encoding, None when there is nothing to undo.

    Raises:
        WireError: the encoding is none that was offered.
    """
    name = (encoding or "").strip().lower()
    if name in ("", "identity"):
        return None
    if name in ("gzip", "x-gzip", "deflate"):
        return Decompressor(47, ratio, most)
    raise WireError(Failure.DECOMPRESSION, "it uses an encoding that was not offered", sent=True)
