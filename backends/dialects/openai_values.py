"""What calls of the OpenAI dialect beyond text return: sound, transcripts, files, batches. Every value is frozen and
keeps the provider's payload in ``raw``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from backends.types import Reply

__all__ = ["Batch", "Deleted", "FileContent", "FileInfo", "Speech", "Transcript"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech(Reply):
    """Spoken text. ``size`` is in bytes; ``data`` is empty where the sound went into a file."""

    data: bytes = field(default=b"", repr=False)
    size: int = 0
    content_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript(Reply):
    """What was said. ``text`` is the body itself for the formats text, srt and vtt.

    Attributes:
        language, duration: as recognised (verbose formats); seconds.
        segments, words: with times (verbose and diarized formats), untouched.
    """

    text: str = ""
    language: str | None = None
    duration: float | None = None
    segments: tuple[Any, ...] = ()
    words: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileInfo(Reply):
    """A file at the provider. Times are unix seconds, ``size`` is in bytes."""

    id: str = ""
    filename: str | None = None
    purpose: str | None = None
    size: int | None = None
    status: str | None = None
    created: int | None = None
    expires: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileContent(Reply):
    """Content of a file; ``data`` is empty where it went into a local file."""

    data: bytes = field(default=b"", repr=False)
    size: int = 0
    content_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted(Reply):
    """Confirmation that something was deleted."""

    id: str = ""
    deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch(Reply):
    """A batch job.

    Attributes:
        status: validating, in_progress, finalizing, completed, failed, expired, cancelling or cancelled.
        total, succeeded, failed: requests in it.
        output_file_id, error_file_id: where results and errors stand, once there are any.
        problems: what was wrong with the input, untouched.
    """

    id: str = ""
    status: str = ""
    endpoint: str | None = None
    input_file_id: str | None = None
    output_file_id: str | None = None
    error_file_id: str | None = None
    total: int | None = None
    succeeded: int | None = None
    failed: int | None = None
    problems: Any = None

    @property
    def ended(self) -> bool:
        """True when its status is final."""
        return self.status in ("completed", "failed", "expired", "cancelled")
