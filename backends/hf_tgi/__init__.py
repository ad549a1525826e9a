"""Hugging Face Text Generation Inference: its own generation, its OpenAI-compatible side, and what the server tells.

State of 3.3.7, the last known release; the project is in maintenance, so the protocol counts as frozen. Not built: the
entry points of hosting platforms (``/invocations``, ``/vertex``) and the KServe routes that some builds have.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from backends.dialects.prometheus import Metric
from backends.hf_tgi.reading import timings
from backends.hf_tgi.refusals import REFUSALS
from backends.hf_tgi.server import ServerCalls
from backends.hf_tgi.values import Candidate, ChatTokens, Generation, GenerationToken, ServerInfo, TextToken, Timings

__all__ = [
    "HFTGI",
    "Candidate",
    "ChatTokens",
    "Generation",
    "GenerationToken",
    "Metric",
    "ServerInfo",
    "TextToken",
    "Timings",
    "timings",
]


class HFTGI(ServerCalls):
    """TGI servers behind queue, retries, breaker, keys and counters; arguments as of :class:`backends.base.Backend`.

    ``base_url`` is the server's root, without ``/v1``: argument, metadata, ``HF_TGI_BASE_URL``, credentials file, port
    8080 of this machine. No key is needed unless the server asks for one: ``HF_TOKEN``, ``HUGGING_FACE_HUB_TOKEN``, or
    the file that ``HF_TOKEN_PATH`` names.

    ``generate`` is the server's own call and the richest; ``complete`` and ``chat`` speak the OpenAI dialect, so that a
    program can move between providers. ``model`` is ``tgi`` or the name of a LoRA adapter in all of them.
    """

    refusals: ClassVar[Mapping[str, str]] = REFUSALS
