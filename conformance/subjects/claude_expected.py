"""What Claude's documents say about errors, arguments and names; see :mod:`conformance.expectations`.

Types, codes and ranges: the vendor's error page, ``_error_classes.py`` and ``types/*_params.py`` of the official SDK
2.14.0.
"""

from __future__ import annotations

from typing import Any, Final

from backends import errors
from conformance.expectations import BadCall, ErrorCase, Expectations, NamedCall, NoAnswer
from conformance.simulators.faults import Status
from conformance.subjects.claude_costs import COSTS

__all__ = ["EXPECTED"]

_HELLO: Final = [{"role": "user", "content": "hello"}]
_PARAMS: Final = {"messages": _HELLO}


def _tool(name: str) -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}, "unit": {"type": "string", "enum": ["naïve ☃"]}},
        "required": ["city", "unit"],
    }
    return {"name": name, "description": "Tells it.", "input_schema": schema}


def _chat(names: str, **options: Any) -> BadCall:
    return BadCall(names, lambda backend: backend.achat(_HELLO, **options))


def _said(names: str, messages: Any, **options: Any) -> BadCall:
    return BadCall(names, lambda backend: backend.achat(messages, **options))


def _batch(names: str, *requests: Any) -> BadCall:
    return BadCall(names, lambda backend: backend.acreate_batch(list(requests)))


EXPECTED: Final = Expectations(
    costs=COSTS,
    content=("content[0].text", "delta.text"),
    errors=(
        ErrorCase(400, errors.InvalidRequestError, "tool_name_conflict"),
        ErrorCase(400, errors.ContextLengthError, message="prompt is too long: 1200000 tokens > 1000000 maximum"),
        ErrorCase(
            400,
            errors.ContextLengthError,
            message="input length and `max_tokens` exceed context limit: 199000 + 4096 > 200000",
        ),
        ErrorCase(
            400,
            errors.QuotaExceededError,
            message="You have reached your specified API usage limits. You will regain access on 2026-12-01.",
        ),
        ErrorCase(
            400,
            errors.QuotaExceededError,
            message="Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing.",
        ),
        ErrorCase(402, errors.QuotaExceededError, "linked_organization_spend_limit_reached"),
        ErrorCase(404, errors.UnknownModelError, message="model: claude-haiku-5-5"),
        ErrorCase(404, errors.NotFoundError, "file_expired"),
        ErrorCase(413, errors.InvalidRequestError, "request_body_too_large_after_decoding"),
        ErrorCase(429, errors.QuotaExceededError, "enforced_spend_limit_reached"),
        ErrorCase(429, errors.QuotaExceededError, "contract_spend_limit_reached"),
        ErrorCase(429, errors.RateLimitError, "ramp_limit_exceeded"),
        ErrorCase(503, errors.OverloadedError, "cmek_key_unreachable"),
        ErrorCase(529, errors.OverloadedError, "compaction_unavailable"),
    ),
    no_answers=(
        NoAnswer(
            Status(200, body={"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
            errors.OverloadedError,
            "Overloaded",
        ),
    ),
    bad_calls=(
        _chat("temperature", temperature=0.5),
        _chat("temperature", temperature="hot"),
        _chat("top_k", top_k=40),
        _chat("max_tokens", max_tokens=-1),
        _chat("max_tokens", max_tokens=1.5),
        _chat("max_completion_tokens", max_completion_tokens=5),
        _chat("stop", stop=["END"]),
        _chat("stop_sequences[1]", stop_sequences=["END", 5]),
        _chat("seed", seed=7),
        _chat("response_format", response_format={"type": "json_object"}),
        _chat("output_config['effort']", output_config={"effort": "enormous"}),
        _chat("output_config['format']", output_config={"format": {"type": "json"}}),
        _chat("thinking['type']", thinking={"type": "hard"}),
        _chat("thinking['budget_tokens']", thinking={"type": "enabled", "budget_tokens": 100}),
        _chat("thinking['budget_tokens']", thinking={"type": "enabled"}),
        _chat("cache_control", cache_control={"type": "ephemeral", "ttl": "2h"}),
        _chat("tools", tools=[]),
        _chat("tools[0]", tools=[{"type": "function", "function": {"name": "weather"}}]),
        _chat("tools[0]['input_schema']", tools=[{"name": "weather"}]),
        _chat("tool_choice", tool_choice="auto"),
        _chat("tool_choice['name']", tool_choice={"type": "tool"}),
        _chat("service_tier", service_tier="gold"),
        _chat("betas[0]", betas=["two words"]),
        _chat("model", model=""),
        _chat("model", model=5),
        _chat("system[0]", system=[{"type": "image"}]),
        _chat("extra_headers", extra_headers={"Authorization": "Bearer other"}),
        _chat("extra_headers", extra_headers={"X-Api-Key": "other"}),
        _chat("anthropic-version", extra_headers={"Anthropic-Version": "2023-06-01"}),
        _chat("extra_body", extra_body=["no", "mapping"]),
        _said("messages", "hello"),
        _said("messages[0]", ["hello"]),
        _said("messages[0]", [{"content": "hello"}]),
        _said("messages[0]", [{"role": "assistant", "content": None}]),
        _said("messages[0].role", [{"role": "developer", "content": "hello"}]),
        _said("messages[1].role", [*_HELLO, {"role": "tool", "content": "sunny"}]),
        _said("messages[0].content", [{"role": "user", "content": 5}]),
        _said("messages[0].content[0]", [{"role": "user", "content": [{"type": "image_url"}]}]),
        _said("messages", [{"role": "system", "content": "Be brief."}]),
        _said("system", [{"role": "system", "content": "Be brief."}, *_HELLO], system="Be long."),
        BadCall("temperature", lambda backend: backend.astream_chat(_HELLO, temperature=0.5)),
        BadCall("max_tokens", lambda backend: backend.acount_tokens(_HELLO, max_tokens=5)),
        BadCall("requests", lambda backend: backend.acreate_batch([])),
        _batch("requests[0]", {"custom_id": "a"}),
        _batch("requests[0]['custom_id']", {"custom_id": "", "params": _PARAMS}),
        _batch("requests[1]['custom_id']", *[{"custom_id": "a", "params": _PARAMS}] * 2),
        _batch("requests[0]['params']: temperature", {"custom_id": "a", "params": {**_PARAMS, "temperature": 0}}),
        _batch("requests[0]['params']: messages", {"custom_id": "a", "params": {}}),
        _batch("requests[0]['params']: endpoint", {"custom_id": "a", "params": {**_PARAMS, "endpoint": "x"}}),
        BadCall("batch_id", lambda backend: backend.aget_batch("")),
        BadCall("file_id", lambda backend: backend.aget_file("..")),
        BadCall("file", lambda backend: backend.aupload_file(b"")),
        BadCall("expires_in_seconds", lambda backend: backend.aupload_file(b"x", expires_in_seconds=60)),
        BadCall("lifecycle[0]", lambda backend: backend.amodels(lifecycle=["young"])),
        BadCall("limit", lambda backend: backend.alist_files(limit=1001)),
    ),
    unsayable=(
        _said("content", [{"role": "user", "content": [{"type": "text", "text": "\ud83d"}]}]),
        _chat("system", system="half of a \ud83d character"),
        _chat("user_id", metadata={"user_id": "\udfff"}),
        _chat("tools[0]", tools=[{"name": "weather", "input_schema": {"maximum": float("inf")}}]),
    ),
    injections=(
        lambda backend, text: backend.achat(_HELLO, model=text),
        lambda backend, text: backend.achat(_HELLO, betas=[text]),
        lambda backend, text: backend.aget_model(text),
        lambda backend, text: backend.aget_file(text),
        lambda backend, text: backend.aget_batch(text),
    ),
    named_calls=(
        NamedCall("/v1/models/", lambda backend, name: backend.aget_model(name)),
        NamedCall("/v1/files/", lambda backend, name: backend.aget_file(name)),
        NamedCall("/v1/files/", lambda backend, name: backend.adelete_file(name)),
        NamedCall("/v1/messages/batches/", lambda backend, name: backend.aget_batch(name)),
        NamedCall("/v1/messages/batches/", lambda backend, name: backend.adelete_batch(name)),
    ),
    models=(
        ("claude-haiku-5-6", "claude-haiku-5-5"),
        ("claude-3-opus-20240229", "claude-opus-5-5"),
        ("claude-2.1", "claude-sonnet-5-5"),
        ("claude-sonet-5", "claude-sonnet-5"),
    ),
    tools={"tools": [_tool("weather"), _tool("tide")]},
)
