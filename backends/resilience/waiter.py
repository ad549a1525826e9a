"""A caller asleep in some event loop, who can be woken from any thread.

It knows nothing of what the caller waits for.
"""

from __future__ import annotations

import asyncio

__all__ = ["Waiter"]


class Waiter:
    """A caller who waits, in whatever loop and thread it lives; ``granted`` is written under its endpoint's lock alone."""

    __slots__ = ("future", "granted", "loop")

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None
        self.future: asyncio.Future[None] | None = None
        self.granted = False

    def tell(self, error: Exception | None = None) -> bool:
        """Wake the caller; False when its loop is gone and nobody will ever run it."""
        if self.loop is None:  # granted on arrival: it never slept
            return True
        try:
            self.loop.call_soon_threadsafe(self._settle, error)
        except RuntimeError:
            return False
        return True

    def _settle(self, error: Exception | None) -> None:
        future = self.future
        assert future is not None
        if future.done():
            return
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
