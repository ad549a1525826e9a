"""The official Python client 0.6.3, asynchronous and synchronous, against the simulated server."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import ollama as official
import pytest
from ollama_bench import ASK, SCHEMA, TOOL

from conformance.simulators import Fault, Simulator
from conformance.simulators.faults import CutBeforeTerminator, ErrorEvent, Pings, Status

PIXEL = b"\x89PNG\r\n\x1a\n" + bytes(64)


@pytest.fixture
async def client(sim: Simulator) -> AsyncIterator[official.AsyncClient]:
    made = official.AsyncClient(host=sim.base_url("ollama"))
    yield made
    await made.close()


async def test_chat_whole_and_streamed(sim: Simulator, client: official.AsyncClient) -> None:
    whole = await client.chat("llama3.2", messages=ASK)
    chunks = [chunk async for chunk in await client.chat("llama3.2", messages=ASK, stream=True)]
    first, second = (seen.nonce for seen in sim.requests)
    assert whole.message.content.startswith(first)
    assert "".join(chunk.message.content for chunk in chunks) == whole.message.content.replace(first, second)
    assert [chunk.done for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert whole.done_reason == chunks[-1].done_reason == "stop"
    assert whole.eval_count == chunks[-1].eval_count == len(chunks) - 1
    assert whole.prompt_eval_count
    assert whole.total_duration > whole.load_duration > 0
    assert all(seen.problem is None for seen in sim.requests)


async def test_generate_whole_streamed_limited_and_with_context(client: official.AsyncClient) -> None:
    whole = await client.generate("tiny", "hello", options={"num_predict": 3, "temperature": 0})
    assert whole.done_reason == "length"
    assert whole.eval_count == 3
    again = await client.generate("tiny", "on", context=whole.context, suffix="end", system="be brief")
    assert again.context[: len(whole.context)] == list(whole.context)
    chunks = [chunk async for chunk in await client.generate("tiny", "hello", stream=True, raw=True)]
    assert chunks[-1].done
    assert chunks[-1].context is None
    assert "hello" in "".join(chunk.response for chunk in chunks)


async def test_tools_whole_streamed_and_answered(sim: Simulator, client: official.AsyncClient) -> None:
    whole = await client.chat("llama3.2", messages=ASK, tools=[TOOL])
    call = whole.message.tool_calls[0].function
    assert (call.name, call.arguments) == ("weather", {"city": sim.requests[0].nonce})
    assert whole.done_reason == "stop"
    chunks = [chunk async for chunk in await client.chat("llama3.2", messages=ASK, tools=[TOOL], stream=True)]
    used = [use for chunk in chunks for use in chunk.message.tool_calls or ()]
    assert [use.function.arguments for use in used] == [{"city": sim.requests[1].nonce}]
    history = [*ASK, whole.message, {"role": "tool", "content": "sunny", "tool_name": "weather"}]
    last = await client.chat("llama3.2", messages=history, tools=[TOOL])
    assert last.message.content.startswith(sim.requests[2].nonce)


async def test_structured_output(sim: Simulator, client: official.AsyncClient) -> None:
    reply = await client.chat("llama3.2", messages=ASK, format=SCHEMA)
    assert json.loads(reply.message.content)["name"] == sim.requests[0].nonce
    loose = await client.generate("llama3.2", "hello", format="json")
    assert json.loads(loose.response) == {"answer": sim.requests[1].nonce}


async def test_thinking(sim: Simulator, client: official.AsyncClient) -> None:
    unset = await client.chat("qwen3:8b", messages=ASK)
    off = await client.chat("qwen3:8b", messages=ASK, think=False)
    assert unset.message.thinking.startswith(sim.requests[0].nonce)
    assert off.message.thinking is None
    chunks = [chunk async for chunk in await client.generate("qwen3:8b", "hello", think="high", stream=True)]
    kinds = ["think" if chunk.thinking else "text" for chunk in chunks]
    assert kinds == sorted(kinds, reverse=True)
    assert kinds[0] == "think"
    with pytest.raises(official.ResponseError, match="does not support thinking") as caught:
        await client.chat("llama3.2", messages=ASK, think=True)
    assert caught.value.status_code == 400


async def test_images(sim: Simulator, client: official.AsyncClient, tmp_path: Path) -> None:
    picture = tmp_path / "pixel.png"
    picture.write_bytes(PIXEL)
    plain = await client.chat("gemma3:4b", messages=ASK)
    seen = await client.chat("gemma3:4b", messages=[{**ASK[0], "images": [PIXEL, picture]}])
    assert seen.prompt_eval_count == plain.prompt_eval_count + 512
    assert sim.requests[1].json["messages"][0]["images"] == [base64.b64encode(PIXEL).decode()] * 2
    with pytest.raises(official.ResponseError, match="does not support vision"):
        await client.generate("tiny", "what is it", images=[PIXEL])


async def test_embeddings(client: official.AsyncClient) -> None:
    many = await client.embed("nomic-embed-text", ["sun", "moon", "sun"])
    assert [len(row) for row in many.embeddings] == [768] * 3
    assert many.embeddings[0] == many.embeddings[2] != many.embeddings[1]
    assert sum(value * value for value in many.embeddings[0]) == pytest.approx(1, abs=1e-5)
    short = await client.embed("nomic-embed-text", "sun", dimensions=64)
    assert len(short.embeddings[0]) == 64
    assert sum(value * value for value in short.embeddings[0]) == pytest.approx(1, abs=1e-5)
    assert (await client.embed("nomic-embed-text", [])).embeddings == []
    old = await client.embeddings("nomic-embed-text", "sun")
    assert sum(value * value for value in old.embedding) == pytest.approx(9, abs=1e-4)
    with pytest.raises(official.ResponseError, match="exceeds the context length"):
        await client.embed("nomic-embed-text", "sun " * 3000, truncate=False)


async def test_the_life_of_a_model(client: official.AsyncClient) -> None:
    steps = [step async for step in await client.pull("mistral", stream=True)]
    assert steps[0].status == "pulling manifest"
    assert steps[-1].status == "success"
    moved = [step for step in steps if step.digest]
    assert moved[0].completed is None
    assert moved[-1].completed == moved[-1].total
    assert "mistral:latest" in [model.model for model in (await client.list()).models]
    card = await client.show("mistral")
    assert card.capabilities == ["completion", "tools"]
    assert card.modelinfo["mistral.context_length"] == 32_768
    made = await client.create("helper", from_="mistral", system="You help.", parameters={"num_ctx": 512})
    assert made.status == "success"
    told = [
        step.status async for step in await client.create("other", from_="helper", template="{{ .X }}", stream=True)
    ]
    assert told[-2:] == ["writing manifest", "success"]
    await client.copy("helper", "me/helper")
    assert (await client.push("me/helper")).status == "success"
    pushed = [step.status async for step in await client.push("me/helper", stream=True)]
    assert pushed[0] == "retrieving manifest"
    assert pushed[-2:] == ["pushing manifest", "success"]
    await client.generate("helper", "hello", keep_alive="1h30m")
    await client.generate("mistral", "hello", keep_alive=-1)
    assert [model.model for model in (await client.ps()).models] == ["mistral:latest", "helper:latest"]
    gone = await client.generate("mistral", keep_alive=0)
    assert gone.done_reason == "unload"
    assert [model.model for model in (await client.ps()).models] == ["helper:latest"]
    await client.delete("mistral")
    with pytest.raises(official.ResponseError, match="model 'mistral' not found") as caught:
        await client.show("mistral")
    assert caught.value.status_code == 404


async def test_blobs(client: official.AsyncClient, sim: Simulator, tmp_path: Path) -> None:
    weights = tmp_path / "weights.gguf"
    weights.write_bytes(b"GGUF" + bytes(range(256)) * 400)
    digest = await client.create_blob(weights)
    assert digest == "sha256:" + hashlib.sha256(weights.read_bytes()).hexdigest()
    await client.create_blob(weights)
    assert [seen.status for seen in sim.requests] == [201, 200]
    told = [step.status async for step in await client.create("own", files={"weights.gguf": digest}, stream=True)]
    assert told[0] == "parsing GGUF"
    assert told[-1] == "success"
    with pytest.raises(official.ResponseError, match="not found"):
        await client.create("own", files={"w": "sha256:" + "0" * 64})


async def _drained(into: list[Any], stream: AsyncIterator[Any]) -> None:
    async for chunk in stream:
        into.append(chunk)


@pytest.mark.parametrize("stream", [False, True])
async def test_unknown_pulls_fail_late(client: official.AsyncClient, stream: bool) -> None:
    with pytest.raises(official.ResponseError, match="pull model manifest: file does not exist") as caught:
        await (_drained([], await client.pull("nobody", stream=True)) if stream else client.pull("nobody"))
    assert caught.value.status_code == (-1 if stream else 500)


async def test_push_needs_a_namespace(client: official.AsyncClient) -> None:
    with pytest.raises(official.ResponseError, match="not authorized to push"):
        await client.push("tiny")


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (400, "invalid request"),
        (401, "unauthorized"),
        (403, "^ "),
        (404, "not found"),
        (429, "too many"),
        (499, "closed"),
        (500, "runner process"),
        (502, "unreachable"),
        (503, "server busy, please try again.  maximum pending requests exceeded"),
    ],
)
async def test_statuses(sim: Simulator, client: official.AsyncClient, status: int, text: str) -> None:
    sim.script(Fault(Status(status), path="/api/chat"))
    with pytest.raises(official.ResponseError, match=text) as caught:
        await client.chat("llama3.2", messages=ASK)
    assert caught.value.status_code == status
    assert len(sim.requests) == 1


async def test_errors_noise_and_cuts_inside_a_stream(sim: Simulator, client: official.AsyncClient) -> None:
    sim.script(
        Fault(ErrorEvent(2), path="/api/chat", nth=1),
        Fault(Pings(), path="/api/chat", nth=2),
        Fault(CutBeforeTerminator(), path="/api/chat", nth=3),
    )
    seen: list[Any] = []
    with pytest.raises(official.ResponseError, match="runner process") as caught:
        await _drained(seen, await client.chat("llama3.2", messages=ASK, stream=True))
    assert caught.value.status_code == -1
    assert len(seen) == 2
    noisy = [chunk async for chunk in await client.chat("llama3.2", messages=ASK, stream=True)]
    assert noisy[-1].done
    assert noisy[-1].eval_count == len([chunk for chunk in noisy if chunk.message.content])
    cut = [chunk async for chunk in await client.chat("llama3.2", messages=ASK, stream=True)]
    assert cut
    assert not cut[-1].done
    assert not sim.unfired()


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (None, "missing request body"),
        (b"{", "invalid JSON"),
        (b'{"model": "tiny", "messages": "hi"}', "cannot unmarshal string into Go struct field messages"),
        (b'{"messages": []}', "model is required"),
        (b'{"model": "a b", "messages": []}', "invalid model name"),
        (b'{"model": "tiny", "tool_choice": "auto"}', 'unknown field "tool_choice"'),
        (b'{"model": "tiny", "options": {"top_k": 0.5}}', 'option "top_k" must be of type int'),
        (b'{"model": "tiny", "keep_alive": "soon"}', "invalid duration"),
        (b'{"model": "tiny", "top_logprobs": 21, "logprobs": true}', "between 0 and 20"),
        (b'{"model": "nomic-embed-text", "messages": []}', '"nomic-embed-text" does not support chat'),
        (
            b'{"model": "gemma3:4b", "messages": [{"role": "user", "images": ["data:image/png;base64,AA=="]}]}',
            "illegal base64",
        ),
    ],
)
async def test_wrong_bodies(client: official.AsyncClient, body: bytes | None, text: str) -> None:
    response = await client._client.post("/api/chat", content=body)
    assert response.status_code == 400
    assert text in response.json()["error"]


async def test_unknown_options_pass_and_stream_defaults_to_true(client: official.AsyncClient) -> None:
    body = {"model": "tiny", "prompt": "hello", "options": {"mirostat": 1}}
    response = await client._client.post("/api/generate", json=body)
    assert response.headers["content-type"] == "application/x-ndjson"
    objects = [json.loads(line) for line in response.text.splitlines()]
    assert objects[-1]["done"] is True
    assert response.text.endswith("}\n")
    assert "\n\n" not in response.text


async def test_the_rest_of_the_surface(client: official.AsyncClient) -> None:
    http = client._client
    assert (await http.get("/")).text == "Ollama is running"
    assert (await http.get("/api/version")).json()["version"]
    assert (await http.get("/api/status")).json()["cloud"]["disabled"] is False
    assert (await http.head("/api/version")).status_code == 200
    assert (await http.head("/api/blobs/sha256:" + "0" * 64)).status_code == 404
    assert (await http.post("/api/tags")).status_code == 405
    assert (await http.get("/health")).status_code == 404
    wrong = await http.post("/api/blobs/sha256:" + "0" * 64, content=b"x")
    assert wrong.status_code == 400
    assert "digest mismatch" in wrong.json()["error"]
    cloud = await http.post("/api/chat", json={"model": "gpt-oss:120b-cloud", "messages": ASK})
    assert cloud.status_code == 401
    assert cloud.json()["signin_url"].startswith("https://")


async def test_logprobs_and_tool_call_ids_on_the_wire(client: official.AsyncClient) -> None:
    http = client._client
    body: dict[str, Any] = {"model": "tiny", "messages": ASK, "stream": False}
    said = (await http.post("/api/chat", json={**body, "logprobs": True, "top_logprobs": 2})).json()
    assert len(said["logprobs"]) == said["eval_count"]
    assert [len(entry["top_logprobs"]) for entry in said["logprobs"]] == [2] * said["eval_count"]
    called = (await http.post("/api/chat", json={**body, "tools": [TOOL]})).json()
    call = called["message"]["tool_calls"][0]
    assert call["id"].startswith("call_")
    assert len(call["id"]) == 13
    assert isinstance(call["function"]["arguments"], dict)


def _synchronous(host: str, picture: Path) -> Iterator[tuple[str, Any]]:
    with official.Client(host=host) as client:
        yield "chat", client.chat("llama3.2", messages=ASK).done_reason
        yield "stream", "".join(chunk.message.content for chunk in client.chat("tiny", messages=ASK, stream=True))
        yield "tools", client.chat("tiny", messages=ASK, tools=[TOOL]).message.tool_calls[0].function.name
        yield "generate", client.generate("gemma3:4b", "see", images=[picture]).done_reason
        yield "embed", len(client.embed("nomic-embed-text", "sun").embeddings[0])
        yield "pull", [step.status for step in client.pull("all-minilm", stream=True)][-1]
        yield "create", client.create("mine", from_="tiny").status
        yield "copy", client.copy("mine", "me/mine").status
        yield "push", client.push("me/mine").status
        yield "list", len(client.list().models)
        yield "ps", len(client.ps().models)
        yield "show", client.show("mine").details.parent_model
        yield "blob", client.create_blob(picture)[:7]
        yield "delete", client.delete("mine").status
        try:
            client.chat("nobody", messages=ASK)
        except official.ResponseError as error:
            yield "error", error.status_code


async def test_the_synchronous_client(sim: Simulator, tmp_path: Path) -> None:
    picture = tmp_path / "pixel.png"
    picture.write_bytes(PIXEL)
    got = await asyncio.to_thread(lambda: dict(_synchronous(sim.base_url("ollama"), picture)))
    assert "Name a prime" in got.pop("stream")
    assert got == {
        "chat": "stop",
        "tools": "weather",
        "generate": "stop",
        "embed": 768,
        "pull": "success",
        "create": "success",
        "copy": "success",
        "push": "success",
        "list": 10,
        "ps": 4,
        "show": "tiny:latest",
        "blob": "sha256:",
        "delete": "success",
        "error": 404,
    }
