"""What a thread opens for a task has an owner at every moment: the task, or nobody, and then it is given back.

Nothing here waits for a thread whose task was cancelled, and nothing is opened that nobody closes.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

__all__ = ["handed_over"]

T = TypeVar("T")


async def handed_over(
    job: Callable[[], T],
    give_back: Callable[[T], object],
    run: Callable[[Callable[[], None]], Awaitable[object]] = asyncio.to_thread,
) -> T:
    """Return what ``job`` opens in a thread.

    Args:
        job: blocks, and returns something that must be closed; it cannot be interrupted.
        give_back: closes it when this task was cancelled meanwhile: in the thread, or here when the thread had just
            finished. Must be short, and raise nothing.
        run: runs a function in a thread.

    Raises:
        Exception: whatever the job raised.
    """
    hands: _Hands[T] = _Hands(give_back)

    def in_thread() -> None:
        hands.offer(job())

    try:
        await run(in_thread)
        return hands.take()
    except BaseException:
        hands.leave()
        raise


class _Hands(Generic[T]):
    def __init__(self, give_back: Callable[[T], object]) -> None:
        self._give_back = give_back
        self._lock = threading.Lock()
        self._offered: list[T] = []
        self._left = False

    def offer(self, opened: T) -> None:
        with self._lock:
            if not self._left:
                self._offered.append(opened)
                return
        self._give_back(opened)

    def take(self) -> T:
        with self._lock:
            return self._offered.pop()

    def leave(self) -> None:
        with self._lock:
            self._left = True
            left, self._offered = self._offered, []
        for opened in left:
            self._give_back(opened)
