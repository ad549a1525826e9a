"""Arguments of Gemini's calls, as tables that are types and checks at once, and where each stands in the body.

Names: those of the official client google-genai 3.6.1 (``GenerateContentConfig``), with the common words ``max_tokens``,
``stop`` and ``tool_choice`` beside them. Ranges: the vendor's documentation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from backends.errors import UnsupportedError
from backends.gemini.contents import system_of
from backends.gemini.parts import PROVIDER_NAME
from backends.gemini.tools import checked_tools, tool_choice_config
from backends.operation import CallOptions
from backends.parameters import Between, Size, bad_argument, split

__all__ = ["CountParameters", "EmbedParameters", "GenerateParameters", "Instructions", "generation_body", "taken"]

_Texts = Annotated[Sequence[str], Size(1, 5)]


class Instructions(CallOptions, total=False):
    """What can be fixed before a conversation.

    Attributes:
        system_instruction: text or parts; comes before system messages.
        tools: functions, or Gemini's own tools; see :func:`backends.gemini.tools.checked_tools`.
        tool_choice: ``auto``, ``required``, ``none``, ``validated``, or one function.
        tool_config: the same in Gemini's own shape, and more.
    """

    system_instruction: str | Sequence[Any] | Mapping[str, Any] | None
    tools: Annotated[Sequence[Mapping[str, Any]] | None, Size(1)]
    tool_choice: str | Mapping[str, Any] | None
    tool_config: Mapping[str, Any] | None


class CountParameters(Instructions, total=False):
    """Arguments of ``count_tokens``: what stands in the request beside the conversation."""


class GenerateParameters(Instructions, total=False):
    """Arguments of chat and generate.

    Attributes:
        temperature: 0 to 2; leave it alone for Gemini 3.
        top_p: 0 to 1.
        top_k: at least 1.
        candidate_count: answers per request, 1 to 8; ``texts`` of the reply has them all.
        max_output_tokens, max_tokens: most tokens of the answer, thinking included.
        stop_sequences, stop: up to five texts that end the answer.
        presence_penalty, frequency_penalty: how repetition is discouraged.
        seed: best-effort repeatability.
        response_logprobs: whether to return log probabilities.
        logprobs: alternatives per token, 0 to 20; needs ``response_logprobs``.
        response_mime_type: ``text/plain``, ``application/json``, ``text/x.enum``; JSON where a schema is given.
        response_json_schema: ordinary JSON Schema that the answer must follow.
        response_schema: the same as Gemini's OpenAPI subset; not together with the other.
        response_modalities: what the answer may be made of.
        media_resolution: how closely pictures and video are looked at.
        speech_config, image_config, audio_transcription_config: in Gemini's own shape.
        enable_enhanced_civic_answers: for elections and such, where a model has it.
        include_thoughts: whether to return summaries of the thinking (``reasoning`` of the reply).
        thinking_budget: most tokens of thinking; 0 is none, -1 leaves it to the model. For models of the 2.5 era.
        thinking_level: how much to think. For models of the 3 era; not together with ``thinking_budget``.
        safety_settings: ``{"category": "HARM_CATEGORY_...", "threshold": "BLOCK_..."}`` each.
        cached_content: ``cachedContents/...``, made by ``create_cache``.
        service_tier: queue at the provider.
        store: whether the provider may keep the exchange.
        labels: for bills.
        continuation_token: of an answer that ended with ``CONTINUATION``.
    """

    temperature: Annotated[float | None, Between(0, 2)]
    top_p: Annotated[float | None, Between(0, 1)]
    top_k: Annotated[float | None, Between(1)]
    candidate_count: Annotated[int | None, Between(1, 8)]
    max_output_tokens: Annotated[int | None, Between(1)]
    max_tokens: Annotated[int | None, Between(1)]
    stop_sequences: _Texts | None
    stop: str | _Texts | None
    presence_penalty: float | None
    frequency_penalty: float | None
    seed: int | None
    response_logprobs: bool | None
    logprobs: Annotated[int | None, Between(0, 20)]
    response_mime_type: str | None
    response_json_schema: Mapping[str, Any] | None
    response_schema: Mapping[str, Any] | None
    response_modalities: Annotated[Sequence[Literal["TEXT", "IMAGE", "AUDIO", "VIDEO"]] | None, Size(1)]
    media_resolution: (
        Literal[
            "MEDIA_RESOLUTION_LOW", "MEDIA_RESOLUTION_MEDIUM", "MEDIA_RESOLUTION_HIGH", "MEDIA_RESOLUTION_ULTRA_HIGH"
        ]
        | None
    )
    speech_config: Mapping[str, Any] | None
    image_config: Mapping[str, Any] | None
    audio_transcription_config: Mapping[str, Any] | None
    enable_enhanced_civic_answers: bool | None
    include_thoughts: bool | None
    thinking_budget: Annotated[int | None, Between(-1)]
    thinking_level: Literal["MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH"] | None
    safety_settings: Sequence[Mapping[str, str]] | None
    cached_content: Annotated[str | None, Size(1, 500)]
    service_tier: Literal["flex", "standard", "priority"] | None
    store: bool | None
    labels: Mapping[str, str] | None
    continuation_token: str | None


class EmbedParameters(CallOptions, total=False):
    """Arguments of ``embed``.

    Attributes:
        task_type: what the vectors are for: ``RETRIEVAL_QUERY``, ``RETRIEVAL_DOCUMENT``, ``SEMANTIC_SIMILARITY``,
            ``CLASSIFICATION``, ``CLUSTERING``, ``QUESTION_ANSWERING``, ``FACT_VERIFICATION``, ``CODE_RETRIEVAL_QUERY``.
        title: of the document, with ``RETRIEVAL_DOCUMENT``.
        dimensions: length of the vectors, where the model can shorten them.
    """

    task_type: str | None
    title: str | None
    dimensions: Annotated[int | None, Between(1)]


_CONFIG: Final = {
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "candidate_count": "candidateCount",
    "max_output_tokens": "maxOutputTokens",
    "max_tokens": "maxOutputTokens",
    "stop_sequences": "stopSequences",
    "stop": "stopSequences",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
    "seed": "seed",
    "response_logprobs": "responseLogprobs",
    "logprobs": "logprobs",
    "response_mime_type": "responseMimeType",
    "response_json_schema": "responseJsonSchema",
    "response_schema": "responseSchema",
    "response_modalities": "responseModalities",
    "media_resolution": "mediaResolution",
    "speech_config": "speechConfig",
    "image_config": "imageConfig",
    "audio_transcription_config": "audioTranscriptionConfig",
    "enable_enhanced_civic_answers": "enableEnhancedCivicAnswers",
}
_THINKING: Final = {
    "include_thoughts": "includeThoughts",
    "thinking_budget": "thinkingBudget",
    "thinking_level": "thinkingLevel",
}
_BESIDE: Final = {
    "tool_config": "toolConfig",
    "safety_settings": "safetySettings",
    "cached_content": "cachedContent",
    "service_tier": "serviceTier",
    "store": "store",
    "labels": "labels",
    "continuation_token": "continuationToken",
}
_THRESHOLDS: Final = frozenset(
    {
        "HARM_BLOCK_THRESHOLD_UNSPECIFIED",
        "BLOCK_LOW_AND_ABOVE",
        "BLOCK_MEDIUM_AND_ABOVE",
        "BLOCK_ONLY_HIGH",
        "BLOCK_NONE",
        "OFF",
    }
)
_REFUSED: Final[dict[str, str]] = {
    "n": "use candidate_count",
    "max_completion_tokens": "use max_tokens, which counts thinking as well",
    "response_format": "use response_json_schema=<JSON Schema>, or response_mime_type='application/json'",
    "reasoning_effort": "use thinking_level or thinking_budget",
    "top_logprobs": "use response_logprobs=True and logprobs=<number>",
    "logit_bias": "it has no logit bias",
    "parallel_tool_calls": "the model decides by itself how many tools it calls",
    "stream_options": "usage comes with the last chunk always",
    "thinking_config": "use include_thoughts, thinking_budget and thinking_level",
}
"""Arguments that other providers have, or that the official client nests."""


def taken(parameters: Mapping[str, Any], table: type) -> tuple[CallOptions, dict[str, Any]]:
    """Check keyword arguments of a generation against their table.

    Raises:
        UnsupportedError: an argument is one that other providers have and Gemini has not; says what to use.
        InvalidRequestError: an argument is unknown, of the wrong type, out of range, given twice, or excludes another.
    """
    strange = sorted(name for name in _REFUSED.keys() & parameters.keys() if parameters[name] is not None)
    if strange:
        name = strange[0]
        raise UnsupportedError(
            f"Gemini does not take {name}: {_REFUSED[name]}.", provider=PROVIDER_NAME, code="unsupported"
        )
    options, fields = split(
        {name: value for name, value in parameters.items() if name not in _REFUSED}, table, PROVIDER_NAME
    )
    for first, second in _EXCLUSIVE:
        if first in fields and second in fields:
            bad_argument(f"{first} and {second} exclude each other", PROVIDER_NAME)
    if "logprobs" in fields and not fields.get("response_logprobs"):
        bad_argument("logprobs needs response_logprobs=True", PROVIDER_NAME)
    for index, setting in enumerate(fields.get("safety_settings", ())):
        if not str(setting.get("category")).startswith("HARM_CATEGORY_") or setting.get("threshold") not in _THRESHOLDS:
            bad_argument(
                f"safety_settings[{index}] must have a category HARM_CATEGORY_... and a threshold of "
                f"{', '.join(sorted(_THRESHOLDS))}",
                PROVIDER_NAME,
            )
    return options, fields


_EXCLUSIVE: Final = (
    ("max_output_tokens", "max_tokens"),
    ("stop_sequences", "stop"),
    ("response_schema", "response_json_schema"),
    ("thinking_budget", "thinking_level"),
    ("tool_config", "tool_choice"),
)


def generation_body(
    contents: Sequence[Mapping[str, Any]], system: Sequence[Mapping[str, Any]], fields: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the body of a generation.

    Args:
        contents, system: of the conversation.
        fields: what :func:`taken` gave.

    Raises:
        InvalidRequestError: the system instruction, a tool or the choice of one is malformed.
    """
    body: dict[str, Any] = {"contents": contents}
    given = fields.get("system_instruction")
    instruction = [*(system_of(given) if given is not None else ()), *system]
    if instruction:
        body["systemInstruction"] = {"parts": instruction}
    if "tools" in fields:
        body["tools"] = checked_tools(fields["tools"])
    if "tool_choice" in fields:
        body["toolConfig"] = tool_choice_config(fields["tool_choice"])
    for name, wire in _BESIDE.items():
        if name in fields:
            body[wire] = fields[name]
    config = {wire: fields[name] for name, wire in _CONFIG.items() if name in fields}
    if isinstance(config.get("stopSequences"), str):
        config["stopSequences"] = [config["stopSequences"]]
    if ("responseSchema" in config or "responseJsonSchema" in config) and "responseMimeType" not in config:
        config["responseMimeType"] = "application/json"
    thinking = {wire: fields[name] for name, wire in _THINKING.items() if name in fields}
    if thinking:
        config["thinkingConfig"] = thinking
    if config:
        body["generationConfig"] = config
    return body
