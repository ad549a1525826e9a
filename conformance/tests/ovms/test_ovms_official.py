"""The official clients at the simulated server: tritonclient 2.73.0 (sync and async), openai against /v3."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import numpy
import openai
import pytest
import tritonclient.http as triton
import tritonclient.http.aio as triton_aio
from ovms_bench import ASK, TOOL
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from conformance.simulators import Fault, Simulator
from conformance.simulators.faults import ErrorEvent, Status
from conformance.simulators.openai.answers.media import picture, wave


def address(sim: Simulator) -> str:
    return sim.base_url("ovms").removeprefix("http://")


def given(name: str, data: Any, *, binary: bool = True, of: Any = triton) -> Any:
    made = of.InferInput(name, list(data.shape), np_to_triton_dtype(data.dtype))
    made.set_data_from_numpy(data, binary_data=binary)
    return made


async def synchronously(sim: Simulator, work: Callable[[Any], Any]) -> Any:
    def run() -> Any:
        with triton.InferenceServerClient(address(sim)) as client:
            return work(client)

    return await asyncio.to_thread(run)


ROWS = numpy.array([[1, 2], [3, 4]], dtype="f4")


async def test_triton_health_and_metadata(sim: Simulator) -> None:
    def work(client: Any) -> list[Any]:
        return [
            client.is_server_live(),
            client.is_server_ready(),
            client.is_model_ready("add"),
            client.is_model_ready("nobody"),
            client.is_model_ready("scale", "2"),
            client.get_server_metadata()["name"],
            client.get_model_metadata("sum")["inputs"],
        ]

    *flags, name, inputs = await synchronously(sim, work)
    assert flags == [True, True, True, False, True]
    assert name == "OpenVINO Model Server"
    assert inputs[0] == {"name": "a", "datatype": "INT32", "shape": [-1, 2]}
    sim._mounted["ovms"].state.ready = False
    assert await synchronously(sim, lambda client: client.is_server_ready()) is False


@pytest.mark.parametrize("binary", [True, False])
async def test_triton_infers(sim: Simulator, binary: bool) -> None:
    def work(client: Any) -> list[Any]:
        wanted = [triton.InferRequestedOutput("y", binary_data=binary)]
        listed = client.infer("double", [given("x", ROWS, binary=binary)], outputs=wanted, request_id="r7")
        unlisted = client.infer("double", [given("x", ROWS, binary=binary)])
        return [listed.as_numpy("y").tolist(), unlisted.as_numpy("y").tolist(), listed.get_response()]

    listed, unlisted, response = await synchronously(sim, work)
    assert listed == unlisted == [[2, 4], [6, 8]]
    assert (response["id"], response["model_version"]) == ("r7", "1")
    assert response["parameters"] == {"nonce": sim.requests[0].nonce}
    assert ("data" in response["outputs"][0]) is not binary
    assert sim.requests[0].header("content-type") is None
    assert (sim.requests[0].header("inference-header-content-length") is not None) is binary
    assert all(seen.problem is None for seen in sim.requests)


async def test_triton_sends_texts_and_pictures(sim: Simulator) -> None:
    def work(client: Any) -> list[Any]:
        texts = numpy.array([b"abc", "naïve".encode()], dtype=object)
        loud = client.infer("shout", [given("text", texts)], outputs=[triton.InferRequestedOutput("loud")])
        plain = client.infer("shout", [given("text", numpy.array(["abc", "de"], dtype=object), binary=False)])
        pictures = numpy.array([picture("c0ffee", 4), picture("c0ffee", 6)], dtype=object)
        sides = client.infer("picture", [given("image", pictures)], outputs=[triton.InferRequestedOutput("sides")])
        return [loud.as_numpy("loud").tolist(), plain.as_numpy("loud").tolist(), sides.as_numpy("sides").tolist()]

    loud, plain, sides = await synchronously(sim, work)
    assert loud == [b"ABC", "NAïVE".encode()]
    assert plain == ["ABC", "DE"]
    assert sides == [[4, 4], [6, 6]]
    assert sim.requests[0].body.endswith(b"\x03\0\0\0abc\x06\0\0\0" + "naïve".encode())


@pytest.mark.parametrize("kind", ["?", "u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8"])
async def test_triton_with_every_number(sim: Simulator, kind: str) -> None:
    data = numpy.array([[0, 1, 1]], dtype=kind)
    name = f"identity_{np_to_triton_dtype(data.dtype).lower()}"
    wanted = [triton.InferRequestedOutput("y")]
    back = await synchronously(sim, lambda client: client.infer(name, [given("x", data)], outputs=wanted).as_numpy("y"))
    assert back.dtype == data.dtype
    assert back.tolist() == data.tolist()


async def test_triton_meets_errors(sim: Simulator) -> None:
    calls: dict[str, tuple[str, Callable[[Any], Any]]] = {
        "Model with requested name is not found": ("404", lambda c: c.infer("nobody", [given("x", ROWS)])),
        "Model with requested version is not found": ("404", lambda c: c.infer("add", [given("x", ROWS)], "9")),
        "Model with requested version is retired": ("404", lambda c: c.infer("gone", [given("x", ROWS)])),
        "is not loaded yet": ("404", lambda c: c.infer("late", [given("x", ROWS)])),
        "Invalid input precision": ("400", lambda c: c.infer("add", [given("x", ROWS.astype("i4"))])),
        "Invalid number of inputs": ("400", lambda c: c.infer("sum", [given("a", ROWS.astype("i4"))])),
        "Invalid input shape": ("400", lambda c: c.infer("add", [given("x", ROWS[0])])),
        "Internal inference error": ("500", lambda c: c.infer("broken", [given("x", ROWS)])),
        "Invalid request URL": ("400", lambda c: c.get_model_repository_index()),
    }
    for text, (status, call) in calls.items():
        with pytest.raises(InferenceServerException, match=text) as caught:
            await synchronously(sim, call)
        assert caught.value.status() == status
    sim.script(Fault(Status(503)))
    with pytest.raises(InferenceServerException, match="Server is not ready"):
        await synchronously(sim, lambda client: client.infer("add", [given("x", ROWS)]))


async def test_triton_asynchronously(sim: Simulator) -> None:
    async with triton_aio.InferenceServerClient(address(sim)) as client:
        assert await client.is_server_live()
        assert (await client.get_model_metadata("shout"))["outputs"][0]["datatype"] == "BYTES"
        inputs = [given("x", ROWS, of=triton_aio)]
        results = await asyncio.gather(*(client.infer("add", inputs) for _ in range(5)))
        assert [result.as_numpy("y").tolist() for result in results] == [[[2, 3], [4, 5]]] * 5
        with pytest.raises(InferenceServerException, match="name is not found"):
            await client.infer("nobody", inputs)


@pytest.fixture
async def client(sim: Simulator) -> AsyncIterator[openai.AsyncOpenAI]:
    base = sim.base_url("ovms") + "/v3"
    async with openai.AsyncOpenAI(api_key="sk-openai-1", base_url=base, max_retries=0) as made:
        yield made


async def test_openai_chats(sim: Simulator, client: openai.AsyncOpenAI) -> None:
    whole = await client.chat.completions.create(model="llama3", messages=ASK, extra_body={"top_k": 1})
    assert whole.id is None
    assert whole.choices[0].message.content.startswith(sim.requests[0].nonce)
    stream = await client.chat.completions.create(
        model="llama3", messages=ASK, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text.startswith(sim.requests[1].nonce)
    assert chunks[0].choices[0].delta.content is None
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens
    called = await client.chat.completions.create(model="llama3", messages=ASK, tools=[TOOL])
    assert called.choices[0].message.tool_calls[0].function.name == "weather"


async def test_openai_does_not_see_a_bare_error(sim: Simulator, client: openai.AsyncOpenAI) -> None:
    sim.script(Fault(ErrorEvent(3)))
    stream = await client.chat.completions.create(model="llama3", messages=ASK, stream=True)
    chunks = [chunk async for chunk in stream]  # it just ends, which is why our reader looks for it
    assert 3 <= len(chunks) <= 5
    assert all(chunk.choices[0].finish_reason is None for chunk in chunks)


async def test_openai_with_everything_else(sim: Simulator, client: openai.AsyncOpenAI) -> None:
    done = await client.completions.create(model="llama3", prompt="hello", max_tokens=5)
    assert done.choices[0].finish_reason == "length"
    made = await client.responses.create(model="llama3", input="hello")
    assert made.output_text.startswith(sim.requests[1].nonce)
    kinds = [event.type async for event in await client.responses.create(model="llama3", input="hello", stream=True)]
    assert (kinds[0], kinds[-1]) == ("response.created", "response.completed")
    vectors = await client.embeddings.create(model="gte-large", input=["a", "b"])
    assert [len(one.embedding) for one in vectors.data] == [1024, 1024]
    assert "llama3" in [model.id async for model in client.models.list()]
    image = await client.images.generate(model="flux", prompt="a cat", size="512x512", response_format="b64_json")
    assert image.data[0].b64_json
    edited = await client.images.edit(model="flux", image=("a.png", picture("c0ffee")), prompt="a cat")
    assert edited.data[0].b64_json
    spoken = await client.audio.speech.create(model="kokoro", voice="af_alloy", input="hello")
    assert spoken.content[:4] == b"RIFF"
    sound = ("a.wav", wave("c0ffee"))
    heard = await client.audio.transcriptions.create(model="whisper", file=sound)
    assert heard.text.startswith(sim.requests[-1].nonce)
    assert all(seen.problem is None for seen in sim.requests)


async def test_openai_meets_errors(sim: Simulator, client: openai.AsyncOpenAI) -> None:
    for call, status in (
        (client.chat.completions.create(model="nobody", messages=ASK), 404),
        (client.chat.completions.create(model="gte-large", messages=ASK), 400),
        (client.models.retrieve("nobody"), 500),
        (client.post("/chat/completions", body={"messages": ASK}, cast_to=object), 412),
        (client.delete("/models", cast_to=object), 406),
    ):
        with pytest.raises(openai.APIStatusError) as caught:
            await call
        assert caught.value.status_code == status
        assert isinstance(caught.value.response.json()["error"], str)
    refused = client.with_options(api_key="sk-invalid")
    with pytest.raises(openai.InternalServerError) as unauthorized:
        await refused.chat.completions.create(model="llama3", messages=ASK)
    assert "api-key" in unauthorized.value.response.text
    assert (await refused.models.list()).data  # lists are open
