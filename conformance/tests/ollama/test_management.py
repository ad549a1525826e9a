"""Model management against the simulated server: the life of a model, progress, blobs, failures of transfers."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from ollama_bench import ASK, backend_at, lines, mocked

from backends import errors
from backends.ollama import Ollama
from conformance.simulators import Fault, Simulator
from conformance.simulators.faults import CutAfter, CutBeforeTerminator, ErrorEvent, Pings, Reset, SplitEvery, Status

EMPTY = "sha256:" + hashlib.sha256(b"").hexdigest()


async def test_the_life_of_a_model(sim: Simulator, ollama: Ollama) -> None:
    pulled = await ollama.apull("mistral", insecure=False)
    assert pulled.status == "success"
    assert pulled.raw == {"status": "success", "nonce": sim.requests[0].nonce}
    assert list(pulled.layers.values()) == [4_372_824_384, 487]
    assert "mistral:latest" in [model.id for model in await ollama.amodels()]
    card = await ollama.ashow("mistral")
    assert card.capabilities == ("completion", "tools")
    assert card.context_length == 32_768
    assert card.details["quantization_level"] == "Q4_K_M"
    assert card.info["tokenizer.ggml.tokens"] == []
    assert (await ollama.ashow("mistral", verbose=True)).info["tokenizer.ggml.tokens"]
    made = await ollama.acreate(
        "helper", from_="mistral", system="You help.", parameters={"num_ctx": 512, "stop": "x"}, messages=ASK
    )
    assert made.status == "success"
    assert sim.requests[-1].json == {
        "model": "helper",
        "from": "mistral",
        "system": "You help.",
        "parameters": {"num_ctx": 512, "stop": ["x"]},
        "messages": ASK,
        "stream": True,
    }
    assert (await ollama.ashow("helper")).system == "You help."
    assert (await ollama.acopy("helper", "me/helper")).attempts == 1
    assert (await ollama.apush("me/helper")).status == "success"
    await ollama.acomplete("hello", model="helper", keep_alive="2m")
    [loaded] = await ollama.aps()
    assert (loaded.id, loaded.size_vram) == ("helper:latest", loaded.size)
    assert loaded.expires_at
    assert loaded.raw["name"] == "helper:latest"
    assert (await ollama.adelete("helper")).attempts == 1
    with pytest.raises(errors.UnknownModelError):
        await ollama.ashow("helper")
    assert all(seen.problem is None for seen in sim.requests[:-1])


@pytest.mark.parametrize(
    ("call", "arguments", "first"),
    [
        ("pull", {"model": "mistral"}, "pulling manifest"),
        ("push", {"model": "me/tiny"}, "retrieving manifest"),
        ("create", {"model": "mine", "from_": "tiny"}, "using existing layer"),
    ],
)
async def test_progress(sim: Simulator, ollama: Ollama, call: str, arguments: dict[str, Any], first: str) -> None:
    await ollama.acopy("tiny", "me/tiny")
    stream = getattr(ollama, f"astream_{call}")(**arguments)
    chunks = [chunk async for chunk in stream]
    assert [chunk.text for chunk in chunks] == [chunk.raw["status"] for chunk in chunks]
    assert chunks[0].text.startswith(first)
    assert chunks[0].raw["nonce"] == sim.requests[1].nonce
    assert chunks[-1].text == "success" == stream.reply.status
    moved = [chunk.raw for chunk in chunks if "digest" in chunk.raw]
    assert all(line.get("completed", 0) <= line["total"] for line in moved)
    assert set(stream.reply.layers) == {line["digest"] for line in moved}


@pytest.mark.parametrize("fault", [SplitEvery(3), Pings()])
async def test_harmless_progress(sim: Simulator, ollama: Ollama, fault: Any) -> None:
    sim.script(Fault(fault))
    assert (await ollama.astream_pull("mistral").collect()).status == "success"
    assert (await ollama.apull("mistral")).status == "success"
    assert not sim.unfired()


@pytest.mark.parametrize("way", ["pull", "stream"])
async def test_a_pull_of_an_unknown_name(sim: Simulator, ollama: Ollama, way: str) -> None:
    with pytest.raises(errors.UnknownModelError, match="file does not exist") as caught:
        await (ollama.apull("nobody") if way == "pull" else ollama.astream_pull("nobody").collect())
    assert (caught.value.status, caught.value.attempts) == (404, 1)
    assert len(sim.requests) == 1


async def test_a_push_without_a_namespace_of_ones_own(ollama: Ollama) -> None:
    with pytest.raises(errors.PermissionDeniedError, match="namespace/model"):
        await ollama.apush("tiny")
    with pytest.raises(errors.UnknownModelError):
        await ollama.apush("me/nobody")


async def test_a_broken_pull_goes_on_and_a_watched_one_says_how_far_it_was(sim: Simulator, ollama: Ollama) -> None:
    sim.script(Fault(CutAfter(300), nth=1), Fault(Reset("body", 500), nth=2), Fault(ErrorEvent(4), nth=3))
    pulled = await ollama.apull("mistral")
    assert (pulled.status, pulled.attempts) == ("success", 4)
    sim.script(Fault(CutAfter(600), nth=1))
    stream = ollama.astream_pull("mistral")
    seen: list[Any] = []
    with pytest.raises(errors.StreamInterruptedError) as caught:
        await _into(seen, stream)
    assert seen
    assert caught.value.partial["status"].startswith("pulling ")


async def _into(seen: list[Any], stream: Any) -> None:
    async for chunk in stream:
        seen.append(chunk.raw)


async def test_an_end_without_success_is_an_error(sim: Simulator) -> None:
    sim.script(Fault(CutBeforeTerminator()))
    async with backend_at(sim, max_retries=0) as ollama:
        with pytest.raises(errors.ServerError, match="writing manifest") as caught:
            await ollama.apull("mistral")
        assert caught.value.code == "cut_short"
        with pytest.raises(errors.StreamInterruptedError, match="without success"):
            await ollama.astream_pull("mistral").collect()
    async with mocked((200, lines({"status": "pulling manifest"}, {"state": "x"}))) as odd:
        with pytest.raises(errors.ResponseFormatError, match="no status"):
            await odd.apull("mistral")


async def test_blobs_from_bytes_and_from_a_file(sim: Simulator, ollama: Ollama, tmp_path: Path) -> None:
    weights = tmp_path / "weights.gguf"
    weights.write_bytes(b"GGUF" + bytes(range(256)) * 10_000)
    digest = "sha256:" + hashlib.sha256(weights.read_bytes()).hexdigest()
    assert not await ollama.ablob_exists(digest)
    sim.script(Fault(Status(503), method="POST", nth=1))
    blob = await ollama.aupload_blob(weights, digest)
    assert (blob.digest, blob.size, blob.existed, blob.attempts) == (digest, 2_560_004, False, 2)
    assert await ollama.ablob_exists(digest)
    again = await ollama.aupload_blob(weights.read_bytes())
    assert (again.digest, again.existed) == (digest, True)
    empty = await ollama.aupload_blob(b"")
    assert (empty.digest, empty.size) == (EMPTY, 0)
    posts = [seen for seen in sim.requests if seen.method == "POST"]
    assert [seen.body_length for seen in posts] == [2_560_004, 2_560_004, 2_560_004, 0]
    assert posts[1].header("content-length") == "2560004"
    told = [chunk.text async for chunk in ollama.astream_create("own", files={"weights.gguf": digest}, quantize="q4_0")]
    assert told[:2] == ["parsing GGUF", "quantizing F16 model to Q4_0"]
    with pytest.raises(errors.NotFoundError, match="blob"):
        await ollama.acreate("own", files={"w": "sha256:" + "0" * 64})


async def test_a_server_without_models_writes_null() -> None:
    async with mocked((200, {"models": None}), (200, {"models": []}), (200, {"models": [{}]})) as ollama:
        assert await ollama.amodels() == ()
        assert await ollama.aps() == ()
        with pytest.raises(errors.ResponseFormatError, match="no name"):
            await ollama.amodels()


async def test_delete_is_not_repeated_when_it_may_have_happened(sim: Simulator, ollama: Ollama) -> None:
    sim.script(Fault(Reset("headers"), nth=1))
    with pytest.raises(errors.TransportError) as caught:
        await ollama.adelete("tiny")
    assert caught.value.attempts == 1
    sim.script(Fault(Status(503), nth=1))
    assert (await ollama.adelete("llama3.2")).attempts == 2


async def test_version(sim: Simulator, ollama: Ollama) -> None:
    assert await ollama.aversion() == "0.33.0"
    async with mocked((200, {"version": 7})) as odd:
        with pytest.raises(errors.ResponseFormatError, match="version is not text"):
            await odd.aversion()
