"""An adapter in this very process and loop, reached by the same lines as a program: for tests that make many subjects."""

from __future__ import annotations

import asyncio
from typing import Any

from conformance.blackbox.kit.speak import Speaker

__all__ = ["Direct"]


class Direct:
    """A channel of lines to an adapter of this process; it cannot crash, but everything else."""

    printed = b""

    def __init__(self, adapter: Any) -> None:
        self._said: asyncio.Queue[bytes] = asyncio.Queue()
        self._speaker = Speaker(adapter, lambda line: self._said.put_nowait(line[:-1]))
        self._adapter = adapter

    def write(self, line: bytes) -> None:
        """Hand one line over."""
        self._speaker.hear(line)

    async def read(self) -> bytes:
        """Return the next line."""
        return await self._said.get()

    async def finish(self, seconds: float) -> str:
        """Wait until the adapter has closed."""
        try:
            async with asyncio.timeout(seconds):
                await self._speaker.done.wait()
        except TimeoutError:
            return f"did not end within {seconds:g} s after close"
        return ""

    async def kill(self) -> None:
        """Cancel what runs and close the client."""
        await self._speaker.stop()
        await self._adapter.close()
