"""Arguments of OpenAI's calls, as tables that are types and checks at once (see :mod:`backends.parameters`).

Names and ranges: parameter types of the official SDK 3.52.0 (``openai/types/.../*_params.py``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from backends.dialects.openai_parameters import ChatBasics, CompletionBasics, EmbedBasics
from backends.operation import CallOptions
from backends.parameters import Between, Size

__all__ = [
    "ChatParameters",
    "CompletionParameters",
    "EmbedParameters",
    "ModerateParameters",
    "ResponseParameters",
    "TokenParameters",
]

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
Tier = Literal["auto", "default", "flex", "scale", "priority", "fast"]
Metadata = Annotated[Mapping[str, Annotated[str, Size(0, 512)]], Size(0, 16)]


class ChatParameters(ChatBasics, total=False):
    """Arguments of ``chat`` and ``stream_chat`` that other servers of the dialect need not have.

    Attributes:
        audio: ``{"format": ..., "voice": ...}``, needed when ``modalities`` has ``audio``.
        function_call, functions: what came before ``tools``; deprecated.
        metadata: at most 16 pairs for the stored completion.
        modalities: ``["text"]`` or ``["text", "audio"]``.
        moderation: ``{"model": ..., "policy": ...}``.
        prediction: ``{"type": "content", "content": ...}``, text known in advance.
        prompt_cache_key, prompt_cache_options, prompt_cache_retention: of the provider's own prompt cache.
        safety_identifier: at most 128 characters.
        service_tier: queue at the provider.
        store: keep the completion at the provider.
        verbosity: how long answers are.
        web_search_options: of search models.
    """

    reasoning_effort: Effort | None  # type: ignore[misc]  # narrower than the dialect's
    audio: Mapping[str, Any] | None
    function_call: str | Mapping[str, Any] | None
    functions: Sequence[Mapping[str, Any]] | None
    metadata: Metadata | None
    modalities: Annotated[Sequence[Literal["text", "audio"]] | None, Size(1, 2)]
    moderation: Mapping[str, Any] | None
    prediction: Mapping[str, Any] | None
    prompt_cache_key: str | None
    prompt_cache_options: Mapping[str, str] | None
    prompt_cache_retention: Literal["in_memory", "24h"] | None
    safety_identifier: Annotated[str | None, Size(0, 128)]
    service_tier: Tier | None
    store: bool | None
    verbosity: Literal["low", "medium", "high"] | None
    web_search_options: Mapping[str, Any] | None


class CompletionParameters(CompletionBasics, total=False):
    """Arguments of ``complete`` and ``stream_complete``: those of the dialect."""


class EmbedParameters(EmbedBasics, total=False):
    """Arguments of ``embed``: those of the dialect."""


class ModerateParameters(CallOptions, total=False):
    """Arguments of ``moderate``: none of its own."""


class TokenParameters(CallOptions, total=False):
    """What decides how many input tokens a response would take; arguments of ``count_input_tokens``."""

    conversation: str | Mapping[str, Any] | None
    instructions: str | None
    parallel_tool_calls: bool | None
    personality: str | None
    previous_response_id: str | None
    reasoning: Mapping[str, Any] | None
    text: Mapping[str, Any] | None
    tool_choice: str | Mapping[str, Any] | None
    tools: Sequence[Mapping[str, Any]] | None
    truncation: Literal["auto", "disabled"] | None


class ResponseParameters(CallOptions, total=False):
    """Arguments of ``responses`` and ``stream_responses``.

    Attributes:
        background: answer at once and work on; ask again with ``get_response``.
        background_options: how a background response is kept and reported.
        conversation: an id; not together with ``previous_response_id``.
        include: further parts of the output to send.
        instructions: the system prompt.
        max_output_tokens: reasoning included.
        max_tool_calls: of built-in tools.
        previous_response_id: the answer that this one goes on from.
        reasoning: ``{"effort": ..., "summary": ...}``.
        store: the provider keeps responses unless this is False.
        text: ``{"format": {"type": "json_schema", "name": ..., "schema": ...}, "verbosity": ...}``; flat, unlike chat.
        tools: function tools are flat here: ``{"type": "function", "name": ..., "parameters": ...}``.
        top_logprobs: 0 to 20.
    """

    access_programs: Mapping[str, Any] | None
    background: bool | None
    background_options: Mapping[str, Any] | None
    context_management: Sequence[Mapping[str, Any]] | None
    conversation: str | Mapping[str, Any] | None
    image: Mapping[str, Any] | None
    include: Sequence[str] | None
    instructions: str | None
    max_output_tokens: Annotated[int | None, Between(1)]
    max_tool_calls: Annotated[int | None, Between(1)]
    metadata: Metadata | None
    moderation: Mapping[str, Any] | None
    parallel_tool_calls: bool | None
    previous_response_id: str | None
    prompt: Mapping[str, Any] | None
    prompt_cache_key: str | None
    prompt_cache_options: Mapping[str, Any] | None
    prompt_cache_retention: Literal["in_memory", "24h"] | None
    reasoning: Mapping[str, Any] | None
    safety_identifier: Annotated[str | None, Size(0, 128)]
    service_tier: Tier | None
    store: bool | None
    stream_options: Mapping[str, bool] | None
    temperature: Annotated[float | None, Between(0, 2)]
    text: Mapping[str, Any] | None
    tool_choice: str | Mapping[str, Any] | None
    tools: Sequence[Mapping[str, Any]] | None
    top_logprobs: Annotated[int | None, Between(0, 20)]
    top_p: Annotated[float | None, Between(0, 1)]
    truncation: Literal["auto", "disabled"] | None
    user: str | None
