"""The official OpenAI client against the text generation, embedding and speech services of the simulated deployment."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import openai
import pytest
from opea_bench import ASK

from conformance.simulators import Fault, Simulator
from conformance.simulators.faults import CutBeforeTerminator, ErrorEvent, Status
from conformance.simulators.openai.answers.media import wave


@pytest.fixture
async def client(sim: Simulator) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(api_key="None", base_url=sim.base_url("opea") + "/v1", max_retries=0) as made:
        yield made


async def test_chat_whole_and_streamed(sim: Simulator, client: openai.AsyncOpenAI) -> None:
    whole = await client.chat.completions.create(model="any", messages=ASK, max_tokens=50, temperature=0, seed=7)
    stream = await client.chat.completions.create(
        model="any", messages=ASK, max_tokens=50, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    first, second = (seen.nonce for seen in sim.requests)
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert said == whole.choices[0].message.content.replace(first, second)
    assert whole.model == chunks[0].model == "meta-llama/Meta-Llama-3-8B-Instruct"  # not the caller's
    assert chunks[-1].usage == whole.usage
    assert whole.choices[0].finish_reason == "stop"
    assert sim.requests[0].key_fingerprint == ""
    assert all(seen.problem is None for seen in sim.requests)


async def test_json_stops_limits_and_several_answers(sim: Simulator, client: openai.AsyncOpenAI) -> None:
    shaped = await client.chat.completions.create(
        model="any", messages=ASK, response_format={"type": "json_object"}, user="ann"
    )
    assert json.loads(shaped.choices[0].message.content) == {"answer": sim.requests[0].nonce}
    short = await client.chat.completions.create(model="any", messages=ASK, max_tokens=2, n=2)
    assert [choice.finish_reason for choice in short.choices] == ["length", "length"]
    cut = await client.chat.completions.create(model="any", messages=ASK, stop=["model"])
    assert cut.choices[0].message.content.endswith("simulated ")


async def test_embeddings_in_both_codings(client: openai.AsyncOpenAI) -> None:
    packed = await client.embeddings.create(model="any", input=["sun", "moon", "sun"])
    plain = await client.embeddings.create(model="any", input="sun", encoding_format="float", dimensions=16)
    assert [len(one.embedding) for one in packed.data] == [64] * 3
    assert packed.data[0].embedding == packed.data[2].embedding != packed.data[1].embedding
    assert plain.data[0].embedding == pytest.approx(packed.data[0].embedding[:16], abs=1e-6)
    assert packed.usage.prompt_tokens == 3


async def test_speech_and_transcription(sim: Simulator, client: openai.AsyncOpenAI) -> None:
    spoken = await client.audio.speech.create(model="microsoft/speecht5_tts", voice="default", input="hello")
    sound = spoken.content
    assert sound == wave(sim.requests[0].nonce, 200)
    heard = await client.audio.transcriptions.create(model="openai/whisper-small", file=("a.wav", sound))
    assert heard.text.startswith(sim.requests[1].nonce)


async def test_errors(sim: Simulator, client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.UnprocessableEntityError) as caught:
        await client.post("/chat/completions", body={"model": "any"}, cast_to=object)
    assert caught.value.response.json()["detail"][0]["msg"] == "Field required"
    with pytest.raises(openai.UnprocessableEntityError) as caught:
        await client.chat.completions.create(model="any", messages=ASK, seed=0)
    assert caught.value.response.json()["detail"][0]["loc"] == ["body", "seed"]
    with pytest.raises(openai.NotFoundError):
        await client.models.list()
    for status, kind in ((500, openai.InternalServerError), (404, openai.NotFoundError), (429, openai.RateLimitError)):
        sim.script(Fault(Status(status), nth=1))
        with pytest.raises(kind):
            await client.chat.completions.create(model="any", messages=ASK)


async def test_streams_that_break(sim: Simulator, client: openai.AsyncOpenAI) -> None:
    sim.script(Fault(ErrorEvent(2, message="engine died"), nth=1), Fault(CutBeforeTerminator(), nth=2))
    broken = await client.chat.completions.create(model="any", messages=ASK, stream=True)
    with pytest.raises(openai.APIError, match="engine died"):
        [chunk async for chunk in broken]
    stream = await client.chat.completions.create(model="any", messages=ASK, stream=True)
    assert [chunk async for chunk in stream][-1].choices[0].finish_reason == "stop"
    assert not sim.unfired()
