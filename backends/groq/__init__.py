"""Groq: chat, responses, audio, files, batches, models.

What is sent and how answers read, state of 2026-11 (official SDK 1.7.0 and the vendor's documentation). No retry,
queue, sleep or socket is in here. Not built: deleting models, remote tools' own administration.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from backends.groq.audio import AudioCalls
from backends.groq.chat import ChatCalls
from backends.groq.durations import RateLimits, Timings, Window, rate_limits, timings
from backends.groq.facts import executed_tools
from backends.groq.files import FileCalls
from backends.groq.known_models import CATEGORIES, KnownModel, Prices, catalogue, known_model
from backends.groq.models import ModelCalls
from backends.groq.prices import CostEstimate
from backends.groq.refusals import REFUSALS
from backends.groq.responses import ResponseCalls

__all__ = [
    "CATEGORIES",
    "CostEstimate",
    "Groq",
    "KnownModel",
    "Prices",
    "RateLimits",
    "Timings",
    "Window",
    "catalogue",
    "executed_tools",
    "known_model",
    "rate_limits",
    "timings",
]


class Groq(ChatCalls, ResponseCalls, AudioCalls, FileCalls, ModelCalls):
    """The Groq backend; its arguments are those of :class:`backends.base.Backend` and ``allow_retired``.

    Keys: argument, metadata ``groq_api_key``, ``GROQ_API_KEY``, credentials file. ``GROQ_BASE_URL`` is another address,
    with or without ``/openai/v1``; ``GROQ_CUSTOM_HEADERS`` holds further headers, a line each. ``model`` of the backend
    is used by calls of its kind: a chat model by chat and responses, a whisper model by transcribe. A call that names
    none gets the default of its kind from ``models.json``.

    A model that the catalogue knows to do something else, or to be switched off, is refused before anything is sent,
    with what to use instead. ``allow_retired=True`` leaves the latter to the service, and a model that ``models()`` has
    shown is never refused for it.
    """

    refusals: ClassVar[Mapping[str, str]] = REFUSALS
