"""Model folders as a whole: stored below a prefix with a manifest, fetched again, only what changed is moved.

The manifest goes last when a model is stored: until then, whoever fetches gets the old model or an error, never a
mixture, for every file is verified against the manifest.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, Unpack

from backends import errors
from backends.operation import CallOptions
from backends.parameters import bad_argument
from backends.s3_kit.composite import Span, options_of, together
from backends.s3_kit.core import Options, ProgressCallback
from backends.s3_kit.downloads import DownloadCalls
from backends.s3_kit.exchange import Aborted
from backends.s3_kit.folders import FOLD_CASE, Symlinks, facts_of, place_for, scan
from backends.s3_kit.listing import ListingCalls
from backends.s3_kit.manifest import MANIFEST_NAME, FileFacts, Manifest
from backends.s3_kit.names import LARGEST_KEY, check_prefix
from backends.s3_kit.replies import ModelTransfer
from backends.s3_kit.uploads import UploadCalls
from backends.s3_kit.wanted import Wanted
from backends.twins import blocking

__all__ = ["ModelCalls"]

T = TypeVar("T")


class ModelCalls(UploadCalls, DownloadCalls, ListingCalls):
    """``store_model``, ``fetch_model``."""

    async def astore_model(
        self,
        folder: str | os.PathLike[str],
        prefix: str,
        *,
        bucket: str | None = None,
        symlinks: Symlinks = "refuse",
        prune: bool = False,
        progress: ProgressCallback | None = None,
        **options: Unpack[Options],
    ) -> ModelTransfer:
        """Store a folder below a prefix, with a manifest of size and SHA-256 of every file.

        Args:
            folder: what to store.
            prefix: where; a ``/`` is added.
            bucket: the endpoint's own when not given.
            symlinks: ``refuse`` (an error), ``follow`` (store what they point to) or ``skip``.
            prune: delete objects below the prefix that are not part of the model, once the manifest is stored.
            progress: called on the event loop for every request of every file.
            **options: see :class:`~backends.s3_kit.core.Options`; the deadline is for all of it.

        Raises:
            InvalidRequestError: a link, an unusable name, or a file that changed meanwhile.
        """
        chosen = self._options(options)
        base = _base(prefix)
        if symlinks not in ("refuse", "follow", "skip"):
            bad_argument(f"symlinks must be refuse, follow or skip, not {symlinks!r}", "s3_kit")
        where = self._bucket(bucket, chosen)
        span, place = self._span(chosen), Path(folder)
        files = await self._threads.local(lambda: scan(place, symlinks))
        for name in files:
            _fits(base, name)
        local = await self._facts(files, span)
        there = await self.alist(base, bucket=where, failover=(), **options_of(span.options()))
        sizes = {entry.key: entry.size for entry in there.objects}
        known = await self._known(base, where, span) if base + MANIFEST_NAME in sizes else {}
        changed = [
            name for name, facts in local.items() if known.get(name) != facts or sizes.get(base + name) != facts.size
        ]
        gate = asyncio.Semaphore(self.endpoint(chosen.get("endpoint")).admission.limit)

        async def store(name: str) -> None:
            done = await self._upload(
                base + name, files[name], where, None, None, False, None, progress, span.options(), gate
            )
            if done.sha256 != local[name].sha256:
                bad_argument(f"{name} changed while the model was stored", "s3_kit")

        await self._each(changed, store, chosen)
        manifest = Manifest(local).encode()
        if changed or set(known) != set(local) or not known:
            await self.aupload(
                base + MANIFEST_NAME,
                manifest,
                bucket=where,
                content_type="application/json",
                **options_of(span.options()),
            )
        removed: tuple[str, ...] = ()
        if prune:
            keep = {base + name for name in local} | {base + MANIFEST_NAME}
            # A store may list keys that no request can name; such a key is not ours, and stays.
            removed = tuple(key for key in sizes if key not in keep and not {".", ".."} & set(key.split("/")))
            if removed:
                await self.adelete_many(removed, bucket=where, **options_of(span.options()))
        return _transfer(place, where, base, local, changed, removed)

    async def afetch_model(
        self,
        prefix: str,
        folder: str | os.PathLike[str],
        *,
        bucket: str | None = None,
        progress: ProgressCallback | None = None,
        failover: Sequence[str] | None = None,
        **options: Unpack[Options],
    ) -> ModelTransfer:
        """Fetch a model that ``store_model`` stored into a folder; files that are right already stay as they are.

        Every file has its SHA-256 from the manifest before it gets its name. Files of the folder that are not part of
        the model are left alone. A name that leads out of the folder, or a symbolic link on the way, is refused before
        anything is written through it.

        Args:
            prefix: where the model is stored.
            folder: where it goes; made when it is not there.
            bucket: the endpoint's own when not given.
            progress: called on the event loop about once per MiB.
            failover: endpoints to try in order, per file, when a store fails.
            **options: see :class:`~backends.s3_kit.core.Options`; the deadline is for all of it.

        Raises:
            NotFoundError: no manifest below the prefix.
            ResponseFormatError: a bad manifest, or bytes that do not match it.
            InvalidRequestError: something in the folder is in the way.
        """
        chosen = self._options(options)
        base = _base(prefix)
        where = self._bucket(bucket, chosen)
        span, target = self._span(chosen), Path(folder)
        stored = await self.adownload(
            base + MANIFEST_NAME, bucket=where, failover=failover, **options_of(span.options())
        )
        manifest = Manifest.decode(stored.content, fold_case=FOLD_CASE)
        await self._threads.local(lambda: _make(target))
        places = await self._threads.local(lambda: {name: place_for(target, name) for name in manifest.files})
        present = await self._facts(places, span)
        changed = [name for name, facts in manifest.files.items() if present.get(name) != facts]

        async def fetch(name: str) -> None:
            facts = manifest.files[name]
            # Once more, right before it is written: the folder may have changed since.
            path = await self._threads.local(lambda: place_for(target, name))
            wanted = Wanted(base + name, sha256=facts.sha256, size=facts.size)
            await self._download(wanted, path, where, True, progress, failover, span.options())

        await self._each(changed, fetch, chosen)
        return _transfer(target, where, base, manifest.files, changed, ())

    async def _known(self, base: str, bucket: str, span: Span) -> Mapping[str, FileFacts]:
        """Return what an earlier manifest says; nothing when it cannot be read, or is gone meanwhile."""
        try:
            stored = await self.adownload(
                base + MANIFEST_NAME, bucket=bucket, failover=(), **options_of(span.options())
            )
            return Manifest.decode(stored.content).files
        except (errors.NotFoundError, errors.ResponseFormatError):
            return {}  # it will be replaced, and everything stored anew

    async def _facts(self, files: Mapping[str, Path], span: Span) -> dict[str, FileFacts]:
        """Return size and digest of the files that are there."""
        left = threading.Event()

        def check() -> None:
            if left.is_set():
                raise Aborted

        def one(path: Path) -> Callable[[], FileFacts | None]:
            return lambda: facts_of(path, check)

        found: dict[str, FileFacts] = {}
        try:
            for name, path in files.items():
                span.options()  # the deadline
                facts = await self._threads.local(one(path))
                if facts is not None:
                    found[name] = facts
        finally:
            left.set()
        return found

    async def _each(self, names: Iterable[str], work: Callable[[str], Any], options: CallOptions) -> None:
        """Run ``work`` for every name, as many at once as the endpoint lets requests fly; the first error ends it
        all."""
        left = iter(list(names))

        async def worker() -> None:
            for name in left:
                await work(name)

        limit = self.endpoint(options.get("endpoint")).admission.limit
        await together(worker() for _ in range(limit))

    store_model = blocking(astore_model)
    fetch_model = blocking(afetch_model)


def _base(prefix: str) -> str:
    base = check_prefix(prefix).rstrip("/")
    if not base:
        bad_argument("prefix must not be empty", "s3_kit")
    return base + "/"


def _fits(base: str, name: str) -> None:
    if len((base + name).encode()) > LARGEST_KEY:
        bad_argument(f"prefix and name are longer than {LARGEST_KEY} bytes: {name}", "s3_kit")


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise errors.ConfigurationError(f"{folder} cannot be made: {error.strerror}.", provider="s3_kit") from None


def _transfer(
    folder: Path,
    bucket: str,
    base: str,
    files: Mapping[str, FileFacts],
    changed: Sequence[str],
    removed: tuple[str, ...],
) -> ModelTransfer:
    moved = set(changed)
    return ModelTransfer(
        folder=folder,
        bucket=bucket,
        prefix=base,
        moved=tuple(sorted(moved)),
        unchanged=tuple(sorted(name for name in files if name not in moved)),
        removed=removed,
        bytes_moved=sum(files[name].size for name in moved),
        total_bytes=sum(facts.size for facts in files.values()),
    )
