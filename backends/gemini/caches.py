"""Cached contents of the Gemini backend: a long context that is paid for once and named by later requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Unpack

from backends.dialects.openai_common import json_object
from backends.gemini.answers import usage_of
from backends.gemini.catalogue import bare_name, full_name
from backends.gemini.contents import Contents, contents_of, conversation
from backends.gemini.core import GeminiCore, text_in, unix_seconds
from backends.gemini.failures import raise_inside
from backends.gemini.files import deleted_reader
from backends.gemini.lists import ListParameters, list_pages
from backends.gemini.parameters import Instructions, generation_body, taken
from backends.gemini.values import CachedContent
from backends.operation import Answer, CallOptions, Operation, Repeat
from backends.paging import Pages, blocking_list
from backends.parameters import Between, Size, bad_argument, split
from backends.twins import blocking
from backends.types import Usage
from backends.values import Deleted
from backends.wire.values import FormatError

__all__ = ["CacheCalls", "CacheParameters", "CacheTimes"]


class CacheTimes(CallOptions, total=False):
    """How long a context is kept: one of the two.

    Attributes:
        ttl: seconds from now, at least 1; the provider keeps an hour when neither is given.
        expire_time: RFC 3339 time (``2026-12-01T12:00:00Z``).
    """

    ttl: Annotated[float | None, Between(1, 315_576_000_000)]
    expire_time: Annotated[str | None, Size(1, 40)]


class CacheParameters(Instructions, CacheTimes, total=False):
    """Arguments of ``create_cache``: what is cached beside the contents, for how long, and a name for people."""

    display_name: Annotated[str | None, Size(1, 128)]


class CacheCalls(GeminiCore):
    """Calls under ``/cachedContents``."""

    async def acreate_cache(
        self, content: Contents, *, model: str | None = None, **parameters: Unpack[CacheParameters]
    ) -> CachedContent:
        """Keep a context at the provider (``POST /cachedContents``). It is repeated only where it cannot have been
        made.

        Args:
            content: a text, or messages as for chat; pass the reply's ``id`` as ``cached_content`` to chat, with the same
                model, and neither system messages nor tools.
            model: for which model.
            **parameters: see :class:`CacheParameters`.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the provider refused the request.
        """
        options, fields = taken(parameters, CacheParameters)
        contents, system = contents_of(content) if isinstance(content, str) else conversation(content)
        name = self._chosen_model(model, "chat")
        body = {"model": full_name(name), **generation_body(contents, system, fields), **_times(fields)}
        if "display_name" in fields:
            body["displayName"] = fields["display_name"]
        operation = Operation(
            "create_cache", _read_cache, self._path("cachedContents"), body=body, model=name, repeat=Repeat.UNPROCESSED
        )
        return await self._perform(operation, options)

    async def aget_cache(self, cache_id: str, **parameters: Unpack[CallOptions]) -> CachedContent:
        """Return what the provider says of a context (``GET /cachedContents/{id}``).

        Args:
            cache_id: with or without ``cachedContents/``.
            **parameters: options of the call.

        Raises:
            NotFoundError: there is no such context, or it has expired.
        """
        options, _ = split(parameters, CallOptions, self.provider.name, body=False)
        path = self._resource_path("cachedContents", "cache_id", cache_id)
        return await self._perform(Operation("get_cache", _read_cache, path, "GET"), options)

    def alist_caches(self, **parameters: Unpack[ListParameters]) -> Pages[CachedContent]:
        """Return the project's contexts (``GET /cachedContents``), page by page as they are asked for."""
        options, fields = split(parameters, ListParameters, self.provider.name, body=False)
        return list_pages(
            self,
            "list_caches",
            "cachedContents",
            fields,
            options,
            lambda entry: CachedContent(raw=entry, **_cache(entry)),
        )

    async def aupdate_cache(self, cache_id: str, **parameters: Unpack[CacheTimes]) -> CachedContent:
        """Change how long a context is kept (``PATCH /cachedContents/{id}``).

        Raises:
            InvalidRequestError: neither ``ttl`` nor ``expire_time`` is given, or both are.
            NotFoundError: there is no such context, or it has expired.
        """
        options, fields = split(parameters, CacheTimes, self.provider.name)
        times = _times(fields)
        if not times:
            bad_argument("ttl or expire_time must be given", self.provider.name)
        path = self._resource_path("cachedContents", "cache_id", cache_id)
        return await self._perform(Operation("update_cache", _read_cache, path, "PATCH", body=times), options)

    async def adelete_cache(self, cache_id: str, **parameters: Unpack[CallOptions]) -> Deleted:
        """Delete a context (``DELETE /cachedContents/{id}``).

        Raises:
            NotFoundError: there is no such context, or it has expired.
        """
        options, _ = split(parameters, CallOptions, self.provider.name, body=False)
        path = self._resource_path("cachedContents", "cache_id", cache_id)
        read = deleted_reader("cachedContents", cache_id)
        return await self._perform(Operation("delete_cache", read, path, "DELETE", repeat=Repeat.UNPROCESSED), options)

    create_cache = blocking(acreate_cache)
    get_cache = blocking(aget_cache)
    list_caches = blocking_list(alist_caches)
    update_cache = blocking(aupdate_cache)
    delete_cache = blocking(adelete_cache)


def _times(fields: Mapping[str, Any]) -> dict[str, str]:
    if "ttl" in fields and "expire_time" in fields:
        bad_argument("ttl and expire_time exclude each other", "gemini")
    if "ttl" in fields:
        return {"ttl": f"{fields['ttl']:.9f}".rstrip("0").rstrip(".") + "s"}
    return {"expireTime": fields["expire_time"]} if "expire_time" in fields else {}


def _cache(data: Any) -> dict[str, Any]:
    data = json_object(data)
    name = data["name"]
    if not isinstance(name, str):
        raise FormatError("a cached content has no name")
    held = usage_of(data).total_tokens
    model = text_in(data, "model")
    return {
        "id": name,
        "model": bare_name(model) if model is not None else None,
        "usage": Usage(held, None, held),
        "display_name": text_in(data, "displayName"),
        "created": unix_seconds(data.get("createTime")),
        "updated": unix_seconds(data.get("updateTime")),
        "expires": unix_seconds(data.get("expireTime")),
    }


def _read_cache(answer: Answer) -> CachedContent:
    raise_inside(answer.data, answer.model)
    return CachedContent(**answer.facts(), **_cache(answer.data))
