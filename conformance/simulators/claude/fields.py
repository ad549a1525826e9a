"""Field tables of every endpoint, as the official SDK 2.14.0 declares them (``types/*_params.py``).

The sampling parameters stand in the table of messages: whether they are taken depends on the version header, which a
table cannot see; the handler refuses them.
"""

from __future__ import annotations

from conformance.simulators.claude.fields_content import CACHE, MESSAGE, SYSTEM, TEXT
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

__all__ = ["BATCH", "COUNT", "FILE", "FILE_PAGE", "MESSAGES", "MODEL_PAGE", "PAGE"]

_TYPE = {"type": TEXT}
_OBJECT = MapOf(Anything())
_SCHEMA = Record({"type": Choice("object")}, open=True)
_CUSTOM_TOOL = Record(
    {"name": Text(1, 128, r"[a-zA-Z0-9_-]+"), "input_schema": _SCHEMA},
    {
        "allowed_callers": ListOf(TEXT),
        "cache_control": CACHE,
        "defer_loading": Flag(),
        "description": TEXT,
        "eager_input_streaming": Flag(),
        "input_examples": ListOf(_OBJECT),
        "strict": Flag(),
        "type": Choice("custom"),
    },
)
_SERVER_TOOL = Record(
    {"type": Text(pattern=r"[a-z0-9_]+_20[0-9]{6}"), "name": Text(1)}, {"cache_control": CACHE}, open=True
)
_CHOICE = {"disable_parallel_tool_use": Flag()}
_DISPLAY = {"display": Choice("summarized", "omitted")}

_PROMPT: dict[str, Shape] = {
    "cache_control": CACHE,
    "output_config": Record(
        {},
        {
            "effort": Choice("low", "medium", "high", "xhigh", "max"),
            "format": Record({"type": Choice("json_schema"), "schema": _OBJECT}),
        },
    ),
    "speed": Choice("standard", "fast"),
    "system": SYSTEM,
    "thinking": Tagged(
        {
            "adaptive": Record(_TYPE, _DISPLAY),
            "enabled": Record({**_TYPE, "budget_tokens": Integer(1024)}, _DISPLAY),
            "disabled": Record(_TYPE),
            "between_tools": Record(_TYPE),
        }
    ),
    "tool_choice": Tagged(
        {
            "auto": Record(_TYPE, _CHOICE),
            "any": Record(_TYPE, _CHOICE),
            "none": Record(_TYPE),
            "tool": Record({**_TYPE, "name": Text(1)}, _CHOICE),
        }
    ),
    "tools": ListOf(OneOf(_CUSTOM_TOOL, _SERVER_TOOL)),
}
_SAMPLING: dict[str, Shape] = {"temperature": Number(0, 1), "top_p": Number(0, 1), "top_k": Integer(0)}
_CONVERSATION = {"model": Text(1, 256), "messages": ListOf(MESSAGE, 1, 100_000)}

COUNT = Record(_CONVERSATION, {**_PROMPT, **_SAMPLING})
MESSAGES = Record(
    {**_CONVERSATION, "max_tokens": Integer(0)},
    {
        **_PROMPT,
        **_SAMPLING,
        "container": OneOf(TEXT, Record({}, {"id": TEXT, "skills": ListOf(_OBJECT)})),
        "diagnostics": Record({}, {"previous_message_id": TEXT}),
        "inference_geo": TEXT,
        "metadata": Record({}, {"user_id": Text(maximum=512)}),
        "service_tier": Choice("auto", "standard_only"),
        "stop_sequences": ListOf(TEXT),
        "stream": Flag(),
    },
)
BATCH = Record(
    {"requests": ListOf(Record({"custom_id": Text(1, 64, r"[a-zA-Z0-9_-]+"), "params": _OBJECT}), 1, 100_000)}
)
"""A batch's own shape; what stands in ``params`` is judged when the request runs, and errs alone."""

_LIMIT = {"limit": Integer(1, 1000)}
PAGE = Record({}, {"after_id": TEXT, "before_id": TEXT, **_LIMIT})
_STAGES = ListOf(Choice("active", "deprecated", "retired"), 1, 3)
MODEL_PAGE = Record({}, {"after_id": TEXT, "before_id": TEXT, **_LIMIT, "lifecycle[]": _STAGES})
FILE_PAGE = Record({}, {"page": Text(1, pattern=r"page_.+"), **_LIMIT, "ids[]": ListOf(TEXT, 1, 100)})
FILE = Record({"file": File()}, {"expires_in_seconds": Integer(3600, 7_776_000)})
