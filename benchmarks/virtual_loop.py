"""An event loop without sockets whose time jumps to the next timer: minutes of a simulation in seconds, the same each time."""

from __future__ import annotations

import asyncio
import selectors
from typing import Any

__all__ = ["SimulatedClock", "VirtualLoop"]


class _Jump(selectors.DefaultSelector):
    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("the simulation waits for nothing")
        self.loop.now += max(0.0, timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """See the module docstring. What waits for another thread or process would wait for ever."""

    def __init__(self) -> None:
        selector = _Jump()
        selector.loop = self
        self.now = 0.0
        super().__init__(selector)
        # Two floats that mean the same moment may differ in their last digit after a jump.
        self._clock_resolution = 1e-9

    def time(self) -> float:
        """Return virtual seconds since the beginning."""
        return self.now


class SimulatedClock:
    """A backend's clock in such a loop."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def monotonic(self) -> float:
        """Return virtual seconds."""
        return self._loop.now

    def time(self) -> float:
        """Return virtual seconds as unix seconds of 2026."""
        return 1_793_491_200.0 + self._loop.now

    async def sleep(self, seconds: float) -> Any:
        """Wait in the loop."""
        await asyncio.sleep(seconds)
