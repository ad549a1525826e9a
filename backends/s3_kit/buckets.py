"""Calls on buckets."""

from __future__ import annotations

from typing import Any, Unpack

from backends.s3_kit.attributes import require
from backends.s3_kit.composite import Composite
from backends.s3_kit.core import Options
from backends.s3_kit.exchange import Exchange
from backends.s3_kit.failures import code_of
from backends.s3_kit.names import check_bucket
from backends.s3_kit.replies import Buckets, Done
from backends.twins import blocking

__all__ = ["BucketCalls"]


class BucketCalls(Composite):
    """``create_bucket``, ``head_bucket``, ``list_buckets``, ``delete_bucket``."""

    async def acreate_bucket(self, bucket: str, **options: Unpack[Options]) -> Done:
        """Make a bucket in the endpoint's region.

        Raises:
            InvalidRequestError: the name is taken (``BucketAlreadyExists``, ``BucketAlreadyOwnedByYou``).
        """
        chosen = self._options(options)
        where = check_bucket(bucket)
        region = self._site(self.endpoint(chosen.get("endpoint")).name).region
        # us-east-1 must not be named as a location (S3 API reference, CreateBucket).
        more: dict[str, Any] = (
            {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        )

        def job(client: Any, exchange: Exchange) -> Done:
            try:
                answer = client.create_bucket(Bucket=where, **more)
            except client.exceptions.ClientError as problem:
                # An earlier attempt of ours may have made it, and its answer was lost.
                if exchange.call.attempts == 1 or code_of(problem) != "BucketAlreadyOwnedByYou":
                    raise
                answer = problem.response
            return Done(bucket=where, **exchange.facts(answer))

        return await self._ask("create_bucket", where, chosen, job)

    async def ahead_bucket(self, bucket: str | None = None, **options: Unpack[Options]) -> Done:
        """Ask whether a bucket is there and may be used; the nearest thing to a health check that S3 has.

        Raises:
            NotFoundError, PermissionDeniedError: it is not, or may not.
        """
        chosen = self._options(options)
        where = self._bucket(bucket, chosen)

        def job(client: Any, exchange: Exchange) -> Done:
            return Done(bucket=where, **exchange.facts(client.head_bucket(Bucket=where)))

        return await self._ask("head_bucket", where, chosen, job)

    async def alist_buckets(self, **options: Unpack[Options]) -> Buckets:
        """Return the buckets of this account."""
        chosen = self._options(options)

        def job(client: Any, exchange: Exchange) -> Buckets:
            answer = client.list_buckets()
            require(answer, "Buckets", "a list of buckets")
            names = tuple(str(item["Name"]) for item in answer.get("Buckets", ()))
            return Buckets(names=names, **exchange.facts(answer))

        return await self._ask("list_buckets", None, chosen, job)

    async def adelete_bucket(self, bucket: str, **options: Unpack[Options]) -> Done:
        """Delete an empty bucket.

        Raises:
            InvalidRequestError: it is not empty (``BucketNotEmpty``).
            NotFoundError: it is not there.
        """
        chosen = self._options(options)
        where = check_bucket(bucket)

        def job(client: Any, exchange: Exchange) -> Done:
            try:
                answer = client.delete_bucket(Bucket=where)
            except client.exceptions.ClientError as problem:
                if exchange.call.attempts == 1 or code_of(problem) != "NoSuchBucket":
                    raise
                answer = problem.response  # deleted by an earlier attempt whose answer was lost
            return Done(bucket=where, **exchange.facts(answer))

        return await self._ask("delete_bucket", where, chosen, job)

    create_bucket = blocking(acreate_bucket)
    head_bucket = blocking(ahead_bucket)
    list_buckets = blocking(alist_buckets)
    delete_bucket = blocking(adelete_bucket)
