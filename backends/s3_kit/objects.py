"""Calls on single objects that move no content: head, exists, delete, copy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Unpack

from backends import errors
from backends.operation import CallOptions
from backends.parameters import bad_argument
from backends.s3_kit.attributes import (
    checked_content_type,
    checked_metadata,
    checksums_of,
    named,
    recorded_sha256,
    require,
)
from backends.s3_kit.composite import Composite, Span, options_of
from backends.s3_kit.core import Options
from backends.s3_kit.exchange import Exchange
from backends.s3_kit.failures import CODES, code_of
from backends.s3_kit.names import check_key
from backends.s3_kit.replies import Deleted, Done, ObjectInfo
from backends.twins import blocking

__all__ = ["ObjectCalls"]

_MOST_DELETES: Final = 1_000
_ABSENT: Final = frozenset({"404", "NoSuchKey", "NoSuchBucket", "NotFound", "NoSuchVersion"})
_NO_BULK: Final = frozenset({"MissingContentMD5", "NotImplemented", "MethodNotAllowed", "XAmzContentSHA256Mismatch"})
"""How stores say that they do not take DeleteObjects as boto3 sends it (no Content-MD5 since 2025)."""


class ObjectCalls(Composite):
    """``head``, ``exists``, ``delete``, ``delete_many``, ``copy``."""

    async def ahead(
        self,
        key: str,
        *,
        bucket: str | None = None,
        version_id: str | None = None,
        failover: Sequence[str] | None = None,
        **options: Unpack[Options],
    ) -> ObjectInfo:
        """Return what the store knows about an object.

        Raises:
            NotFoundError: it is not there. Without permission to list, S3 says PermissionDeniedError instead.
        """
        check_key(key)

        async def ask(at: CallOptions) -> ObjectInfo:
            where = self._bucket(bucket, at)

            def job(client: Any, exchange: Exchange) -> ObjectInfo:
                answer = client.head_object(**named(where, key, version_id), ChecksumMode="ENABLED")
                return _info(where, key, answer, exchange)

            return await self._ask("head", where, at, job)

        return await self._hop(self._options(options), failover, ask)

    async def aexists(
        self,
        key: str,
        *,
        bucket: str | None = None,
        failover: Sequence[str] | None = None,
        **options: Unpack[Options],
    ) -> bool:
        """Say whether an object is there.

        Raises:
            PermissionDeniedError: without permission to list, S3 does not tell.
        """
        check_key(key)

        async def ask(at: CallOptions) -> bool:
            where = self._bucket(bucket, at)

            def job(client: Any, exchange: Exchange) -> bool:
                del exchange
                try:
                    client.head_object(Bucket=where, Key=key)
                except client.exceptions.ClientError as problem:
                    if code_of(problem) in _ABSENT:
                        return False
                    raise
                return True

            return await self._ask("exists", where, at, job)

        return await self._hop(self._options(options), failover, ask)

    async def adelete(
        self, key: str, *, bucket: str | None = None, version_id: str | None = None, **options: Unpack[Options]
    ) -> Deleted:
        """Delete an object; S3 does not say whether it was there."""
        chosen = self._options(options)
        where = self._bucket(bucket, chosen)
        check_key(key)

        def job(client: Any, exchange: Exchange) -> Deleted:
            answer = client.delete_object(**named(where, key, version_id))
            return Deleted(bucket=where, keys=(key,), **exchange.facts(answer))

        return await self._ask("delete", where, chosen, job)

    async def adelete_many(
        self, keys: Iterable[str], *, bucket: str | None = None, **options: Unpack[Options]
    ) -> Deleted:
        """Delete many objects, 1000 per request; one by one on stores that do not take such requests.

        Raises:
            BackendError: some could not be deleted: the error of the first, with the whole result as ``partial``.
        """
        chosen = self._options(options)
        where = self._bucket(bucket, chosen)
        if isinstance(keys, str | bytes):
            bad_argument("keys must be a list of keys", "s3_kit")
        wanted = [check_key(key, f"keys[{index}]") for index, key in enumerate(keys)]
        if not wanted:
            bad_argument("keys must not be empty", "s3_kit")
        span = self._span(chosen)
        gone: list[str] = []
        failed: dict[str, tuple[str, str]] = {}
        reply: Deleted | None = None
        for start in range(0, len(wanted), _MOST_DELETES):
            some = wanted[start : start + _MOST_DELETES]
            try:
                reply = await self._delete_bulk(where, some, span.options())
            except errors.InvalidRequestError as error:
                if error.code not in _NO_BULK:
                    raise
                reply = await self._delete_singly(where, wanted[start:], span)
                gone.extend(reply.keys)
                break
            gone.extend(reply.keys)
            failed.update(reply.failed)
        assert reply is not None
        whole = Deleted(
            bucket=where,
            keys=tuple(gone),
            failed=failed,
            request_id=reply.request_id,
            provider_request_id=reply.provider_request_id,
            attempts=reply.attempts,
            latency=reply.latency,
            raw=reply.raw,
        )
        if failed:
            key, (code, message) = next(iter(failed.items()))
            kind = CODES.get(code, errors.ServerError)
            raise kind(
                f"{len(failed)} of {len(wanted)} objects were not deleted, the first is {key!r}: {message}",
                code=code,
                provider="s3_kit",
                request_id=reply.request_id,
                attempts=reply.attempts,
                partial=whole,
            )
        return whole

    async def _delete_bulk(self, bucket: str, keys: list[str], options: CallOptions) -> Deleted:
        def job(client: Any, exchange: Exchange) -> Deleted:
            answer = client.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys]})
            failed = {
                str(item.get("Key", "")): (str(item.get("Code", ""))[:200], str(item.get("Message", ""))[:500])
                for item in answer.get("Errors", ())
            }
            told = {str(item.get("Key", "")) for item in answer.get("Deleted", ())}
            silent = [key for key in keys if key not in told and key not in failed]
            if silent:
                raise errors.ResponseFormatError(f"The store does not say what became of {silent[0]!r}.")
            gone = tuple(key for key in keys if key not in failed)
            return Deleted(bucket=bucket, keys=gone, failed=failed, **exchange.facts(answer))

        return await self._ask("delete_many", bucket, options, job)

    async def _delete_singly(self, bucket: str, keys: list[str], span: Span) -> Deleted:
        reply: Deleted | None = None
        for key in keys:
            reply = await self.adelete(key, bucket=bucket, **options_of(span.options()))
        assert reply is not None
        return Deleted(
            bucket=bucket,
            keys=tuple(keys),
            request_id=reply.request_id,
            provider_request_id=reply.provider_request_id,
            attempts=reply.attempts,
            latency=reply.latency,
            raw=reply.raw,
        )

    async def acopy(
        self,
        source: str,
        key: str,
        *,
        bucket: str | None = None,
        source_bucket: str | None = None,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
        **options: Unpack[Options],
    ) -> Done:
        """Copy an object inside the store; up to 5 GiB (S3 API reference, CopyObject).

        Args:
            source: key of the original.
            key: key of the copy.
            bucket, source_bucket: the endpoint's own, and the same, when not given.
            metadata, content_type: replace those of the original when given.
        """
        chosen = self._options(options)
        where = self._bucket(bucket, chosen)
        origin = where if source_bucket is None else self._bucket(source_bucket, chosen)
        check_key(source, "source")
        check_key(key)
        arguments: dict[str, Any] = {"CopySource": {"Bucket": origin, "Key": source}, "Bucket": where, "Key": key}
        if metadata is not None or content_type is not None:
            arguments |= {"MetadataDirective": "REPLACE", "Metadata": checked_metadata(metadata)}
        if content_type is not None:
            arguments["ContentType"] = checked_content_type(content_type)

        def job(client: Any, exchange: Exchange) -> Done:
            answer = client.copy_object(**arguments)
            require(answer.get("CopyObjectResult", {}), "ETag", "a finished copy")
            return Done(bucket=where, key=key, **exchange.facts(answer))

        return await self._ask("copy", where, chosen, job)

    head = blocking(ahead)
    exists = blocking(aexists)
    delete = blocking(adelete)
    delete_many = blocking(adelete_many)
    copy = blocking(acopy)


def _info(bucket: str, key: str, answer: Mapping[str, Any], exchange: Exchange) -> ObjectInfo:
    metadata = dict(answer.get("Metadata", {}))
    return ObjectInfo(
        bucket=bucket,
        key=key,
        size=int(answer["ContentLength"]),
        etag=answer.get("ETag"),
        last_modified=answer.get("LastModified"),
        content_type=answer.get("ContentType"),
        metadata=metadata,
        checksums=checksums_of(answer),
        sha256=recorded_sha256(metadata),
        version_id=answer.get("VersionId"),
        **exchange.facts(answer),
    )
