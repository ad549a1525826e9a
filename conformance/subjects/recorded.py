"""Which recordings of a real server in the OpenAI dialect go through the OpenAI backend, and what must come out."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Mapping
from typing import Any, Final

from backends import errors
from conformance.recordings import Exchange
from conformance.subject import Recorded
from conformance.trial import Trial

__all__ = ["RECORDED"]


def _given(recorded: Exchange, *taken: str) -> dict[str, Any]:
    return {name: value for name, value in recorded.sent.items() if name not in (*taken, "stream")}


def _extra(given: dict[str, Any], known: frozenset[str]) -> dict[str, Any]:
    """Move what only this server takes into ``extra_body``."""
    extra = {name: given.pop(name) for name in list(given) if name not in known}
    return {**given, "extra_body": extra} if extra else given


_CHAT: Final = frozenset({
    "model", "max_tokens", "seed", "n", "logprobs", "top_logprobs", "stop", "response_format", "tools", "tool_choice",
    "stream_options", "temperature",
})  # fmt: skip


async def _chat(backend: Any, recorded: Exchange) -> Any:
    return await backend.achat(recorded.sent["messages"], **_extra(_given(recorded, "messages"), _CHAT))


async def _stream_chat(backend: Any, recorded: Exchange) -> Any:
    return await backend.astream_chat(
        recorded.sent["messages"], **_extra(_given(recorded, "messages"), _CHAT)
    ).collect()


async def _complete(backend: Any, recorded: Exchange) -> Any:
    return await backend.acomplete(recorded.sent["prompt"], **_given(recorded, "prompt"))


async def _stream_complete(backend: Any, recorded: Exchange) -> Any:
    return await backend.astream_complete(recorded.sent["prompt"], **_given(recorded, "prompt")).collect()


async def _responses(backend: Any, recorded: Exchange) -> Any:
    return await backend.aresponses(recorded.sent["input"], **_given(recorded, "input"))


async def _stream_responses(backend: Any, recorded: Exchange) -> Any:
    return await backend.astream_responses(recorded.sent["input"], **_given(recorded, "input")).collect()


async def _embed(backend: Any, recorded: Exchange) -> Any:
    return await backend.aembed(recorded.sent["input"], **_given(recorded, "input"))


def _judge_chat(trial: Trial, reply: Any, recorded: Exchange) -> None:
    raw = json.loads(recorded.body)
    first = raw["choices"][0]
    trial.equal(reply.raw, raw, "raw")
    trial.equal(
        reply.texts, tuple(choice["message"]["content"] or "" for choice in raw["choices"]), "texts of all choices"
    )
    trial.equal(reply.finish_reason, first["finish_reason"], "finish reason")
    calls = [
        (call["id"], call["function"]["name"], call["function"]["arguments"])
        for call in first["message"].get("tool_calls") or []
    ]
    trial.equal([(call.id, call.name, call.arguments) for call in reply.tool_calls], calls, "tool calls")
    _judge_usage(trial, reply, raw["usage"])


def _judge_usage(trial: Trial, reply: Any, usage: Mapping[str, Any]) -> None:
    trial.equal(reply.usage.input_tokens, usage.get("prompt_tokens", usage.get("input_tokens")), "input tokens")
    trial.equal(reply.usage.output_tokens, usage.get("completion_tokens", usage.get("output_tokens")), "output tokens")


def _events(recorded: Exchange) -> list[Any]:
    lines = recorded.body.decode().splitlines()
    return [json.loads(line[6:]) for line in lines if line.startswith("data: ") and line != "data: [DONE]"]


def _judge_chat_stream(trial: Trial, reply: Any, recorded: Exchange) -> None:
    events = _events(recorded)
    deltas = [choice["delta"] for event in events for choice in event["choices"]]
    trial.equal(reply.text, "".join(delta.get("content") or "" for delta in deltas), "text")
    pieces = [call for delta in deltas for call in delta.get("tool_calls") or ()]
    arguments = "".join(piece["function"].get("arguments") or "" for piece in pieces)
    trial.equal("".join(call.arguments for call in reply.tool_calls), arguments, "arguments of the tool calls")
    reasons = [choice["finish_reason"] for event in events for choice in event["choices"] if choice["finish_reason"]]
    trial.equal(reply.finish_reason, reasons[-1], "finish reason")
    usages = [event["usage"] for event in events if event.get("usage")]
    if usages:
        _judge_usage(trial, reply, usages[-1])


def _judge_completion(trial: Trial, reply: Any, recorded: Exchange) -> None:
    raw = json.loads(recorded.body)
    trial.equal(reply.raw, raw, "raw")
    trial.equal(reply.texts, tuple(choice["text"] for choice in raw["choices"]), "texts")
    _judge_usage(trial, reply, raw["usage"])


def _judge_completion_stream(trial: Trial, reply: Any, recorded: Exchange) -> None:
    text = "".join(choice["text"] for event in _events(recorded) for choice in event["choices"])
    trial.equal(reply.text, text, "text")


def _judge_response(trial: Trial, reply: Any, recorded: Exchange) -> None:
    raw = json.loads(recorded.body)
    trial.equal(reply.raw, raw, "raw")
    _judge_output(trial, reply, raw)


def _judge_output(trial: Trial, reply: Any, raw: Mapping[str, Any]) -> None:
    parts = [part for item in raw["output"] if item["type"] == "message" for part in item["content"]]
    trial.equal(reply.text, "".join(part["text"] for part in parts if part["type"] == "output_text"), "text")
    _judge_usage(trial, reply, raw["usage"])


def _judge_response_stream(trial: Trial, reply: Any, recorded: Exchange) -> None:
    finished = [
        event["response"]
        for event in _events(recorded)
        if event["type"] in ("response.completed", "response.incomplete")
    ]
    _judge_output(trial, reply, finished[-1])


def _judge_embeddings(trial: Trial, reply: Any, recorded: Exchange) -> None:
    raw = json.loads(recorded.body)
    expected = [_floats(entry["embedding"]) for entry in sorted(raw["data"], key=lambda entry: entry["index"])]
    trial.equal(len(reply.vectors), len(expected), "vectors")
    for vector, numbers in zip(reply.vectors, expected, strict=True):
        trial.equal(tuple(vector), tuple(numbers), "a vector")
    trial.equal(reply.usage.input_tokens, raw["usage"]["prompt_tokens"], "input tokens")


def _floats(embedding: Any) -> list[float]:
    if isinstance(embedding, str):
        data = base64.b64decode(embedding)
        return list(struct.unpack(f"<{len(data) // 4}f", data))
    return list(embedding)


_ADDED: Final = ("stream_options", "encoding_format")
"""Fields in which our request may differ from the recorded one: we ask for usage and for base64 by ourselves."""


def _all(source: str, names: str, run: Any, judge: Any = None, **facts: Any) -> dict[str, Recorded]:
    return {f"{source}/{name}": Recorded(run=run, judge=judge, differs=_ADDED, **facts) for name in names.split()}


_TEXT, _EMBED = "vllm-0.32.0", "vllm-0.32.0-embed"
RECORDED: Final[Mapping[str, Recorded]] = {
    **_all(
        _TEXT, "chat chat_n2_logprobs chat_stop chat_json_schema chat_tool_named chat_tool_required", _chat, _judge_chat
    ),
    **_all(_TEXT, "chat_unknown_field chat_extra_sampling", _chat, _judge_chat),
    **_all(_TEXT, "chat_stream chat_stream_usage chat_stream_tool", _stream_chat, _judge_chat_stream, stream=True),
    **_all(_TEXT, "completion completion_list completion_tokens", _complete, _judge_completion),
    **_all(_TEXT, "completion_echo_stream", _stream_complete, _judge_completion_stream, stream=True),
    **_all(_TEXT, "responses", _responses, _judge_response),
    **_all(_TEXT, "responses_stream", _stream_responses, _judge_response_stream, stream=True),
    **_all(_TEXT, "unknown_model", _chat, error=errors.UnknownModelError),
    **_all(_TEXT, "max_tokens_too_large", _chat, error=errors.InvalidRequestError),
    **_all(_TEXT, "prompt_too_long", _complete, error=errors.InvalidRequestError),
    **_all(_EMBED, "embed_one embed_many embed_base64 embed_tokens", _embed, _judge_embeddings),
    **_all(_EMBED, "embed_too_long", _embed, error=errors.InvalidRequestError),
}
