"""Saboteurs of SEC-04: object stores that write where they are told, and before they know what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from backends import errors
from conformance.saboteurs import saboteur

_STORE = ("s3_kit",)


def _fetching(backend: Any, *, absolute: bool) -> None:
    """Fetch models without a look at where their files go; names that are not absolute are refused on request."""

    async def fetch(prefix: str, folder: Any, **options: Any) -> None:
        manifest = json.loads((await backend.adownload(f"{prefix}/.model-manifest.json")).content)
        for name in manifest["files"]:
            if not absolute and (name.startswith("/") or any(mark in name for mark in ("..", "\\", ":", "//"))):
                raise errors.InvalidRequestError(f"{name!r} is refused.")
            content = (await backend.adownload(f"{prefix}/{name}")).content
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    backend.afetch_model = fetch


@saboteur("SEC-04", "writes files where a manifest says", subjects=_STORE)
def trusts_names(backend: Any) -> None:
    """/etc/cron.d/backup is a name like any other."""
    _fetching(backend, absolute=True)


@saboteur("SEC-04", "writes through symbolic links", subjects=_STORE)
def follows_links(backend: Any) -> None:
    """The folder is not where it seems to be."""
    _fetching(backend, absolute=False)


@saboteur("SEC-04", "stores what symbolic links point to", subjects=_STORE)
def stores_links(backend: Any) -> None:
    """A folder from a stranger uploads ~/.ssh."""
    store = backend.astore_model
    backend.astore_model = lambda folder, prefix, **options: store(folder, prefix, **{"symlinks": "follow", **options})


@saboteur("SEC-04", "writes straight into the final file", subjects=_STORE)
def writes_in_place(backend: Any) -> None:
    """Half a model is loaded as a whole one."""
    download = backend.adownload

    async def spoilt(key: str, target: Any = None, **options: Any) -> Any:
        try:
            return await download(key, target, **options)
        except errors.BackendError:
            if target is not None:
                target.write_bytes(b"half of it")
            raise

    backend.adownload = spoilt


@saboteur("SEC-04", "does not compare checksums", subjects=_STORE)
def believes_the_bytes(backend: Any) -> None:
    """The length was right."""
    landing = backend._landing

    class Blind:
        sha256 = "0" * 64

        def update(self, data: bytes) -> None:
            """Look away."""

        def compare(self, *arguments: Any) -> tuple[str, bool]:
            """See nothing wrong."""
            return "size", True

    def spoilt(*arguments: Any) -> Any:
        made = landing(*arguments)
        blind = property(lambda self: Blind(), lambda self, value: None)
        made.__class__ = type("BlindLanding", (type(made),), {"digests": blind})
        return made

    backend._landing = spoilt
