"""Bounded decompression of answers: a small body must not become a large one.

Pure: compressed bytes in, plain bytes out, never more than allowed at once.
"""

from __future__ import annotations

import zlib
from typing import Final

from backends.wire.values import Failure, WireError

__all__ = ["Decompressor", "decompressor"]

_FREE: Final = 1_048_576


class Decompressor:
    """Inflates gzip or zlib data and watches the ratio between out and in.

    Args:
        bits: zlib window bits; 47 recognises gzip and zlib by their heads.
        ratio: the most bytes out per byte in, beyond the first mebibyte.
        most: the most bytes out in all.
    """

    __slots__ = ("_inflater", "_most", "_ratio", "_seen", "_total")

    def __init__(self, bits: int, ratio: int, most: int) -> None:
        self._inflater = zlib.decompressobj(bits)
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
        room = min(self._most, max(_FREE, self._seen * self._ratio)) - self._total
        try:
            plain = self._inflater.decompress(data, room + 1)
        except zlib.error:
            raise WireError(Failure.DECOMPRESSION, "the data is broken", sent=True) from None
        self._total += len(plain)
        if len(plain) > room:
            raise WireError(Failure.DECOMPRESSION, f"it inflates to more than {self._total - 1} bytes", sent=True)
        return plain

    def finish(self) -> bytes:
        """Say that the bytes have ended.

        Raises:
            WireError: they ended early.
        """
        if not self._inflater.eof:
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
