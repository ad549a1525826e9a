"""Lists that come in pages: an asynchronous iterator that asks for the next page when it is needed, and its
synchronous twin."""

from __future__ import annotations

import functools
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Concatenate, Final, Generic, ParamSpec, TypeVar

from backends.errors import ResponseFormatError
from backends.twins import HasPortal

__all__ = ["Page", "Pages", "blocking_list"]

T = TypeVar("T")
P = ParamSpec("P")
S = TypeVar("S", bound=HasPortal)

_MOST_ITEMS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page: its items, and the cursor of the next page, None on the last."""

    items: tuple[T, ...]
    after: str | None


class Pages(Generic[T]):
    """Items of a list over all its pages; use it in ``async for``, or ``await pages.collect()``.

    Each page is a call of its own: queued, retried and counted like any other.

    Args:
        fetch: returns the page after a cursor, the first page for None.
    """

    __slots__ = ("_fetch",)

    def __init__(self, fetch: Callable[[str | None], Awaitable[Page[T]]]) -> None:
        self._fetch = fetch

    def __aiter__(self) -> AsyncIterator[T]:
        return self._walk()

    async def _walk(self) -> AsyncGenerator[T, None]:
        after: str | None = None
        while True:
            page = await self._fetch(after)
            for item in page.items:
                yield item
            if page.after is None:
                return
            if page.after == after:
                raise ResponseFormatError("The list goes round in a circle: a page named itself as the next.")
            after = page.after

    async def collect(self) -> list[T]:
        """Return every item.

        Raises:
            ResponseFormatError: there are more than a million; use ``async for``.
        """
        items: list[T] = []
        async for item in self:
            items.append(item)
            if len(items) > _MOST_ITEMS:
                raise ResponseFormatError(f"The list has more than {_MOST_ITEMS} items.")
        return items


def blocking_list(method: Callable[Concatenate[S, P], Pages[T]]) -> Callable[Concatenate[S, P], list[T]]:
    """Return the synchronous twin of a method that returns pages: a list of every item."""

    @functools.wraps(method)
    def twin(self: S, /, *arguments: P.args, **options: P.kwargs) -> list[T]:
        return self.portal.run(method(self, *arguments, **options).collect())

    named: Any = twin
    named.__name__ = method.__name__.removeprefix("a")
    named.__qualname__ = method.__qualname__.rpartition(".")[0] + "." + named.__name__
    return twin
