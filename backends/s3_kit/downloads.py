"""Downloading: whole or in part, to memory or to a file, continued after an interruption, verified before it counts."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Unpack

from backends import errors
from backends.operation import CallOptions
from backends.parameters import bad_argument
from backends.s3_kit.attributes import checksums_of, recorded_sha256
from backends.s3_kit.composite import Composite
from backends.s3_kit.core import Options, ProgressCallback
from backends.s3_kit.exchange import Exchange
from backends.s3_kit.file_landing import FileLanding
from backends.s3_kit.landing import Landing, MemoryLanding
from backends.s3_kit.replies import Downloaded, Progress
from backends.s3_kit.wanted import Wanted, content_range, within
from backends.twins import blocking

__all__ = ["DownloadCalls"]

_MOVED_ON: Final = frozenset({"PreconditionFailed", "412", "InvalidRange", "416"})
"""What a store says when the rest of an object was asked for and the object is another one by now."""


class DownloadCalls(Composite):
    """``download``."""

    async def adownload(
        self,
        key: str,
        target: str | os.PathLike[str] | None = None,
        *,
        bucket: str | None = None,
        byte_range: tuple[int, int | None] | None = None,
        expected_sha256: str | None = None,
        if_match: str | None = None,
        version_id: str | None = None,
        resume: bool = True,
        progress: ProgressCallback | None = None,
        failover: Sequence[str] | None = None,
        **options: Unpack[Options],
    ) -> Downloaded:
        """Fetch an object.

        An attempt that breaks off is continued where it stopped, as long as the object is the same one (its ETag); so
        is, for a file, a download of an earlier process: its bytes stay beside the target under another name. The
        target's name is given to the file only when it is complete and verified: against ``expected_sha256``, the
        digest recorded at upload, or the store's checksum, whichever is there first. With none of them only the length
        is checked (``verified == "size"``).

        Args:
            key: the object.
            target: a file; the bytes are in the reply's ``content`` when not given, up to ``max_response_bytes``.
            bucket: the endpoint's own when not given.
            byte_range: ``(first, last)`` inclusive, ``(first, None)`` to the end, ``(-n, None)`` the last n. Ranges
                carry no checksum and are not continued.
            expected_sha256: hex digest that the whole must have.
            if_match: ETag that the object must have.
            version_id: of a store with versions.
            resume: continue, and leave behind, a partial file.
            progress: called on the event loop with a :class:`Progress`, about once per MiB.
            failover: endpoints to try in order when a store fails; what has arrived is kept if the object is the same.
            **options: see :class:`~backends.s3_kit.core.Options`.

        Raises:
            NotFoundError: the object is not there.
            ResponseFormatError: the bytes are damaged, or more than allowed; nothing has the target's name.
            ConfigurationError: the target cannot be written.
        """
        chosen = self._options(options)
        wanted = Wanted(key, byte_range, version_id=version_id, sha256=expected_sha256, if_match=if_match)
        return await self._download(wanted, target, bucket, resume, progress, failover, chosen)

    async def _download(
        self,
        wanted: Wanted,
        target: str | os.PathLike[str] | None,
        bucket: str | None,
        resume: bool,
        progress: ProgressCallback | None,
        failover: Sequence[str] | None,
        options: CallOptions,
    ) -> Downloaded:
        landing = self._landing(wanted, target, bucket, resume, options)

        async def ask(at: CallOptions) -> Downloaded:
            return await self._fetch(wanted, landing, bucket, progress, at)

        try:
            return await self._hop(options, failover, ask)
        finally:
            if isinstance(landing, FileLanding):
                await self._threads.finally_(landing.close)

    def _landing(
        self, wanted: Wanted, target: str | os.PathLike[str] | None, bucket: str | None, resume: bool, at: CallOptions
    ) -> Landing:
        endpoint = self.endpoint(at.get("endpoint"))
        if target is None:
            return MemoryLanding(endpoint.settings.max_response_bytes)
        if not isinstance(target, str | os.PathLike):
            bad_argument(f"target must be a path, not {type(target).__name__}", "s3_kit")
        path = Path(target)
        if not path.name or path.is_dir():
            bad_argument(f"target {path} is a folder; name a file", "s3_kit")
        identity = "\0".join((endpoint.base_url, self._bucket(bucket, at), wanted.key, wanted.version_id or ""))
        return FileLanding(path, identity, resume=resume and wanted.first is None)

    async def _fetch(
        self, wanted: Wanted, landing: Landing, bucket: str | None, progress: ProgressCallback | None, at: CallOptions
    ) -> Downloaded:
        where = self._bucket(bucket, at)
        name = at.get("endpoint") or "default"

        def job(client: Any, exchange: Exchange) -> Downloaded:
            return _receive(client, exchange, wanted, landing, where, name)

        span = self._span(at)
        again = False
        while True:
            options = at if not again else span.options()
            try:
                return await self._ask("download", where, options, job, bounded=False, progress=progress)
            except (errors.InvalidRequestError, errors.ResponseFormatError) as error:
                # What was here from before may belong to another object, or be damaged: once more, from the beginning.
                stale = error.code in _MOVED_ON or error.code == "checksum_mismatch"
                if again or not stale or not landing.resumed or wanted.if_match is not None:
                    if error.code == "checksum_mismatch":
                        await self._threads.local(landing.discard)
                    raise
                again = True
                await self._threads.local(landing.restart)

    download = blocking(adownload)


def _receive(
    client: Any, exchange: Exchange, wanted: Wanted, landing: Landing, bucket: str, endpoint: str
) -> Downloaded:
    """One attempt, in a thread: ask for what is missing, write it, verify the whole."""
    with landing.attempt(exchange.check):
        return _received(client, exchange, wanted, landing, bucket, endpoint)


def _received(
    client: Any, exchange: Exchange, wanted: Wanted, landing: Landing, bucket: str, endpoint: str
) -> Downloaded:
    if landing.position and not landing.continues:
        landing.restart()
    answer = client.get_object(**_arguments(wanted, landing, bucket))
    body = answer["Body"]
    try:
        total, skip, most = _placed(answer, wanted, landing)
        etag = answer.get("ETag")
        if etag is None and answer.get("LastModified") is None:
            raise errors.ResponseFormatError("The answer is not an object: it has neither ETag nor Last-Modified.")
        landing.begin(etag if isinstance(etag, str) and etag else None, total)
        for piece in within(body, skip, most):
            exchange.check()
            landing.write(piece)
            exchange.tell(Progress(wanted.key, landing.position, total))
        exchange.check()
    finally:
        body.close()
    metadata = dict(answer.get("Metadata", {}))
    if total is not None and landing.position != total:
        raise _damaged(landing, f"{landing.position} bytes arrived, {total} were announced")
    if wanted.size is not None and landing.position != wanted.size:
        raise _damaged(landing, f"{landing.position} bytes arrived, {wanted.size} were expected")
    verified = "size"
    if wanted.first is None:
        expected = wanted.sha256 or recorded_sha256(metadata)
        verified, good = landing.digests.compare(expected, checksums_of(answer))
        if not good:
            raise _damaged(landing, f"the bytes do not have the expected {verified}")
    resumed, sha256, size = landing.resumed_from, landing.digests.sha256, landing.position
    landing.finish()
    return Downloaded(
        bucket=bucket,
        key=wanted.key,
        content=landing.content if isinstance(landing, MemoryLanding) else b"",
        path=landing.path,
        size=size,
        sha256=sha256,
        verified=verified,
        resumed_from=resumed,
        etag=etag,
        content_type=answer.get("ContentType"),
        metadata=metadata,
        version_id=answer.get("VersionId"),
        endpoint=endpoint,
        **exchange.facts(answer),
    )


def _arguments(wanted: Wanted, landing: Landing, bucket: str) -> dict[str, Any]:
    arguments: dict[str, Any] = {"Bucket": bucket, "Key": wanted.key}
    if wanted.version_id is not None:
        arguments["VersionId"] = wanted.version_id
    if wanted.if_match is not None:
        arguments["IfMatch"] = wanted.if_match
    if wanted.first is not None:
        landing.restart()  # a range is never continued
        arguments["Range"] = wanted.range_text
    elif landing.position:
        landing.resumed = True
        arguments["Range"] = f"bytes={landing.position}-"
        arguments["IfMatch"] = wanted.if_match or landing.etag
    else:
        arguments["ChecksumMode"] = "ENABLED"
    return arguments


def _placed(answer: Mapping[str, Any], wanted: Wanted, landing: Landing) -> tuple[int | None, int, int | None]:
    """Return how long the landing will be in the end, how many bytes of the answer to skip, and how many to take.

    Raises:
        ResponseFormatError: the answer is another part of the object than the one asked for, or has no length.
    """
    if "ContentLength" not in answer:
        raise errors.ResponseFormatError("The answer does not say how long the object is.")
    length = int(answer["ContentLength"])
    if answer["ResponseMetadata"]["HTTPStatusCode"] != 206:
        landing.restart()  # a store that does not know ranges sends everything
        if wanted.first is None:
            return length, 0, None
        first = wanted.first if wanted.first >= 0 else max(0, length + wanted.first)
        end = length if wanted.last is None else min(length, wanted.last + 1)
        if first >= length:
            raise errors.InvalidRequestError("byte_range begins behind the end of the object.", code="InvalidRange")
        return end - first, first, end - first
    first, last, whole = content_range(str(answer.get("ContentRange", "")))
    if last - first + 1 != length:
        raise errors.ResponseFormatError("Content-Range and Content-Length of the answer do not agree.")
    asked = landing.position if wanted.first is None else wanted.first
    if asked >= 0 and first != asked:
        raise errors.ResponseFormatError(f"Bytes from {asked} were asked for, bytes from {first} came.")
    return (length, 0, length) if wanted.first is not None else (whole, 0, length)


def _damaged(landing: Landing, why: str) -> errors.ResponseFormatError:
    landing.discard()
    return errors.ResponseFormatError(f"The download is not what was stored: {why}.", code="checksum_mismatch")
