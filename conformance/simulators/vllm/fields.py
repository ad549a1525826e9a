"""Field tables of vLLM's routes, from the request models of ``vllm/entrypoints``.

The real server passes unknown fields; here they are refused, because a client that sends one has mistaken something. The
``guided_*`` names of older servers stand in no table: this version ignores them, which is a mistake of whoever sends them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from conformance.simulators.openai.fields_chat import MESSAGE as OPENAI_MESSAGE
from conformance.simulators.openai.fields_responses import RESPONSE as OPENAI_RESPONSE
from conformance.simulators.shape import (
    Anything,
    Choice,
    File,
    Flag,
    Integer,
    ListOf,
    MapOf,
    Number,
    OneOf,
    Record,
    Shape,
    Tagged,
    Text,
)

__all__ = [
    "BATCH",
    "CHAT",
    "CLASSIFY",
    "COMPLETION",
    "DETOKENIZE",
    "EMBED",
    "LOAD_LORA",
    "POOL",
    "RERANK",
    "RESET_QUERY",
    "RESPONSE",
    "SCORE",
    "SLEEP_QUERY",
    "TOKENIZE",
    "TRANSCRIPTION",
    "TRANSLATION",
    "UNLOAD_LORA",
    "WAKE_QUERY",
]

TEXT = Text()
_OBJECT = MapOf(Anything())
_INT64 = Integer(-(2**63), 2**63 - 1)
_TOKENS = ListOf(Integer(0))
_STOP = OneOf(TEXT, ListOf(TEXT))


def _message() -> Shape:
    """OpenAI's messages, with the reasoning that an assistant's message may hold here."""
    records = dict(OPENAI_MESSAGE.records)
    assistant = records["assistant"]
    assert isinstance(assistant, Record)
    own = {"reasoning": TEXT, "reasoning_content": TEXT}
    records["assistant"] = replace(assistant, optional={**assistant.optional, **own})
    del records["function"]
    return replace(OPENAI_MESSAGE, records=records)


MESSAGE = _message()
_STRUCTURED = Record(
    {},
    {
        "json": OneOf(TEXT, _OBJECT),
        "regex": TEXT,
        "choice": ListOf(TEXT, 1),
        "grammar": TEXT,
        "json_object": Flag(),
        "structural_tag": TEXT,
        "disable_any_whitespace": Flag(),
        "disable_additional_properties": Flag(),
        "whitespace_pattern": TEXT,
    },
)
_FORMAT = Tagged(
    {
        "text": Record({"type": TEXT}),
        "json_object": Record({"type": TEXT}),
        "json_schema": Record(
            {
                "type": TEXT,
                "json_schema": Record({"name": TEXT}, {"description": TEXT, "schema": _OBJECT, "strict": Flag()}),
            }
        ),
        "structural_tag": Record({"type": TEXT}, open=True),
    }
)
_SERVED: dict[str, Shape] = {
    "model": TEXT,
    "user": TEXT,
    "request_id": Text(1),
    "priority": _INT64,
    "cache_salt": Text(1, 1024),
    "mm_processor_kwargs": _OBJECT,
}
_SAMPLING: dict[str, Shape] = {
    "temperature": Number(0),
    "top_p": Number(0, 1),
    "top_k": Integer(-1),
    "repetition_penalty": Number(0),
    "seed": _INT64,
    "stop": _STOP,
    "logit_bias": MapOf(Number(-100, 100), key=Text(pattern=r"\d+")),
    "ignore_eos": Flag(),
    "skip_special_tokens": Flag(),
    "include_stop_str_in_output": Flag(),
    "structured_outputs": _STRUCTURED,
    "vllm_xargs": _OBJECT,
}
_GENERATION: dict[str, Shape] = {
    **_SERVED,
    **_SAMPLING,
    "min_p": Number(0, 1),
    "n": Integer(1),
    "frequency_penalty": Number(-2, 2),
    "presence_penalty": Number(-2, 2),
    "stop_token_ids": _TOKENS,
    "min_tokens": Integer(0),
    "bad_words": ListOf(TEXT),
    "allowed_token_ids": _TOKENS,
    "prompt_logprobs": Integer(-1),
    "spaces_between_special_tokens": Flag(),
    "truncate_prompt_tokens": Integer(-1),
    "truncation_side": Choice("left", "right"),
    "response_format": _FORMAT,
    "return_token_ids": Flag(),
    "return_tokens_as_token_ids": Flag(),
    "kv_transfer_params": _OBJECT,
    "thinking_token_budget": Integer(-1),
    "add_special_tokens": Flag(),
    "stream": Flag(),
    "stream_options": Record({}, {"include_usage": Flag(), "continuous_usage_stats": Flag()}),
}
_TEMPLATE: dict[str, Shape] = {
    "add_generation_prompt": Flag(),
    "continue_final_message": Flag(),
    "chat_template": TEXT,
    "chat_template_kwargs": _OBJECT,
    "media_io_kwargs": _OBJECT,
}
_TOOLS = ListOf(
    Record(
        {
            "type": Choice("function"),
            "function": Record({"name": Text(1)}, {"description": TEXT, "parameters": _OBJECT, "strict": Flag()}),
        }
    )
)
_CHAT: dict[str, Shape] = {
    **_GENERATION,
    **_TEMPLATE,
    "max_tokens": Integer(1),
    "max_completion_tokens": Integer(1),
    "logprobs": Flag(),
    "top_logprobs": Integer(-1),
    "tools": _TOOLS,
    "tool_choice": OneOf(
        Choice("none", "auto", "required"),
        Record({"type": Choice("function"), "function": Record({"name": Text(1)})}),
    ),
    "parallel_tool_calls": Flag(),
    "reasoning_effort": Choice("none", "minimal", "low", "medium", "high", "xhigh", "max"),
    "include_reasoning": Flag(),
    "documents": ListOf(_OBJECT),
    "echo": Flag(),
}
CHAT = Record({"messages": ListOf(MESSAGE, 1)}, _CHAT)
BATCH = Record(
    {"messages": ListOf(ListOf(MESSAGE, 1), 1)}, {k: v for k, v in _CHAT.items() if not k.startswith("stream")}
)
COMPLETION = Record(
    {"prompt": OneOf(TEXT, ListOf(TEXT, 1), ListOf(Integer(0), 1), ListOf(ListOf(Integer(0), 1), 1))},
    {**_GENERATION, "max_tokens": Integer(0), "logprobs": Integer(-1), "echo": Flag()},
)
_OF_OPENAI = (
    "background include instructions max_output_tokens max_tool_calls metadata parallel_tool_calls previous_response_id "
    "reasoning service_tier store stream text tool_choice tools top_logprobs truncation"
)
RESPONSE = Record(
    {"input": OPENAI_RESPONSE.optional["input"]},
    {
        **{name: OPENAI_RESPONSE.optional[name] for name in _OF_OPENAI.split()},
        **_SERVED,
        **_SAMPLING,
        "enable_response_messages": Flag(),
    },
)
_POOLED: dict[str, Shape] = {
    **_SERVED,
    "truncate_prompt_tokens": Integer(-1),
    "truncation_side": Choice("left", "right"),
    "use_activation": Flag(),
}
_CONTENT: dict[str, Shape] = {
    **_POOLED,
    **_TEMPLATE,
    "add_special_tokens": Flag(),
    "input": OneOf(TEXT, ListOf(TEXT), ListOf(Integer(0)), ListOf(ListOf(Integer(0)))),
    "messages": ListOf(MESSAGE, 1),
}
EMBED = Record({}, {**_CONTENT, "dimensions": Integer(1), "encoding_format": Choice("float", "base64")})
POOL = Record({}, {**_CONTENT, "dimensions": Integer(1), "task": TEXT})
CLASSIFY = Record({}, _CONTENT)
_ITEM = OneOf(TEXT, Record({"content": ListOf(_OBJECT, 1)}))
_ITEMS = OneOf(TEXT, Record({"content": ListOf(_OBJECT, 1)}), ListOf(_ITEM, 1))
PAIRS = (("text_1", "text_2"), ("queries", "documents"), ("queries", "items"), ("data_1", "data_2"))
SCORE = Record({}, {**_POOLED, **{name: _ITEMS for pair in PAIRS for name in pair}})
RERANK = Record({"query": _ITEM, "documents": ListOf(_ITEM, 1)}, {**_POOLED, "top_n": Integer(0)})
TOKENIZE = Record(
    {},
    {
        "model": TEXT,
        "prompt": TEXT,
        "messages": ListOf(MESSAGE, 1),
        "add_special_tokens": Flag(),
        "return_token_strs": Flag(),
        "mm_processor_kwargs": _OBJECT,
        "tools": _TOOLS,
        **_TEMPLATE,
    },
)
DETOKENIZE = Record({"tokens": _TOKENS}, {"model": TEXT})
LOAD_LORA = Record({"lora_name": TEXT, "lora_path": TEXT}, {"load_inplace": Flag()})
UNLOAD_LORA = Record({"lora_name": TEXT}, {"lora_int_id": Integer(0)})
SLEEP_QUERY = Record({}, {"level": Integer(1, 2), "mode": Choice("abort", "wait", "keep")})
WAKE_QUERY = Record({}, {"tags": Choice("weights", "kv_cache")})
RESET_QUERY = Record({}, {"reset_running_requests": Flag(), "reset_external": Flag()})

_HEARD: dict[str, Any] = {
    "model": TEXT,
    "language": TEXT,
    "prompt": TEXT,
    "response_format": Choice("json", "text", "srt", "verbose_json", "vtt"),
    "seed": _INT64,
    "stream": Flag(),
    "stream_include_usage": Flag(),
    "stream_continuous_usage_stats": Flag(),
    "temperature": Number(0, 1),
    "to_language": TEXT,
    "hotwords": TEXT,
    "max_completion_tokens": Integer(1),
    "top_p": Number(0, 1),
    "top_k": Integer(-1),
    "min_p": Number(0, 1),
    "repetition_penalty": Number(0),
    "frequency_penalty": Number(-2, 2),
    "presence_penalty": Number(-2, 2),
}
TRANSCRIPTION = Record({"file": File()}, {**_HEARD, "timestamp_granularities": ListOf(Choice("word", "segment"), 1)})
TRANSLATION = Record({"file": File()}, _HEARD)
