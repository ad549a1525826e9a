"""One upload on its way: what goes where, in which pieces. It sends nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Generator

from backends.s3_kit.composite import Span
from backends.s3_kit.core import ProgressCallback
from backends.s3_kit.replies import Progress
from backends.s3_kit.sources import Source

__all__ = ["Plan", "starts"]


class Plan:
    """One upload on its way.

    Attributes:
        source: its bytes. bucket, key: where they go.
        span: the time it has. gate: bounds how many of its requests are under way.
        part_size: bytes of a part. content_type, metadata, if_none_match, progress: as the caller asked.
        done: bytes stored.
    """

    __slots__ = (
        "bucket",
        "content_type",
        "done",
        "gate",
        "if_none_match",
        "key",
        "metadata",
        "part_size",
        "progress",
        "source",
        "span",
    )

    def __init__(
        self, source: Source, bucket: str, key: str, span: Span, gate: asyncio.Semaphore, part_size: int
    ) -> None:
        self.source = source
        self.bucket = bucket
        self.key = key
        self.span = span
        self.gate = gate
        self.part_size = part_size
        self.content_type: str = "application/octet-stream"
        self.metadata: dict[str, str] = {}
        self.if_none_match = False
        self.progress: ProgressCallback | None = None
        self.done = 0

    def read(self, start: int) -> bytes:
        """Return the part that begins there."""
        size = self.source.size
        return self.source.read(start, self.part_size if size is None else min(self.part_size, size - start))

    def advance(self, count: int) -> None:
        """Count bytes as stored, and tell whoever wants to know."""
        self.done += count
        if self.progress is not None:
            self.progress(Progress(self.key, self.done, self.source.size))


def starts(size: int | None, part_size: int) -> Generator[tuple[int, int], None, None]:
    """Yield number and first byte of each part; without end when the size is not known."""
    number, start = 1, 0
    while size is None or start < size:
        yield number, start
        number, start = number + 1, start + part_size
