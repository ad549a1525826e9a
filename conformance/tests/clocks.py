"""Clocks of tests: time passes when somebody sleeps, or when a test says so; nobody waits for it."""

from __future__ import annotations

import asyncio

from backends.resilience.clock import Clock

__all__ = ["Hand", "Hurried", "turns"]


class _Told(Clock):
    """A clock that tells what its hands say and keeps what was slept."""

    def __init__(self, now: float) -> None:
        self.now = now
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return 1_795_000_000.0 + self.now


class Hurried(_Told):
    """Its sleeps are over after one turn of the loop, and move its hands."""

    def __init__(self) -> None:
        super().__init__(1_000.0)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


class Hand(_Told):
    """It is moved by hand; whoever sleeps is woken whenever it moves."""

    def __init__(self) -> None:
        super().__init__(0.0)
        self._moved = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await self._moved.wait()

    async def move(self, seconds: float) -> None:
        self.now += seconds
        self._moved.set()
        self._moved = asyncio.Event()
        await turns()


async def turns(number: int = 12) -> None:
    """Let the others of the loop go on."""
    for _ in range(number):
        await asyncio.sleep(0)
