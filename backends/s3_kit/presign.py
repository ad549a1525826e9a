"""Presigned URLs: permission for one request, given away for a time. Nothing is sent."""

from __future__ import annotations

from typing import Final

from backends import errors
from backends.parameters import bad_argument
from backends.resilience.keys import KeyLease, KeyPool
from backends.s3_kit.attributes import checked_content_type, named
from backends.s3_kit.core import S3Core
from backends.s3_kit.names import check_key
from backends.s3_kit.quiet import quiet
from backends.s3_kit.replies import Presigned
from backends.secret import Key
from backends.twins import blocking

__all__ = ["PresignCalls"]

_LONGEST_PRESIGN: Final = 604_800


class PresignCalls(S3Core):
    """``presign``."""

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
        arguments = named(self._bucket(bucket, {"endpoint": endpoint}), key, version_id)
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
                with quiet():
                    url: str = client.generate_presigned_url(operation, Params=arguments, ExpiresIn=expires_in)
            except Exception as problem:
                if type(problem).__name__ == "NoCredentialsError":
                    raise self.credentials.missing() from None
                raise
            return url

        return Presigned(await self._threads.local(sign), verb, expires_in, headers)

    def _a_key(self, endpoint: str | None) -> Key | None:
        """Return a key for something that sends nothing (a presigned URL), without holding it."""
        found: list[Key] = []

        def look(pool: KeyPool) -> None:
            lease = pool.acquire(self._clock.monotonic()) if len(pool) else None
            if isinstance(lease, KeyLease):
                found.append(lease.key)
                pool.release(lease)

        place = self.endpoint(endpoint)
        place.change_keys(look)
        if not found and place.has_keys:
            raise errors.AuthenticationError(f"No key of endpoint {place.name!r} is usable now.", provider="s3_kit")
        return found[0] if found else None

    presign = blocking(apresign)
