"""Chat, driven by the official client."""

from __future__ import annotations

import asyncio
import json

import openai
import pydantic
import pytest
from openai.lib.streaming.chat import ContentDeltaEvent
from simulator_wire import KEY

from conformance.simulators import Simulator

MODEL = "gpt-6-luna"
ASK = [{"role": "user", "content": "Name a prime."}]


def tool(name: str) -> dict:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    return {"type": "function", "function": {"name": name, "parameters": schema}}


async def test_an_answer_carries_the_nonce_and_counts_tokens(sim: Simulator, client: openai.AsyncOpenAI) -> None:
    reply = await client.chat.completions.create(model=MODEL, messages=ASK, seed=7, temperature=0.5)
    seen = sim.requests[0]
    assert reply.choices[0].message.content.startswith(seen.nonce)
    assert reply._request_id == f"req_{seen.nonce}"
    assert reply.choices[0].finish_reason == "stop"
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens
    assert seen.json["seed"] == 7


def test_the_sync_client_gets_the_same(sim: Simulator) -> None:
    async def both() -> None:
        async with Simulator(["openai"]) as other:

            def ask() -> str | None:
                with openai.OpenAI(api_key=KEY, base_url=other.base_url("openai")) as client:
                    whole = client.chat.completions.create(model=MODEL, messages=ASK).choices[0].message.content
                    pieces = client.chat.completions.create(model=MODEL, messages=ASK, stream=True)
                    text = "".join(chunk.choices[0].delta.content or "" for chunk in pieces)
                    assert whole[10:] == text[10:]
                    return whole

            text = await asyncio.to_thread(ask)
            assert text.startswith(other.requests[0].nonce)

    asyncio.run(both())


async def test_a_stream_joins_to_the_text_and_ends_with_usage(sim: Simulator, client: openai.AsyncOpenAI) -> None:
    whole = await client.chat.completions.create(model=MODEL, messages=ASK)
    stream = await client.chat.completions.create(
        model=MODEL, messages=ASK, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks[:-1])
    first, second = (seen.nonce for seen in sim.requests)
    assert text == whole.choices[0].message.content.replace(first, second)
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage == whole.usage
    assert not chunks[-1].choices


async def test_parallel_tools_whole_and_streamed_and_answered(sim: Simulator, client: openai.AsyncOpenAI) -> None:
    tools = [tool("weather"), tool("clock")]
    whole = await client.chat.completions.create(model=MODEL, messages=ASK, tools=tools)
    message = whole.choices[0].message
    assert whole.choices[0].finish_reason == "tool_calls"
    assert [call.function.name for call in message.tool_calls] == ["weather", "clock"]
    assert json.loads(message.tool_calls[0].function.arguments) == {"city": sim.requests[0].nonce}
    stream = await client.chat.completions.create(model=MODEL, messages=ASK, tools=tools, stream=True)
    pieces = {0: "", 1: ""}
    async for chunk in stream:
        for call in chunk.choices[0].delta.tool_calls or ():
            pieces[call.index] += call.function.arguments
    assert [json.loads(text) for text in pieces.values()] == [{"city": sim.requests[1].nonce}] * 2
    results = [{"role": "tool", "tool_call_id": call.id, "content": "sunny"} for call in message.tool_calls]
    last = await client.chat.completions.create(model=MODEL, messages=[*ASK, message, *results], tools=tools)
    assert last.choices[0].message.content.startswith(sim.requests[2].nonce)


@pytest.mark.parametrize(
    ("choice", "parallel", "names"),
    [
        ("required", False, ["weather"]),
        ({"type": "function", "function": {"name": "clock"}}, True, ["clock"]),
        ("none", True, None),
    ],
)
async def test_tool_choice(client: openai.AsyncOpenAI, choice: object, parallel: bool, names: list[str] | None) -> None:
    reply = await client.chat.completions.create(
        model=MODEL,
        messages=ASK,
        tools=[tool("weather"), tool("clock")],
        tool_choice=choice,
        parallel_tool_calls=parallel,
    )
    calls = reply.choices[0].message.tool_calls
    assert (calls and [call.function.name for call in calls]) == names


async def test_parse_fills_a_model(sim: Simulator, client: openai.AsyncOpenAI) -> None:
    class City(pydantic.BaseModel):
        name: str
        population: int
        rivers: list[str]

    parsed = await client.chat.completions.parse(model=MODEL, messages=ASK, response_format=City)
    city = parsed.choices[0].message.parsed
    assert (city.name, city.rivers) == (sim.requests[0].nonce, [sim.requests[0].nonce])
    async with client.chat.completions.stream(model=MODEL, messages=ASK, response_format=City) as stream:
        deltas = [event.delta async for event in stream if isinstance(event, ContentDeltaEvent)]
        final = await stream.get_final_completion()
    assert json.loads("".join(deltas))["name"] == final.choices[0].message.parsed.name == sim.requests[1].nonce


async def test_json_object(client: openai.AsyncOpenAI) -> None:
    reply = await client.chat.completions.create(model=MODEL, messages=ASK, response_format={"type": "json_object"})
    assert isinstance(json.loads(reply.choices[0].message.content), dict)


async def test_limits_stops_and_several_choices(client: openai.AsyncOpenAI) -> None:
    cut = await client.chat.completions.create(model=MODEL, messages=ASK, max_completion_tokens=3)
    assert (cut.choices[0].finish_reason, cut.usage.completion_tokens) == ("length", 3)
    stopped = await client.chat.completions.create(model=MODEL, messages=ASK, stop=[" says"], n=2)
    texts = [choice.message.content for choice in stopped.choices]
    assert all(text.endswith("simulated model") for text in texts)
    two = await client.chat.completions.create(model=MODEL, messages=ASK, n=2)
    assert len({choice.message.content for choice in two.choices}) == 2


async def test_log_probabilities(client: openai.AsyncOpenAI) -> None:
    reply = await client.chat.completions.create(model=MODEL, messages=ASK, logprobs=True, top_logprobs=2)
    entries = reply.choices[0].logprobs.content
    assert "".join(entry.token for entry in entries) == reply.choices[0].message.content
    assert all(len(entry.top_logprobs) == 2 for entry in entries)
    stream = await client.chat.completions.create(model=MODEL, messages=ASK, logprobs=True, stream=True)
    tokens = [
        entry.token
        async for chunk in stream
        if chunk.choices[0].logprobs
        for entry in chunk.choices[0].logprobs.content
    ]
    assert len(tokens) == len(entries)


async def test_refusal_filter_and_reasoning(client: openai.AsyncOpenAI) -> None:
    refused = await client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "sim:refuse"}])
    assert refused.choices[0].message.content is None
    assert "cannot" in refused.choices[0].message.refusal
    stream = await client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": "sim:refuse"}], stream=True
    )
    text = "".join([chunk.choices[0].delta.refusal or "" async for chunk in stream])
    assert "cannot" in text
    filtered = await client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "sim:filter"}])
    assert filtered.choices[0].finish_reason == "content_filter"
    thought = await client.chat.completions.create(model=MODEL, messages=ASK, reasoning_effort="high")
    assert thought.usage.completion_tokens_details.reasoning_tokens > 0


async def test_pictures_sound_and_files_go_in_and_sound_comes_out(client: openai.AsyncOpenAI) -> None:
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk=", "detail": "low"}},
        {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,aGk=", "filename": "a.pdf"}},
    ]
    plain = await client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": parts[:1]}])
    full = await client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": parts}])
    assert full.usage.prompt_tokens > plain.usage.prompt_tokens + 100
    spoken = await client.chat.completions.create(
        model=MODEL, messages=ASK, modalities=["text", "audio"], audio={"format": "wav", "voice": "alloy"}
    )
    assert spoken.choices[0].message.audio.transcript
    assert spoken.choices[0].message.content is None


async def test_custom_tools_functions_and_moderation(sim: Simulator, client: openai.AsyncOpenAI) -> None:
    custom = await client.chat.completions.create(
        model=MODEL, messages=ASK, tools=[{"type": "custom", "custom": {"name": "shell"}}]
    )
    assert custom.choices[0].message.tool_calls[0].custom.input.startswith(sim.requests[0].nonce)
    old = await client.chat.completions.create(model=MODEL, messages=ASK, functions=[tool("weather")["function"]])
    assert old.choices[0].finish_reason == "function_call"
    assert old.choices[0].message.function_call.name == "weather"
    judged = await client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": "I will kill it"}],
        moderation={"model": "omni-moderation-latest"},
    )
    assert judged.moderation.input.results[0].flagged
