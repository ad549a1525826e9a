"""What Gemini's calls return. Every value is frozen and keeps the provider's payload in ``raw``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from backends import values as shared
from backends.errors import BackendError
from backends.types import ChatReply, Reply, ToolCall

__all__ = ["Batch", "BatchResult", "CachedContent", "FileInfo", "FunctionCall", "GeminiReply", "Media"]


@dataclass(frozen=True, slots=True)
class FunctionCall(ToolCall):
    """A tool call with the signature of the thought that led to it.

    Hand the value back in ``tool_calls`` of the assistant's message, or the whole reply as a message: current models
    refuse a call that comes back without its signature.

    Attributes:
        signature: opaque base64 text, untouched; None when the model gave none.
    """

    signature: str | None = None


@dataclass(frozen=True, slots=True)
class Media:
    """A picture or sound that the model made: its MIME type and its decoded bytes."""

    mime_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class GeminiReply(ChatReply):
    """An answer. ``finish_reason`` is the provider's word untouched (``STOP`` also where tools are called), and
    ``provider_request_id`` its name of the answer, which stands in the body; errors have none.

    Attributes:
        media: pictures and sound of the first candidate, in order.
    """

    media: tuple[Media, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileInfo(shared.FileInfo):
    """A file at the provider. ``id`` is its name (``files/...``); times are unix seconds, ``size`` is in bytes.

    It can stand as a part of a message once its ``status`` is ``ACTIVE`` (before, ``PROCESSING``; else ``FAILED``).

    Attributes:
        uri: what a ``fileData`` part names.
        mime_type: as uploaded.
        sha256: base64 text, as the provider gives it.
        source: ``UPLOADED``, or ``GENERATED`` (only these can be downloaded).
    """

    uri: str | None = None
    mime_type: str | None = None
    sha256: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedContent(Reply):
    """A context kept at the provider; its ``id`` (``cachedContents/...``) is what ``cached_content=`` takes.

    Times are unix seconds; ``usage.input_tokens`` is what the context holds.
    """

    id: str = ""
    display_name: str | None = None
    created: int | None = None
    updated: int | None = None
    expires: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch(shared.Batch):
    """A batch job. ``status`` is the provider's word (``BATCH_STATE_RUNNING``, ``JOB_STATE_SUCCEEDED``...).

    Attributes:
        display_name: as given.
        created: unix seconds.
    """

    display_name: str | None = None
    created: int | None = None

    @property
    def ended(self) -> bool:
        """True when its status is final."""
        return self.status.rpartition("_STATE_")[2] in ("SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED")


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchResult:
    """What became of one request of a batch: a reply, a vector, or an error.

    Attributes:
        custom_id: the caller's own name of the request, None when it had none.
        reply: of a generation. Its ``request_id`` is that of the call that fetched the results.
        vector: of an embedding.
        error: returned, not raised: the other requests are not concerned.
        raw: the entry untouched.
    """

    custom_id: str | None = None
    reply: GeminiReply | None = None
    vector: tuple[float, ...] | None = None
    error: BackendError | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)
