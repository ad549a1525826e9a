"""OpenAI: chat, responses, completions, embeddings, moderation, images, audio, files, batches, models.

What is sent and how answers read, state of 2026-11 (official SDK 3.52.0 and the vendor's documentation). No retry,
queue, sleep or socket is in here. Not built: fine-tuning, vector stores, containers, realtime, uploads in parts,
conversations, admin.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from backends.openai.audio import AudioCalls
from backends.openai.files import FileCalls
from backends.openai.images import ImageCalls
from backends.openai.models import ModelCalls
from backends.openai.responses import ResponseCalls
from backends.openai.text import TextCalls

__all__ = ["OpenAI"]


class OpenAI(TextCalls, ResponseCalls, ImageCalls, AudioCalls, FileCalls, ModelCalls):
    """The OpenAI backend; its arguments are those of :class:`backends.base.Backend`.

    Keys: argument, metadata ``openai_api_key``, ``OPENAI_API_KEY``, credentials file. ``OPENAI_BASE_URL`` is another
    address; ``OPENAI_ORG_ID`` and ``OPENAI_PROJECT_ID`` (or metadata ``openai_organization`` and ``openai_project``)
    name the account. ``model`` of the backend is used by calls of its kind: a chat model by chat and responses, an
    embedding model by embed. A call that names none gets the default of its kind from ``models.json``.
    """

    refusals: ClassVar[Mapping[str, str]] = {
        "assistants": "the Assistants API was switched off on 2026-08-26; use responses with previous_response_id.",
        "threads": "threads and runs were switched off on 2026-08-26; use responses with previous_response_id.",
        "image_variations": "dall-e-2, the only model that made variations, was retired on 2026-05-12; use edit_image.",
    }
