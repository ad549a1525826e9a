"""Field tables of Groq's endpoints, as the official SDK 1.7.0 declares them; ``stream_options`` is taken besides."""

from __future__ import annotations

from conformance.simulators.openai.fields_chat import (
    FUNCTION_NAME,
    METADATA,
    PENALTY,
    RESPONSE_FORMAT,
    STREAM_OPTIONS,
    TEXT,
)
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
    Tagged,
    Text,
)

__all__ = ["BATCH", "CHAT", "FILE", "RESPONSE", "SPEECH", "TRANSCRIPTION", "TRANSLATION"]

_ANY = MapOf(Anything())
_TYPE = {"type": TEXT}
_ROLE = {"role": TEXT}
_NAME = {"name": TEXT}
_TIER = Choice("auto", "on_demand", "flex", "performance")

_TEXT_PART = Record({**_TYPE, "text": TEXT})
_PARTS = {
    "text": _TEXT_PART,
    "image_url": Record(
        {
            **_TYPE,
            "image_url": Record(
                {"url": Text(1, pattern=r"(?s)(https?://|data:image/[\w.+-]+;base64,).+")},
                {"detail": Choice("auto", "low", "high")},
            ),
        }
    ),
    "document": Record({**_TYPE, "document": Record({"data": _ANY}, {"id": TEXT})}),
}
_TEXTS = OneOf(TEXT, ListOf(Tagged({"text": _TEXT_PART}), 1))
_CONTENT = OneOf(TEXT, ListOf(Tagged(_PARTS), 1))
_SAID = {"name": TEXT, "arguments": TEXT}
_CALL = Record({**_TYPE, "id": TEXT, "function": Record(_SAID)})
_MESSAGE = Tagged(
    {
        "system": Record({**_ROLE, "content": _TEXTS}, _NAME),
        "developer": Record({**_ROLE, "content": _TEXTS}, _NAME),
        "user": Record({**_ROLE, "content": _CONTENT}, _NAME),
        "assistant": Record(
            _ROLE,
            {
                "content": _TEXTS,
                "function_call": Record({}, _SAID),
                "reasoning": TEXT,
                "tool_calls": ListOf(_CALL),
                **_NAME,
            },
        ),
        "tool": Record({**_ROLE, "content": _CONTENT, "tool_call_id": TEXT}),
        "function": Record({**_ROLE, "content": TEXT, **_NAME}),
    },
    tag="role",
)
_FUNCTION = Record({"name": FUNCTION_NAME}, {"description": TEXT, "parameters": _ANY, "strict": Flag()})
_TOOL = Tagged(
    {
        "function": Record({**_TYPE, "function": _FUNCTION}),
        "browser_search": Record(_TYPE),
        "code_interpreter": Record(_TYPE),
    }
)
_CHOSEN = Record({"name": FUNCTION_NAME})
_DOMAINS = ListOf(TEXT)

CHAT = Record(
    {"model": Text(1), "messages": ListOf(_MESSAGE, 1)},
    {
        "citation_options": Choice("enabled", "disabled"),
        "compound_custom": Record(
            {},
            {
                "models": Record({}, {"answering_model": TEXT, "reasoning_model": TEXT}),
                "tools": Record({}, {"enabled_tools": ListOf(TEXT), "wolfram_settings": _ANY}),
            },
        ),
        "disable_tool_validation": Flag(),
        "documents": ListOf(
            Record(
                {"source": Tagged({"text": Record({**_TYPE, "text": TEXT}), "json": Record({**_TYPE, "data": _ANY})})},
                {"id": TEXT},
            )
        ),
        "exclude_domains": _DOMAINS,
        "frequency_penalty": PENALTY,
        "function_call": OneOf(Choice("none", "auto", "required"), _CHOSEN),
        "functions": ListOf(_FUNCTION, 1, 128),
        "include_domains": _DOMAINS,
        "include_reasoning": Flag(),
        "logit_bias": MapOf(Number(-100, 100), key=Text(pattern=r"\d+")),
        "logprobs": Flag(),
        "max_completion_tokens": Integer(1),
        "max_tokens": Integer(1),
        "metadata": METADATA,
        "n": Integer(1, 128),
        "parallel_tool_calls": Flag(),
        "presence_penalty": PENALTY,
        "reasoning_effort": Choice("none", "default", "low", "medium", "high"),
        "reasoning_format": Choice("hidden", "raw", "parsed"),
        "response_format": RESPONSE_FORMAT,
        "search_settings": Record(
            {},
            {"country": TEXT, "exclude_domains": _DOMAINS, "include_domains": _DOMAINS, "include_images": Flag()},
        ),
        "seed": Integer(-(2**63), 2**63 - 1),
        "service_tier": _TIER,
        "stop": OneOf(TEXT, ListOf(TEXT, 1, 4)),
        "store": Flag(),
        "stream": Flag(),
        "stream_options": STREAM_OPTIONS,
        "temperature": Number(0, 2),
        "tool_choice": OneOf(Choice("none", "auto", "required"), Record({**_TYPE, "function": _CHOSEN})),
        "tools": ListOf(_TOOL, 1, 128),
        "top_logprobs": Integer(0, 20),
        "top_p": Number(0, 1),
        "user": TEXT,
    },
)

_TAKEN = (
    *("input", "instructions", "max_output_tokens", "metadata", "model", "parallel_tool_calls", "reasoning", "store"),
    *("stream", "temperature", "text", "tool_choice", "tools", "top_p", "user"),
)
RESPONSE = Record({}, {**{name: OPENAI_RESPONSE.optional[name] for name in _TAKEN}, "service_tier": _TIER})

_SOUND = {
    "file": File(),
    "url": Text(1),
    "prompt": TEXT,
    "response_format": Choice("json", "text", "verbose_json"),
    "temperature": Number(0, 1),
}
TRANSLATION = Record({"model": Text(1)}, _SOUND)
TRANSCRIPTION = Record(
    {"model": Text(1)},
    {**_SOUND, "language": Text(2, 16), "timestamp_granularities": ListOf(Choice("word", "segment"), 1)},
)


SPEECH = Record(
    {"model": Text(1), "input": Text(1), "voice": Text(1)},
    {
        "response_format": Choice("flac", "mp3", "mulaw", "ogg", "wav"),
        "sample_rate": Integer(8_000, 48_000),
        "speed": Number(0),
    },
)

FILE = Record({"file": File(), "purpose": Choice("batch")})
BATCH = Record(
    {
        "input_file_id": Text(1),
        "endpoint": Choice("/v1/chat/completions"),
        "completion_window": Text(pattern=r"(2[4-9]|[3-9]\d|1[0-5]\d|16[0-8])h|[1-7]d"),
    },
    {"metadata": METADATA},
)
