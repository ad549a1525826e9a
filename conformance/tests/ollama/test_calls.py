"""Chat, completion, embeddings and loading against the simulated server, in both modes."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path

import pytest
from ollama_bench import ASK, SCHEMA, TOOL, backend_at

from backends.ollama import Ollama, timings
from backends.types import ToolCall
from conformance.simulators import Simulator

PIXEL = b"\x89PNG\r\n\x1a\n" + bytes(64)
ENCODED = base64.b64encode(PIXEL).decode()


async def test_chat_whole(sim: Simulator, ollama: Ollama) -> None:
    reply = await ollama.achat(ASK)
    seen = sim.requests[0]
    assert reply.text.startswith(seen.nonce)
    assert seen.json == {"model": "llama3.2", "messages": ASK, "stream": False}
    assert (reply.finish_reason, reply.model, reply.attempts, reply.tool_calls) == ("stop", "llama3.2", 1, ())
    assert reply.usage.input_tokens == reply.raw["prompt_eval_count"]
    assert reply.usage.output_tokens == reply.raw["eval_count"]
    assert reply.usage.total_tokens == reply.usage.input_tokens + reply.usage.output_tokens
    assert not reply.usage.estimated


async def test_chat_streamed_is_chat_whole(sim: Simulator, ollama: Ollama) -> None:
    whole = await ollama.achat(ASK)
    stream = ollama.astream_chat(ASK)
    chunks = [chunk async for chunk in stream]
    first, second = (seen.nonce for seen in sim.requests)
    assert stream.reply.text == "".join(chunk.text for chunk in chunks) == whole.text.replace(first, second)
    assert stream.reply.usage.output_tokens == whole.usage.output_tokens
    assert stream.reply.finish_reason == chunks[-1].finish_reason == "stop"
    assert chunks[-1].usage == stream.reply.usage
    assert all(chunk.usage is None for chunk in chunks[:-1])
    assert set(stream.reply.raw) == set(whole.raw)
    assert stream.reply.raw["message"] == {"role": "assistant", "content": stream.reply.text}
    assert sim.requests[1].json["stream"] is True


async def test_thinking(sim: Simulator, ollama: Ollama) -> None:
    whole = await ollama.achat(ASK, model="qwen3:8b", think="high")
    stream = ollama.astream_chat(ASK, model="qwen3:8b")
    reasoning = "".join([chunk.reasoning async for chunk in stream])
    assert whole.reasoning.startswith(sim.requests[0].nonce)
    assert stream.reply.reasoning == reasoning == stream.reply.raw["message"]["thinking"]
    assert reasoning.startswith(sim.requests[1].nonce)
    assert (await ollama.acomplete("hello", model="qwen3:8b", think=False)).reasoning is None
    assert (await ollama.astream_complete("hello", model="qwen3:8b").collect()).reasoning
    assert [seen.json.get("think") for seen in sim.requests] == ["high", None, False, None]


async def test_tools_there_and_back(sim: Simulator, ollama: Ollama) -> None:
    whole = await ollama.achat(ASK, tools=[TOOL])
    [call] = whole.tool_calls
    assert (call.name, call.type) == ("weather", "function")
    assert json.loads(call.arguments) == {"city": sim.requests[0].nonce}
    assert call.id == whole.raw["message"]["tool_calls"][0]["id"]
    assert whole.finish_reason == "stop"  # the server has no word of its own for a turn that calls tools
    stream = ollama.astream_chat(ASK, tools=[TOOL, {**TOOL, "function": {**TOOL["function"], "name": "clock"}}])
    deltas = [delta async for chunk in stream for delta in chunk.tool_calls]
    assert [(delta.index, delta.name) for delta in deltas] == [(0, "weather"), (1, "clock")]
    assert [json.loads(delta.arguments) for delta in deltas] == [{"city": sim.requests[1].nonce}] * 2
    assert [one.arguments for one in stream.reply.tool_calls] == [delta.arguments for delta in deltas]
    assert len(stream.reply.raw["message"]["tool_calls"]) == 2


@pytest.mark.parametrize(
    "calls",
    [
        (ToolCall("call_1", "weather", '{"city": "Rome"}'),),
        [{"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Rome"}'}}],
        [{"id": "call_1", "function": {"name": "weather", "arguments": {"city": "Rome"}}}],
    ],
)
async def test_tool_calls_of_history_in_every_shape(sim: Simulator, ollama: Ollama, calls: object) -> None:
    history = [
        *ASK,
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "Tool", "tool_name": "weather", "tool_call_id": "call_1", "content": "sunny"},
    ]
    reply = await ollama.achat(history, tools=[TOOL])
    sent = sim.requests[0].json["messages"]
    assert sent[1] == {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"id": "call_1", "function": {"name": "weather", "arguments": {"city": "Rome"}}}],
    }
    assert sent[2] == {"role": "tool", "tool_name": "weather", "tool_call_id": "call_1", "content": "sunny"}
    assert reply.text.startswith(sim.requests[0].nonce)


async def test_images_from_everywhere_become_bare_base64(sim: Simulator, ollama: Ollama, tmp_path: Path) -> None:
    picture = tmp_path / "pixel.png"
    picture.write_bytes(PIXEL)
    url = f"data:image/png;base64,{ENCODED}"
    await ollama.achat([{**ASK[0], "images": [PIXEL, picture, ENCODED, url, memoryview(PIXEL)]}], model="gemma3:4b")
    parts = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": url}}]
    await ollama.achat([{"role": "user", "content": parts}], model="gemma3:4b")
    await ollama.acomplete("What is it?", images=[picture], model="gemma3:4b")
    first, second, third = (seen.json for seen in sim.requests)
    assert first["messages"][0]["images"] == [ENCODED] * 5
    assert second["messages"] == [{"role": "user", "content": "What is it?", "images": [ENCODED]}]
    assert third["images"] == [ENCODED]


async def test_structured_output(sim: Simulator, ollama: Ollama) -> None:
    shaped = await ollama.achat(ASK, format=SCHEMA)
    assert json.loads(shaped.text)["name"] == sim.requests[0].nonce
    loose = await ollama.acomplete("hello", format="json")
    assert json.loads(loose.text) == {"answer": sim.requests[1].nonce}
    assert [seen.json["format"] for seen in sim.requests] == [SCHEMA, "json"]


async def test_options_by_themselves_and_together(sim: Simulator, ollama: Ollama) -> None:
    reply = await ollama.achat(
        ASK, temperature=0, seed=7, stop="?", max_tokens=2, options={"num_ctx": 512, "top_p": 0.5}, keep_alive="1h30m"
    )
    assert reply.finish_reason == "length"
    assert sim.requests[0].json["options"] == {
        "num_ctx": 512,
        "top_p": 0.5,
        "temperature": 0,
        "seed": 7,
        "stop": ["?"],
        "num_predict": 2,
    }
    assert sim.requests[0].json["keep_alive"] == "1h30m"
    await ollama.achat(ASK, seed=7, extra_body={"options": {"brand_new": 1}})
    assert sim.requests[1].json["options"] == {"seed": 7, "brand_new": 1}


async def test_logprobs(ollama: Ollama) -> None:
    whole = await ollama.achat(ASK, logprobs=True, top_logprobs=2)
    stream = ollama.astream_chat(ASK, logprobs=True, top_logprobs=2)
    streamed = await stream.collect()
    assert len(whole.logprobs) == whole.usage.output_tokens == len(streamed.logprobs)
    assert streamed.raw["logprobs"] == streamed.logprobs


async def test_completion_and_its_context(sim: Simulator, ollama: Ollama) -> None:
    first = await ollama.acomplete("hello", system="be brief", model="tiny", suffix="end")
    second = ollama.astream_complete("go on", context=first.raw["context"])
    chunks = [chunk async for chunk in second]
    assert second.reply.text == "".join(chunk.text for chunk in chunks)
    assert second.reply.text.startswith(sim.requests[1].nonce)
    assert second.reply.raw["context"][: len(first.raw["context"])] == first.raw["context"]
    assert sim.requests[1].json["context"] == first.raw["context"]
    raw = await ollama.acomplete("hello", raw=True)
    assert "context" not in raw.raw


async def test_embeddings(sim: Simulator, ollama: Ollama) -> None:
    many = await ollama.aembed(["sun", "moon", "sun"], model="nomic-embed-text", truncate=True, keep_alive=5)
    assert [len(vector) for vector in many.vectors] == [768] * 3
    assert many.vectors[0] == many.vectors[2] != many.vectors[1]
    assert (many.usage.input_tokens, many.usage.total_tokens) == (3, 3)
    one = await ollama.aembed("sun", model="nomic-embed-text", dimensions=64)
    assert [len(vector) for vector in one.vectors] == [64]
    assert sim.requests[0].json["input"] == ["sun", "moon", "sun"]
    assert many.raw["total_duration"] > 0


async def test_loading_and_letting_go(sim: Simulator, ollama: Ollama) -> None:
    assert (await ollama.aload(keep_alive=-1)).finish_reason == "load"
    assert [model.id for model in await ollama.aps()] == ["llama3.2:latest"]
    assert (await ollama.aunload()).finish_reason == "unload"
    assert await ollama.aps() == ()
    assert sim.requests[0].json == {"model": "llama3.2", "stream": False, "keep_alive": -1}


async def test_timings(ollama: Ollama) -> None:
    reply = await ollama.achat(ASK)
    took = timings(reply)
    assert took.total == pytest.approx(reply.raw["total_duration"] / 1e9)
    assert took.total == pytest.approx(took.load + took.prompt + took.generation)
    assert took.tokens_per_second == pytest.approx(reply.raw["eval_count"] / reply.raw["eval_duration"] * 1e9)
    assert timings({}).total == 0.0
    assert timings({"eval_count": 3}).tokens_per_second is None


async def test_the_synchronous_twins(sim: Simulator) -> None:
    def work() -> list[object]:
        with backend_at(sim) as ollama:
            stream = ollama.stream_chat(ASK)
            text = "".join(chunk.text for chunk in stream)
            pulled = [chunk.text for chunk in ollama.stream_pull("all-minilm")]
            return [
                ollama.chat(ASK).finish_reason,
                text == stream.reply.text,
                ollama.complete("hello").finish_reason,
                ollama.stream_complete("hello").collect().finish_reason,
                len(ollama.embed("sun", model="nomic-embed-text").vectors),
                pulled[-1],
                ollama.load().finish_reason,
                ollama.unload().finish_reason,
                len(ollama.models()),
                ollama.version(),
            ]

    assert await asyncio.to_thread(work) == [
        "stop", True, "stop", "stop", 1, "success", "load", "unload", 8, "0.33.0"
    ]  # fmt: skip


async def test_a_key_is_sent_when_there_is_one(sim: Simulator) -> None:
    async with backend_at(sim, environ={"OLLAMA_API_KEY": "planted-key-7"}) as with_key:
        await with_key.achat(ASK, model="gpt-oss:120b-cloud")
    async with backend_at(sim, environ={}) as without:
        await without.achat(ASK)
    assert [seen.header("authorization") is not None for seen in sim.requests] == [True, False]
    assert sim.requests[0].key_fingerprint != ""


async def test_endpoints_are_servers_of_their_own(sim: Simulator, ollama: Ollama) -> None:
    address = sim.base_url("ollama")
    ollama.create_endpoint("second", base_url=address.removeprefix("http://"))
    await ollama.achat(ASK, endpoint="second")
    assert ollama.endpoint("second").base_url == address
    assert len(sim.requests) == 1
    assert [ollama.endpoint(name).status()["active"] for name in ("default", "second")] == [0, 0]
