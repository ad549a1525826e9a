"""Digests of bytes as they arrive, and their comparison with what a store or a caller says. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import zlib
from collections.abc import Mapping

__all__ = ["Digests"]


class Digests:
    """SHA-256, and CRC-32 beside it, of bytes as they arrive."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()
        self._crc32 = 0

    def update(self, data: bytes) -> None:
        """Take the next bytes."""
        self._sha256.update(data)
        self._crc32 = zlib.crc32(data, self._crc32)

    @property
    def sha256(self) -> str:
        """Hex digits."""
        return self._sha256.hexdigest()

    def compare(self, expected: str | None, checksums: Mapping[str, str]) -> tuple[str, bool]:
        """Compare with the strongest checksum there is.

        Args:
            expected: SHA-256 in hex, None when nobody knows it.
            checksums: of the store, base64; those of several parts (``...-N``) do not cover the bytes and are passed
                over.

        Returns:
            what was compared (``size`` when there was nothing), and whether it agrees.
        """
        if expected is not None:
            return "sha256", expected.lower() == self.sha256
        found = _decoded(checksums.get("SHA256"), 32)
        if found is not None:
            return "sha256", found == self._sha256.digest()
        found = _decoded(checksums.get("CRC32"), 4)
        if found is not None:
            return "crc32", found == self._crc32.to_bytes(4, "big")
        return "size", True


def _decoded(text: str | None, size: int) -> bytes | None:
    if text is None or "-" in text:
        return None
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if len(data) == size else None
