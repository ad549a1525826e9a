"""Arguments of Groq's calls, as tables that are types and checks at once (see :mod:`backends.parameters`).

Names and ranges: parameter types of the official SDK 1.7.0 (``groq/types/.../*_params.py``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from backends.dialects.openai_parameters import ChatBasics
from backends.operation import CallOptions
from backends.parameters import Between, Size

__all__ = [
    "BatchParameters",
    "ChatParameters",
    "Metadata",
    "ResponseParameters",
    "SpeechParameters",
    "TranscribeParameters",
    "TranslateParameters",
]

Effort = Literal["none", "default", "low", "medium", "high"]
Tier = Literal["auto", "on_demand", "flex", "performance"]
Rate = Literal[8000, 16000, 22050, 24000, 32000, 44100, 48000]
Metadata = Annotated[Mapping[str, Annotated[str, Size(0, 512)]], Size(0, 16)]


class ChatParameters(ChatBasics, total=False):
    """Arguments of ``chat`` and ``stream_chat`` besides those of the dialect.

    The service takes ``frequency_penalty``, ``presence_penalty``, ``logit_bias``, ``logprobs``, ``top_logprobs``,
    ``metadata`` and ``store``, and says that no model of it heeds them yet.

    Attributes:
        citation_options: whether answers cite documents and searches.
        compound_custom: models and tools of a system: ``{"models": {...}, "tools": {"enabled_tools": [...]}}``.
        disable_tool_validation: let through calls of tools that are not listed.
        documents: ``{"source": {"type": "text", "text": ...} or {"type": "json", "data": ...}, "id": ...}`` each.
        exclude_domains, include_domains: deprecated for ``search_settings``.
        function_call, functions: what came before ``tools``; deprecated.
        include_reasoning: False leaves the reasoning out; not together with ``reasoning_format``.
        n: only 1.
        reasoning_effort: gpt-oss takes low, medium, high; qwen3 takes none, default; qwen3.8 all of them.
        reasoning_format: ``parsed`` (in the reply's ``reasoning``), ``raw`` (in its text, between think tags) or
            ``hidden``.
        search_settings: ``{"include_domains", "exclude_domains", "country", "include_images"}``.
        service_tier: ``on_demand`` unless given; ``flex`` fails at once when it is full, and is then tried again here.
        stream_options: only sent with streams. Usage comes with every stream; with ``include_usage`` it comes a second
            time in a chunk of its own and is still counted once.
        tools: functions, and what the service runs itself: ``{"type": "browser_search"}``,
            ``{"type": "code_interpreter"}``; at most 128.
    """

    citation_options: Literal["enabled", "disabled"] | None
    compound_custom: Mapping[str, Any] | None
    disable_tool_validation: bool | None
    documents: Sequence[Mapping[str, Any]] | None
    exclude_domains: Sequence[str] | None
    function_call: str | Mapping[str, Any] | None
    functions: Annotated[Sequence[Mapping[str, Any]] | None, Size(1, 128)]
    include_domains: Sequence[str] | None
    include_reasoning: bool | None
    metadata: Metadata | None
    reasoning_effort: Effort | None  # type: ignore[misc]  # narrower than the dialect's
    reasoning_format: Literal["hidden", "raw", "parsed"] | None
    search_settings: Mapping[str, Any] | None
    service_tier: Tier | None
    store: bool | None
    tools: Annotated[Sequence[Mapping[str, Any]] | None, Size(1, 128)]


class ResponseParameters(CallOptions, total=False):
    """Arguments of ``responses`` and ``stream_responses``, a beta of the service that keeps no state: every request
    brings its whole conversation.

    Attributes:
        instructions: the system prompt.
        max_output_tokens: reasoning included.
        reasoning: ``{"effort": ...}``.
        text: ``{"format": {"type": "json_schema", "name": ..., "schema": ...}}``; flat, unlike chat.
        tools: function tools are flat here: ``{"type": "function", "name": ..., "parameters": ...}``.
    """

    instructions: str | None
    max_output_tokens: Annotated[int | None, Between(1)]
    metadata: Metadata | None
    parallel_tool_calls: bool | None
    reasoning: Mapping[str, Any] | None
    service_tier: Tier | None
    store: Literal[False] | None
    temperature: Annotated[float | None, Between(0, 2)]
    text: Mapping[str, Any] | None
    tool_choice: str | Mapping[str, Any] | None
    tools: Annotated[Sequence[Mapping[str, Any]] | None, Size(1, 128)]
    top_p: Annotated[float | None, Between(0, 1)]
    user: str | None


class TranslateParameters(CallOptions, total=False):
    """Arguments of ``translate``.

    Attributes:
        prompt: guides the style; in English.
        response_format: ``json`` unless given; ``text`` gives its body as the text, ``verbose_json`` adds times.
        temperature: 0 to 1.
    """

    prompt: str | None
    response_format: Literal["json", "text", "verbose_json"] | None
    temperature: Annotated[float | None, Between(0, 1)]


class TranscribeParameters(TranslateParameters, total=False):
    """Arguments of ``transcribe`` besides those of ``translate``; ``prompt`` is in the language of the sound.

    Attributes:
        language: an ISO-639-1 code.
        timestamp_granularities: ``word``, ``segment``; only with ``verbose_json``.
    """

    language: Annotated[str | None, Size(2, 16)]
    timestamp_granularities: Annotated[Sequence[Literal["word", "segment"]] | None, Size(1, 2)]


class SpeechParameters(CallOptions, total=False):
    """Arguments of ``speech``, ``stream_speech`` and ``speech_to_file``.

    Attributes:
        response_format: wav unless given; Orpheus speaks only that.
        sample_rate: in hertz.
        speed: 1 is the voice's own.
    """

    response_format: Literal["flac", "mp3", "mulaw", "ogg", "wav"] | None
    sample_rate: Rate | None
    speed: Annotated[float | None, Between(0.1, 10)]


class BatchParameters(CallOptions, total=False):
    """Arguments of ``create_batch``: ``metadata`` is at most 16 pairs."""

    metadata: Metadata | None
