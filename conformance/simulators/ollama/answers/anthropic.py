"""``POST /v1/messages``, the Anthropic-compatible call: text and tools, whole and streamed, of the pieces of Claude."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.simulators.claude.answers.message_stream import events
from conformance.simulators.claude.answers.messages import blocks_of_turn
from conformance.simulators.claude.framing import frame
from conformance.simulators.generation import Finish, Tool, Wish, count_tokens, generate
from conformance.simulators.ollama.models import StoredModel
from conformance.simulators.openai.answers.common import text_of
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
    whole = {
        "id": f"msg_{call.nonce}",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": blocks_of_turn(call.nonce, turn),
        "stop_reason": _STOPS.get(turn.finish, "end_turn"),
        "stop_sequence": turn.stop_sequence,
        "usage": {"input_tokens": asked, "output_tokens": turn.count},
    }
    if not body.get("stream"):
        return Answer(payload=whole)
    stream = Stream(list(events(whole, ping=False)), frame, error=_error_event, pings=_PINGS)
    return Answer(stream=stream, content_type="text/event-stream")


_PINGS = (Event({"type": "ping"}, part=Part.EXTRA),)


def _error_event(status: int, code: str | None, message: str | None, sent: int) -> Sequence[Event]:
    return (Event(_error(status, "api_error", message or "something went wrong").payload, part=Part.CLOSING),)
