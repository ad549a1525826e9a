"""The gate before answers: requests that match wait there, oldest first, until they are let go. It reads no request's content
and answers none."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from fnmatch import fnmatchcase

from conformance.simulators.record import Seen

__all__ = ["Gate"]


class Gate:
    """Open at first.

    Args:
        changed: told whenever somebody comes to wait.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._closed_for: tuple[str, str] | None = None
        self._held: deque[tuple[Seen, asyncio.Event]] = deque()

    def __len__(self) -> int:
        return len(self._held)

    @property
    def held(self) -> list[Seen]:
        """Requests that wait here, oldest first."""
        return [seen for seen, _ in self._held]

    def close_for(self, provider: str, path: str) -> None:
        """From now on requests to a provider, ``*`` for any, wait here if their path matches the glob."""
        self._closed_for = (provider, path)

    def let_go(self, count: int | None = None, *, skip: int = 0) -> int:
        """Let the ``count`` go that have waited longest, after leaving ``skip`` of them here; return how many went.

        None lets everybody go and opens the gate.
        """
        if count is None:
            self._closed_for = None
        stop = len(self._held) if count is None else skip + count
        chosen = list(self._held)[skip:stop]
        for place in chosen:
            self._held.remove(place)
            place[1].set()
        return len(chosen)

    async def wait(self, seen: Seen) -> None:
        """Wait, where the gate is closed for this request."""
        if self._closed_for is None:
            return
        provider, path = self._closed_for
        if provider not in ("*", seen.provider) or not fnmatchcase(seen.path, path):
            return
        place = (seen, asyncio.Event())
        self._held.append(place)
        self._changed()
        try:
            await place[1].wait()
        finally:
            if place in self._held:
                self._held.remove(place)
