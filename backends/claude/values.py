"""What Claude's calls return beyond plain chat. Every value is frozen and keeps the provider's payload in ``raw``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from backends.errors import BackendError
from backends.types import JSON, ChatReply, Chunk, Reply
from backends.values import FileInfo

__all__ = ["Batch", "BatchItem", "BatchResults", "ItemChunk", "MessageReply", "StoredFile", "unix_time"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReply(ChatReply):
    """A message. ``text`` joins its text blocks, ``reasoning`` its thinking; ``tool_calls`` are those that the caller
    is to make, not the server's own. ``finish_reason`` is the provider's ``stop_reason`` untouched: ``end_turn``,
    ``max_tokens``, ``stop_sequence``, ``tool_use``, ``pause_turn``, ``refusal`` or ``model_context_window_exceeded``.
    ``refusal`` is set for a refusal: its explanation, or its category, or ``"refusal"``.

    Attributes:
        id: of the message.
        content: the blocks untouched; as the content of the next assistant message they go on from here, signatures
            of thinking included.
        citations: of all text blocks, in order, untouched.
        stop_sequence: the text that ended the answer, if one did.
        stop_details: what the provider says about a refusal.
    """

    id: str = ""
    content: tuple[JSON, ...] = ()
    citations: tuple[JSON, ...] = ()
    stop_sequence: str | None = None
    stop_details: JSON | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch(Reply):
    """A batch of messages. Times are unix seconds.

    Attributes:
        status: ``in_progress``, ``canceling`` or ``ended``.
        total, processing, succeeded, failed, cancelled, expired: requests in it; all of them count as processing
            until the whole batch has ended.
        results_url: where the provider keeps the results, once it has ended; ``batch_results`` reads them.
    """

    id: str = ""
    status: str = ""
    total: int | None = None
    processing: int | None = None
    succeeded: int | None = None
    failed: int | None = None
    cancelled: int | None = None
    expired: int | None = None
    created: int | None = None
    expires: int | None = None
    ended_at: int | None = None
    results_url: str | None = None

    @property
    def ended(self) -> bool:
        """True when its status is final."""
        return self.status == "ended"


@dataclass(frozen=True, slots=True)
class BatchItem:
    """What became of one request of a batch.

    Attributes:
        custom_id: the caller's id of the request.
        outcome: ``succeeded``, ``errored``, ``canceled`` or ``expired``.
        reply: the message of one that succeeded, with its own usage.
        error: the typed error of one that did not, not raised.
    """

    custom_id: str
    outcome: str
    reply: MessageReply | None = None
    error: BackendError | None = None


@dataclass(frozen=True, slots=True)
class ItemChunk(Chunk):
    """One line of batch results: ``item`` is what it says, ``text`` the message's text, ``raw`` the line."""

    item: BatchItem | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchResults(Reply):
    """How many lines of batch results had which outcome. The items themselves came with the stream and are not kept;
    their tokens are on their own replies and are not counted again here."""

    total: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile(FileInfo):
    """A file at the provider; ``purpose`` and ``status`` do not exist here.

    Attributes:
        media_type: as the upload named it.
        downloadable: whether its content may be fetched; uploads of one's own usually may not.
    """

    media_type: str | None = None
    downloadable: bool | None = None


def unix_time(text: Any) -> int | None:
    """Return an RFC 3339 time as unix seconds, None for what is none."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return None
