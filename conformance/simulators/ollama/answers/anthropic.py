"""``POST /v1/messages``, the Anthropic-compatible call: text and tools, whole and streamed with named events."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from conformance.simulators.generation import Finish, Tool, Turn, Wish, count_tokens, generate
from conformance.simulators.ollama.models import StoredModel
from conformance.simulators.openai.answers.common import text_of
from conformance.simulators.openai.framing import named
from conformance.simulators.provider import Answer, Call, Event, Part, Stream
from conformance.simulators.shape import Anything, Choice, Flag, Integer, ListOf, MapOf, OneOf, Problem, Record, Text

__all__ = ["MESSAGES", "messages", "messages_refuse"]

_CONTENT = OneOf(Text(), ListOf(MapOf(Anything()), 1))
MESSAGES = Record(
    {
        "model": Text(1),
        "max_tokens": Integer(1),
        "messages": ListOf(Record({"role": Choice("user", "assistant"), "content": _CONTENT}), 1),
    },
    {
        "system": _CONTENT,
        "stream": Flag(),
        "tools": ListOf(
            Record({"name": Text(1), "input_schema": MapOf(Anything())}, {"description": Text()}, open=True)
        ),
        "stop_sequences": ListOf(Text()),
    },
    open=True,
)
_STOPS = {Finish.LIMIT: "max_tokens", Finish.TOOLS: "tool_use", Finish.STOP_SEQUENCE: "stop_sequence"}


def _error(status: int, kind: str, text: str) -> Answer:
    return Answer(status, payload={"type": "error", "error": {"type": kind, "message": text}}, problem=text)


def messages_refuse(problem: Problem) -> Answer:
    """The 400 of a body that does not fit."""
    return _error(400, "invalid_request_error", str(problem))


def messages(call: Call) -> Answer:
    """``POST /v1/messages``."""
    body = call.body
    model: StoredModel | None = call.state.find(body["model"])
    if model is None:
        return _error(404, "not_found_error", f"model '{body['model'][:200]}' not found")
    last = body["messages"][-1]
    content = last["content"]
    answered = isinstance(content, list) and any(part.get("type") == "tool_result" for part in content)
    tools = [Tool(one["name"], one["input_schema"]) for one in body.get("tools") or ()]
    turn = generate(
        Wish(
            text_of(content), call.nonce, body["max_tokens"], body.get("stop_sequences") or (), tools, answered=answered
        )
    )
    asked = sum(count_tokens(text_of(one["content"])) for one in body["messages"])
    parts = _parts(call, turn)
    whole = {
        "id": f"msg_{call.nonce}",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": parts,
        "stop_reason": _STOPS.get(turn.finish, "end_turn"),
        "stop_sequence": turn.stop_sequence,
        "usage": {"input_tokens": asked, "output_tokens": turn.count},
    }
    if not body.get("stream"):
        return Answer(payload=whole)
    stream = Stream(list(_events(whole, turn, parts)), named, error=_error_event, pings=_PINGS)
    return Answer(stream=stream, content_type="text/event-stream")


_PINGS = (Event({"type": "ping"}, part=Part.EXTRA),)


def _error_event(status: int, code: str | None, message: str | None, sent: int) -> Sequence[Event]:
    return (Event(_error(status, "api_error", message or "something went wrong").payload, part=Part.CLOSING),)


def _parts(call: Call, turn: Turn) -> list[dict[str, Any]]:
    if not turn.tool_uses:
        return [{"type": "text", "text": turn.text}]
    return [
        {"type": "tool_use", "id": f"toolu_{call.nonce}{index}", "name": use.name, "input": json.loads(use.arguments)}
        for index, use in enumerate(turn.tool_uses)
    ]


def _events(whole: dict[str, Any], turn: Turn, parts: Sequence[dict[str, Any]]) -> Iterator[Event]:
    opening = {**whole, "content": [], "stop_reason": None, "stop_sequence": None}
    yield Event({"type": "message_start", "message": opening}, part=Part.OPENING)
    for index, part in enumerate(parts):
        empty = {**part, "text": ""} if part["type"] == "text" else {**part, "input": {}}
        yield Event({"type": "content_block_start", "index": index, "content_block": empty}, part=Part.OPENING)
        for delta in _deltas(turn, part):
            yield Event({"type": "content_block_delta", "index": index, "delta": delta})
        yield Event({"type": "content_block_stop", "index": index}, part=Part.CLOSING)
    final = {"stop_reason": whole["stop_reason"], "stop_sequence": whole["stop_sequence"]}
    yield Event({"type": "message_delta", "delta": final, "usage": whole["usage"]}, part=Part.CLOSING)
    yield Event({"type": "message_stop"}, part=Part.TERMINATOR)


def _deltas(turn: Turn, part: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if part["type"] == "text":
        yield from ({"type": "text_delta", "text": token} for token in turn.tokens)
    else:
        yield {"type": "input_json_delta", "partial_json": json.dumps(part["input"])}
