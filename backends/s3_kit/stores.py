"""What is special about one S3 store: its dialect, region, bucket and how large transfers are cut. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from backends.errors import ConfigurationError
from backends.s3_kit.names import bucket_problem

__all__ = ["LARGEST_OBJECT", "LARGEST_PART", "MOST_PARTS", "SMALLEST_PART", "Store", "part_size_for", "split_settings"]

SMALLEST_PART: Final = 5 * 1024 * 1024
"""Bytes of every part but the last (S3 API reference, "Multipart upload limits")."""
LARGEST_PART: Final = 5 * 1024**3
MOST_PARTS: Final = 10_000
LARGEST_OBJECT: Final = 5 * 1024**4

_STYLES: Final[dict[str, tuple[str, str]]] = {
    # style: (addressing, checksums). Compatible stores have no wildcard DNS, and older ones refuse checksum trailers.
    "aws": ("auto", "when_supported"),
    "minio": ("path", "when_required"),
    "ceph": ("path", "when_required"),
}
_CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "style": tuple(_STYLES),
    "addressing": ("auto", "path", "virtual"),
    "checksums": ("when_supported", "when_required"),
}
_RANGES: Final[dict[str, tuple[int, int]]] = {
    "multipart_threshold": (1, LARGEST_PART),
    "part_size": (SMALLEST_PART, LARGEST_PART),
    "transfer_concurrency": (1, 64),
}


@dataclass(frozen=True, slots=True)
class Store:
    """How one endpoint speaks S3.

    Attributes:
        style: ``aws``, ``minio`` or ``ceph``: defaults for ``addressing`` and ``checksums``.
        region: for signing and for the vendor's address; None follows ``AWS_DEFAULT_REGION``, then ``us-east-1``.
        bucket: the bucket of calls that name none.
        addressing: where the bucket's name goes: ``path``, ``virtual`` (host name) or ``auto``.
        checksums: ``when_supported`` sends a checksum with every upload; ``when_required`` is for stores that refuse
            it, and sends ``Content-MD5`` instead.
        multipart_threshold: uploads larger than this many bytes go in parts.
        part_size: bytes of a part, at least 5 MiB; grown when an object would need more than 10,000 parts.
        transfer_concurrency: parts in flight at once for one upload, never more than ``max_concurrent_requests``.
        anonymous: send no credentials (public buckets).

    Raises:
        ConfigurationError: a value is out of range; the message names it.
    """

    style: str = "aws"
    region: str | None = None
    bucket: str | None = None
    addressing: str | None = None
    checksums: str | None = None
    multipart_threshold: int = 8 * 1024 * 1024
    part_size: int = 8 * 1024 * 1024
    transfer_concurrency: int = 4
    anonymous: bool = False

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            value = getattr(self, name)
            if value not in choices and not (value is None and name != "style"):
                raise ConfigurationError(f"Setting {name} must be one of {', '.join(choices)}, not {value!r}.")
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise ConfigurationError(
                    f"Setting {name} must be a whole number between {low} and {high}, not {value!r}."
                )
        if not isinstance(self.anonymous, bool):
            raise ConfigurationError(f"Setting anonymous must be True or False, not {self.anonymous!r}.")
        region = self.region
        if region is not None and not (
            isinstance(region, str) and 0 < len(region) <= 63 and region.isascii() and region.replace("-", "").isalnum()
        ):
            raise ConfigurationError("Setting region must be letters, digits and hyphens, such as eu-central-1.")
        if self.bucket is not None:
            problem = bucket_problem(self.bucket)
            if problem is not None:
                raise ConfigurationError(f"Setting bucket {problem}.")

    @property
    def sends_checksums(self) -> bool:
        """True when uploads carry a checksum of the newer kind."""
        return (self.checksums or _STYLES[self.style][1]) == "when_supported"

    @property
    def addressed(self) -> str:
        """``path``, ``virtual`` or ``auto``."""
        return self.addressing or _STYLES[self.style][0]


_NAMES: Final = frozenset(entry.name for entry in fields(Store))


def split_settings(values: Mapping[str, Any], base: Store | None = None) -> tuple[Store, dict[str, Any]]:
    """Part keyword settings into a store's and the rest, which belong to :class:`backends.settings.Settings`."""
    own = {name: value for name, value in values.items() if name in _NAMES}
    rest = {name: value for name, value in values.items() if name not in _NAMES}
    return replace(base or Store(), **own) if own else (base or Store()), rest


def part_size_for(size: int | None, part_size: int) -> int:
    """Return the size of parts that lets an object of ``size`` bytes fit into the allowed number of parts."""
    if size is None:
        return part_size
    return max(part_size, -(-size // MOST_PARTS))
