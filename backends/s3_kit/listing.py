"""Listing objects: page by page, or whole."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec, TypeAlias, Unpack

from backends import errors
from backends.operation import CallOptions
from backends.parameters import bad_argument
from backends.s3_kit.attributes import require
from backends.s3_kit.composite import Composite
from backends.s3_kit.core import Options
from backends.s3_kit.exchange import Exchange
from backends.s3_kit.names import check_prefix
from backends.s3_kit.replies import Listing, ObjectEntry
from backends.twins import blocking

__all__ = ["ListingCalls"]

P = ParamSpec("P")
_Entries: TypeAlias = list[ObjectEntry]
_Texts: TypeAlias = list[str]
_PAGE: Final = 1_000
"""Keys per page, the most that S3 gives (S3 API reference, ListObjectsV2)."""


def _paged(
    method: Callable[Concatenate[ListingCalls, P], AsyncGenerator[Listing, None]],
) -> Callable[Concatenate[ListingCalls, P], Iterator[Listing]]:
    """Return the synchronous twin of a method that yields pages."""

    @wraps(method)
    def twin(self: ListingCalls, /, *arguments: P.args, **options: P.kwargs) -> Iterator[Listing]:
        pages = method(self, *arguments, **options)

        async def following() -> Listing | None:
            return await anext(pages, None)

        try:
            while (page := self.portal.run(following())) is not None:
                yield page
        finally:
            self.portal.run(_close(pages))

    twin.__name__ = method.__name__.removeprefix("a")
    twin.__qualname__ = method.__qualname__.rpartition(".")[0] + "." + twin.__name__
    return twin


class ListingCalls(Composite):
    """``list_pages`` and ``list``."""

    async def alist_pages(
        self,
        prefix: str = "",
        *,
        bucket: str | None = None,
        delimiter: str | None = None,
        page_size: int = _PAGE,
        start_after: str | None = None,
        token: str | None = None,
        failover: Sequence[str] | None = None,
        **options: Unpack[Options],
    ) -> AsyncGenerator[Listing, None]:
        """Yield pages of objects, each one request.

        Args:
            prefix: what keys begin with.
            bucket: the endpoint's own when not given.
            delimiter: usually ``/``: keys with it after the prefix are rolled up into ``prefixes``.
            page_size: keys per page, 1 to 1000.
            start_after: a key; only keys after it are listed.
            token: continues an earlier listing (``Listing.token``).
            failover: endpoints to try in order when a store fails; a listing that has begun stays where it is.
            **options: see :class:`~backends.s3_kit.core.Options`; the deadline is for all pages together.

        Raises:
            BackendError: NotFoundError for a bucket that is not there.
        """
        chosen = self._options(options)
        check_prefix(prefix)
        if isinstance(page_size, bool) or not isinstance(page_size, int) or not 1 <= page_size <= _PAGE:
            bad_argument(f"page_size must be between 1 and {_PAGE}, not {page_size!r}", "s3_kit")
        arguments: dict[str, Any] = {"Prefix": prefix, "MaxKeys": page_size}
        for name, value in (("Delimiter", delimiter), ("StartAfter", start_after), ("ContinuationToken", token)):
            if value is not None:
                arguments[name] = check_prefix(value, "delimiter") if name == "Delimiter" else value
        span = self._span(chosen)
        serving: list[str | None] = []

        async def page(at: CallOptions) -> Listing:
            found = await self._page(bucket, arguments, at)
            serving.append(at.get("endpoint"))
            return found

        listing = await self._hop(span.options(), failover, page)
        yield listing
        while listing.truncated:
            if listing.token is None or listing.token == arguments.get("ContinuationToken"):
                raise errors.ResponseFormatError(
                    "The store says there is more, and gives no new token.", provider="s3_kit"
                )
            arguments["ContinuationToken"] = listing.token
            listing = await self._page(bucket, arguments, span.options(endpoint=serving[0]))
            yield listing

    async def alist(
        self,
        prefix: str = "",
        *,
        bucket: str | None = None,
        delimiter: str | None = None,
        limit: int | None = None,
        start_after: str | None = None,
        failover: Sequence[str] | None = None,
        **options: Unpack[Options],
    ) -> Listing:
        """Return all objects under a prefix, in one value.

        Args:
            prefix, bucket, delimiter, start_after, failover, **options: see :meth:`alist_pages`.
            limit: keys to return at most; then ``truncated`` says whether there are more, and
                ``start_after`` the last key goes on. Without one, memory holds all.
        """
        if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
            bad_argument(f"limit must be at least 1, not {limit!r}", "s3_kit")
        objects: _Entries = []
        prefixes: _Texts = []
        page: Listing | None = None
        pages = self.alist_pages(
            prefix,
            bucket=bucket,
            delimiter=delimiter,
            start_after=start_after,
            failover=failover,
            page_size=_PAGE if limit is None else min(_PAGE, limit),
            **options,
        )
        async with aclosing(pages):
            async for page in pages:
                objects.extend(page.objects)
                prefixes.extend(page.prefixes)
                if limit is not None and len(objects) + len(prefixes) >= limit:
                    break
        assert page is not None
        over = limit is not None and len(objects) + len(prefixes) > limit
        return Listing(
            bucket=page.bucket,
            prefix=prefix,
            objects=tuple(objects[:limit]),
            prefixes=tuple(prefixes[: None if limit is None else max(0, limit - len(objects))]),
            truncated=page.truncated or over,
            token=None if over else page.token,
            request_id=page.request_id,
            provider_request_id=page.provider_request_id,
            attempts=page.attempts,
            latency=page.latency,
            raw=page.raw,
        )

    async def _page(self, bucket: str | None, arguments: dict[str, Any], options: CallOptions) -> Listing:
        where = self._bucket(bucket, options)

        def job(client: Any, exchange: Exchange) -> Listing:
            answer = client.list_objects_v2(Bucket=where, **arguments)
            require(answer, "IsTruncated", "a listing")
            return Listing(
                bucket=where,
                prefix=arguments["Prefix"],
                objects=tuple(_entry(item) for item in answer.get("Contents", ())),
                prefixes=tuple(str(item["Prefix"]) for item in answer.get("CommonPrefixes", ())),
                truncated=bool(answer["IsTruncated"]),
                token=answer.get("NextContinuationToken"),
                **exchange.facts(answer),
            )

        return await self._ask("list", where, options, job)

    list_pages = _paged(alist_pages)
    list = blocking(alist)


async def _close(pages: AsyncGenerator[Listing, None]) -> None:
    await pages.aclose()


def _entry(item: Any) -> ObjectEntry:
    return ObjectEntry(
        str(item["Key"]), int(item["Size"]), item.get("ETag"), item.get("LastModified"), item.get("StorageClass")
    )
