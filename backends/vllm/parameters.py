"""Arguments of vLLM's calls, as tables that are types and checks at once (see :mod:`backends.parameters`).

Names and ranges: the request models of the server (``chat_completion``, ``completion`` and ``responses`` in
``vllm/entrypoints/openai``). They are wider than the dialect's in places (any temperature, any number of stops), so
the tables stand by themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from backends.operation import CallOptions
from backends.parameters import Between, Size

__all__ = ["ChatParameters", "CompletionParameters", "ResponseParameters", "Served", "TemplateParameters"]

_LOWEST: Final = -(2**63)
_HIGHEST: Final = 2**63 - 1
Seed = Annotated[int, Between(_LOWEST, _HIGHEST)]
TokenIds = Annotated[Sequence[Annotated[int, Between(0)]], Size(1)]
ToolList = Annotated[Sequence[Mapping[str, Any]], Size(1)]
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]


class Served(CallOptions, total=False):
    """What every call to a model takes.

    Attributes:
        cache_salt: text that keeps others from finding out what is in the prefix cache; up to 1024 characters.
        mm_processor_kwargs: for the processor of images, sound and video.
        server_priority: place in the server's own queue, lower is earlier, 0 is usual. Sent as ``priority``; a server
            without priority scheduling ignores it or refuses it, by version. The library's own ``priority`` is about
            the queue here; with ``priority_scheduling=True`` of the backend it decides both.
        user: an id of the caller's user; the server ignores it.
    """

    cache_salt: Annotated[str | None, Size(1, 1024)]
    mm_processor_kwargs: Mapping[str, Any] | None
    server_priority: Annotated[int | None, Between(_LOWEST, _HIGHEST)]
    user: str | None


class _Sampling(Served, total=False):
    """What chat, completion and responses have in common.

    Attributes:
        ignore_eos: go on behind the model's own end.
        include_stop_str_in_output: keep the text that ended the answer.
        logit_bias: token id (as text) -> -100 to 100.
        repetition_penalty: above 0; 1 is none.
        seed: 64 bits with a sign.
        skip_special_tokens: leave special tokens out of the text.
        stop: texts that end the answer; ``stop_reason`` in ``raw`` says which did.
        structured_outputs: exactly one of ``json`` (a schema), ``regex``, ``choice`` (texts), ``grammar`` (EBNF),
            ``json_object`` (True) and ``structural_tag``; what follows the constraint is the whole answer.
        temperature: 0 or more. What is not given comes from the model's ``generation_config.json``.
        top_k: 0 or -1 is all.
        top_p: 0 to 1.
        vllm_xargs: for extensions of the server.
    """

    ignore_eos: bool | None
    include_stop_str_in_output: bool | None
    logit_bias: Mapping[str, Annotated[float, Between(-100, 100)]] | None
    repetition_penalty: Annotated[float | None, Between(1e-9)]
    seed: Seed | None
    skip_special_tokens: bool | None
    stop: str | Sequence[str] | None
    structured_outputs: Mapping[str, Any] | None
    temperature: Annotated[float | None, Between(0)]
    top_k: Annotated[int | None, Between(-1)]
    top_p: Annotated[float | None, Between(0, 1)]
    vllm_xargs: Mapping[str, Any] | None


class _Generation(_Sampling, total=False):
    """What chat and completion have besides.

    Attributes:
        add_special_tokens: whether the tokenizer adds its own (usual for completion, not for chat).
        allowed_token_ids: nothing else may come.
        bad_words: texts that must not come.
        frequency_penalty, presence_penalty: -2 to 2.
        kv_transfer_params: for disaggregated serving; the answer's are in ``raw``.
        min_p: 0 to 1. ``min_tokens``: before these no end is allowed.
        n: number of answers.
        prompt_logprobs: alternatives per token of the prompt, -1 for all; not with streams; the result is in ``raw``.
        response_format: ``json_schema``, ``json_object``, ``structural_tag`` or ``text``; not with
            ``structured_outputs``.
        return_token_ids: token ids of prompt and answer, in ``raw``.
        return_tokens_as_token_ids: log probabilities name tokens as ``token_id:7``.
        stop_token_ids: token ids that end the answer.
        stream_options: ``include_usage`` is true unless given; ``continuous_usage_stats`` counts in every chunk.
        thinking_token_budget: most tokens of reasoning, -1 for no limit.
        truncate_prompt_tokens: keep so many tokens of the prompt, -1 for as many as fit; ``truncation_side`` says
            where it is cut.
    """

    add_special_tokens: bool | None
    allowed_token_ids: TokenIds | None
    bad_words: Sequence[str] | None
    frequency_penalty: Annotated[float | None, Between(-2, 2)]
    kv_transfer_params: Mapping[str, Any] | None
    min_p: Annotated[float | None, Between(0, 1)]
    min_tokens: Annotated[int | None, Between(0)]
    n: Annotated[int | None, Between(1)]
    presence_penalty: Annotated[float | None, Between(-2, 2)]
    prompt_logprobs: Annotated[int | None, Between(-1)]
    response_format: Mapping[str, Any] | None
    return_token_ids: bool | None
    return_tokens_as_token_ids: bool | None
    spaces_between_special_tokens: bool | None
    stop_token_ids: Sequence[Annotated[int, Between(0)]] | None
    stream_options: Mapping[str, bool] | None
    thinking_token_budget: Annotated[int | None, Between(-1)]
    truncate_prompt_tokens: Annotated[int | None, Between(-1)]
    truncation_side: Literal["left", "right"] | None


class TemplateParameters(CallOptions, total=False):
    """How messages become a prompt, for every call that takes messages.

    Attributes:
        add_generation_prompt: whether the prompt ends with the beginning of an answer.
        chat_template: a Jinja template; refused unless the server trusts them.
        chat_template_kwargs: for the template (``{"enable_thinking": False}``).
        continue_final_message: go on with the last message; not with ``add_generation_prompt=True``.
    """

    add_generation_prompt: bool | None
    chat_template: str | None
    chat_template_kwargs: Mapping[str, Any] | None
    continue_final_message: bool | None


class ChatParameters(_Generation, TemplateParameters, total=False):
    """Arguments of ``chat``, ``stream_chat`` and ``chat_batch``.

    Attributes:
        documents: for templates that can cite, ``{"title": ..., "text": ...}`` each.
        echo: put the last message before the answer if they are of the same role.
        include_reasoning: whether reasoning comes back.
        logprobs: whether to return log probabilities.
        top_logprobs: alternatives per token, as many as the server allows (20), -1 for all; needs ``logprobs``.
        max_completion_tokens, max_tokens: most tokens of the answer, the rest of the context unless given; more than
            the model's length is refused.
        media_io_kwargs: for reading media, by kind.
        parallel_tool_calls: False keeps only the first call.
        reasoning_effort: for models that reason.
        tools: ``{"type": "function", "function": {...}}`` each.
        tool_choice: ``none``, ``auto`` (wants a server with a tool parser), ``required`` or one tool.
    """

    documents: Sequence[Mapping[str, Any]] | None
    echo: bool | None
    include_reasoning: bool | None
    logprobs: bool | None
    top_logprobs: Annotated[int | None, Between(-1)]
    max_completion_tokens: Annotated[int | None, Between(1)]
    max_tokens: Annotated[int | None, Between(1)]
    media_io_kwargs: Mapping[str, Any] | None
    parallel_tool_calls: bool | None
    reasoning_effort: Effort | None
    tools: ToolList | None
    tool_choice: Literal["none", "auto", "required"] | Mapping[str, Any] | None


class CompletionParameters(_Generation, total=False):
    """Arguments of ``complete`` and ``stream_complete``.

    Attributes:
        echo: put the prompt before the answer.
        logprobs: alternatives per token, as many as the server allows (20), -1 for all.
        max_tokens: most tokens of the answer, 16 unless given; 0 with ``echo`` only measures the prompt.
    """

    echo: bool | None
    logprobs: Annotated[int | None, Between(-1)]
    max_tokens: Annotated[int | None, Between(0)]


class ResponseParameters(_Sampling, total=False):
    """Arguments of ``responses`` and ``stream_responses``.

    Attributes:
        background: answer at once and work on; ask again with ``get_response``. Only where the server keeps responses.
        enable_response_messages: return the messages as the model saw them, in ``raw``.
        include: ``message.output_text.logprobs``, ``reasoning.encrypted_content`` and the like.
        instructions: the system prompt.
        max_output_tokens: reasoning included.
        max_tool_calls: of the server's own tools.
        previous_response_id: the answer that this one goes on from.
        reasoning: ``{"effort": ...}``.
        store: keep the response, where the server was started to (``VLLM_ENABLE_RESPONSES_API_STORE=1``); elsewhere it
            is ignored.
        text: ``{"format": {"type": "json_schema", "name": ..., "schema": ...}}``; flat, unlike chat.
        tools: function tools are flat here: ``{"type": "function", "name": ..., "parameters": ...}``.
        truncation: ``auto`` shortens input that does not fit.
    """

    background: bool | None
    enable_response_messages: bool | None
    include: Sequence[str] | None
    instructions: str | None
    max_output_tokens: Annotated[int | None, Between(1)]
    max_tool_calls: Annotated[int | None, Between(1)]
    metadata: Mapping[str, str] | None
    parallel_tool_calls: bool | None
    previous_response_id: str | None
    reasoning: Mapping[str, Any] | None
    store: bool | None
    text: Mapping[str, Any] | None
    tool_choice: Literal["none", "auto", "required"] | Mapping[str, Any] | None
    tools: ToolList | None
    top_logprobs: Annotated[int | None, Between(0)]
    truncation: Literal["auto", "disabled"] | None
