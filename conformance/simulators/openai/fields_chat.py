"""Field table of ``POST /chat/completions``: names, types and ranges as the official SDK 3.52.0 declares them."""

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

__all__ = ["CHAT", "EFFORT", "METADATA", "MODERATION_OPTIONS", "PROMPT_CACHE", "SERVICE_TIER", "STREAM_OPTIONS"]

TEXT = Text()
FUNCTION_NAME = Text(1, 64, "[A-Za-z0-9_-]+")
METADATA = MapOf(Text(maximum=512), 16, Text(maximum=64))
EFFORT = Choice("none", "minimal", "low", "medium", "high", "xhigh", "max")
SERVICE_TIER = Choice("auto", "default", "flex", "scale", "priority", "fast")
STREAM_OPTIONS = Record({}, {"include_usage": Flag(), "include_obfuscation": Flag()})
_MODE = Record({"mode": Choice("score", "block")})
MODERATION_OPTIONS = Record({"model": TEXT}, {"policy": Record({}, {"input": _MODE, "output": _MODE})})
PROMPT_CACHE = {
    "prompt_cache_key": TEXT,
    "prompt_cache_options": Record({}, {"mode": Choice("implicit", "explicit"), "ttl": Choice("30m")}),
    "prompt_cache_retention": Choice("in_memory", "in-memory", "24h"),
}

_BREAKPOINT = {"prompt_cache_breakpoint": Record({"mode": Choice("explicit")}, {"ttl": Choice("30m", "12h")})}
_TYPE = {"type": TEXT}
_TEXT_PART = Record({**_TYPE, "text": TEXT}, _BREAKPOINT)
_IMAGE_PART = Record(
    {
        **_TYPE,
        "image_url": Record(
            {"url": Text(1, pattern=r"(?s)(https?://|data:image/[\w.+-]+;base64,).+")},
            {"detail": Choice("auto", "low", "high", "original")},
        ),
    },
    _BREAKPOINT,
)
_AUDIO_PART = Record({**_TYPE, "input_audio": Record({"data": Text(1), "format": Choice("wav", "mp3")})}, _BREAKPOINT)
_FILE_PART = Record({**_TYPE, "file": Record({}, {"file_id": TEXT, "file_data": TEXT, "filename": TEXT})}, _BREAKPOINT)
_REFUSAL_PART = Record({**_TYPE, "refusal": TEXT})

_TEXTS = OneOf(TEXT, ListOf(Tagged({"text": _TEXT_PART}), 1))
_USER_CONTENT = OneOf(
    TEXT,
    ListOf(Tagged({"text": _TEXT_PART, "image_url": _IMAGE_PART, "input_audio": _AUDIO_PART, "file": _FILE_PART}), 1),
)
_ASSISTANT_CONTENT = OneOf(TEXT, ListOf(Tagged({"text": _TEXT_PART, "refusal": _REFUSAL_PART})))
_CALL = Tagged(
    {
        "function": Record({**_TYPE, "id": TEXT, "function": Record({"name": FUNCTION_NAME, "arguments": TEXT})}),
        "custom": Record({**_TYPE, "id": TEXT, "custom": Record({"name": FUNCTION_NAME, "input": TEXT})}),
    }
)
_ROLE = {"role": TEXT}
_NAME = {"name": TEXT}
MESSAGE = Tagged(
    {
        "developer": Record({**_ROLE, "content": _TEXTS}, _NAME),
        "system": Record({**_ROLE, "content": _TEXTS}, _NAME),
        "user": Record({**_ROLE, "content": _USER_CONTENT}, _NAME),
        "assistant": Record(
            _ROLE,
            {
                "content": _ASSISTANT_CONTENT,
                "refusal": TEXT,
                "tool_calls": ListOf(_CALL, 1),
                "function_call": Record({"name": TEXT, "arguments": TEXT}),
                "audio": Record({"id": TEXT}),
                "annotations": ListOf(Anything()),
                **_NAME,
            },
        ),
        "tool": Record({**_ROLE, "content": _TEXTS, "tool_call_id": TEXT}, _NAME),
        "function": Record({**_ROLE, "content": TEXT, **_NAME}),
    },
    tag="role",
)

_FUNCTION = Record(
    {"name": FUNCTION_NAME},
    {"description": TEXT, "parameters": MapOf(Anything()), "strict": Flag()},
)
_CUSTOM = Record(
    {"name": FUNCTION_NAME},
    {
        "description": TEXT,
        "format": Tagged(
            {
                "text": Record(_TYPE),
                "grammar": Record(
                    {**_TYPE, "grammar": Record({"definition": TEXT, "syntax": Choice("lark", "regex")})},
                ),
            }
        ),
    },
)
_TOOL = Tagged({"function": Record({**_TYPE, "function": _FUNCTION}), "custom": Record({**_TYPE, "custom": _CUSTOM})})
_CHOSEN = Record({"name": FUNCTION_NAME})
_TOOL_CHOICE = OneOf(
    Choice("none", "auto", "required"),
    Tagged(
        {
            "function": Record({**_TYPE, "function": _CHOSEN}),
            "custom": Record({**_TYPE, "custom": _CHOSEN}),
            "allowed_tools": Record(
                {
                    **_TYPE,
                    "allowed_tools": Record(
                        {"mode": Choice("auto", "required"), "tools": ListOf(MapOf(Anything()), 1)}
                    ),
                }
            ),
        }
    ),
)
RESPONSE_FORMAT = Tagged(
    {
        "text": Record(_TYPE),
        "json_object": Record(_TYPE),
        "json_schema": Record(
            {
                **_TYPE,
                "json_schema": Record(
                    {"name": FUNCTION_NAME},
                    {"description": TEXT, "schema": MapOf(Anything()), "strict": Flag()},
                ),
            }
        ),
    }
)
VOICE = OneOf(Text(1), Record({"id": TEXT}))
PENALTY = Number(-2, 2)

CHAT = Record(
    {"model": Text(1), "messages": ListOf(MESSAGE, 1)},
    {
        "audio": Record({"format": Choice("wav", "aac", "mp3", "flac", "opus", "pcm16"), "voice": VOICE}),
        "frequency_penalty": PENALTY,
        "presence_penalty": PENALTY,
        "function_call": OneOf(Choice("none", "auto"), Record({"name": TEXT})),
        "functions": ListOf(_FUNCTION, 1, 128),
        "logit_bias": MapOf(Number(-100, 100), key=Text(pattern=r"\d+")),
        "logprobs": Flag(),
        "top_logprobs": Integer(0, 20),
        "max_completion_tokens": Integer(1),
        "max_tokens": Integer(1),
        "metadata": METADATA,
        "modalities": ListOf(Choice("text", "audio"), 1, 2),
        "moderation": MODERATION_OPTIONS,
        "n": Integer(1, 128),
        "parallel_tool_calls": Flag(),
        "prediction": Record({"type": Choice("content"), "content": _TEXTS}),
        **PROMPT_CACHE,
        "reasoning_effort": EFFORT,
        "response_format": RESPONSE_FORMAT,
        "safety_identifier": Text(maximum=128),
        "seed": Integer(-(2**63), 2**63 - 1),
        "service_tier": SERVICE_TIER,
        "stop": OneOf(TEXT, ListOf(TEXT, 1, 4)),
        "store": Flag(),
        "stream": Flag(),
        "stream_options": STREAM_OPTIONS,
        "temperature": Number(0, 2),
        "top_p": Number(0, 1),
        "tool_choice": _TOOL_CHOICE,
        "tools": ListOf(_TOOL, 1, 128),
        "user": TEXT,
        "verbosity": Choice("low", "medium", "high"),
        "web_search_options": Record(
            {},
            {"search_context_size": Choice("low", "medium", "high"), "user_location": MapOf(Anything())},
        ),
    },
)
