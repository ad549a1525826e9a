"""Uploading: one request for small objects, parts in parallel for large ones, and nothing left behind when it fails."""

from __future__ import annotations

import asyncio
import hashlib
import mimetypes
import threading
from collections.abc import Mapping
from functools import partial
from typing import Any, Final, Unpack

from backends import errors
from backends.operation import CallOptions, Repeat
from backends.parameters import bad_argument
from backends.s3_kit.attributes import SHA256_NAME, checked_content_type, checked_metadata, checksums_of, require
from backends.s3_kit.composite import heard, options_of, together
from backends.s3_kit.core import Options, ProgressCallback
from backends.s3_kit.exchange import Aborted, Exchange
from backends.s3_kit.multipart import MultipartCalls, integrity
from backends.s3_kit.names import check_key
from backends.s3_kit.objects import ObjectCalls
from backends.s3_kit.plan import Plan, starts
from backends.s3_kit.replies import PartInfo, Uploaded, UploadInfo
from backends.s3_kit.sources import Source, open_source
from backends.s3_kit.stores import LARGEST_OBJECT, SMALLEST_PART, part_size_for
from backends.twins import blocking
from backends.types import Priority

__all__ = ["UploadCalls"]

_ABORT_SECONDS: Final = 30.0


class UploadCalls(MultipartCalls, ObjectCalls):
    """``upload``."""

    async def aupload(
        self,
        key: str,
        source: Any,
        *,
        bucket: str | None = None,
        content_type: str | None = None,
        metadata: Mapping[str, str] | None = None,
        if_none_match: bool = False,
        part_size: int | None = None,
        progress: ProgressCallback | None = None,
        **options: Unpack[Options],
    ) -> Uploaded:
        """Store an object.

        Above the store's ``multipart_threshold`` it goes in parts, several at once; when anything fails, or the call is
        cancelled, the parts are aborted, so that nothing unfinished stays stored and billed. Bytes that can be read
        twice are hashed first, and their SHA-256 is recorded with the object, so that a download can be verified.

        Args:
            key: 1 to 1024 bytes of UTF-8.
            source: a path (``str`` or ``Path``), bytes, or a binary file object (from its present position).
            bucket: the endpoint's own when not given.
            content_type: guessed from the file's name or the key when not given.
            metadata: names and values kept with the object, 2 KiB in all.
            if_none_match: store it only if there is no such object yet; otherwise InvalidRequestError with the code
                ``PreconditionFailed``. Such a request is repeated only when the server cannot have acted on it.
            part_size: bytes of a part, 5 MiB to 5 GiB; the store's own when not given.
            progress: called on the event loop with a :class:`Progress` after every request.
            **options: see :class:`~backends.s3_kit.core.Options`.

        Raises:
            InvalidRequestError: a bad argument, a file that cannot be read or that changed meanwhile.
            BackendError: as for every call.
        """
        chosen = self._options(options)
        endpoint = self.endpoint(chosen.get("endpoint"))
        parallel = min(self._stores[endpoint.name].transfer_concurrency, endpoint.admission.limit)
        gate = asyncio.Semaphore(parallel)
        return await self._upload(
            key, source, bucket, content_type, metadata, if_none_match, part_size, progress, chosen, gate
        )

    async def _upload(
        self,
        key: str,
        given: Any,
        bucket: str | None,
        content_type: str | None,
        metadata: Mapping[str, str] | None,
        if_none_match: bool,
        part_size: int | None,
        progress: ProgressCallback | None,
        options: CallOptions,
        gate: asyncio.Semaphore,
    ) -> Uploaded:
        """Upload through a gate that bounds how many requests of the whole undertaking are under way."""
        check_key(key)
        where = self._bucket(bucket, options)
        store = self._stores[self.endpoint(options.get("endpoint")).name]
        if part_size is not None and (
            isinstance(part_size, bool) or not isinstance(part_size, int) or part_size < SMALLEST_PART
        ):
            bad_argument(f"part_size must be at least {SMALLEST_PART} bytes, not {part_size!r}", "s3_kit")
        kept = checked_metadata(metadata)
        if content_type is not None:
            checked_content_type(content_type)
        span = self._span(options)
        source = await self._threads.opened(lambda: open_source(given), lambda late: late.close())
        try:
            if source.size is not None and source.size > LARGEST_OBJECT:
                bad_argument("source is larger than 5 TiB, the most that S3 stores", "s3_kit")
            plan = Plan(source, where, key, span, gate, part_size_for(source.size, part_size or store.part_size))
            plan.if_none_match = if_none_match
            plan.progress = progress
            plan.metadata = kept
            guessed = mimetypes.guess_type(source.name or key)[0]
            plan.content_type = content_type or guessed or plan.content_type
            if source.size is None:
                return await self._upload_stream(plan, store.multipart_threshold)
            digest = await self._digest(source)
            plan.metadata = {**kept, SHA256_NAME: digest}
            if source.size <= store.multipart_threshold:
                data = await self._threads.local(lambda: source.read(0, source.size or 0))
                done = await self._put(plan, data, digest, options.get("request_id"))
                self._still_the_same(source)
                return done
            return await self._upload_parts(plan, (), digest)
        finally:
            source.close()

    async def _digest(self, source: Source) -> str:
        left = threading.Event()

        def check() -> None:
            if left.is_set():
                raise Aborted

        try:
            return await self._threads.local(lambda: source.sha256(check))
        finally:
            left.set()

    async def _upload_stream(self, plan: Plan, threshold: int) -> Uploaded:
        """Upload what can be read once: a single request when it turns out small."""
        size = max(plan.part_size, threshold)
        first = await self._threads.local(lambda: plan.source.read(0, size))
        if len(first) < size:
            digest = hashlib.sha256(first).hexdigest()
            plan.metadata[SHA256_NAME] = digest
            return await self._put(plan, first, digest, None)
        plan.part_size = size
        return await self._upload_parts(plan, (first,), None)

    async def _put(self, plan: Plan, data: bytes, digest: str, request_id: str | None) -> Uploaded:
        options = plan.span.options(**({"request_id": request_id} if request_id is not None else {}))
        arguments: dict[str, Any] = {
            "Bucket": plan.bucket,
            "Key": plan.key,
            "Body": data,
            "ContentType": plan.content_type,
            "Metadata": plan.metadata,
            **integrity(self._sends_checksums(options), data),
        }
        if plan.if_none_match:
            arguments["IfNoneMatch"] = "*"

        def job(client: Any, exchange: Exchange) -> Uploaded:
            answer = client.put_object(**arguments)
            require(answer, "ETag", "a stored object")
            return Uploaded(
                bucket=plan.bucket,
                key=plan.key,
                size=len(data),
                etag=answer.get("ETag"),
                sha256=digest,
                checksums=checksums_of(answer),
                version_id=answer.get("VersionId"),
                **exchange.facts(answer),
            )

        repeat = Repeat.UNPROCESSED if plan.if_none_match else Repeat.ALWAYS
        async with plan.gate:
            done = await self._ask("upload", plan.bucket, options, job, repeat=repeat)
        plan.advance(len(data))
        return done

    async def _upload_parts(self, plan: Plan, read: tuple[bytes, ...], digest: str | None) -> Uploaded:
        async with plan.gate:
            begun = await self.acreate_multipart(
                plan.key,
                bucket=plan.bucket,
                content_type=plan.content_type,
                metadata=plan.metadata,
                **options_of(plan.span.options()),
            )
        try:
            parts = await self._send_parts(plan, begun, read)
            self._still_the_same(plan.source)
            async with plan.gate:
                done = await self._complete(plan, begun, parts)
        except BaseException as problem:
            await self._abort(plan, begun, problem)
            raise
        facts = {name: getattr(done, name) for name in ("raw", "request_id", "provider_request_id", "headers")}
        return Uploaded(
            bucket=plan.bucket,
            key=plan.key,
            size=sum(part.size for part in parts),
            etag=done.etag,
            sha256=digest,
            checksums=done.checksums,
            version_id=done.version_id,
            parts=len(parts),
            attempts=done.attempts,
            latency=done.latency,
            **facts,
        )

    async def _complete(self, plan: Plan, begun: UploadInfo, parts: list[PartInfo]) -> Uploaded:
        try:
            return await self.acomplete_multipart(
                plan.key,
                begun.upload_id,
                parts,
                bucket=plan.bucket,
                if_none_match=plan.if_none_match,
                **options_of(plan.span.options()),
            )
        except errors.NotFoundError as error:
            # A repeated request finds no upload when the first one did its work and only its answer was lost.
            if error.code != "NoSuchUpload" or error.attempts < 2:
                raise
            found = await self.ahead(plan.key, bucket=plan.bucket, failover=(), **options_of(plan.span.options()))
            size = sum(part.size for part in parts)
            if found.size != size or found.sha256 is None or found.sha256 != plan.metadata.get(SHA256_NAME):
                raise
            return Uploaded(
                bucket=plan.bucket,
                key=plan.key,
                size=size,
                etag=found.etag,
                checksums=found.checksums,
                version_id=found.version_id,
                attempts=error.attempts,
                request_id=found.request_id,
                provider_request_id=found.provider_request_id,
                latency=found.latency,
                raw=found.raw,
            )

    async def _send_parts(self, plan: Plan, begun: UploadInfo, read: tuple[bytes, ...]) -> list[PartInfo]:
        numbers = starts(plan.source.size, plan.part_size)
        reading = asyncio.Lock()
        sent: list[PartInfo] = []
        ready = list(read)

        async def worker() -> None:
            while True:
                # The gate comes first: a part is in memory only while it is being sent.
                async with plan.gate:
                    async with reading:
                        following = next(numbers, None)
                        if following is None:
                            return
                        number, start = following
                        data = ready.pop() if ready else await self._threads.local(partial(plan.read, start))
                        if plan.source.size is None and len(data) < plan.part_size:
                            numbers.close()  # the stream has ended
                        if not data:
                            return
                    part = await self.aupload_part(
                        plan.key, begun.upload_id, number, data, bucket=plan.bucket, **options_of(plan.span.options())
                    )
                sent.append(part)
                plan.advance(len(data))

        store = self._stores[self.endpoint(plan.span.options().get("endpoint")).name]
        await together(worker() for _ in range(store.transfer_concurrency))
        return sorted(sent, key=lambda part: part.number)

    async def _abort(self, plan: Plan, begun: UploadInfo, problem: BaseException) -> None:
        """Abort the upload, whatever happened to the call, and say so if that failed."""
        options = plan.span.unlimited(deadline=_ABORT_SECONDS, priority=Priority.HIGH)
        abort = asyncio.ensure_future(
            self.aabort_multipart(plan.key, begun.upload_id, bucket=plan.bucket, **options_of(options))
        )
        try:
            await asyncio.shield(abort)
        except errors.BackendError as error:
            if not isinstance(error, errors.NotFoundError):
                problem.add_note(f"The multipart upload {begun.upload_id} of {plan.key!r} was not aborted: {error}")
        except asyncio.CancelledError:
            # Cancelled once more while cleaning up: the abort goes on by itself.
            abort.add_done_callback(heard)
            raise

    def _still_the_same(self, source: Source) -> None:
        if not source.unchanged():
            bad_argument("source changed while it was uploaded; the object is not to be trusted", "s3_kit")

    upload = blocking(aupload)
