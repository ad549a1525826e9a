"""Two official clients against the simulated TGI server: huggingface_hub and, for ``/v1``, openai."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import huggingface_hub
import openai
import pytest
from hf_tgi_bench import ASK, SCHEMA, TOOL
from huggingface_hub.errors import (
    GenerationError,
    HfHubHTTPError,
    IncompleteGenerationError,
    OverloadedError,
    UnknownError,
    ValidationError,
)

from conformance.simulators import Fault, Simulator
from conformance.simulators.faults import ErrorEvent, Pings, Status


@pytest.fixture
async def hub(sim: Simulator) -> AsyncIterator[huggingface_hub.AsyncInferenceClient]:
    async with huggingface_hub.AsyncInferenceClient(model=sim.base_url("hf_tgi"), token="hf_key") as client:
        yield client


@pytest.fixture
def plain(sim: Simulator) -> Iterator[huggingface_hub.InferenceClient]:
    with huggingface_hub.InferenceClient(sim.base_url("hf_tgi"), provider="hf-inference", token="hf_key") as client:
        yield client
    huggingface_hub.close_session()


@pytest.fixture
async def side(sim: Simulator) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(api_key="key", base_url=sim.base_url("hf_tgi") + "/v1", max_retries=0) as client:
        yield client


def unused(sim: Simulator, text: str) -> str:
    for seen in sim.requests:
        text = text.replace(seen.nonce, "")
    return text


async def test_hub_generation(sim: Simulator, hub: huggingface_hub.AsyncInferenceClient) -> None:
    text = await hub.text_generation("Say hi.", max_new_tokens=40)
    whole = await hub.text_generation(
        "Say hi.", details=True, decoder_input_details=True, top_n_tokens=2, best_of=2, do_sample=True
    )
    stream = await hub.text_generation("Say hi.", details=True, stream=True, max_new_tokens=40)
    events = [event async for event in stream]
    pieces = [piece async for piece in await hub.text_generation("Say hi.", stream=True, max_new_tokens=40)]
    assert text.startswith(sim.requests[0].nonce)
    assert whole.details.finish_reason == "eos_token"
    assert whole.details.generated_tokens == len(whole.details.tokens) == len(whole.details.top_tokens)
    assert whole.details.prefill[0].logprob is None
    assert len(whole.details.best_of_sequences) == 1
    assert [event.index for event in events] == list(range(1, len(events) + 1))
    assert "".join(event.token.text for event in events if not event.token.special) == events[-1].generated_text
    assert events[-1].details.generated_tokens == len(events)
    assert unused(sim, "".join(pieces)).removesuffix("</s>") == unused(sim, text)
    assert {seen.path for seen in sim.requests} == {"/"}
    assert all(seen.problem is None and seen.key_fingerprint for seen in sim.requests)


async def test_hub_generation_synchronously(sim: Simulator, plain: huggingface_hub.InferenceClient) -> None:
    def work() -> tuple[str, str, dict[str, Any], bool]:
        text = plain.text_generation("hello", stop=["naïve"], return_full_text=True)
        streamed = "".join(plain.text_generation("hello", stream=True, top_n_tokens=1))
        return text, streamed, plain.get_endpoint_info(), plain.health_check()

    text, streamed, info, healthy = await asyncio.to_thread(work)
    assert text.startswith("hello" + sim.requests[0].nonce)
    assert text.endswith("naïve")
    assert streamed.endswith("🙂.</s>")
    assert (info["model_id"], info["router"], healthy) == ("simulated/tiny-instruct", "text-generation-router", True)


async def test_hub_chat(sim: Simulator, hub: huggingface_hub.AsyncInferenceClient) -> None:
    whole = await hub.chat_completion(ASK, max_tokens=50, stop=["###"], seed=3, temperature=0.5, top_p=0.9)
    assert whole.choices[0].message.content.startswith(sim.requests[0].nonce)
    assert (whole.id, whole.choices[0].finish_reason) == ("", "stop")
    stream = await hub.chat_completion(ASK, stream=True, stream_options={"include_usage": True}, logprobs=True)
    chunks = [chunk async for chunk in stream]
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert unused(sim, text) == unused(sim, whole.choices[0].message.content)
    assert chunks[-1].usage.total_tokens == whole.usage.total_tokens
    assert {chunk.choices[0].delta.role for chunk in chunks[:-1]} == {"assistant"}
    assert sim.requests[0].json["model"] == "dummy"


async def test_hub_tools_and_schemas(sim: Simulator, hub: huggingface_hub.AsyncInferenceClient) -> None:
    called = await hub.chat_completion(ASK, tools=[TOOL], tool_choice="auto")
    (call,) = called.choices[0].message.tool_calls
    assert (call.id, call.function.name) == ("0", "weather")
    assert json.loads(call.function.arguments) == {"city": sim.requests[0].nonce}
    assert called.choices[0].finish_reason == "stop"
    shaped = await hub.chat_completion(
        ASK, response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}
    )
    assert json.loads(shaped.choices[0].message.content) == {"city": sim.requests[1].nonce}
    assert sim.requests[1].json["response_format"] == {"type": "json_object", "value": SCHEMA}


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (422, None, ValidationError),
        (424, None, GenerationError),
        (429, "overloaded", OverloadedError),
        (500, None, IncompleteGenerationError),
        (500, "something_else", UnknownError),
    ],
)
async def test_hub_errors(
    sim: Simulator, hub: huggingface_hub.AsyncInferenceClient, status: int, code: str | None, kind: type[Exception]
) -> None:
    sim.script(Fault(Status(status, code=code), nth=1))
    with pytest.raises(kind):
        await hub.text_generation("hello")
    sim.script(Fault(ErrorEvent(after_events=2, status=status, code=code), nth=1))
    stream = await hub.text_generation("hello", stream=True)
    seen = []
    with pytest.raises(kind):
        await _drained(stream, seen)
    assert len(seen) == 2


async def test_hub_chat_errors(sim: Simulator, hub: huggingface_hub.AsyncInferenceClient) -> None:
    for status in (401, 413, 422, 429):
        sim.script(Fault(Status(status), nth=1))
        with pytest.raises(HfHubHTTPError) as caught:
            await hub.chat_completion(ASK)
        assert caught.value.response.status_code == status
    sim.script(Fault(ErrorEvent(after_events=1), nth=1))
    with pytest.raises(UnknownError, match="http_status_code"):
        await _drained(await hub.chat_completion(ASK, stream=True), [])


async def test_hub_validation(sim: Simulator, hub: huggingface_hub.AsyncInferenceClient) -> None:
    for options in (
        {"temperature": 0.0},
        {"top_p": 1.0},
        {"stop": ["a"] * 5},
        {"best_of": 2},
        {"top_n_tokens": 6},
        {"max_new_tokens": 0},
    ):
        with pytest.raises(ValidationError, match="Input validation error"):
            await hub.text_generation("hello", **options)
    with pytest.raises(ValidationError, match="when streaming"):
        await _drained(await hub.text_generation("hello", best_of=2, do_sample=True, stream=True), [])
    assert [seen.status for seen in sim.requests] == [422] * 6 + [200]


async def test_hub_ignores_comments(sim: Simulator, hub: huggingface_hub.AsyncInferenceClient) -> None:
    sim.script(Fault(Pings()))
    pieces = [piece async for piece in await hub.text_generation("hello", stream=True)]
    chunks = [chunk async for chunk in await hub.chat_completion(ASK, stream=True)]
    assert pieces[-1] == "</s>"
    assert chunks[-1].choices[0].finish_reason == "stop"


async def _drained(stream: Any, into: list[Any]) -> None:
    async for piece in stream:
        into.append(piece)


async def test_openai_chat(sim: Simulator, side: openai.AsyncOpenAI) -> None:
    whole = await side.chat.completions.create(model="tgi", messages=ASK, max_completion_tokens=60, logprobs=True)
    stream = await side.chat.completions.create(
        model="tgi", messages=ASK, stream=True, max_tokens=60, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert unused(sim, text) == unused(sim, whole.choices[0].message.content)
    assert len(whole.choices[0].logprobs.content) == whole.usage.completion_tokens
    assert (chunks[-1].choices, chunks[-1].usage.total_tokens) == ([], whole.usage.total_tokens)
    assert whole.system_fingerprint == "3.3.7-native"


async def test_openai_tools_streamed_and_answered(sim: Simulator, side: openai.AsyncOpenAI) -> None:
    stream = await side.chat.completions.create(model="tgi", messages=ASK, tools=[TOOL], stream=True)
    pieces = [piece async for piece in stream]
    calls = [piece.choices[0].delta.tool_calls[0] for piece in pieces if piece.choices[0].delta.tool_calls]
    assert (calls[0].function.name, calls[0].function.arguments) == ("weather", "{")
    assert {call.function.name for call in calls[1:]} == {None}
    arguments = "".join(call.function.arguments for call in calls)
    assert json.loads(arguments) == {"city": sim.requests[0].nonce}
    whole = await side.chat.completions.create(model="tgi", messages=ASK, tools=[TOOL], tool_choice="weather")
    message = whole.choices[0].message.model_dump(exclude_unset=True)
    assert "content" not in message
    history = [*ASK, message, {"role": "tool", "tool_call_id": "0", "content": "sunny"}]
    last = await side.chat.completions.create(model="tgi", messages=history, tools=[TOOL])
    assert last.choices[0].message.content.startswith(sim.requests[2].nonce)


async def test_openai_completions_and_models(sim: Simulator, side: openai.AsyncOpenAI) -> None:
    both = await side.completions.create(model="tgi", prompt=["hello", "there"], max_tokens=4)
    assert [choice.finish_reason for choice in both.choices] == ["length", "length"]
    assert both.usage.completion_tokens == 8
    pieces = [piece async for piece in await side.completions.create(model="tgi", prompt="hello", stream=True)]
    assert [piece.choices[0].finish_reason for piece in pieces] == [""] * (len(pieces) - 1) + ["eos_token"]
    assert pieces[-1].usage.completion_tokens == len(pieces)
    with pytest.raises(openai.UnprocessableEntityError) as caught:
        await side.completions.create(model="tgi", prompt="hello", suffix="end")
    assert caught.value.response.json()["error"] == "Input validation error: suffix not supported"
    listed = await side.models.list()
    assert [(model.id, model.created) for model in listed.data] == [("simulated/tiny-instruct", 0)]


async def test_openai_errors(sim: Simulator, side: openai.AsyncOpenAI) -> None:
    grammar = {"type": "json_object", "value": SCHEMA}
    for options, said in (
        ({"stop": "END"}, "stop: invalid type: a string, expected an array"),
        ({"response_format": {"type": "json_schema", "json_schema": {"name": "x"}}}, "Failed to deserialize"),
        ({"response_format": grammar, "tools": [TOOL]}, "Tool error: Grammar and tools are mutually exclusive"),
        ({"tools": [TOOL], "tool_choice": "other"}, "Tool error: Tool choice not found: other"),
    ):
        with pytest.raises(openai.UnprocessableEntityError) as caught:
            await side.chat.completions.create(model="tgi", messages=ASK, **options)
        assert said in caught.value.response.text
    sim.script(Fault(ErrorEvent(after_events=1), nth=1))
    stream = await side.chat.completions.create(model="tgi", messages=ASK, stream=True)
    with pytest.raises(openai.APIError, match="Incomplete generation"):
        await _drained(stream, [])
    refused = side.with_options(api_key="invalid")
    with pytest.raises(openai.AuthenticationError):
        await refused.chat.completions.create(model="tgi", messages=ASK)
    assert [model.id for model in (await refused.models.list()).data] == ["simulated/tiny-instruct"]
