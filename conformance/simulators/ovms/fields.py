"""Field tables: the KServe v2 inference request, and ``/v3`` as the server's documents list it.

The real server passes unknown fields; here they are refused, because a client that sends one has mistaken something. What
its documents call ignored is let through.
"""

from __future__ import annotations

from conformance.simulators.openai.fields_chat import CHAT as OPENAI_CHAT
from conformance.simulators.openai.fields_chat import STREAM_OPTIONS, TEXT
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
    Text,
)

__all__ = [
    "CHAT",
    "COMPLETION",
    "EMBEDDING",
    "IMAGE",
    "IMAGE_EDIT",
    "INFER",
    "PREDICT",
    "RERANK",
    "RESPONSE",
    "SPEECH",
    "TOKENIZE",
    "TRANSCRIPTION",
    "TRANSLATION",
]

_PARAMETER = OneOf(Flag(), Number(), TEXT)
_PARAMETERS = MapOf(_PARAMETER)
INFER = Record(
    {
        "inputs": ListOf(
            Record(
                {"name": Text(1), "shape": ListOf(Integer(0)), "datatype": Text(1)},
                {"parameters": _PARAMETERS, "data": ListOf(Anything())},
            ),
            1,
        )
    },
    {"id": TEXT, "parameters": _PARAMETERS, "outputs": ListOf(Record({"name": Text(1)}, {"parameters": _PARAMETERS}))},
)
PREDICT = Record({}, {"instances": ListOf(Anything(), 1), "inputs": Anything(), "signature_name": TEXT})

_MODEL = {"model": Text(1)}
_STOP = OneOf(TEXT, ListOf(TEXT, 1, 4))
_SAMPLING = {
    "assistant_confidence_threshold": Number(0, 1),
    "best_of": Integer(1),
    "frequency_penalty": Number(-2, 2),
    "presence_penalty": Number(-2, 2),
    "ignore_eos": Flag(),
    "include_stop_str_in_output": Flag(),
    "length_penalty": Number(),
    "max_ngram_size": Integer(1),
    "min_p": Number(0, 1),
    "n": Integer(1),
    "num_assistant_tokens": Integer(1),
    "repetition_penalty": Number(0),
    "seed": Integer(0, 2**32 - 1),
    "skip_special_tokens": Flag(),
    "stop": _STOP,
    "stream": Flag(),
    "temperature": Number(0, 2),
    "top_k": Integer(-1),
    "top_p": Number(0, 1),
}
_IGNORED = dict.fromkeys(("logit_bias", "top_logprobs", "user"), Anything())
_TEMPLATED = {
    "chat_template_kwargs": MapOf(Anything()),
    "response_format": OPENAI_CHAT.optional["response_format"],
}
CHAT = Record(
    {**_MODEL, "messages": OPENAI_CHAT.required["messages"]},
    {
        **_SAMPLING,
        **_TEMPLATED,
        **_IGNORED,
        "logprobs": Flag(),
        "max_completion_tokens": Integer(1),
        "max_tokens": Integer(1),
        "stream_options": STREAM_OPTIONS,
        "tools": OPENAI_CHAT.optional["tools"],
        "tool_choice": OPENAI_CHAT.optional["tool_choice"],
    },
)
COMPLETION = Record(
    {**_MODEL, "prompt": TEXT},
    {
        **_SAMPLING,
        **_IGNORED,
        "echo": Flag(),
        "logprobs": Integer(1, 1),
        "max_tokens": Integer(1),
        "stream_options": STREAM_OPTIONS,
    },
)
RESPONSE = Record(
    {**_MODEL, "input": OPENAI_RESPONSE.optional["input"]},
    {
        **_SAMPLING,
        **_TEMPLATED,
        "logprobs": Flag(),
        "max_output_tokens": Integer(1),
        "reasoning": OPENAI_RESPONSE.optional["reasoning"],
        "tools": OPENAI_RESPONSE.optional["tools"],
        "tool_choice": OPENAI_RESPONSE.optional["tool_choice"],
    },
)
_TEXTS = OneOf(Text(1), ListOf(Text(1), 1))
EMBEDDING = Record({**_MODEL, "input": _TEXTS}, {"encoding_format": Choice("float", "base64"), **_IGNORED})
RERANK = Record(
    {**_MODEL, "query": Text(1), "documents": ListOf(TEXT, 1, 100)},
    {"top_n": Integer(1), "return_documents": Flag()},
)
TOKENIZE = Record(
    {**_MODEL, "text": _TEXTS},
    {
        "add_special_tokens": Flag(),
        "max_length": Integer(1),
        "pad_to_max_length": Flag(),
        "padding_side": Choice("left", "right"),
    },
)
_DRAWING = {
    "guidance_scale": Number(),
    "max_sequence_length": Integer(1),
    "n": Integer(1),
    "num_inference_steps": Integer(1),
    "rng_seed": Integer(0),
    "response_format": Choice("b64_json"),
    "size": Text(pattern=r"auto|\d{2,4}x\d{2,4}"),
    **dict.fromkeys(("negative_prompt", "negative_prompt_2", "negative_prompt_3", "prompt_2", "prompt_3"), TEXT),
}
IMAGE = Record({**_MODEL, "prompt": Text(1)}, _DRAWING)
IMAGE_EDIT = Record(
    {**_MODEL, "image": File(), "prompt": Text(1)}, {**_DRAWING, "mask": File(), "strength": Number(0, 1)}
)
SPEECH = Record({**_MODEL, "input": Text(1)}, {"language": TEXT, "speed": Number(0), "voice": TEXT})
TRANSLATION = Record({**_MODEL, "file": File()}, {"temperature": Number(0)})
TRANSCRIPTION = Record(
    {**_MODEL, "file": File()},
    {
        "language": TEXT,
        "stream": Flag(),
        "temperature": Number(0),
        "timestamp_granularities": ListOf(Choice("word", "segment"), 1),
    },
)
