"""The official OpenAI client (3.57) against the simulated server, as vLLM's own documentation uses it."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from vllm_bench import ASK, CHAT, EMBEDDER, HEARER, MATRYOSHKA, SCHEMA, THINKER, TOOL

from conformance.simulators import Fault, Simulator
from conformance.simulators.faults import EmptyBody, ErrorEvent, Status
from conformance.simulators.openai.answers.media import wave


@pytest.fixture
async def client(sim: Simulator) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(api_key="EMPTY", base_url=sim.base_url("vllm"), max_retries=0) as made:
        yield made


def without_waiting(client: openai.AsyncOpenAI, retries: int) -> openai.AsyncOpenAI:
    patient = client.with_options(max_retries=retries)
    patient._calculate_retry_timeout = lambda *_: 0.0  # type: ignore[method-assign]
    return patient


async def test_chat_whole_and_streamed(sim: Simulator, client: openai.AsyncOpenAI) -> None:
    whole = await client.chat.completions.create(model=CHAT, messages=ASK)
    stream = await client.chat.completions.create(
        model=CHAT, messages=ASK, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    first, second = (seen.nonce for seen in sim.requests)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert whole.choices[0].message.content.replace(first, second) == text
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices == [] for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert chunks[-1].usage.total_tokens == whole.usage.total_tokens
    assert chunks[-1].usage.prompt_tokens_details is None
    assert all(seen.problem is None for seen in sim.requests)


async def test_without_usage_no_chunk_is_empty(client: openai.AsyncOpenAI) -> None:
    stream = await client.chat.completions.create(model=CHAT, messages=ASK, stream=True)
    chunks = [chunk async for chunk in stream]
    assert all(len(chunk.choices) == 1 and chunk.usage is None for chunk in chunks)
    assert chunks[-1].choices[0].finish_reason == "stop"


async def test_fields_of_its_own_through_extra_body(sim: Simulator, client: openai.AsyncOpenAI) -> None:
    reply = await client.chat.completions.create(
        model=CHAT,
        messages=ASK,
        extra_body={
            "top_k": 20,
            "repetition_penalty": 1.1,
            "structured_outputs": {"choice": ["yes", "no"]},
            "return_token_ids": True,
            "request_id": "mine",
        },
    )
    assert reply.choices[0].message.content == "yes"
    assert reply.id == "chatcmpl-mine"
    assert len(reply.choices[0].token_ids) == 1  # type: ignore[attr-defined]
    assert reply.prompt_token_ids  # type: ignore[attr-defined]
    with pytest.raises(openai.BadRequestError, match="num_retries"):
        await client.chat.completions.create(model=CHAT, messages=ASK, extra_body={"num_retries": 3})


async def test_ids_of_the_callers_own(sim: Simulator, client: openai.AsyncOpenAI) -> None:
    raw = await client.chat.completions.with_raw_response.create(
        model=CHAT, messages=ASK, extra_headers={"X-Request-Id": "from-outside"}
    )
    assert raw.headers["x-request-id"] == "from-outside"
    assert raw.parse().id == "chatcmpl-from-outside"
    fresh = await client.chat.completions.create(model=CHAT, messages=ASK)
    assert fresh._request_id == sim.requests[1].nonce


async def test_reasoning_and_tools(sim: Simulator, client: openai.AsyncOpenAI) -> None:
    thought = await client.chat.completions.create(model=THINKER, messages=ASK, reasoning_effort="low")
    assert thought.choices[0].message.reasoning.startswith(sim.requests[0].nonce)  # type: ignore[attr-defined]
    called = await client.chat.completions.create(model=CHAT, messages=ASK, tools=[TOOL], tool_choice="auto")
    [call] = called.choices[0].message.tool_calls
    assert (call.function.name, json.loads(call.function.arguments)) == ("weather", {"city": sim.requests[1].nonce})
    async with client.chat.completions.stream(model=CHAT, messages=ASK, tools=[TOOL]) as stream:
        final = await stream.get_final_completion()
    [streamed] = final.choices[0].message.tool_calls
    assert json.loads(streamed.function.arguments) == {"city": sim.requests[2].nonce}
    history = [*ASK, called.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": "sunny"}]
    last = await client.chat.completions.create(model=CHAT, messages=history, tools=[TOOL])
    assert last.choices[0].message.content.startswith(sim.requests[3].nonce)
    wanted: Any = {"type": "json_schema", "json_schema": {"name": "city", "schema": SCHEMA}}
    shaped = await client.chat.completions.create(model=CHAT, messages=ASK, response_format=wanted)
    assert json.loads(shaped.choices[0].message.content)["name"] == sim.requests[4].nonce
    assert all(seen.problem is None for seen in sim.requests)


async def test_completions(sim: Simulator, client: openai.AsyncOpenAI) -> None:
    done = await client.completions.create(model=CHAT, prompt=["one", "two"], max_tokens=3, logprobs=2)
    assert [choice.finish_reason for choice in done.choices] == ["length", "length"]
    assert len(done.choices[0].logprobs.tokens) == 3
    stream = await client.completions.create(model=CHAT, prompt="hello", stream=True, echo=True)
    text = "".join([piece.choices[0].text async for piece in stream])
    assert text.startswith("hello")
    assert sim.requests[1].nonce in text


async def test_embeddings_ask_for_base64_by_themselves(sim: Simulator, client: openai.AsyncOpenAI) -> None:
    vectors = await client.embeddings.create(model=EMBEDDER, input=["sun", "moon"])
    assert [len(row.embedding) for row in vectors.data] == [64, 64]
    assert sim.requests[0].json["encoding_format"] == "base64"
    raw = await client.embeddings.with_raw_response.create(model=EMBEDDER, input="sun", encoding_format="base64")
    packed = base64.b64decode(json.loads(raw.content)["data"][0]["embedding"])
    assert list(struct.unpack("=64f", packed)) == pytest.approx(vectors.data[0].embedding)
    short = await client.embeddings.create(model=MATRYOSHKA, input="sun", dimensions=8)
    assert len(short.data[0].embedding) == 8
    with pytest.raises(openai.BadRequestError, match="Matryoshka"):
        await client.embeddings.create(model=EMBEDDER, input="sun", dimensions=8)
    with pytest.raises(openai.BadRequestError, match="at least one prompt"):
        await client.embeddings.create(model=EMBEDDER, input=[])


async def test_responses(sim: Simulator, client: openai.AsyncOpenAI) -> None:
    made = await client.responses.create(model=CHAT, input="hello")
    assert made.output_text.startswith(sim.requests[0].nonce)
    assert (await client.responses.retrieve(made.id)).output_text == made.output_text
    kinds = []
    async with client.responses.stream(model=CHAT, input="hello") as stream:
        async for event in stream:
            kinds.append(event.type)
        final = await stream.get_final_response()
    assert final.output_text == made.output_text.replace(sim.requests[0].nonce, sim.requests[2].nonce)
    assert (kinds[0], kinds[-1]) == ("response.created", "response.completed")
    waiting = await client.responses.create(model=CHAT, input="hello", background=True)
    assert (await client.responses.cancel(waiting.id)).status == "cancelled"
    with pytest.raises(openai.NotFoundError, match="not found"):
        await client.responses.retrieve("resp_gone")


async def test_hearing(sim: Simulator, client: openai.AsyncOpenAI) -> None:
    sound = ("a.wav", wave("c0ffee00"))
    heard = await client.audio.transcriptions.create(model=HEARER, file=sound)
    assert heard.text.startswith(sim.requests[0].nonce)
    timed = await client.audio.transcriptions.create(
        model=HEARER, file=sound, response_format="verbose_json", timestamp_granularities=["word"]
    )
    assert len(timed.words) == len(timed.text.split())
    with pytest.warns(DeprecationWarning, match="deprecated"):  # by OpenAI; vLLM goes on
        translated = await client.audio.translations.create(model=HEARER, file=sound)
    assert "translated" in translated.text
    assert all(seen.problem is None for seen in sim.requests)


async def test_models_and_adapters(client: openai.AsyncOpenAI) -> None:
    loaded = await client.post(
        "/load_lora_adapter", body={"lora_name": "sql", "lora_path": "/adapters/sql"}, cast_to=str
    )
    assert loaded == "Success: LoRA adapter 'sql' added successfully."
    listed = (await client.models.list()).data
    assert (listed[0].id, listed[-1].id, listed[-1].parent) == (CHAT, "sql", CHAT)  # type: ignore[attr-defined]
    assert listed[0].max_model_len == 131_072  # type: ignore[attr-defined]
    assert (await client.chat.completions.create(model="sql", messages=ASK)).model == "sql"


async def test_errors(sim: Simulator, client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match=r"does not exist. Valid aliases: ") as missing:
        await client.chat.completions.create(model="gone", messages=ASK)
    assert (missing.value.param, missing.value.type, missing.value.code) == ("model", "NotFoundError", "404")
    with pytest.raises(openai.BadRequestError, match="temperature must be at least 0, got -1") as refused:
        await client.chat.completions.create(model=CHAT, messages=ASK, temperature=-1)
    assert refused.value.param == "temperature"
    with pytest.raises(openai.BadRequestError, match="1 validation error") as malformed:
        await client.chat.completions.create(model=CHAT, messages="hello")  # type: ignore[arg-type]
    assert (malformed.value.param, malformed.value.type) == ("body.messages", "Bad Request")
    with pytest.raises(openai.BadRequestError, match="`tools` must be set"):
        await client.chat.completions.create(model=CHAT, messages=ASK, tool_choice="required")
    with pytest.raises(openai.NotFoundError) as nowhere:
        await client.models.retrieve(CHAT)
    assert nowhere.value.response.json() == {"detail": "Not Found"}
    with pytest.raises(openai.APIStatusError) as verb:
        await client.get("/chat/completions", cast_to=object)
    assert (verb.value.status_code, verb.value.response.json()) == (405, {"detail": "Method Not Allowed"})
    with pytest.raises(openai.AuthenticationError) as key:
        await client.with_options(api_key="sk-invalid").models.list()
    assert key.value.response.json() == {"error": "Unauthorized"}


async def test_an_error_inside_a_stream(sim: Simulator, client: openai.AsyncOpenAI) -> None:
    sim.script(Fault(ErrorEvent(2), nth=1))
    stream = await client.chat.completions.create(model=CHAT, messages=ASK, stream=True)
    came = []
    with pytest.raises(openai.APIError, match="EngineCore"):
        await _collect(stream, came)
    assert len(came) == 3  # the role and two pieces


async def _collect(stream: Any, into: list[Any]) -> None:
    async for chunk in stream:
        into.append(chunk)


async def test_an_empty_503_is_tried_three_times(sim: Simulator, client: openai.AsyncOpenAI) -> None:
    patient = without_waiting(client, 2)
    sim.script(Fault(EmptyBody(503)))
    with pytest.raises(openai.InternalServerError):
        await patient.chat.completions.create(model=CHAT, messages=ASK)
    assert len(sim.requests) == 3
    sim.reset()
    sim.script(Fault(Status(503), nth=1))
    assert (await patient.chat.completions.create(model=CHAT, messages=ASK)).choices
    assert [seen.status for seen in sim.requests] == [503, 200]
