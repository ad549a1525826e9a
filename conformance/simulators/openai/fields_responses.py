"""Field table of ``POST /responses`` and its token count, as the official SDK 3.52.0 declares them.

Messages, function calls and their outputs, reasoning and references are checked in full; the items and tools of hosted
capabilities (search, computer, code, shell, MCP, images) are known by their type and otherwise left open.
"""

from __future__ import annotations

from conformance.simulators.openai.fields_chat import (
    EFFORT,
    FUNCTION_NAME,
    METADATA,
    MODERATION_OPTIONS,
    PROMPT_CACHE,
    SERVICE_TIER,
    TEXT,
)
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

__all__ = ["INPUT_ITEMS_QUERY", "INPUT_TOKENS", "RESPONSE", "RETRIEVE_QUERY"]

_TYPE = {"type": TEXT}
_OPEN = Record(_TYPE, {}, open=True)
_STATUS = Choice("in_progress", "completed", "incomplete")
_BREAKPOINT = {"prompt_cache_breakpoint": MapOf(Anything())}
_PART = Tagged(
    {
        "input_text": Record({**_TYPE, "text": TEXT}, _BREAKPOINT),
        "input_image": Record(
            _TYPE,
            {"detail": Choice("auto", "low", "high", "original"), "image_url": TEXT, "file_id": TEXT, **_BREAKPOINT},
        ),
        "input_file": Record(
            _TYPE,
            {"file_id": TEXT, "file_url": TEXT, "file_data": TEXT, "filename": TEXT, "detail": TEXT, **_BREAKPOINT},
        ),
        "output_text": Record(
            {**_TYPE, "text": TEXT}, {"annotations": ListOf(Anything()), "logprobs": ListOf(Anything())}
        ),
        "refusal": Record({**_TYPE, "refusal": TEXT}),
    }
)
_MESSAGE = Record(
    {"role": Choice("user", "assistant", "system", "developer"), "content": OneOf(TEXT, ListOf(_PART))},
    {"type": TEXT, "id": TEXT, "status": _STATUS, "phase": TEXT},
)
_HOSTED_ITEMS = [
    "file_search_call",
    "computer_call",
    "computer_call_output",
    "web_search_call",
    "tool_search_call",
    "tool_search_output",
    "additional_tools",
    "configuration_update",
    "compaction",
    "compaction_trigger",
    "image_generation_call",
    "code_interpreter_call",
    "local_shell_call",
    "local_shell_call_output",
    "shell_call",
    "shell_call_output",
    "apply_patch_call",
    "apply_patch_call_output",
    "mcp_list_tools",
    "mcp_approval_request",
    "mcp_approval_response",
    "mcp_call",
    "program",
    "program_output",
]
_ITEM = Tagged(
    {
        **dict.fromkeys(_HOSTED_ITEMS, _OPEN),
        "message": _MESSAGE,
        "function_call": Record(
            {**_TYPE, "call_id": TEXT, "name": FUNCTION_NAME, "arguments": TEXT},
            {"id": TEXT, "status": _STATUS, "namespace": TEXT, "caller": MapOf(Anything())},
        ),
        "function_call_output": Record(
            {**_TYPE, "call_id": TEXT, "output": OneOf(TEXT, ListOf(_PART))},
            {"id": TEXT, "status": _STATUS, "name": TEXT, "namespace": TEXT, "caller": MapOf(Anything())},
        ),
        "custom_tool_call": Record(
            {**_TYPE, "call_id": TEXT, "name": TEXT, "input": TEXT}, {"id": TEXT, "status": _STATUS, "namespace": TEXT}
        ),
        "custom_tool_call_output": Record(
            {**_TYPE, "call_id": TEXT, "output": OneOf(TEXT, ListOf(_PART))}, {"id": TEXT}
        ),
        "reasoning": Record(
            {**_TYPE, "summary": ListOf(Anything())},
            {"id": TEXT, "content": ListOf(Anything()), "encrypted_content": TEXT, "status": _STATUS},
        ),
        "item_reference": Record({**_TYPE, "id": TEXT}),
    },
    default="message",
)

_HOSTED_TOOLS = [
    "file_search",
    "web_search",
    "web_search_2025_08_26",
    "web_search_preview",
    "web_search_preview_2025_03_11",
    "computer",
    "computer_use_preview",
    "mcp",
    "code_interpreter",
    "programmatic_tool_calling",
    "image_generation",
    "local_shell",
    "shell",
    "tool_search",
    "apply_patch",
    "namespace",
]
_TOOL = Tagged(
    {
        **dict.fromkeys(_HOSTED_TOOLS, _OPEN),
        "function": Record(
            {**_TYPE, "name": FUNCTION_NAME},
            {
                "parameters": MapOf(Anything()),
                "strict": Flag(),
                "description": TEXT,
                "defer_loading": Flag(),
                "allowed_callers": ListOf(TEXT),
                "output_schema": MapOf(Anything()),
            },
        ),
        "custom": Record(
            {**_TYPE, "name": FUNCTION_NAME},
            {
                "description": TEXT,
                "format": MapOf(Anything()),
                "defer_loading": Flag(),
                "allowed_callers": ListOf(TEXT),
            },
        ),
    }
)
_TOOL_CHOICE = OneOf(
    Choice("none", "auto", "required"),
    Tagged(
        {
            **dict.fromkeys(_HOSTED_TOOLS, _OPEN),
            "function": Record({**_TYPE, "name": FUNCTION_NAME}),
            "custom": Record({**_TYPE, "name": FUNCTION_NAME}),
            "allowed_tools": Record(
                {**_TYPE, "mode": Choice("auto", "required"), "tools": ListOf(MapOf(Anything()), 1)}
            ),
        }
    ),
)
_TEXT_CONFIG = Record(
    {},
    {
        "format": Tagged(
            {
                "text": Record(_TYPE),
                "json_object": Record(_TYPE),
                "json_schema": Record(
                    {**_TYPE, "name": FUNCTION_NAME, "schema": MapOf(Anything())},
                    {"strict": Flag(), "description": TEXT},
                ),
            }
        ),
        "verbosity": Choice("low", "medium", "high"),
    },
)
_SUMMARY = Choice("auto", "concise", "detailed")
_REASONING = Record(
    {},
    {
        "effort": EFFORT,
        "summary": _SUMMARY,
        "generate_summary": _SUMMARY,
        "context": Choice("auto", "current_turn", "all_turns"),
        "mode": TEXT,
    },
)
_INCLUDE = ListOf(
    Choice(
        "file_search_call.results",
        "web_search_call.results",
        "web_search_call.action.sources",
        "message.input_image.image_url",
        "computer_call_output.output.image_url",
        "code_interpreter_call.outputs",
        "reasoning.encrypted_content",
        "message.output_text.logprobs",
    )
)
_SHARED = {
    "conversation": OneOf(TEXT, Record({"id": TEXT})),
    "input": OneOf(TEXT, ListOf(_ITEM, 1)),
    "instructions": TEXT,
    "model": Text(1),
    "parallel_tool_calls": Flag(),
    "previous_response_id": TEXT,
    "reasoning": _REASONING,
    "text": _TEXT_CONFIG,
    "tool_choice": _TOOL_CHOICE,
    "tools": ListOf(_TOOL),
    "truncation": Choice("auto", "disabled"),
}

RESPONSE = Record(
    {},
    {
        **_SHARED,
        **PROMPT_CACHE,
        "access_programs": MapOf(Anything()),
        "background": Flag(),
        "context_management": ListOf(MapOf(Anything())),
        "image": MapOf(Anything()),
        "include": _INCLUDE,
        "max_output_tokens": Integer(1),
        "max_tool_calls": Integer(1),
        "metadata": METADATA,
        "moderation": MODERATION_OPTIONS,
        "prompt": Record({"id": TEXT}, {"variables": MapOf(Anything()), "version": TEXT}),
        "safety_identifier": Text(maximum=128),
        "service_tier": SERVICE_TIER,
        "store": Flag(),
        "stream": Flag(),
        "stream_options": Record({}, {"include_obfuscation": Flag()}),
        "temperature": Number(0, 2),
        "top_logprobs": Integer(0, 20),
        "top_p": Number(0, 1),
        "user": TEXT,
    },
)
INPUT_TOKENS = Record({}, {**_SHARED, "personality": TEXT})
RETRIEVE_QUERY = Record(
    {},
    {"include[]": TEXT, "include": TEXT, "include_obfuscation": Flag(), "starting_after": Integer(0), "stream": Flag()},
)
INPUT_ITEMS_QUERY = Record(
    {},
    {
        "after": TEXT,
        "before": TEXT,
        "include": TEXT,
        "include[]": TEXT,
        "limit": Integer(1, 100),
        "order": Choice("asc", "desc"),
    },
)
