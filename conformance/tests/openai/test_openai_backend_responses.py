"""The Responses API against the simulator, and its error events from answers written here."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from backends import OpenAI, errors
from conformance.simulators.faults import CutBeforeTerminator, ErrorEvent, Fault
from conformance.simulators.server import Simulator

MODEL = "gpt-6-luna"
WEATHER = {
    "type": "function",
    "name": "weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "strict": True,
}


def sse(*events: dict[str, Any]) -> bytes:
    return b"".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events)


def streaming(*events: dict[str, Any]) -> Callable[[httpx.Request], httpx.Response]:
    return lambda request: httpx.Response(
        200, headers={"content-type": "text/event-stream"}, content=sse(*events), request=request
    )


async def gather(stream: Any, into: list[str]) -> None:
    async for chunk in stream:
        into.append(chunk.text)


async def test_a_response_and_its_life_at_the_provider(sim: Simulator, backend: OpenAI) -> None:
    reply = await backend.aresponses("hello", model=MODEL, instructions="Be brief.", max_output_tokens=500)
    assert sim.requests[0].json == {
        "input": "hello",
        "instructions": "Be brief.",
        "max_output_tokens": 500,
        "model": MODEL,
    }
    assert sim.requests[0].nonce in reply.text
    assert (reply.status, reply.finish_reason) == ("completed", "stop")
    assert reply.id == reply.raw["id"]
    assert reply.usage.total_tokens == reply.usage.input_tokens + reply.usage.output_tokens
    assert reply.output == tuple(reply.raw["output"])
    again = await backend.aget_response(reply.id)
    assert again.text == reply.text
    items = await backend.alist_input_items(reply.id, order="asc", limit=1).collect()
    assert len(items) == 1
    gone = await backend.adelete_response(reply.id)
    assert gone.deleted
    with pytest.raises(errors.NotFoundError):
        await backend.aget_response(reply.id)


async def test_items_tools_and_formats(sim: Simulator, backend: OpenAI) -> None:
    items = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "input_text", "text": "Weather?"}]},
    ]
    called = await backend.aresponses(items, model=MODEL, tools=[WEATHER], tool_choice="required")
    assert called.finish_reason == "tool_calls"
    call = called.tool_calls[0]
    assert call.name == "weather"
    assert isinstance(json.loads(call.arguments), dict)
    answered = [
        *items,
        *called.output,
        {"type": "function_call_output", "call_id": call.id, "output": '{"celsius": 7}'},
    ]
    assert (await backend.aresponses(answered, model=MODEL, tools=[WEATHER])).status == "completed"
    shape = {"type": "json_schema", "name": "n", "schema": {"type": "object", "properties": {"n": {"type": "integer"}}}}
    shaped = await backend.aresponses("one", model=MODEL, text={"format": shape})
    assert isinstance(json.loads(shaped.text), dict)
    counted = await backend.acount_input_tokens(items, model=MODEL)
    assert counted.tokens > 0
    assert not counted.estimated


async def test_a_stream_of_text_and_of_calls(sim: Simulator, backend: OpenAI) -> None:
    stream = backend.astream_responses("hello", model=MODEL)
    chunks = [chunk async for chunk in stream]
    assert "".join(chunk.text for chunk in chunks) == stream.reply.text
    assert sim.requests[0].nonce in stream.reply.text
    assert chunks[-1].usage == stream.reply.usage
    assert chunks[-1].finish_reason == stream.reply.finish_reason == "stop"
    assert stream.reply.raw == chunks[-1].raw["response"]
    stream = backend.astream_responses("hello", model=MODEL, tools=[WEATHER], tool_choice="required")
    pieces = [piece async for chunk in stream for piece in chunk.tool_calls]
    call = stream.reply.tool_calls[0]
    assert "".join(piece.arguments for piece in pieces if piece.index == pieces[0].index) == call.arguments
    assert (pieces[0].id, pieces[0].name) == (call.id, call.name)
    assert stream.reply.finish_reason == "tool_calls"


async def test_background_work_can_be_stopped(sim: Simulator, backend: OpenAI) -> None:
    queued = await backend.aresponses("long work", model=MODEL, background=True)
    assert queued.status in ("queued", "in_progress")
    assert queued.finish_reason is None
    stopped = await backend.acancel_response(queued.id)
    assert stopped.status == "cancelled"


async def test_an_error_event_is_typed(sim: Simulator, backend: OpenAI) -> None:
    sim.script(Fault(ErrorEvent(after_events=1, status=500), path="*/responses", nth=1))
    stream = backend.astream_responses("hello", model=MODEL)
    got: list[str] = []
    with pytest.raises(errors.StreamInterruptedError) as caught:
        await gather(stream, got)
    assert caught.value.partial == "".join(got)
    assert not sim.unfired()


async def test_a_stream_without_its_end_is_cut_short(sim: Simulator, backend: OpenAI) -> None:
    sim.script(Fault(CutBeforeTerminator(closing=True), path="*/responses"))
    with pytest.raises(errors.StreamInterruptedError) as caught:
        await backend.astream_responses("hello", model=MODEL).collect()
    assert caught.value.code == "cut_short"
    assert caught.value.partial
    assert not sim.unfired()


FAILED = {"id": "resp_1", "status": "failed", "output": [], "error": {"code": "server_error", "message": "It broke."}}


@pytest.mark.parametrize(
    ("event", "kind", "code"),
    [
        (
            {"type": "error", "code": "server_error", "message": "It broke.", "param": None},
            errors.ServerError,
            "server_error",
        ),
        (
            {"type": "error", "error": {"message": "It broke.", "type": "server_error"}},
            errors.ServerError,
            "server_error",
        ),
        ({"type": "response.failed", "response": FAILED}, errors.ServerError, "server_error"),
        (
            {"type": "error", "code": "context_length_exceeded", "message": "It broke."},
            errors.ContextLengthError,
            "context_length_exceeded",
        ),
        ({"type": "response.failed", "response": {}}, errors.ServerError, None),
    ],
)
async def test_each_kind_of_error_event_before_content(
    answering: Callable[..., OpenAI], event: dict[str, Any], kind: type[errors.BackendError], code: str | None
) -> None:
    backend = answering(streaming({"type": "response.created", "response": {}}, event), max_retries=0)
    with pytest.raises(kind) as caught:
        await backend.astream_responses("x", model=MODEL).collect()
    assert type(caught.value) is kind
    assert caught.value.code == code
    await backend.aclose()


async def test_a_failed_response_raises_when_made_and_not_when_asked_for(answering: Callable[..., OpenAI]) -> None:
    backend = answering(FAILED, max_retries=0)
    with pytest.raises(errors.ServerError, match=r"It broke\.") as caught:
        await backend.aresponses("x", model=MODEL)
    assert caught.value.status == 500
    stored = await backend.aget_response("resp_1")
    assert (stored.status, stored.error["code"], stored.finish_reason) == ("failed", "server_error", "failed")
    await backend.aclose()


async def test_reasoning_refusals_and_incomplete_answers(answering: Callable[..., OpenAI]) -> None:
    body = {
        "id": "resp_1",
        "status": "incomplete",
        "incomplete_details": {"reason": "max_output_tokens"},
        "model": MODEL,
        "output": [
            {"type": "reasoning", "summary": [{"text": "First."}, {"text": "Second."}]},
            {"type": "message", "content": [{"type": "refusal", "refusal": "No."}]},
            {"type": "custom_tool_call", "call_id": "c1", "name": "shell", "input": "ls"},
            {"type": "something_new", "x": 1},
        ],
        "usage": {
            "input_tokens": 5,
            "input_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 1},
            "output_tokens": 7,
            "output_tokens_details": {"reasoning_tokens": 4},
            "total_tokens": 12,
        },
    }
    backend = answering(body)
    reply = await backend.aresponses("x")
    assert reply.reasoning == "First.\n\nSecond."
    assert reply.refusal == "No."
    assert reply.finish_reason == "length"
    assert [(call.id, call.name, call.arguments, call.type) for call in reply.tool_calls] == [
        ("c1", "shell", "ls", "custom")
    ]
    usage = reply.usage
    assert (usage.cached_tokens, usage.cache_write_tokens, usage.reasoning_tokens) == (2, 1, 4)
    assert reply.raw == body
    await backend.aclose()
