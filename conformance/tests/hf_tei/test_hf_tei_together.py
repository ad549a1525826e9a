"""Several wire calls as one: their order, their width, and what is left when one fails or the caller leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from backends.together import together


class Work:
    """Calls that wait for their turn and note what became of them."""

    def __init__(self) -> None:
        self.running = 0
        self.most = 0
        self.ended: list[tuple[int, str]] = []

    def call(self, number: int, *, fails: bool = False, turns: int = 3) -> Callable[[], Coroutine[Any, Any, int]]:
        async def run() -> int:
            self.running += 1
            self.most = max(self.most, self.running)
            try:
                for _ in range(turns):
                    await asyncio.sleep(0)
                if fails:
                    raise ValueError(f"call {number}")
            except asyncio.CancelledError:
                self.ended.append((number, "cancelled"))
                raise
            finally:
                self.running -= 1
            self.ended.append((number, "done"))
            return number

        return run


@pytest.mark.parametrize("width", [1, 2, 3, 10])
async def test_order_and_width(width: int) -> None:
    work = Work()
    calls = [work.call(number, turns=9 - number) for number in range(7)]
    assert await together(calls, width) == list(range(7))
    assert work.most == min(width, 7)


async def test_nothing_to_do() -> None:
    assert await together([], 3) == []


async def test_the_first_failure_cancels_the_others() -> None:
    work = Work()
    calls = [work.call(0, turns=50), work.call(1, fails=True), work.call(2, turns=50), work.call(3)]
    with pytest.raises(ValueError, match="call 1"):
        await together(calls, 3)
    assert sorted(work.ended) == [(0, "cancelled"), (2, "cancelled")]
    assert work.running == 0


async def test_a_caller_who_leaves_takes_all_along() -> None:
    work = Work()
    task = asyncio.ensure_future(together([work.call(number, turns=50) for number in range(4)], 2))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sorted(work.ended) == [(0, "cancelled"), (1, "cancelled")]
    assert work.running == 0
