"""Tiny real media that carry the nonce: a PNG, a WAV, and audio-like bytes for the other formats."""

from __future__ import annotations

import struct
import zlib

__all__ = ["picture", "sound", "wave"]

RATE = 8_000
"""Samples a second of :func:`wave`."""


def picture(nonce: str, side: int = 4) -> bytes:
    """A valid one-colour PNG whose colour comes from the nonce and whose ``tEXt`` chunk holds it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    colour = bytes.fromhex(nonce[:6])
    rows = (b"\0" + colour * side) * side
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", header),
            chunk(b"tEXt", b"nonce\0" + nonce.encode()),
            chunk(b"IDAT", zlib.compress(rows)),
            chunk(b"IEND", b""),
        )
    )


def wave(nonce: str, samples: int = 400) -> bytes:
    """A valid mono 16-bit WAV whose samples come from the nonce."""
    seed = int(nonce, 16)
    data = b"".join(struct.pack("<h", (seed * (index + 1)) % 2001 - 1000) for index in range(samples))
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, RATE * 2, 2, 16)
    note = nonce.encode() + b"\0" * (len(nonce) % 2)
    info = struct.pack("<4sI", b"note", len(note)) + note
    body = b"WAVE" + form + info + struct.pack("<4sI", b"data", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


_MAGIC = {
    "mp3": b"ID3\x04\x00\x00\x00\x00\x00\x00",
    "opus": b"OggS",
    "aac": b"\xff\xf1",
    "flac": b"fLaC",
    "pcm": b"",
    "pcm16": b"",
}


def sound(nonce: str, kind: str, text: str) -> bytes:
    """Audio in ``kind``: a real WAV, or that format's first bytes, the nonce, and a length that follows the text."""
    if kind == "wav":
        return wave(nonce, 40 * max(1, len(text)))
    return _MAGIC.get(kind, b"") + nonce.encode() + bytes(index % 251 for index in range(16 * len(text)))
