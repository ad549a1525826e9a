"""Field tables of TGI's routes: names and types. Ranges are the validation's business, which answers otherwise.

The real server passes unknown fields; here they are refused, because a client that sends one has mistaken something.
"""

from __future__ import annotations

from conformance.simulators.shape import (
    Anything,
    Choice,
    Flag,
    Integer,
    ListOf,
    MapOf,
    Number,
    OneOf,
    Record,
    Tagged,
    Text,
)

__all__ = ["CHAT", "COMPAT", "COMPLETION", "GENERATE"]

_TEXT, _WHOLE, _PART = Text(), Integer(), Number()
_UNSIGNED = Integer(0)
_TYPE = {"type": _TEXT}
_SCHEMA = OneOf(MapOf(Anything()), _TEXT)
GRAMMAR = Tagged(
    {
        "json": Record({**_TYPE, "value": _SCHEMA}),
        "json_object": Record({**_TYPE, "value": _SCHEMA}),
        "regex": Record({**_TYPE, "value": _TEXT}),
        "json_schema": Record({**_TYPE, "value": Record({"schema": _SCHEMA}, {"name": _TEXT})}),
    }
)
_PARAMETERS = Record(
    {},
    {
        "adapter_id": _TEXT,
        "best_of": _UNSIGNED,
        "decoder_input_details": Flag(),
        "details": Flag(),
        "do_sample": Flag(),
        "frequency_penalty": _PART,
        "grammar": GRAMMAR,
        "max_new_tokens": _UNSIGNED,
        "repetition_penalty": _PART,
        "return_full_text": Flag(),
        "seed": _UNSIGNED,
        "stop": ListOf(_TEXT),
        "temperature": _PART,
        "top_k": _WHOLE,
        "top_n_tokens": _UNSIGNED,
        "top_p": _PART,
        "truncate": _UNSIGNED,
        "typical_p": _PART,
        "watermark": Flag(),
    },
)
GENERATE = Record({"inputs": _TEXT}, {"parameters": _PARAMETERS})
COMPAT = Record({"inputs": _TEXT}, {"parameters": _PARAMETERS, "stream": Flag()})

_PART_OF_CONTENT = Tagged(
    {
        "text": Record({**_TYPE, "text": _TEXT}),
        "image_url": Record({**_TYPE, "image_url": Record({"url": _TEXT})}),
    }
)
_CALL = Record(
    {"id": _TEXT, "type": _TEXT, "function": Record({"name": _TEXT, "arguments": Anything()}, {"description": _TEXT})}
)
_MESSAGE = Record(
    {"role": _TEXT},
    {
        "content": OneOf(_TEXT, ListOf(_PART_OF_CONTENT)),
        "tool_calls": ListOf(_CALL),
        "name": _TEXT,
        "tool_call_id": _TEXT,
    },
)
_FUNCTION = Record(
    {"name": _TEXT}, {"description": _TEXT, "parameters": MapOf(Anything()), "arguments": MapOf(Anything())}
)
_SAMPLING = {
    "frequency_penalty": _PART,
    "max_tokens": _UNSIGNED,
    "model": _TEXT,
    "seed": _UNSIGNED,
    "stop": ListOf(_TEXT),
    "stream": Flag(),
    "temperature": _PART,
    "top_p": _PART,
}
CHAT = Record(
    {"messages": ListOf(_MESSAGE, 1)},
    {
        **_SAMPLING,
        "logit_bias": Anything(),
        "logprobs": Flag(),
        "max_completion_tokens": _UNSIGNED,
        "n": _UNSIGNED,
        "presence_penalty": _PART,
        "response_format": GRAMMAR,
        "stream_options": Record({}, {"include_usage": Flag()}),
        "tool_choice": OneOf(_TEXT, Record({"type": Choice("function"), "function": Record({"name": _TEXT})})),
        "tool_prompt": _TEXT,
        "tools": ListOf(Record({"type": _TEXT, "function": _FUNCTION})),
        "top_logprobs": _UNSIGNED,
        "user": _TEXT,
    },
)
COMPLETION = Record(
    {"prompt": OneOf(_TEXT, ListOf(_TEXT, 1))},
    {**_SAMPLING, "repetition_penalty": _PART, "suffix": _TEXT},
)
