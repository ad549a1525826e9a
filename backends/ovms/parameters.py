"""Arguments of the OpenAI-compatible calls, as the server documents them: what it ignores is not listed and so refused.

Wire facts: ``docs/model_server_rest_api_*.md`` of the server (after v2026.3). Ignored by the server: ``logit_bias``,
``top_logprobs``, ``user``, ``dimensions``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from backends.operation import CallOptions
from backends.parameters import Between, Size

__all__ = [
    "ChatParameters",
    "CompletionParameters",
    "EditParameters",
    "EmbedParameters",
    "ImageParameters",
    "RerankParameters",
    "ResponseParameters",
    "SpeechParameters",
    "TokenizeParameters",
    "TranscribeParameters",
    "TranslateParameters",
]


class Sampling(CallOptions, total=False):
    """What chat, completion and responses have in common.

    Attributes:
        assistant_confidence_threshold: of speculative decoding, 0 to 1; not with ``num_assistant_tokens``.
        best_of: width of the beam search, at least ``n``.
        frequency_penalty, presence_penalty: -2 to 2.
        ignore_eos: go on behind the end-of-sequence token.
        include_stop_str_in_output: keep the stop text; False is refused by the server in streams.
        length_penalty: of the beam search.
        max_ngram_size: of prompt lookup decoding.
        min_p: 0 up to, but not including, 1.
        n: number of choices.
        num_assistant_tokens: of speculative and prompt lookup decoding.
        repetition_penalty: above 1 discourages repetition.
        seed: 0 to 2**32 - 1; repeatable where it is given.
        skip_special_tokens: False keeps tokens like ``<|im_end|>`` in the text.
        stop: a text or up to four that end the answer.
        temperature: 0 to 2; 0 is greedy.
        top_k: -1 considers all tokens; 40 where sampling is on.
        top_p: above 0 to 1.
    """

    assistant_confidence_threshold: Annotated[float | None, Between(0, 1)]
    best_of: Annotated[int | None, Between(1)]
    frequency_penalty: Annotated[float | None, Between(-2, 2)]
    presence_penalty: Annotated[float | None, Between(-2, 2)]
    ignore_eos: bool | None
    include_stop_str_in_output: bool | None
    length_penalty: float | None
    max_ngram_size: Annotated[int | None, Between(1)]
    min_p: Annotated[float | None, Between(0, 1)]
    n: Annotated[int | None, Between(1)]
    num_assistant_tokens: Annotated[int | None, Between(1)]
    repetition_penalty: Annotated[float | None, Between(0)]
    seed: Annotated[int | None, Between(0, 2**32 - 1)]
    skip_special_tokens: bool | None
    stop: str | Annotated[Sequence[str], Size(1, 4)] | None
    temperature: Annotated[float | None, Between(0, 2)]
    top_k: Annotated[int | None, Between(-1)]
    top_p: Annotated[float | None, Between(0, 1)]


class _Tools(Sampling, total=False):
    """Tools and formats, where a chat template has them."""

    chat_template_kwargs: Mapping[str, Any] | None
    response_format: Mapping[str, Any] | None
    tool_choice: str | Mapping[str, Any] | None
    tools: Annotated[Sequence[Mapping[str, Any]] | None, Size(1)]


class ChatParameters(_Tools, total=False):
    """Arguments of ``chat`` and ``stream_chat``.

    Attributes:
        chat_template_kwargs: passed to the model's chat template (``{"enable_thinking": False}``).
        logprobs: log probability of each token chosen; not in streams.
        max_tokens, max_completion_tokens: most tokens of the answer.
        response_format: ``{"type": "json_schema", "json_schema": {...}}``, or XGrammar's structural tags.
        stream_options: ``include_usage`` is true unless given; only sent with streams.
        tools: ``{"type": "function", "function": {...}}`` each.
        tool_choice: ``none``, ``auto``, ``required`` or one tool.
    """

    logprobs: bool | None
    max_completion_tokens: Annotated[int | None, Between(1)]
    max_tokens: Annotated[int | None, Between(1)]
    stream_options: Mapping[str, bool] | None


class CompletionParameters(Sampling, total=False):
    """Arguments of ``complete`` and ``stream_complete``.

    Attributes:
        echo: repeat the prompt before the answer.
        logprobs: only 1: the log probability of the token chosen; not in streams.
        max_tokens: most tokens of the answer.
        stream_options: ``include_usage`` is true unless given; only sent with streams.
    """

    echo: bool | None
    logprobs: Annotated[int | None, Between(1, 1)]
    max_tokens: Annotated[int | None, Between(1)]
    stream_options: Mapping[str, bool] | None


class ResponseParameters(_Tools, total=False):
    """Arguments of ``responses`` and ``stream_responses``; nothing is stored, so no earlier response can be named.

    Attributes:
        logprobs: log probability of each token chosen; not in streams.
        max_output_tokens: most tokens of the answer.
        reasoning: ``{"effort": "low"}``; any effort switches thinking on.
        tools: flat function tools: ``{"type": "function", "name": ..., "parameters": {...}}``.
    """

    logprobs: bool | None
    max_output_tokens: Annotated[int | None, Between(1)]
    reasoning: Mapping[str, Any] | None


class EmbedParameters(CallOptions, total=False):
    """Arguments of ``embed``: ``encoding_format`` is how vectors travel, ``base64`` unless given."""

    encoding_format: Literal["float", "base64"] | None


class RerankParameters(CallOptions, total=False):
    """Arguments of ``rerank``: ``top_n`` keeps the best, ``return_documents`` sends the texts back."""

    top_n: Annotated[int | None, Between(1)]
    return_documents: bool | None


class TokenizeParameters(CallOptions, total=False):
    """Arguments of ``tokenize``.

    Attributes:
        add_special_tokens: begin and end of sequence; True unless given.
        max_length: cut to so many tokens.
        pad_to_max_length: pad to ``max_length``, or to the model's own.
        padding_side: ``right`` unless given.
    """

    add_special_tokens: bool | None
    max_length: Annotated[int | None, Between(1)]
    pad_to_max_length: bool | None
    padding_side: Literal["left", "right"] | None


class ImageParameters(CallOptions, total=False):
    """Arguments of ``generate_image``.

    Attributes:
        guidance_scale: how closely to follow the prompt.
        max_sequence_length: of the T5 encoder (SD3, FLUX).
        n: number of images.
        negative_prompt, negative_prompt_2, negative_prompt_3: what not to show.
        num_inference_steps: denoising steps.
        prompt_2, prompt_3: for models with further text encoders.
        rng_seed: repeatable where it is given.
        size: ``auto`` or ``WIDTHxHEIGHT`` in pixels.
    """

    guidance_scale: float | None
    max_sequence_length: Annotated[int | None, Between(1)]
    n: Annotated[int | None, Between(1)]
    negative_prompt: str | None
    negative_prompt_2: str | None
    negative_prompt_3: str | None
    num_inference_steps: Annotated[int | None, Between(1)]
    prompt_2: str | None
    prompt_3: str | None
    rng_seed: Annotated[int | None, Between(0)]
    size: Annotated[str | None, Size(1, 20)]


class EditParameters(ImageParameters, total=False):
    """Arguments of ``edit_image``: ``strength``, 0 to 1, is how far to leave the picture given."""

    strength: Annotated[float | None, Between(0, 1)]


class SpeechParameters(CallOptions, total=False):
    """Arguments of ``speech``; ``language`` is ``en-us`` unless given, ``speed`` has the bounds of the graph."""

    language: str | None
    speed: Annotated[float | None, Between(0)]
    voice: Annotated[str | None, Size(1)]


class TranslateParameters(CallOptions, total=False):
    """Arguments of ``translate``: ``temperature`` is at least 0."""

    temperature: Annotated[float | None, Between(0)]


class TranscribeParameters(TranslateParameters, total=False):
    """Arguments of ``transcribe`` and ``stream_transcribe``: ``language`` is an ISO-639-1 code;
    ``timestamp_granularities`` of ``word`` need a graph that has them."""

    language: str | None
    timestamp_granularities: Annotated[Sequence[Literal["word", "segment"]] | None, Size(1, 2)]
