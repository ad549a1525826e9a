"""What S3 calls give back. Frozen values; every one tells of its request as :class:`backends.types.Reply` does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from backends.types import Reply

__all__ = [
    "Buckets",
    "Deleted",
    "Done",
    "Downloaded",
    "Listing",
    "ModelTransfer",
    "ObjectEntry",
    "ObjectInfo",
    "PartInfo",
    "Presigned",
    "Progress",
    "UploadInfo",
    "Uploaded",
    "Uploads",
]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a transfer is; ``total`` is None while unknown. Bytes."""

    key: str
    done: int
    total: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done(Reply):
    """A call that has nothing to say beyond that it worked."""

    bucket: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectInfo(Reply):
    """What a store knows about an object.

    Attributes:
        size: bytes.
        etag: with its quotes, as ``If-Match`` wants it; never assume that it is an MD5.
        checksums: ``{"CRC32": base64, ...}``, where the store gives any; a value ``...-N`` covers N parts, not the
            bytes.
        sha256: hex digest that this library recorded at upload, None for objects of others.
    """

    bucket: str
    key: str
    size: int
    etag: str | None = None
    last_modified: datetime | None = None
    content_type: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    checksums: Mapping[str, str] = field(default_factory=dict)
    sha256: str | None = None
    version_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploaded(Reply):
    """An object that was stored.

    Attributes:
        size: bytes sent. sha256: of those bytes; None for a stream that could be read only once and went in parts.
        parts: how many parts; 1 for a single request.
    """

    bucket: str
    key: str
    size: int
    etag: str | None = None
    sha256: str | None = None
    checksums: Mapping[str, str] = field(default_factory=dict)
    version_id: str | None = None
    parts: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Downloaded(Reply):
    """An object, or a range of one, that was fetched.

    Attributes:
        content: the bytes, when no target was given.
        path: the file, when one was.
        size: bytes of ``content`` or of the file.
        sha256: of those bytes.
        verified: what the bytes were checked against: ``sha256``, ``crc32``, ``sha1`` or ``size``.
        resumed_from: bytes that were there from an earlier, interrupted download.
        endpoint: which endpoint served it.
    """

    bucket: str
    key: str
    content: bytes = field(default=b"", repr=False)
    path: Path | None = None
    size: int = 0
    sha256: str = ""
    verified: str = "size"
    resumed_from: int = 0
    etag: str | None = None
    content_type: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    version_id: str | None = None
    endpoint: str = "default"


@dataclass(frozen=True, slots=True)
class ObjectEntry:
    """One line of a listing."""

    key: str
    size: int
    etag: str | None = None
    last_modified: datetime | None = None
    storage_class: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing(Reply):
    """Objects in UTF-8 byte order of their keys, and with a delimiter the common prefixes ("folders").

    ``truncated`` says that there is more than was asked for; ``token`` continues from there.
    """

    bucket: str
    prefix: str = ""
    objects: tuple[ObjectEntry, ...] = ()
    prefixes: tuple[str, ...] = ()
    truncated: bool = False
    token: str | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys alone."""
        return tuple(entry.key for entry in self.objects)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted(Reply):
    """Keys that are gone now (S3 does not say whether they were there), and those that could not be deleted.

    ``failed`` maps a key to ``(code, message)``.
    """

    bucket: str
    keys: tuple[str, ...] = ()
    failed: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Buckets(Reply):
    """Names of the buckets of this account."""

    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PartInfo(Reply):
    """One uploaded part, as ``complete_multipart`` wants it."""

    number: int
    etag: str
    size: int = 0
    checksums: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadInfo(Reply):
    """A multipart upload that is under way; it is stored, and billed, until completed or aborted."""

    bucket: str
    key: str
    upload_id: str
    initiated: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploads(Reply):
    """Multipart uploads that were neither completed nor aborted."""

    bucket: str
    uploads: tuple[UploadInfo, ...] = ()
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class Presigned:
    """A URL that whoever holds it can use until it expires; its signature is not shown in ``repr``.

    Attributes:
        url: the whole URL.
        method: ``GET`` or ``PUT``.
        expires_in: seconds of validity from when it was signed.
        headers: headers that the user of the URL must send as they are.
    """

    url: str = field(repr=False)
    method: str
    expires_in: int
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        parts = urlsplit(self.url)
        return f"{self.method} {parts.scheme}://{parts.netloc}{parts.path}?****"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTransfer:
    """What ``store_model`` or ``fetch_model`` did.

    Attributes:
        folder, bucket, prefix: between what.
        moved, unchanged: names of files that were transferred, and of those that were already right.
        removed: keys that were deleted (``prune``).
        bytes_moved: sum of the sizes of ``moved``.
        total_bytes: size of the model.
    """

    folder: Path
    bucket: str
    prefix: str
    moved: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    bytes_moved: int = 0
    total_bytes: int = 0
