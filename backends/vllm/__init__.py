"""vLLM: chat, completion, responses, pooling in all its forms, the tokenizer, audio, and the server itself.

What is sent and how answers read, state of 2026-11 (vLLM 0.32.0; recordings of a real server are part of the contract).
No retry, queue, sleep or socket is in here. Not built: the Anthropic side (``/v1/messages``), the Cohere side
(``/v2/embed``), SageMaker's ``/invocations`` and ``/ping``, ``/v1/*/render``, ``/inference/v1/generate``,
``/generative_scoring``, ``/server_info`` and ``/tokenizer_info``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from backends.vllm.audio import AudioCalls
from backends.vllm.management import ManagementCalls
from backends.vllm.pooling import PoolingCalls
from backends.vllm.refusals import REFUSALS
from backends.vllm.responses import ResponseCalls
from backends.vllm.text import TextCalls
from backends.vllm.tokens import TokenCalls

__all__ = ["VLLM"]


class VLLM(TextCalls, ResponseCalls, PoolingCalls, TokenCalls, AudioCalls, ManagementCalls):
    """vLLM servers behind queue, retries, breaker, keys and counters.

    A server needs a key only where it was started with one: argument, metadata ``vllm_api_key``, ``VLLM_API_KEY``,
    credentials file. ``VLLM_BASE_URL`` is another address than ``http://localhost:8000``. See
    :class:`backends.vllm.core.VLLMServer` for the address and the server's own scheduling, and
    :class:`backends.base.Backend` for the rest. A server serves one kind of model: what its model cannot do it has no
    route for, and the error says that.
    """

    refusals: ClassVar[Mapping[str, str]] = REFUSALS
