"""Paged lists of Claude, which come in two shapes.

Wire facts: models and batches: ``{"data", "has_more", "last_id"}``, the next page with ``after_id``. Files: ``{"data",
"next_page"}``, the next page with ``page``. A page that does not say that there are more is the last.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from backends.claude.failures import raise_inside
from backends.dialects.openai_common import json_object
from backends.operation import Answer, CallOptions, Operation
from backends.paging import Page, Pages
from backends.wire.values import FormatError

if TYPE_CHECKING:
    from backends.claude.core import ClaudeCore, Headers

    Taken = tuple[CallOptions, dict[str, Any], Headers]

__all__ = ["AFTER_LAST", "NEXT_PAGE", "Cursor", "list_pages"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Cursor:
    """How a list goes on: the query parameter of the next page, and where a page names it."""

    parameter: str
    find: Callable[[dict[str, Any]], Any]


def _last_id(page: dict[str, Any]) -> Any:
    if page.get("has_more") is not True or not page["data"]:
        return None
    return page.get("last_id") or page["data"][-1]["id"]


AFTER_LAST = Cursor("after_id", _last_id)
NEXT_PAGE = Cursor("page", lambda page: page.get("next_page"))


def list_pages(
    backend: ClaudeCore,
    name: str,
    path: str,
    cursor: Cursor,
    taken: Taken,
    read: Callable[[Any], T],
) -> Pages[T]:
    """Return the pages of a list.

    Args:
        backend: whose call it is.
        name: of the capability.
        path: of the list.
        cursor: how it goes on.
        taken: the arguments of each call, as the backend took them; its fields are the query of every page, those that
            are lists one by one.
        read: turns one entry into an item.
    """
    options, fields, headers = taken
    query: list[tuple[str, str]] = []
    for field, value in fields.items():
        several = isinstance(value, list | tuple)
        query.extend((f"{field}[]", str(one)) for one in value) if several else query.append((field, str(value)))

    def page(answer: Answer) -> Page[T]:
        data = json_object(answer.data)
        raise_inside(data)
        entries = data["data"]
        if type(entries) is not list:
            raise FormatError("a page has no list")
        after = cursor.find(data)
        if after is not None and not isinstance(after, str):
            raise FormatError("a page says that there are more but not after what")
        return Page(tuple(read(entry) for entry in entries), after)

    async def fetch(after: str | None) -> Page[T]:
        where = query if after is None else [*query, (cursor.parameter, after)]
        operation = Operation(name, page, path, "GET", query=tuple(where), headers=headers)
        return await backend._perform(operation, options)  # noqa: SLF001 - one package

    return Pages(fetch)
