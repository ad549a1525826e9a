"""Paged lists of Gemini: ``{"<things>": [...], "nextPageToken"}``; a page without a token is the last."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from backends.dialects.openai_common import json_object
from backends.gemini.core import text_in
from backends.gemini.failures import raise_inside
from backends.operation import Answer, CallOptions, Operation
from backends.paging import Page, Pages
from backends.parameters import Between
from backends.wire.values import FormatError

if TYPE_CHECKING:
    from backends.gemini.core import GeminiCore

__all__ = ["ListParameters", "list_pages"]

T = TypeVar("T")


class ListParameters(CallOptions, total=False):
    """Arguments of lists.

    Attributes:
        limit: items a page, 1 to 1000; the walk goes over all pages whatever it is.
    """

    limit: Annotated[int | None, Between(1, 1000)]


def list_pages(
    backend: GeminiCore,
    name: str,
    collection: str,
    fields: Mapping[str, Any],
    options: CallOptions,
    read: Callable[[dict[str, Any]], T],
    *,
    key: str | None = None,
) -> Pages[T]:
    """Return the pages of a list.

    Args:
        backend: whose call it is.
        name: of the capability.
        collection: ``files``, ``models``...; also the path.
        fields: ``limit``.
        options: of each call.
        read: turns one entry into an item.
        key: the field that holds the entries, where it is not named as the collection.
    """
    limit = (("pageSize", str(fields["limit"])),) if "limit" in fields else ()

    def page(answer: Answer) -> Page[T]:
        data = json_object(answer.data)
        raise_inside(data)
        entries = data.get(key or collection)
        if entries is None:
            entries = []  # an empty list is left out
        if type(entries) is not list:
            raise FormatError("a page has no list")
        return Page(tuple(read(json_object(entry)) for entry in entries), text_in(data, "nextPageToken"))

    async def fetch(after: str | None) -> Page[T]:
        query = limit if after is None else (*limit, ("pageToken", after))
        operation = Operation(name, page, backend._path(collection), "GET", query=query)  # noqa: SLF001 - one package
        return await backend._perform(operation, options)  # noqa: SLF001 - one package

    return Pages(fetch)
