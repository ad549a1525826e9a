"""Paged lists of the OpenAI dialect: ``{"object": "list", "data", "has_more", "last_id"}``, the next page after the last item's id.

Wire fact: a page without ``has_more`` says nothing about the next, so it is taken for the last; an empty page is
always the last.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from backends.dialects.openai_common import json_object
from backends.dialects.openai_errors import raise_inside
from backends.operation import Answer, CallOptions, Operation
from backends.paging import Page, Pages
from backends.parameters import Between
from backends.wire.values import FormatError

if TYPE_CHECKING:
    from backends.http import HTTPBackend

__all__ = ["ListParameters", "list_pages"]

T = TypeVar("T")


class ListParameters(CallOptions, total=False):
    """Arguments of lists.

    Attributes:
        after: begin behind this id.
        limit: items a page, 1 to 100; the walk goes over all pages whatever it is.
    """

    after: str | None
    limit: Annotated[int | None, Between(1, 100)]


def list_pages(
    backend: HTTPBackend,
    name: str,
    path: str,
    fields: Mapping[str, Any],
    options: CallOptions,
    read: Callable[[Any], T],
) -> Pages[T]:
    """Return the pages of a list.

    Args:
        backend: whose call it is.
        name: of the capability.
        path: of the list.
        fields: query parameters; lists become repeated ``name[]``.
        options: of each call.
        read: turns one entry into an item.
    """
    fixed: list[tuple[str, str]] = []
    for key, value in fields.items():
        if key != "after":
            fixed.extend((f"{key}[]", item) for item in value) if isinstance(value, list | tuple) else fixed.append(
                (key, str(value))
            )
    first = fields.get("after")

    def page(answer: Answer) -> Page[T]:
        data = json_object(answer.data)
        raise_inside(data)
        entries = data["data"]
        if type(entries) is not list:
            raise FormatError("a page has no list")
        items = tuple(read(entry) for entry in entries)
        if not entries or data.get("has_more") is not True:
            return Page(items, None)
        last = entries[-1].get("id") or data.get("last_id")
        if not isinstance(last, str):
            raise FormatError("a page says that there are more but not after what")
        return Page(items, last)

    async def fetch(after: str | None) -> Page[T]:
        cursor = after if after is not None else first
        query = (*fixed, ("after", cursor)) if cursor is not None else tuple(fixed)
        return await backend._perform(Operation(name, page, path, "GET", query=query), options)  # noqa: SLF001 - what every backend has for its own modules

    return Pages(fetch)
