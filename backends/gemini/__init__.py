"""Gemini (Developer API): chat, generation, pictures, embeddings, token counts, files, batches, cached contents, models.

What is sent and how answers read, state of 2026-11 (``generativelanguage.googleapis.com``; official SDK google-genai
3.6.1). No retry, queue, sleep or socket is in here. Not built: the Interactions API, Live, video, tuning, file search
stores, and the cloud variant with its own addresses and credentials.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from backends.gemini.batches import BatchCalls
from backends.gemini.caches import CacheCalls
from backends.gemini.files import FileCalls
from backends.gemini.models import ModelCalls
from backends.gemini.refusals import REFUSALS
from backends.gemini.text import TextCalls
from backends.gemini.values import Batch, BatchResult, CachedContent, FileInfo, FunctionCall, GeminiReply, Media

__all__ = ["Batch", "BatchResult", "CachedContent", "FileInfo", "FunctionCall", "Gemini", "GeminiReply", "Media"]


class Gemini(TextCalls, FileCalls, BatchCalls, CacheCalls, ModelCalls):
    """The Gemini backend; its arguments are those of :class:`backends.base.Backend`, and ``api_version``.

    Keys: argument, metadata ``gemini_api_key``, ``GOOGLE_API_KEY``, then ``GEMINI_API_KEY``, credentials file.
    ``GOOGLE_GEMINI_BASE_URL`` is another address, without the version; ``api_version`` (or metadata
    ``gemini_api_version``, or ``GOOGLE_GENAI_API_VERSION``) is ``v1`` unless given, ``v1beta`` for previews. ``model`` of
    the backend is used by calls of its kind; a call that names none gets the default of its kind.
    """

    refusals: ClassVar[Mapping[str, str]] = REFUSALS
