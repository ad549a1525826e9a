"""The official client 1.7.0 against the simulated service, and the OpenAI client below ``/openai/v1``."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import groq as official
import openai
import pytest
from groq_bench import ASK, JSONL, KEY, MODEL, TOOL

from conformance.simulators import Fault, Simulator
from conformance.simulators.faults import CutBeforeTerminator, ErrorEvent, Pings, Status
from conformance.simulators.openai.answers.media import wave

SOUND = ("a.wav", wave("c0ffee00"))
PICTURE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}


@pytest.fixture
async def client(sim: Simulator) -> AsyncIterator[official.AsyncGroq]:
    async with official.AsyncGroq(api_key=KEY, base_url=sim.base_url("groq")) as made:
        yield made


@pytest.fixture
async def other(sim: Simulator) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(api_key=KEY, base_url=sim.base_url("groq") + "/openai/v1") as made:
        yield made


async def test_chat_whole_and_streamed(sim: Simulator, client: official.AsyncGroq) -> None:
    whole = await client.chat.completions.create(model=MODEL, messages=ASK)
    chunks = [chunk async for chunk in await client.chat.completions.create(model=MODEL, messages=ASK, stream=True)]
    first, second = (seen.nonce for seen in sim.requests)
    said = whole.choices[0].message.content
    assert said.startswith(first)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == said.replace(first, second)
    assert whole.x_groq.id == f"req_{first}"
    assert whole.service_tier == "on_demand"
    assert [chunk.x_groq.id for chunk in (chunks[0], chunks[-1])] == [f"req_{second}"] * 2
    assert [chunk.x_groq for chunk in chunks[1:-1]] == [None] * (len(chunks) - 2)
    assert chunks[-1].choices[0].finish_reason == whole.choices[0].finish_reason == "stop"
    assert chunks[-1].x_groq.usage == whole.usage
    assert whole.usage.total_time == pytest.approx(whole.usage.prompt_time + whole.usage.completion_time)
    assert all(seen.problem is None for seen in sim.requests)


async def test_usage_comes_a_second_time_only_when_it_is_asked_for(client: official.AsyncGroq) -> None:
    with pytest.raises(TypeError, match="stream_options"):
        await client.chat.completions.create(
            model=MODEL, messages=ASK, stream=True, stream_options={"include_usage": True}
        )
    asked = {"stream_options": {"include_usage": True}}
    stream = await client.chat.completions.create(model=MODEL, messages=ASK, stream=True, extra_body=asked)
    chunks = [chunk async for chunk in stream]
    assert chunks[-1].choices == []
    assert chunks[-1].usage == chunks[-2].x_groq.usage
    assert [chunk.usage for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)


async def test_reasoning_parsed_raw_hidden_and_streamed(sim: Simulator, client: official.AsyncGroq) -> None:
    async def told(**options: Any) -> Any:
        return (await client.chat.completions.create(model=MODEL, messages=ASK, **options)).choices[0].message

    assert (await told()).reasoning is None
    assert (await told(reasoning_effort="low")).reasoning.startswith(sim.requests[-1].nonce)
    assert (await told(reasoning_format="raw")).content.startswith("<think>")
    hidden = await told(reasoning_format="hidden")
    assert hidden.reasoning is None
    assert "<think>" not in hidden.content
    stream = await client.chat.completions.create(model=MODEL, messages=ASK, include_reasoning=True, stream=True)
    thought = "".join([chunk.choices[0].delta.reasoning or "" async for chunk in stream])
    assert thought == f"{sim.requests[-1].nonce} was thought about."


async def test_tools_called_answered_and_run_by_the_service(sim: Simulator, client: official.AsyncGroq) -> None:
    whole = await client.chat.completions.create(model=MODEL, messages=ASK, tools=[TOOL])
    call = whole.choices[0].message.tool_calls[0]
    assert json.loads(call.function.arguments) == {"city": sim.requests[0].nonce}
    history = [
        *ASK,
        whole.choices[0].message.model_dump(exclude_none=True),
        {"role": "tool", "content": "sunny", "tool_call_id": call.id},
    ]
    last = await client.chat.completions.create(model=MODEL, messages=history, tools=[TOOL])
    assert last.choices[0].message.content.startswith(sim.requests[1].nonce)
    stream = await client.chat.completions.create(model=MODEL, messages=ASK, tools=[TOOL], stream=True)
    pieces = [piece async for chunk in stream for piece in chunk.choices[0].delta.tool_calls or ()]
    assert json.loads("".join(piece.function.arguments for piece in pieces)) == {"city": sim.requests[2].nonce}
    hosted = await client.chat.completions.create(
        model=MODEL, messages=ASK, tools=[{"type": "browser_search"}, {"type": "code_interpreter"}]
    )
    assert [tool.type for tool in hosted.choices[0].message.executed_tools] == ["browser_search", "code_interpreter"]
    system = await client.chat.completions.create(model="groq/compound", messages=ASK)
    assert system.usage_breakdown.models[0].usage == system.usage


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        ({"n": 2}, 400, "must be at most 1"),
        ({"reasoning_format": "raw", "include_reasoning": True}, 400, "only one of"),
        ({"reasoning_effort": "none"}, 400, "reasoning_effort"),
        ({"messages": [{"role": "user", "content": [PICTURE]}]}, 400, "must be a string"),
        ({"model": "whisper-large-v3"}, 400, "does not support chat"),
        ({"model": "qwen/qwen3-32b"}, 400, "decommissioned"),
        ({"model": "mixtral-8x7b-32768"}, 404, "does not exist"),
        ({"extra_body": {"nonsense": 1}}, 400, "property 'nonsense' is unsupported"),
    ],
)
async def test_refusals(client: official.AsyncGroq, options: dict[str, Any], status: int, words: str) -> None:
    with pytest.raises(official.APIStatusError, match=words) as caught:
        await client.chat.completions.create(**{"model": MODEL, "messages": ASK, **options})
    assert caught.value.status_code == status
    body = caught.value.body
    assert isinstance(body, dict)
    assert body["error"]["type"] == "invalid_request_error"
    assert None not in body["error"].values()


async def test_which_statuses_its_client_repeats(sim: Simulator, client: official.AsyncGroq) -> None:
    sim.script(Fault(Status(498), nth=1))
    with pytest.raises(official.APIStatusError, match="capacity") as caught:
        await client.chat.completions.create(model=MODEL, messages=ASK, service_tier="flex")
    assert (caught.value.status_code, len(sim.requests)) == (498, 1)
    sim.script(Fault(Status(429, headers=(("retry-after-ms", "1"),)), nth=1))
    assert (await client.chat.completions.create(model=MODEL, messages=ASK)).choices
    assert len(sim.requests) == 3
    with pytest.raises(official.AuthenticationError, match="Invalid API Key"):
        await client.with_options(api_key="gsk_invalid").models.list()


async def test_errors_inside_a_stream_noise_and_a_cut(sim: Simulator, client: official.AsyncGroq) -> None:
    async def read() -> list[Any]:
        stream = await client.chat.completions.create(model=MODEL, messages=ASK, stream=True)
        return [chunk async for chunk in stream]

    sim.script(Fault(ErrorEvent(after_events=2, message="the wheel fell off"), nth=1))
    with pytest.raises(official.APIError, match="the wheel fell off"):
        await read()
    whole = await read()
    sim.script(Fault(Pings(), nth=1))
    noisy = [chunk for chunk in await read() if getattr(chunk, "choices", None)]
    assert len(noisy) == len(whole)
    sim.script(Fault(CutBeforeTerminator(), nth=1))
    assert len(await read()) == len(whole)  # the client does not ask for the terminator


async def test_sound(sim: Simulator, client: official.AsyncGroq) -> None:
    heard = client.audio.transcriptions
    plain = await heard.create(model="whisper-large-v3-turbo", file=SOUND)
    assert plain.text.startswith(sim.requests[0].nonce)
    assert plain.x_groq["id"] == f"req_{sim.requests[0].nonce}"
    text = await heard.create(model="whisper-large-v3", file=SOUND, response_format="text", language="de")
    assert isinstance(text, str)
    assert text.startswith(sim.requests[1].nonce)
    assert "in de" in text
    told = await heard.create(
        model="whisper-large-v3",
        url="https://example.com/a.wav",
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
    )
    assert (told.task, told.words[0]["start"], len(told.segments)) == ("transcribe", 0.0, 1)
    assert (await client.audio.translations.create(model="whisper-large-v3", file=SOUND)).text.endswith("translated.")
    for options in ({}, {"file": SOUND, "url": "https://example.com/a.wav"}, {"file": ("a.txt", b"x")}):
        with pytest.raises(official.BadRequestError):
            await heard.create(model="whisper-large-v3", **options)
    model = "canopylabs/orpheus-v1-english"
    spoken = await client.audio.speech.create(model=model, input="hello", voice="troy", response_format="wav")
    assert (await spoken.read())[:4] == b"RIFF"
    assert spoken.headers["content-type"] == "audio/wav"
    with pytest.raises(official.BadRequestError, match="voice"):
        await client.audio.speech.create(model=model, input="hello", voice="alloy")


async def test_models_files_and_batches(sim: Simulator, client: official.AsyncGroq) -> None:
    models = {model.id: model for model in (await client.models.list()).data}
    assert models[MODEL].context_window == 131_072
    assert models[MODEL].pricing == {
        "prompt": "0.000000075",
        "completion": "0.0000003",
        "input_cache_read": "0.0000000375",
    }
    assert "llama-3.3-70b-versatile" not in models
    assert (await client.models.retrieve(MODEL)).owned_by == "OpenAI"
    with pytest.raises(official.NotFoundError):
        await client.models.retrieve("llama-3.3-70b-versatile")
    file = await client.files.create(file=("in.jsonl", JSONL), purpose="batch")
    assert (await client.files.info(file.id)).bytes == len(JSONL)
    batch = await client.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")
    for _ in range(3):
        batch = await client.batches.retrieve(batch.id)
    assert (batch.status, batch.request_counts.completed) == ("completed", 1)
    lines = await (await client.files.content(batch.output_file_id)).read()
    assert json.loads(lines)["response"]["body"]["object"] == "chat.completion"
    second = await client.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="7d")
    assert (await client.batches.cancel(second.id)).status == "cancelling"
    assert [one.id for one in (await client.batches.list()).data] == [second.id, batch.id]
    assert {one.id for one in (await client.files.list()).data} == {file.id, batch.output_file_id}
    assert (await client.files.delete(file.id)).deleted
    with pytest.raises(official.BadRequestError):
        await client.batches.create(input_file_id="file-x", endpoint="/v1/chat/completions", completion_window="8d")
    with pytest.raises(official.NotFoundError, match="Unknown request URL"):
        await client.embeddings.create(model="nomic-embed-text-v1_5", input="hello")


async def test_headers_of_every_answer(client: official.AsyncGroq) -> None:
    raw = await client.chat.completions.with_raw_response.create(model=MODEL, messages=ASK)
    assert raw.headers["x-ratelimit-limit-requests"] == "500000"
    assert raw.headers["x-ratelimit-reset-tokens"] == "24ms"
    assert raw.headers["x-request-id"].startswith("req_")
    assert "retry-after" not in raw.headers


async def test_the_synchronous_client(sim: Simulator) -> None:
    def ask() -> str:
        with official.Groq(api_key=KEY, base_url=sim.base_url("groq")) as client:
            return "".join(
                chunk.choices[0].delta.content or ""
                for chunk in client.chat.completions.create(model=MODEL, messages=ASK, stream=True)
            )

    assert (await asyncio.get_running_loop().run_in_executor(None, ask)).startswith(sim.requests[0].nonce)


async def test_the_openai_client_below_openai_v1(sim: Simulator, other: openai.AsyncOpenAI) -> None:
    whole = await other.chat.completions.create(model=MODEL, messages=ASK)
    assert whole.choices[0].message.content.startswith(sim.requests[0].nonce)
    assert whole.x_groq["id"] == f"req_{sim.requests[0].nonce}"
    stream = await other.chat.completions.create(
        model=MODEL, messages=ASK, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    assert chunks[-1].usage.total_tokens == chunks[-2].x_groq["usage"]["total_tokens"]
    response = await other.responses.create(model=MODEL, input="hello")
    assert response.output_text.startswith(sim.requests[2].nonce)
    assert response.store is False
    events = [event async for event in await other.responses.create(model=MODEL, input="hello", stream=True)]
    assert events[-1].type == "response.completed"
    with pytest.raises(openai.BadRequestError, match="store"):
        await other.responses.create(model=MODEL, input="hello", store=True)
    with pytest.raises(openai.BadRequestError, match="previous_response_id"):
        await other.responses.create(model=MODEL, input="hello", previous_response_id=response.id)
    assert (await other.models.retrieve(MODEL)).id == MODEL
    assert (await other.audio.transcriptions.create(model="whisper-large-v3", file=SOUND)).text
