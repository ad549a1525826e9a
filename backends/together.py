"""Several wire calls that are one call to the caller: run at once within a width, all or nothing.

Each is queued, retried and counted as any other call; this module only keeps their order and cleans up behind a failure.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

__all__ = ["together"]

T = TypeVar("T")


async def together(calls: Sequence[Callable[[], Awaitable[T]]], width: int) -> list[T]:
    """Return the results in the order of the calls.

    Args:
        calls: each starts its work when called.
        width: how many may be under way at once, 1 or more; more than the endpoint sends at once would only fill its
            queue.

    Raises:
        Exception: the first that any of them raised, once the others were cancelled and have let go of what they held.
    """
    results: list[T] = []
    for start in range(0, len(calls), width):
        tasks = [asyncio.ensure_future(call()) for call in calls[start : start + width]]
        try:
            results += await asyncio.gather(*tasks)
        except BaseException:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise
    return results
