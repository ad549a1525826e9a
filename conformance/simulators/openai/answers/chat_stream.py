"""A chat answer as the chunks of its stream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from conformance.simulators.generation import Finish, Turn, tokenise
from conformance.simulators.openai.answers.chat_parts import FINISH, Style, base_of, calls_of, logprobs_of, sound_of
from conformance.simulators.openai.framing import DONE
from conformance.simulators.provider import Call, Event, Part

__all__ = ["events"]


def events(call: Call, turns: Sequence[Turn], usage: Mapping[str, Any], style: Style) -> Iterator[Event]:
    """The answer as chunks: role, content, finish, usage when asked for, ``[DONE]``."""
    options = call.body.get("stream_options") or {}
    base = base_of(call, style, "chat.completion.chunk")
    padded = style.obfuscate and options.get("include_obfuscation") is not False
    counts = bool(options.get("include_usage"))

    def chunk(
        index: int, delta: Mapping[str, Any], part: Part, finish: str | None = None, logprobs: Any = None
    ) -> Event:
        choice = {"index": index, "delta": dict(delta), "logprobs": logprobs, "finish_reason": finish}
        payload: dict[str, Any] = {**base, "choices": [choice]}
        if counts:
            payload["usage"] = None
        if padded:
            payload["obfuscation"] = (call.nonce * 2)[: 4 + len(str(delta)) % 13]
        return Event(payload, part=part)

    for index in range(len(turns)):
        yield chunk(index, style.first_delta, Part.OPENING)
    for index, turn in enumerate(turns):
        yield from (chunk(index, delta, Part.CONTENT, logprobs=logprobs) for delta, logprobs in _deltas(call, turn))
        finish = "function_call" if turn.tool_uses and call.body.get("functions") else FINISH[turn.finish]
        yield chunk(index, {}, Part.CLOSING, finish)
    if counts:
        yield Event({**base, "choices": [], "usage": dict(usage)}, part=Part.CLOSING)
    yield DONE


def _deltas(call: Call, turn: Turn) -> Iterator[tuple[dict[str, Any], Any]]:
    body = call.body
    if turn.tool_uses:
        yield from ((delta, None) for delta in _call_deltas(call, turn))
        return
    if "audio" in (body.get("modalities") or ()):
        sound = sound_of(call, turn)
        yield {"audio": {"id": sound["id"]}}, None
        for token in turn.tokens:
            yield {"audio": {"transcript": token}}, None
        half = len(sound["data"]) // 8 * 4
        yield {"audio": {"data": sound["data"][:half]}}, None
        yield {"audio": {"data": sound["data"][half:], "expires_at": sound["expires_at"]}}, None
        return
    name = "refusal" if turn.finish is Finish.REFUSAL else "content"
    for token in turn.tokens:
        logprobs = None
        if body.get("logprobs"):
            logprobs = {"content": None, "refusal": None, name: [logprobs_of(token, body.get("top_logprobs") or 0)]}
        yield {name: token}, logprobs


def _call_deltas(call: Call, turn: Turn) -> Iterator[dict[str, Any]]:
    for index, whole_call in enumerate(calls_of(call, turn)):
        kind = whole_call["type"]
        inner = whole_call[kind]
        text = "input" if kind == "custom" else "arguments"
        if call.body.get("functions"):
            yield {"function_call": {"name": inner["name"], "arguments": ""}}
            yield from ({"function_call": {"arguments": piece}} for piece in tokenise(inner["arguments"]))
            continue
        yield {"tool_calls": [{"index": index, **whole_call, kind: {**inner, text: ""}}]}
        for piece in tokenise(inner[text]):
            yield {"tool_calls": [{"index": index, kind: {text: piece}}]}
