"""Sins of an S3 backend, files apart (``sec_files``): objects read halfway, and a signature that is shown."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any, Final

from backends.resilience.failures import AttemptFailed
from conformance.saboteurs import saboteur

_sin: Final = partial(saboteur, subjects=("s3_kit",), alone=True)


def _asking(backend: Any, change: Callable[[Any], Any]) -> None:
    """Let ``change`` alter what every request that ended well returns."""
    ask = backend._ask

    async def spoilt(*arguments: Any, **options: Any) -> Any:
        return change(await ask(*arguments, **options))

    backend._ask = spoilt


@_sin("CAP-02", "takes the first page for the list", case="list_pages async")
def lists_one_page(backend: Any) -> None:
    """Nobody has more than a thousand objects."""
    pages = backend.alist_pages

    async def first(*arguments: Any, **options: Any) -> AsyncIterator[Any]:
        async for page in pages(*arguments, **options):
            yield page
            return

    backend.alist_pages = first


@_sin("CAP-02", "fetches the whole object for a part of it", case="download a range async")
def cuts_at_home(backend: Any) -> None:
    """A range is so easily cut out."""
    download = backend.adownload

    async def spoilt(key: str, *arguments: Any, byte_range: Any = None, **options: Any) -> Any:
        reply = await download(key, *arguments, **options)
        return replace(reply, content=reply.content[byte_range[0] :]) if byte_range is not None else reply

    backend.adownload = spoilt


@_sin("CAP-02", "drops the metadata of an object", case="download async")
def drops_metadata(backend: Any) -> None:
    """Who reads that."""
    _asking(backend, lambda reply: replace(reply, metadata={}) if hasattr(reply, "metadata") else reply)


@_sin("CAP-02", "says that a content was checked which was not", case="download async")
def never_checked(backend: Any) -> None:
    """The length was right."""
    _asking(backend, lambda reply: replace(reply, verified="size") if hasattr(reply, "verified") else reply)


@_sin("CAP-02", "shows the signature of a presigned URL", case="presign async")
def shows_the_signature(backend: Any) -> None:
    """A URL in a log opens the object for everybody who reads it."""
    presign = backend.apresign

    async def shown(*arguments: Any, **options: Any) -> Any:
        return SimpleNamespace(url=(await presign(*arguments, **options)).url)

    backend.apresign = shown


@_sin("BAK-01", "takes a request that came too slowly for a bad one")
def gives_up_on_slow_requests(backend: Any) -> None:
    """RequestTimeout is a 400."""
    in_thread = backend._in_thread

    def spoilt(*arguments: Any) -> Any:
        try:
            return in_thread(*arguments)
        except AttemptFailed as failure:
            failure.repeatable = failure.repeatable and failure.error.status != 400
            raise

    backend._in_thread = spoilt
