"""Calls on single objects that move no content: head, exists, delete, copy, presign."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Unpack

from backends import errors
from backends.operation import CallOptions
from backends.parameters import bad_argument
from backends.s3_kit.composite import Composite
from backends.s3_kit.core import Options
from backends.s3_kit.exchange import Exchange
from backends.s3_kit.failures import CODES, code_of
from backends.s3_kit.names import check_key
from backends.s3_kit.replies import Deleted, Done, ObjectInfo, Presigned
from backends.twins import blocking

__all__ = ["SHA256_NAME", "ObjectCalls", "checked_metadata", "checksums_of", "recorded_sha256"]

SHA256_NAME: Final = "backends-sha256"
"""User metadata under which an upload records the digest of the whole object."""

_MOST_DELETES: Final = 1_000
_LONGEST_PRESIGN: Final = 604_800
_LARGEST_METADATA: Final = 2_048
_ABSENT: Final = frozenset({"404", "NoSuchKey", "NoSuchBucket", "NotFound", "NoSuchVersion"})
_NO_BULK: Final = frozenset({"MissingContentMD5", "NotImplemented", "MethodNotAllowed", "XAmzContentSHA256Mismatch"})
"""How stores say that they do not take DeleteObjects as boto3 sends it (no Content-MD5 since 2025)."""
_CHECKSUMS: Final = ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256")


def checksums_of(answer: Mapping[str, Any]) -> dict[str, str]:
    """Return the checksums in an answer, by algorithm."""
    return {name: str(answer[f"Checksum{name}"]) for name in _CHECKSUMS if answer.get(f"Checksum{name}")}


def recorded_sha256(metadata: Mapping[str, str]) -> str | None:
    """Return the digest that an upload of this library recorded; None when there is none, or none that could be one."""
    text = metadata.get(SHA256_NAME, "")
    return text.lower() if len(text) == 64 and all(digit in "0123456789abcdefABCDEF" for digit in text) else None


def checked_metadata(metadata: Mapping[str, str] | None) -> dict[str, str]:
    """Return user metadata as S3 takes it: at most 2 KiB, printable ASCII.

    Raises:
        InvalidRequestError: it is not; the message shows names only.
    """
    if metadata is None:
        return {}
    if not isinstance(metadata, Mapping):
        bad_argument(f"metadata must be a mapping of texts, not {type(metadata).__name__}", "s3_kit")
    size = 0
    for name, value in metadata.items():
        if not isinstance(name, str) or not name or not name.replace("-", "").replace("_", "").isalnum():
            bad_argument("metadata names must be letters, digits, hyphens and underscores", "s3_kit")
        if not name.isascii() or not isinstance(value, str) or not value.isascii() or not value.isprintable():
            bad_argument(f"metadata[{name!r}] must be printable ASCII text", "s3_kit")
        size += len(name) + len(value)
    if size > _LARGEST_METADATA:
        bad_argument(f"metadata must be at most {_LARGEST_METADATA} bytes, not {size}", "s3_kit")
    return dict(metadata)


class ObjectCalls(Composite):
    """``head``, ``exists``, ``delete``, ``delete_many``, ``copy``, ``presign``."""

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
                answer = client.head_object(**_named(where, key, version_id), ChecksumMode="ENABLED")
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
            answer = client.delete_object(**_named(where, key, version_id))
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
            answer = client.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True})
            failed = {
                str(item.get("Key", "")): (str(item.get("Code", ""))[:200], str(item.get("Message", ""))[:500])
                for item in answer.get("Errors", ())
            }
            gone = tuple(key for key in keys if key not in failed)
            return Deleted(bucket=bucket, keys=gone, failed=failed, **exchange.facts(answer))

        return await self._ask("delete_many", bucket, options, job)

    async def _delete_singly(self, bucket: str, keys: list[str], span: Any) -> Deleted:
        reply: Deleted | None = None
        for key in keys:
            reply = await self.adelete(key, bucket=bucket, **span.options())
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
            return Done(bucket=where, key=key, **exchange.facts(client.copy_object(**arguments)))

        return await self._ask("copy", where, chosen, job)

    async def apresign(
        self,
        key: str,
        *,
        method: str = "GET",
        expires_in: int = 3600,
        bucket: str | None = None,
        content_type: str | None = None,
        version_id: str | None = None,
        endpoint: str | None = None,
    ) -> Presigned:
        """Return a URL that lets whoever holds it fetch (``GET``) or store (``PUT``) one object. Nothing is sent.

        The signature is version 4, always. A wrong bucket shows only when the URL is used.

        Args:
            key: the object.
            method: ``GET`` or ``PUT``.
            expires_in: seconds, 1 to 604800 (seven days).
            bucket, endpoint: where.
            content_type: of a ``PUT``; the user of the URL must send the same header.
            version_id: of a ``GET``.
        """
        check_key(key)
        if isinstance(expires_in, bool) or not isinstance(expires_in, int) or not 1 <= expires_in <= _LONGEST_PRESIGN:
            bad_argument(f"expires_in must be between 1 and {_LONGEST_PRESIGN} seconds, not {expires_in!r}", "s3_kit")
        verb = method.upper() if isinstance(method, str) else ""
        if verb not in ("GET", "PUT"):
            bad_argument("method must be GET or PUT", "s3_kit")
        if (content_type is not None and verb == "GET") or (version_id is not None and verb == "PUT"):
            bad_argument("content_type belongs to PUT and version_id to GET", "s3_kit")
        arguments = _named(self._bucket(bucket, {"endpoint": endpoint}), key, version_id)
        headers: dict[str, str] = {}
        if content_type is not None:
            headers["Content-Type"] = arguments["ContentType"] = checked_content_type(content_type)
        pair = self._a_key(endpoint)
        site = self._site(self.endpoint(endpoint).name)
        if pair is None and site.store.anonymous:
            bad_argument("an anonymous endpoint cannot sign a URL", "s3_kit")
        operation = "get_object" if verb == "GET" else "put_object"

        def sign() -> str:
            client = self._clients.get(site, pair)  # type: ignore[arg-type]  # every key of this backend is a pair
            try:
                url: str = client.generate_presigned_url(operation, Params=arguments, ExpiresIn=expires_in)
            except Exception as problem:
                if type(problem).__name__ == "NoCredentialsError":
                    raise self.credentials.missing() from None
                raise
            return url

        return Presigned(await self._threads.local(sign), verb, expires_in, headers)

    head = blocking(ahead)
    exists = blocking(aexists)
    delete = blocking(adelete)
    delete_many = blocking(adelete_many)
    copy = blocking(acopy)
    presign = blocking(apresign)


def checked_content_type(value: str) -> str:
    """Return a content type that cannot break a header."""
    if not isinstance(value, str) or not value.strip() or not value.isascii() or not value.isprintable():
        bad_argument("content_type must be printable ASCII text", "s3_kit")
    return value


def _named(bucket: str, key: str, version_id: str | None) -> dict[str, Any]:
    named: dict[str, Any] = {"Bucket": bucket, "Key": key}
    if version_id is not None:
        named["VersionId"] = version_id
    return named


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
