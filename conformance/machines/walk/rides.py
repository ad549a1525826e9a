"""The callers of a walk: what each asked for, what it waits for, and how it ended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, Final, TypeAlias

from backends import errors

__all__ = ["ENDINGS", "Ride"]

End: TypeAlias = str
ENDINGS: Final = ("result", "error", "cancelled")
"""How a call may end."""


class Ride:
    """One call, or one stream, from the caller's side.

    Attributes:
        number: in the order of submission; its text on the wire.
        endpoint, level, deadline_at: as asked; no deadline is None.
        task: what runs for it now: the call, or the reading of one chunk.
        stream: of a stream that has not ended; None otherwise.
        ends: every ending that the caller saw.
        error: what it ended with, None unless it failed.
        counted: False for a call that was refused before it began.
    """

    def __init__(self, number: int, endpoint: str, level: int, deadline_at: float | None) -> None:
        self.number = number
        self.endpoint = endpoint
        self.level = level
        self.deadline_at = deadline_at
        self.task: asyncio.Task[None] | None = None
        self.stream: Any = None
        self.ends: list[End] = []
        self.error: BaseException | None = None
        self.counted = True

    @property
    def ended(self) -> bool:
        """Whether the caller has its ending."""
        return bool(self.ends)

    @property
    def waits(self) -> bool:
        """Whether the caller waits for something now; a stream between two chunks does not."""
        return self.task is not None and not self.task.done()

    async def call(self, work: Awaitable[Any]) -> None:
        """Wait for a whole answer and note how it ended."""
        try:
            await work
        except asyncio.CancelledError:
            self.ends.append("cancelled")
            raise
        except errors.BackendError as error:
            self._failed(error)
        else:
            self.ends.append("result")

    async def read(self) -> None:
        """Wait for one chunk, or the end, and note it."""
        try:
            await anext(self.stream)
        except StopAsyncIteration:
            self._over("result")
        except asyncio.CancelledError:
            self._over("cancelled")
            raise
        except errors.BackendError as error:
            self._failed(error)

    async def hang_up(self) -> None:
        """Close the stream."""
        await self.stream.aclose()
        self._over("cancelled")

    def abandon(self) -> None:
        """Drop the stream without a word."""
        self._over("cancelled")

    def _failed(self, error: errors.BackendError) -> None:
        self.counted = not isinstance(error, errors.ClosedError) or error.request_id is not None
        self.error = error.with_traceback(None)
        self._over("error")

    def _over(self, end: End) -> None:
        self.ends.append(end)
        self.stream = None
