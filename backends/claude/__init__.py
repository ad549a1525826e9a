"""Claude: messages, token counts, message batches, files, models (Anthropic's API).

What is sent and how answers read, state of 2026-11: the vendor's documentation and the official SDK 2.14.0, checked
against recordings of a server that speaks the dialect. No retry, queue, sleep or socket is in here. Not built: skills,
user profiles, the administration of organisations, workload identity and the SDK's profiles as sources of credentials.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from backends.claude.batches import BatchCalls
from backends.claude.files import FileCalls
from backends.claude.messages import MessageCalls
from backends.claude.models import ModelCalls
from backends.claude.refusals import REFUSALS
from backends.claude.values import Batch, BatchItem, BatchResults, MessageReply, StoredFile

__all__ = ["Batch", "BatchItem", "BatchResults", "Claude", "MessageReply", "StoredFile"]


class Claude(MessageCalls, BatchCalls, FileCalls, ModelCalls):
    """The Claude backend; its own arguments are those of :class:`backends.claude.core.ClaudeCore` (version, beta
    features, key header), the rest those of :class:`backends.base.Backend`.

    Keys: argument, metadata ``claude_api_key``, ``ANTHROPIC_API_KEY``, ``ANTHROPIC_AUTH_TOKEN``, credentials file.
    ``ANTHROPIC_BASE_URL`` is another address, without ``/v1``; ``ANTHROPIC_CUSTOM_HEADERS`` adds headers, one a line.
    A call that names no model gets the backend's, or ``claude-haiku-5-5``.
    """

    refusals: ClassVar[Mapping[str, str]] = REFUSALS
