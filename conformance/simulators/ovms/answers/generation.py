"""``/v3/chat/completions``, ``/v3/completions`` and ``/v3/responses``, of OpenAI's pieces: without ids, with a handshake."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from conformance.simulators.generation import count_tokens
from conformance.simulators.openai.answers import completions, responses
from conformance.simulators.openai.answers.chat import turns_of, whole
from conformance.simulators.openai.answers.chat_parts import Style
from conformance.simulators.openai.answers.chat_stream import events
from conformance.simulators.openai.answers.common import tokens_of_prompt
from conformance.simulators.openai.answers.responses_stream import replay
from conformance.simulators.openai.framing import data_only, sse
from conformance.simulators.openai.models import ModelKind
from conformance.simulators.ovms.answers.common import as_openai, graph_of, served
from conformance.simulators.ovms.errors import problem_answer
from conformance.simulators.ovms.models import Graph
from conformance.simulators.provider import Answer, Call, Event, Part, Stream

__all__ = ["chat", "complete", "respond"]

_STYLE = Style(fingerprint=None, message={}, first_delta={"role": "assistant", "content": None}, obfuscate=False)
_RESPONSE_FIELDS = (
    *("id", "object", "created_at", "error", "model", "status", "parallel_tool_calls", "store", "text", "tool_choice"),
    *("tools", "output", "usage", "incomplete_details", "max_output_tokens", "temperature", "top_p"),
)


def _bare(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The object without what this server does not send."""
    return {name: value for name, value in payload.items() if name not in ("id", "system_fingerprint")}


def _refused_sampling(body: Mapping[str, Any]) -> Answer | None:
    if body.get("stream") and body.get("include_stop_str_in_output") is False:
        text = "include_stop_str_in_output cannot be set to false if streaming is used"
        return problem_answer(400, f"Mediapipe execution failed. MP status - INVALID_ARGUMENT: {text}")
    return None


def chat(call: Call) -> Answer:
    """``POST /v3/chat/completions``."""
    graph = graph_of(call, ModelKind.CHAT)
    if isinstance(graph, Answer):
        return graph
    body = call.body
    refusal = _refused_sampling(body)
    if refusal is not None:
        return refusal
    asked = tokens_of_prompt(body["messages"]) + count_tokens(str(body.get("tools") or ""))
    if asked > graph.size:
        text = f"Number of prompt tokens: {asked} exceeds model max length: {graph.size}"
        return problem_answer(400, f"Mediapipe execution failed. MP status - INVALID_ARGUMENT: {text}")
    turns = turns_of(body, call.nonce)
    said = sum(turn.count for turn in turns)
    usage = {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}
    if body.get("stream"):
        return sse(Stream(list(_told(call, graph, events(call, turns, usage, _STYLE))), data_only))
    payload = _bare(whole(call, turns, usage, _STYLE))
    if graph.thinks:
        payload["choices"][0]["message"]["reasoning_content"] = _thought(call)
    return Answer(payload=payload)


def _thought(call: Call) -> str:
    return f"{call.nonce} was thought about."


def _told(call: Call, graph: Graph, chunks: Iterator[Event]) -> Iterator[Event]:
    """The chunks as this server sends them: no ids, and no ``logprobs`` in the handshake."""
    for event in chunks:
        if event.payload is None:
            yield event
            continue
        payload = _bare(event.payload)
        if event.part is Part.OPENING:
            choice = {name: value for name, value in payload["choices"][0].items() if name != "logprobs"}
            payload["choices"] = [choice]
        yield replace(event, payload=payload)
        if event.part is Part.OPENING and graph.thinks:
            delta = {
                "index": 0,
                "logprobs": None,
                "delta": {"reasoning_content": _thought(call)},
                "finish_reason": None,
            }
            yield Event({**payload, "choices": [delta]}, part=Part.OPENING)


def complete(call: Call) -> Answer:
    """``POST /v3/completions``: one prompt."""
    graph = graph_of(call, ModelKind.CHAT)
    if isinstance(graph, Answer):
        return graph
    refusal = _refused_sampling(call.body)
    if refusal is not None:
        return refusal
    answer = completions.answer_with(call, [call.body["prompt"]], call.body.get("max_tokens"), {})
    if answer.stream is None:
        return replace(answer, payload=_bare(answer.payload))
    chunks = [
        event if event.payload is None else replace(event, payload=_chunk(event.payload))
        for event in answer.stream.events
    ]
    return replace(answer, stream=replace(answer.stream, events=chunks))


def _chunk(payload: Mapping[str, Any]) -> dict[str, Any]:
    return {**_bare(payload), "object": "text_completion.chunk"}


def respond(call: Call) -> Answer:
    """``POST /v3/responses``; nothing is stored, although the answer says so."""
    graph = graph_of(call, ModelKind.CHAT)
    if isinstance(graph, Answer):
        return graph
    refusal = _refused_sampling(call.body)
    if refusal is not None:
        return refusal
    answer = responses.create(as_openai(call, ModelKind.CHAT, graph.size, stream=False))
    if answer.status >= 400:
        return served(answer)
    payload = {name: answer.payload[name] for name in _RESPONSE_FIELDS}
    if payload["incomplete_details"] is not None:
        payload["incomplete_details"] = {"reason": "max_tokens"}
    if call.body.get("stream"):
        return served(replay(payload, obfuscate=False))
    return Answer(payload=payload)
