"""How an object that holds connections and threads is closed: ``close``, ``aclose``, ``with`` and ``async with``.

It fixes the order: nobody new, then what is held, then the portal. What is held, and how that is let go of, each class says;
nothing here knows of calls, and nothing is opened.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

from backends.portal import Portal

__all__ = ["Closing"]


class Closing(ABC):
    """Adds closing to an object, which sets the attribute declared here in its constructor."""

    _portal: Portal

    @property
    def portal(self) -> Portal:
        """The bridge that synchronous twins run on."""
        return self._portal

    @abstractmethod
    def _begin_close(self) -> bool:
        """Refuse who comes; False when there is nothing left to close."""

    @abstractmethod
    async def _close_held(self) -> None:
        """Close what is held."""

    @abstractmethod
    def _close_held_here(self) -> None:
        """Do the same for a caller without an event loop."""

    async def aclose(self) -> None:
        """Refuse new calls, fail the waiting ones, close every connection and thread; idempotent."""
        if self._begin_close():
            await self._close_held()
            self._portal.close()

    def close(self) -> None:
        """Synchronous twin of :meth:`aclose`."""
        if self._begin_close():
            self._close_held_here()
            self._portal.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
