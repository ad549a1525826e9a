"""How exchanges recorded from a server of the OpenAI dialect are made again by a backend, and what must come out of them.
A subject picks the exchanges that its backend can make; see :class:`conformance.subject.Recorded`."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from conformance.recordings import Exchange
from conformance.subject import Recorded
from conformance.trial import Trial

__all__ = [
    "asking",
    "events_of",
    "judge_chat",
    "judge_chat_stream",
    "judge_completion",
    "judge_completion_stream",
    "judge_embeddings",
    "judge_response",
    "judge_response_stream",
    "judge_usage",
    "picked",
]

_ADDED: Final = ("stream_options", "encoding_format")
"""Fields in which our request may differ from the recorded one: we ask for usage and for base64 by ourselves."""


def picked(source: str, names: str, run: Any, judge: Any = None, **facts: Any) -> dict[str, Recorded]:
    """Return the named exchanges of one recording, all made and judged alike."""
    return {f"{source}/{name}": Recorded(run=run, judge=judge, differs=_ADDED, **facts) for name in names.split()}


def asking(method: str, field: str, table: type) -> Callable[[Any, Exchange], Awaitable[Any]]:
    """Return what makes a recorded request: ``method`` gets ``field`` of its body by place and the others by name; those
    that the argument table does not have go in as ``extra_body``."""
    known = {"model", *table.__annotations__}

    async def run(backend: Any, recorded: Exchange) -> Any:
        given = {name: value for name, value in recorded.sent.items() if name not in (field, "stream")}
        extra = {name: given.pop(name) for name in given.keys() - known}
        options = {**given, "extra_body": extra} if extra else given
        reply = getattr(backend, method)(recorded.sent[field], **options)
        return await (reply.collect() if hasattr(reply, "collect") else reply)

    return run


def judge_chat(trial: Trial, reply: Any, recorded: Exchange) -> None:
    """The reply is the recorded answer: texts, calls, counts, and ``raw`` as it came."""
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
    judge_usage(trial, reply, raw["usage"])


def judge_usage(trial: Trial, reply: Any, usage: Mapping[str, Any]) -> None:
    """The counts are the recorded ones."""
    trial.equal(reply.usage.input_tokens, usage.get("prompt_tokens", usage.get("input_tokens")), "input tokens")
    trial.equal(reply.usage.output_tokens, usage.get("completion_tokens", usage.get("output_tokens")), "output tokens")


def events_of(recorded: Exchange) -> list[Any]:
    """Return the recorded events."""
    lines = recorded.body.decode().splitlines()
    return [json.loads(line[6:]) for line in lines if line.startswith("data: ") and line != "data: [DONE]"]


def judge_chat_stream(trial: Trial, reply: Any, recorded: Exchange) -> None:
    """The recorded pieces make the reply."""
    events = events_of(recorded)
    deltas = [choice["delta"] for event in events for choice in event["choices"]]
    trial.equal(reply.text, "".join(delta.get("content") or "" for delta in deltas), "text")
    pieces = [call for delta in deltas for call in delta.get("tool_calls") or ()]
    arguments = "".join(piece["function"].get("arguments") or "" for piece in pieces)
    trial.equal("".join(call.arguments for call in reply.tool_calls), arguments, "arguments of the tool calls")
    reasons = [choice["finish_reason"] for event in events for choice in event["choices"] if choice["finish_reason"]]
    trial.equal(reply.finish_reason, reasons[-1], "finish reason")
    usages = [event["usage"] for event in events if event.get("usage")]
    if usages:
        judge_usage(trial, reply, usages[-1])


def judge_completion(trial: Trial, reply: Any, recorded: Exchange) -> None:
    """The reply is the recorded answer."""
    raw = json.loads(recorded.body)
    trial.equal(reply.raw, raw, "raw")
    trial.equal(reply.texts, tuple(choice["text"] for choice in raw["choices"]), "texts")
    judge_usage(trial, reply, raw["usage"])


def judge_completion_stream(trial: Trial, reply: Any, recorded: Exchange) -> None:
    """The recorded pieces make the reply."""
    text = "".join(choice["text"] for event in events_of(recorded) for choice in event["choices"])
    trial.equal(reply.text, text, "text")


def judge_response(trial: Trial, reply: Any, recorded: Exchange) -> None:
    """The reply is the recorded response."""
    raw = json.loads(recorded.body)
    trial.equal(reply.raw, raw, "raw")
    _judge_output(trial, reply, raw)


def _judge_output(trial: Trial, reply: Any, raw: Mapping[str, Any]) -> None:
    parts = [part for item in raw["output"] if item["type"] == "message" for part in item["content"]]
    trial.equal(reply.text, "".join(part["text"] for part in parts if part["type"] == "output_text"), "text")
    judge_usage(trial, reply, raw["usage"])


def judge_response_stream(trial: Trial, reply: Any, recorded: Exchange) -> None:
    """The reply is the response of the last recorded event."""
    finished = [
        event["response"]
        for event in events_of(recorded)
        if event["type"] in ("response.completed", "response.incomplete")
    ]
    _judge_output(trial, reply, finished[-1])


def judge_embeddings(trial: Trial, reply: Any, recorded: Exchange) -> None:
    """The vectors are the recorded ones, in the order of their numbers."""
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
