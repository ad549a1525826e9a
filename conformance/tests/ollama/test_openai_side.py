"""The server's OpenAI-compatible side: the official client, and this library's own OpenAI backend."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from ollama_bench import ASK, SCHEMA, TOOL

from backends import errors
from backends.ollama import Ollama
from backends.openai import OpenAI
from conformance.simulators import Fault, Simulator
from conformance.simulators.faults import ErrorEvent


@pytest.fixture
async def client(ollama: Ollama) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(api_key="ollama", base_url=ollama.openai_base_url, max_retries=0) as made:
        yield made


async def test_chat_whole_and_streamed(sim: Simulator, client: openai.AsyncOpenAI) -> None:
    whole = await client.chat.completions.create(model="llama3.2", messages=ASK)
    stream = await client.chat.completions.create(
        model="llama3.2", messages=ASK, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    first, second = (seen.nonce for seen in sim.requests)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert whole.choices[0].message.content.replace(first, second) == text
    assert whole.system_fingerprint == "fp_ollama"
    assert chunks[-1].usage == whole.usage


async def test_tools_and_schema(sim: Simulator, client: openai.AsyncOpenAI) -> None:
    called = await client.chat.completions.create(model="llama3.2", messages=ASK, tools=[TOOL], tool_choice="none")
    assert called.choices[0].finish_reason == "tool_calls"
    wanted: Any = {"type": "json_schema", "json_schema": {"name": "city", "schema": SCHEMA}}
    shaped = await client.chat.completions.create(model="llama3.2", messages=ASK, response_format=wanted)
    assert json.loads(shaped.choices[0].message.content)["name"] == sim.requests[1].nonce


async def test_the_other_calls(sim: Simulator, client: openai.AsyncOpenAI) -> None:
    done = await client.completions.create(model="tiny", prompt="hello", max_tokens=3)
    assert done.choices[0].finish_reason == "length"
    streamed = [piece async for piece in await client.completions.create(model="tiny", prompt="hello", stream=True)]
    assert sim.requests[1].nonce in "".join(piece.choices[0].text for piece in streamed if piece.choices)
    vectors = await client.embeddings.create(model="nomic-embed-text", input=["sun", "moon"])
    assert [len(row.embedding) for row in vectors.data] == [768, 768]
    listed = await client.models.list()
    assert "llama3.2:latest" in [model.id for model in listed.data]
    assert (await client.models.retrieve("qwen3:8b")).owned_by == "library"
    answered = await client.responses.create(model="llama3.2", input="hello")
    assert answered.output_text.startswith(sim.requests[5].nonce)
    heard = await client.audio.transcriptions.create(model="whisper", file=("a.wav", b"RIFF1234"))
    assert heard.text.startswith(sim.requests[6].nonce)


async def test_errors(sim: Simulator, client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="model 'nobody' not found") as caught:
        await client.chat.completions.create(model="nobody", messages=ASK)
    assert caught.value.type == "not_found_error"
    with pytest.raises(openai.BadRequestError, match="does not support chat"):
        await client.chat.completions.create(model="nomic-embed-text", messages=ASK)
    with pytest.raises(openai.BadRequestError) as refused:
        await client.chat.completions.create(model="tiny", messages=ASK, temperature="hot")  # type: ignore[call-overload]
    assert refused.value.type == "invalid_request_error"
    sim.script(Fault(ErrorEvent(1)))
    stream = await client.chat.completions.create(model="tiny", messages=ASK, stream=True)
    with pytest.raises(openai.APIError, match="runner process"):
        await _drained(stream)


async def _drained(stream: Any) -> None:
    async for _ in stream:
        pass


async def test_messages_of_the_anthropic_side(sim: Simulator, client: openai.AsyncOpenAI) -> None:
    http = client._client
    body = {"model": "llama3.2", "max_tokens": 100, "messages": [{"role": "user", "content": "hello"}]}
    whole = (await http.post("messages", json=body)).json()
    assert whole["content"][0]["text"].startswith(sim.requests[0].nonce)
    streamed = (await http.post("messages", json={**body, "stream": True})).text
    events = [json.loads(line[6:]) for line in streamed.splitlines() if line.startswith("data: ")]
    text = "".join(one["delta"]["text"] for one in events if one["type"] == "content_block_delta")
    assert text == whole["content"][0]["text"].replace(sim.requests[0].nonce, sim.requests[1].nonce)
    assert events[-1] == {"type": "message_stop"}
    missing = await http.post("messages", json={**body, "model": "nobody"})
    assert (missing.status_code, missing.json()["error"]["type"]) == (404, "not_found_error")


async def test_our_own_openai_backend_works_there(sim: Simulator, ollama: Ollama) -> None:
    async with OpenAI(base_url=ollama.openai_base_url, api_key="ollama", environ={}) as side:
        whole = await side.achat(ASK, model="llama3.2")
        assert whole.text.startswith(sim.requests[0].nonce)
        streamed = await side.astream_chat(ASK, model="llama3.2").collect()
        assert streamed.usage.total_tokens == whole.usage.total_tokens
        vectors = await side.aembed(["sun"], model="nomic-embed-text")
        native = await ollama.aembed(["sun"], model="nomic-embed-text")
        assert vectors.vectors[0] == pytest.approx(native.vectors[0], abs=1e-6)
        assert "tiny:latest" in [model.id for model in await side.amodels()]
        with pytest.raises(errors.BackendError, match="not found") as caught:
            await side.achat(ASK, model="nobody")
        assert caught.value.status == 404
