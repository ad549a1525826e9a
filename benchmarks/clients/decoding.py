"""What the raw clients need to read a stream by hand: the shortest decoder that is not wrong here.

It knows only what the benchmark's own server sends (``data:`` lines ended by an empty line), so it marks how fast
reading could be, not how fast a correct reader is.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

__all__ = ["decode"]


async def decode(pieces: AsyncIterator[bytes], tokens: list[str]) -> None:
    """Append the content of each chunk until the terminator."""
    rest = b""
    async for piece in pieces:
        *events, rest = (rest + piece).split(b"\n\n")
        for event in events:
            data = event[6:]
            if data == b"[DONE]":
                continue
            content = json.loads(data)["choices"][0]["delta"].get("content")
            if content:
                tokens.append(content)
