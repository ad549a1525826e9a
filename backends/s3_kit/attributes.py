"""What goes with an object besides its bytes: metadata, content type, checksums; checked on the way out, read on the
way in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from backends.errors import ResponseFormatError
from backends.parameters import bad_argument

__all__ = [
    "SHA256_NAME",
    "checked_content_type",
    "checked_metadata",
    "checksums_of",
    "named",
    "recorded_sha256",
    "require",
]

SHA256_NAME: Final = "backends-sha256"
"""User metadata under which an upload records the digest of the whole object."""

_LARGEST_METADATA: Final = 2_048
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


def checked_content_type(value: str) -> str:
    """Return a content type that cannot break a header."""
    if not isinstance(value, str) or not value.strip() or not value.isascii() or not value.isprintable():
        bad_argument("content_type must be printable ASCII text", "s3_kit")
    return value


def named(bucket: str, key: str, version_id: str | None) -> dict[str, Any]:
    """Return the arguments that name an object."""
    named: dict[str, Any] = {"Bucket": bucket, "Key": key}
    if version_id is not None:
        named["VersionId"] = version_id
    return named


def require(answer: Mapping[str, Any], field: str, what: str) -> None:
    """Refuse an answer without a field that S3 always sends: boto3 takes any well-formed page for an empty result.

    Raises:
        ResponseFormatError: it is missing.
    """
    if field not in answer:
        raise ResponseFormatError(f"The answer is not {what}: it has no {field}.", provider="s3_kit", code="bad_answer")
