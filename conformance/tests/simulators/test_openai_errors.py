"""What the simulated OpenAI refuses, and how the official client sees refusals and retries."""

from __future__ import annotations

import json
import warnings

import openai
import pytest
from simulator_wire import CHAT, PATH, ask, exchange, request_bytes

from conformance.simulators import Fault, Simulator
from conformance.simulators.faults import CutBeforeTerminator, ErrorEvent, Html, Pings, Status

MODEL = "gpt-6-luna"
ASK = [{"role": "user", "content": "hi"}]
TOOL = {"type": "function", "function": {"name": "f"}}


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"zork": 1}, "unknown_parameter", "zork"),
        ({"temperature": 2.5}, "decimal_above_max_value", "temperature"),
        ({"temperature": "hot"}, "invalid_type", "temperature"),
        ({"n": 0}, "integer_below_min_value", "n"),
        ({"n": True}, "invalid_type", "n"),
        ({"stop": ["a"] * 5}, "too_long", "stop"),
        ({"messages": []}, "too_short", "messages"),
        ({"messages": None}, "invalid_type", "messages"),
        ({"messages": [{"role": "wizard", "content": "x"}]}, "invalid_value", "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "missing_required_parameter", "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "missing_required_parameter", None),
        ({"reasoning_effort": "huge"}, "invalid_value", "reasoning_effort"),
        ({"logit_bias": {"x": 1}}, "invalid_value", "logit_bias.x"),
        ({"top_logprobs": 2}, None, "top_logprobs"),
        ({"stream_options": {"include_usage": True}}, None, "stream_options"),
        ({"tool_choice": "auto"}, None, "tool_choice"),
        ({"tools": [{"type": "function", "function": {"name": "no spaces"}}]}, "invalid_value", None),
        ({"metadata": {"k" * 65: "v"}}, "too_long", None),
        ({"modalities": ["text", "audio"]}, "missing_required_parameter", "audio"),
        ({"messages": [*ASK, {"role": "tool", "content": "x", "tool_call_id": "call_1"}]}, None, "messages.[1].role"),
    ],
)
async def test_bodies_outside_the_tables_get_400(sim: Simulator, change: dict, code: str | None, param: str) -> None:
    wire = await ask(sim, {**CHAT, **change})
    error = json.loads(wire.body)["error"]
    assert (wire.status, error["type"], error["code"]) == (400, "invalid_request_error", code)
    assert param is None or error["param"] == param
    assert sim.requests[0].problem


async def test_bodies_that_are_no_json(sim: Simulator) -> None:
    for body in (b"{", b"[]", b'{"model": NaN}', b"\xff", b"[" * 100_000):
        assert (await ask(sim, body)).status == 400
    lines = ("content-type: text/plain", "content-length: 2")
    assert (await exchange(sim, request_bytes(PATH, headers=lines) + b"{}")).status == 400


async def test_models_keys_and_paths(sim: Simulator, client: openai.AsyncOpenAI) -> None:
    for model in ("gone", "gpt-4", "dall-e-3"):
        with pytest.raises(openai.NotFoundError) as info:
            await client.chat.completions.create(model=model, messages=ASK)
        assert info.value.code == "model_not_found"
    with pytest.raises(openai.NotFoundError, match="not a chat model"):
        await client.chat.completions.create(model="text-embedding-3-small", messages=ASK)
    with pytest.raises(openai.BadRequestError) as limit:
        await client.chat.completions.create(model="o3", messages=ASK, max_tokens=3)
    assert limit.value.code == "unsupported_parameter"
    with pytest.raises(openai.BadRequestError) as long:
        await client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "word " * 130_000}])
    assert long.value.code == "context_length_exceeded"
    with pytest.raises(openai.AuthenticationError) as key:
        await client.with_options(api_key="sk-invalid-1").models.list()
    assert (key.value.code, key.value.request_id) == ("invalid_api_key", f"req_{sim.requests[-1].nonce}")
    bare = await exchange(sim, b"GET /openai/v1/models HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    assert (bare.status, sim.requests[-1].key_fingerprint) == (401, "")
    lost = await ask(sim, path="/openai/v1/chat/complete")
    assert (lost.status, b"POST /v1/chat/completions" in lost.body) == (404, True)
    assert (await ask(sim, None, "/openai/v1/chat/completions", method="PUT")).status == 405
    nowhere = await ask(sim, path="/v1/chat/completions")
    assert (nowhere.status, sim.requests[-1].provider) == (404, "")


async def test_dead_endpoints(client: openai.AsyncOpenAI) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        with pytest.raises(openai.NotFoundError):
            await client.beta.assistants.list()
        with pytest.raises(openai.NotFoundError):
            await client.beta.threads.create()
        with pytest.raises(openai.BadRequestError):
            await client.images.create_variation(image=("a.png", b"\x89PNG\r\n\x1a\n"))


async def test_every_answer_carries_limits_and_an_id(sim: Simulator) -> None:
    for wire in (await ask(sim), await ask(sim, {"model": MODEL}), await ask(sim, path="/openai/v1/nope")):
        assert wire.headers["x-ratelimit-remaining-requests"] == "9999"
        assert wire.headers["x-request-id"].startswith("req_")


async def test_the_official_client_retries_what_it_should(sim: Simulator, client: openai.AsyncOpenAI) -> None:
    patient = client.with_options(max_retries=2)
    soon = (("retry-after-ms", "1"),)
    for status in (408, 409, 429, 500, 503):
        sim.reset()
        sim.script(Fault(Status(status, headers=soon), nth=(1, 2)))
        reply = await patient.chat.completions.create(model=MODEL, messages=ASK)
        assert reply.choices[0].message.content.startswith(sim.requests[2].nonce)
        assert [seen.header("x-stainless-retry-count") for seen in sim.requests] == ["0", "1", "2"]
        assert sim.unfired() == []
    for status, kind in ((400, openai.BadRequestError), (403, openai.PermissionDeniedError), (422, None)):
        sim.reset()
        sim.script(Fault(Status(status)))
        with pytest.raises(kind or openai.UnprocessableEntityError):
            await patient.chat.completions.create(model=MODEL, messages=ASK)
        assert len(sim.requests) == 1


async def test_quota_pages_and_stream_errors(sim: Simulator, client: openai.AsyncOpenAI) -> None:
    sim.script(Fault(Status(429, code="insufficient_quota"), nth=1), Fault(Html(502), nth=2))
    with pytest.raises(openai.RateLimitError) as quota:
        await client.chat.completions.create(model=MODEL, messages=ASK)
    assert (quota.value.code, quota.value.type) == ("insufficient_quota", "insufficient_quota")
    with pytest.raises(openai.InternalServerError) as page:
        await client.chat.completions.create(model=MODEL, messages=ASK)
    assert page.value.response.text.startswith("<html>")
    sim.script(Fault(ErrorEvent(after_events=2, message="broke")))
    stream = await client.chat.completions.create(model=MODEL, messages=ASK, stream=True)
    first = [await anext(stream) for _ in range(3)]
    assert first[1].choices[0].delta.content == sim.requests[2].nonce
    with pytest.raises(openai.APIError, match="broke"):
        await anext(stream)


async def test_responses_have_their_own_error_event_and_noise(sim: Simulator, client: openai.AsyncOpenAI) -> None:
    sim.script(Fault(ErrorEvent(after_events=1, code="server_error")), Fault(Pings()))
    stream = await client.responses.create(model=MODEL, input="hi", stream=True)
    events = [event async for event in stream if event.type != "keepalive"]
    assert (events[-1].type, events[-1].code, events[-1].sequence_number) == ("error", "server_error", 5)
    sim.reset()
    sim.script(Fault(CutBeforeTerminator()))
    stream = await client.responses.create(model=MODEL, input="hi", stream=True)
    assert [event.type async for event in stream][-1] == "response.output_item.done"
    assert sim.unfired() == []
