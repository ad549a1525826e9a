"""Arguments that every server of the OpenAI dialect takes; providers inherit the tables and add their own.

Ranges: ``openai/types/chat/completion_create_params.py`` of the official SDK 3.52.0. None of them is narrower at a
server that speaks the dialect; where one is wider (temperature at some), that provider has its own table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from backends.operation import CallOptions
from backends.parameters import Between, Size

__all__ = ["ChatBasics", "CompletionBasics", "EmbedBasics", "Sampling"]


class Sampling(CallOptions, total=False):
    """What chat and text completion have in common.

    Attributes:
        frequency_penalty, presence_penalty: -2 to 2.
        logit_bias: token id (as text) -> -100 to 100.
        max_tokens: most tokens of the answer.
        n: number of choices, 1 to 128.
        seed: best-effort repeatability.
        stop: a text or up to four that end the answer.
        stream_options: ``include_usage`` is true unless given; only sent with streams.
        temperature: 0 to 2.
        top_p: 0 to 1.
        user: an id of the caller's user.
    """

    frequency_penalty: Annotated[float | None, Between(-2, 2)]
    presence_penalty: Annotated[float | None, Between(-2, 2)]
    logit_bias: Mapping[str, Annotated[float, Between(-100, 100)]] | None
    max_tokens: Annotated[int | None, Between(1)]
    n: Annotated[int | None, Between(1, 128)]
    seed: int | None
    stop: str | Annotated[Sequence[str], Size(1, 4)] | None
    stream_options: Mapping[str, bool] | None
    temperature: Annotated[float | None, Between(0, 2)]
    top_p: Annotated[float | None, Between(0, 1)]
    user: str | None


class ChatBasics(Sampling, total=False):
    """What chat has besides.

    Attributes:
        logprobs: whether to return log probabilities.
        top_logprobs: alternatives per token, 0 to 20; needs ``logprobs``.
        max_completion_tokens: most tokens of the answer, reasoning included.
        parallel_tool_calls: False keeps the model to one call at a time.
        reasoning_effort: how much to think, in the provider's words.
        response_format: ``{"type": "json_schema", "json_schema": {...}}``, ``{"type": "json_object"}`` or
            ``{"type": "text"}``.
        tools: ``{"type": "function", "function": {...}}`` each.
        tool_choice: ``none``, ``auto``, ``required`` or one tool.
    """

    logprobs: bool | None
    top_logprobs: Annotated[int | None, Between(0, 20)]
    max_completion_tokens: Annotated[int | None, Between(1)]
    parallel_tool_calls: bool | None
    reasoning_effort: str | None
    response_format: Mapping[str, Any] | None
    tools: Annotated[Sequence[Mapping[str, Any]] | None, Size(1)]
    tool_choice: str | Mapping[str, Any] | None


class CompletionBasics(Sampling, total=False):
    """What text completion has besides.

    Attributes:
        best_of: candidates made at the server, 1 to 20.
        echo: repeat the prompt before the answer.
        logprobs: alternatives per token, 0 to 5.
        suffix: text that follows the answer.
    """

    best_of: Annotated[int | None, Between(1, 20)]
    echo: bool | None
    logprobs: Annotated[int | None, Between(0, 5)]
    suffix: str | None


class EmbedBasics(CallOptions, total=False):
    """Arguments of embedding.

    Attributes:
        dimensions: length of the vectors, where the model can shorten them.
        encoding_format: how vectors travel; ``base64`` unless given. The result is the same.
        user: an id of the caller's user.
    """

    dimensions: Annotated[int | None, Between(1)]
    encoding_format: Literal["float", "base64"] | None
    user: str | None
