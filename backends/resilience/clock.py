"""Where time comes from: the one seam through which the path of a call reads a clock or waits.

Nothing here decides how long to wait.
"""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

__all__ = ["Clock", "SystemClock"]


class Clock(Protocol):
    """Time as the call path needs it."""

    def monotonic(self) -> float:
        """Return seconds that never go back, comparable across threads and event loops of the process."""
        ...

    def time(self) -> float:
        """Return unix seconds (the wall clock)."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait that long without blocking the event loop."""
        ...


class SystemClock:
    """The operating system's clocks and asyncio's sleep."""

    monotonic = staticmethod(time.monotonic)
    time = staticmethod(time.time)
    sleep = staticmethod(asyncio.sleep)
