"""Multipart uploads, step by step, for callers who cut objects themselves; ``upload`` does all of it on its own."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final, Unpack

from backends.operation import CallOptions
from backends.parameters import bad_argument
from backends.s3_kit.attributes import checked_content_type, checked_metadata, checksums_of, require
from backends.s3_kit.composite import Composite
from backends.s3_kit.core import Options
from backends.s3_kit.exchange import Exchange
from backends.s3_kit.names import check_key, check_prefix
from backends.s3_kit.replies import Done, PartInfo, Uploaded, UploadInfo, Uploads
from backends.s3_kit.stores import LARGEST_PART, MOST_PARTS
from backends.twins import blocking

__all__ = ["ALGORITHM", "MultipartCalls", "integrity"]

ALGORITHM: Final = "CRC32"
"""Checksum of uploads to stores that take one; the only one that boto3 computes without extras."""


def integrity(sends_checksums: bool, data: bytes) -> dict[str, str]:
    """Return the argument that lets the server notice damaged bytes: a CRC, or Content-MD5 on older stores."""
    if sends_checksums:
        return {"ChecksumAlgorithm": ALGORITHM}
    digest = hashlib.md5(data, usedforsecurity=False).digest()
    return {"ContentMD5": base64.b64encode(digest).decode()}


class MultipartCalls(Composite):
    """``create_multipart``, ``upload_part``, ``complete_multipart``, ``abort_multipart``, ``list_multiparts``."""

    async def acreate_multipart(
        self,
        key: str,
        *,
        bucket: str | None = None,
        content_type: str | None = None,
        metadata: Mapping[str, str] | None = None,
        **options: Unpack[Options],
    ) -> UploadInfo:
        """Begin an upload in parts; it is stored, and billed, until it is completed or aborted."""
        chosen = self._options(options)
        where = self._bucket(bucket, chosen)
        arguments: dict[str, Any] = {"Bucket": where, "Key": check_key(key)}
        if content_type is not None:
            arguments["ContentType"] = checked_content_type(content_type)
        if metadata:
            arguments["Metadata"] = checked_metadata(metadata)
        if self._sends_checksums(chosen):
            arguments["ChecksumAlgorithm"] = ALGORITHM

        def job(client: Any, exchange: Exchange) -> UploadInfo:
            answer = client.create_multipart_upload(**arguments)
            require(answer, "UploadId", "a new upload")
            return UploadInfo(bucket=where, key=key, upload_id=str(answer["UploadId"]), **exchange.facts(answer))

        return await self._ask("create_multipart", where, chosen, job)

    async def aupload_part(
        self,
        key: str,
        upload_id: str,
        number: int,
        data: bytes,
        *,
        bucket: str | None = None,
        **options: Unpack[Options],
    ) -> PartInfo:
        """Upload one part.

        Args:
            key, upload_id: of the upload.
            number: 1 to 10000; parts are joined in this order.
            data: at least 5 MiB unless it is the last part, at most 5 GiB.
            bucket: the endpoint's own when not given.
        """
        chosen = self._options(options)
        where = self._bucket(bucket, chosen)
        check_key(key)
        _check_upload_id(upload_id)
        if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= MOST_PARTS:
            bad_argument(f"number must be between 1 and {MOST_PARTS}, not {number!r}", "s3_kit")
        if not isinstance(data, bytes) or len(data) > LARGEST_PART:
            bad_argument("data must be bytes, at most 5 GiB", "s3_kit")
        more = integrity(self._sends_checksums(chosen), data)

        def job(client: Any, exchange: Exchange) -> PartInfo:
            answer = client.upload_part(Bucket=where, Key=key, UploadId=upload_id, PartNumber=number, Body=data, **more)
            require(answer, "ETag", "a stored part")
            return PartInfo(
                number=number,
                etag=str(answer["ETag"]),
                size=len(data),
                checksums=checksums_of(answer),
                **exchange.facts(answer),
            )

        return await self._ask("upload_part", where, chosen, job)

    async def acomplete_multipart(
        self,
        key: str,
        upload_id: str,
        parts: Sequence[PartInfo],
        *,
        bucket: str | None = None,
        if_none_match: bool = False,
        **options: Unpack[Options],
    ) -> Uploaded:
        """Join the parts into the object.

        Args:
            key, upload_id: of the upload.
            parts: what ``upload_part`` gave; any order.
            bucket: the endpoint's own when not given.
            if_none_match: fail with code ``PreconditionFailed`` when the object exists by now.

        Raises:
            InvalidRequestError: no parts, or the store refuses them (``InvalidPart``, ``EntityTooSmall``).
            NotFoundError: no such upload; also when it was completed before.
        """
        chosen = self._options(options)
        where = self._bucket(bucket, chosen)
        check_key(key)
        _check_upload_id(upload_id)
        if not parts:
            bad_argument("parts must not be empty", "s3_kit")
        ordered = sorted(parts, key=lambda part: part.number)
        listed = [
            {"PartNumber": part.number, "ETag": part.etag}
            | {f"Checksum{name}": value for name, value in part.checksums.items()}
            for part in ordered
        ]
        arguments: dict[str, Any] = {
            "Bucket": where,
            "Key": key,
            "UploadId": upload_id,
            "MultipartUpload": {"Parts": listed},
        }
        if if_none_match:
            arguments["IfNoneMatch"] = "*"

        def job(client: Any, exchange: Exchange) -> Uploaded:
            answer = client.complete_multipart_upload(**arguments)
            require(answer, "ETag", "a completed upload")
            return Uploaded(
                bucket=where,
                key=key,
                size=sum(part.size for part in ordered),
                etag=answer.get("ETag"),
                checksums=checksums_of(answer),
                version_id=answer.get("VersionId"),
                parts=len(ordered),
                **exchange.facts(answer),
            )

        return await self._ask("complete_multipart", where, chosen, job)

    async def aabort_multipart(
        self, key: str, upload_id: str, *, bucket: str | None = None, **options: Unpack[Options]
    ) -> Done:
        """Throw an unfinished upload away."""
        chosen = self._options(options)
        where = self._bucket(bucket, chosen)
        check_key(key)
        _check_upload_id(upload_id)

        def job(client: Any, exchange: Exchange) -> Done:
            answer = client.abort_multipart_upload(Bucket=where, Key=key, UploadId=upload_id)
            return Done(bucket=where, key=key, **exchange.facts(answer))

        return await self._ask("abort_multipart", where, chosen, job)

    async def alist_multiparts(
        self, prefix: str = "", *, bucket: str | None = None, **options: Unpack[Options]
    ) -> Uploads:
        """Return the first 1000 uploads that were neither completed nor aborted."""
        chosen = self._options(options)
        where = self._bucket(bucket, chosen)
        check_prefix(prefix)

        def job(client: Any, exchange: Exchange) -> Uploads:
            answer = client.list_multipart_uploads(Bucket=where, Prefix=prefix)
            require(answer, "IsTruncated", "a list of uploads")
            facts = exchange.facts(answer)
            found = tuple(
                UploadInfo(
                    bucket=where,
                    key=str(item["Key"]),
                    upload_id=str(item["UploadId"]),
                    initiated=item.get("Initiated"),
                    request_id=facts["request_id"],
                )
                for item in answer.get("Uploads", ())
            )
            return Uploads(bucket=where, uploads=found, truncated=bool(answer.get("IsTruncated")), **facts)

        return await self._ask("list_multiparts", where, chosen, job)

    def _sends_checksums(self, options: CallOptions) -> bool:
        name = self.endpoint(options.get("endpoint")).name
        return self._stores[name].sends_checksums

    create_multipart = blocking(acreate_multipart)
    upload_part = blocking(aupload_part)
    complete_multipart = blocking(acomplete_multipart)
    abort_multipart = blocking(aabort_multipart)
    list_multiparts = blocking(alist_multiparts)


def _check_upload_id(upload_id: str) -> None:
    if not isinstance(upload_id, str) or not upload_id or not upload_id.isprintable():
        bad_argument("upload_id must be the text that create_multipart gave", "s3_kit")
