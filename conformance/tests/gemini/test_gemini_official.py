"""The official client google-genai 3.6.1, asynchronous and synchronous, against the simulated service."""

from __future__ import annotations

import asyncio
import io
import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from gemini_bench import CONTENTS, PIXEL, SCHEMA
from google import genai
from google.genai import errors as official
from google.genai import types

from conformance.simulators import Fault, Simulator
from conformance.simulators.faults import CutBeforeTerminator, ErrorEvent, Pings, Status
from conformance.simulators.openai.answers.media import picture

MODEL = "gemini-3.8-flash"
TLS = ssl.create_default_context()  # made once: each client would spend half a second on its own

# The client's asynchronous side uses aiohttp in ways that aiohttp frowns upon.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Sending a large body directly:ResourceWarning"),
]


def made_client(sim: Simulator, key: str = "key-of-a-test", **options: Any) -> genai.Client:
    arguments = {"client_args": {"verify": TLS}, "async_client_args": {"verify": TLS, "ssl": TLS}}
    return genai.Client(api_key=key, http_options={"base_url": sim.base_url("gemini"), **arguments, **options})


@pytest.fixture
async def client(sim: Simulator) -> AsyncIterator[Any]:
    made = made_client(sim)
    yield made.aio
    await made.aio.aclose()
    made.close()


async def test_generate_whole_and_streamed(sim: Simulator, client: Any) -> None:
    whole = await client.models.generate_content(model=MODEL, contents="hello")
    chunks = [chunk async for chunk in await client.models.generate_content_stream(model=MODEL, contents="hello")]
    first, second = (seen.nonce for seen in sim.requests)
    assert first in whole.text
    assert "".join(chunk.text or "" for chunk in chunks) == whole.text.replace(first, second)
    assert whole.candidates[0].finish_reason == chunks[-1].candidates[0].finish_reason == types.FinishReason.STOP
    assert whole.usage_metadata == chunks[-1].usage_metadata
    counts = whole.usage_metadata
    assert counts.total_token_count == (
        counts.prompt_token_count + counts.candidates_token_count + counts.thoughts_token_count
    )
    assert (whole.response_id, whole.model_version) == (f"r{first}", MODEL)
    assert [seen.path for seen in sim.requests] == [
        f"/v1/models/{MODEL}:generateContent",
        f"/v1/models/{MODEL}:streamGenerateContent",
    ]
    assert all(seen.problem is None and not seen.key_in_url for seen in sim.requests)


async def test_the_full_configuration(sim: Simulator, client: Any) -> None:
    reply = await client.models.generate_content(
        model=MODEL,
        contents=["What is it?", types.Part.from_bytes(data=PIXEL, mime_type="image/png")],
        config=types.GenerateContentConfig(
            system_instruction="Be brief.",
            temperature=0.5,
            top_k=3,
            top_p=0.9,
            candidate_count=2,
            max_output_tokens=200,
            stop_sequences=["END"],
            seed=7,
            presence_penalty=0.1,
            frequency_penalty=-0.1,
            response_logprobs=True,
            logprobs=2,
            thinking_config=types.ThinkingConfig(include_thoughts=True, thinking_level=types.ThinkingLevel.LOW),
            safety_settings=[
                types.SafetySetting(
                    category=types.HarmCategory.HARM_CATEGORY_HARASSMENT,
                    threshold=types.HarmBlockThreshold.BLOCK_ONLY_HIGH,
                )
            ],
            media_resolution=types.MediaResolution.MEDIA_RESOLUTION_LOW,
        ),
    )
    assert sim.requests[0].problem is None
    assert len(reply.candidates) == 2
    thought, answer = reply.candidates[0].content.parts
    assert thought.thought
    assert sim.requests[0].nonce in answer.text
    assert len(reply.candidates[0].logprobs_result.chosen_candidates) > 5
    assert {entry.modality for entry in reply.usage_metadata.prompt_tokens_details} == {
        types.MediaModality.TEXT,
        types.MediaModality.IMAGE,
    }


async def test_a_tool_and_its_signature(sim: Simulator, client: Any) -> None:
    tool = types.Tool(
        function_declarations=[
            types.FunctionDeclaration(name="weather", description="Tells it.", parameters_json_schema=SCHEMA),
            types.FunctionDeclaration(
                name="tide",
                parameters=types.Schema(
                    type=types.Type.OBJECT, properties={"at": types.Schema(type=types.Type.STRING)}
                ),
            ),
        ]
    )
    config = types.GenerateContentConfig(
        tools=[tool], automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True)
    )
    asked = await client.models.generate_content(model=MODEL, contents="hello", config=config)
    nonce = sim.requests[0].nonce
    assert [(call.name, call.args) for call in asked.function_calls] == [
        ("weather", {"city": nonce}),
        ("tide", {"at": nonce}),
    ]
    content = asked.candidates[0].content
    assert nonce.encode() in content.parts[0].thought_signature
    results = [
        types.Part.from_function_response(name=call.name, response={"result": "fine"}) for call in asked.function_calls
    ]
    history = [types.UserContent("hello"), content, types.Content(role="user", parts=results)]
    last = await client.models.generate_content(model=MODEL, contents=history, config=config)
    assert sim.requests[1].nonce in last.text
    content.parts[0].thought_signature = None
    with pytest.raises(official.ClientError, match="missing a thought_signature"):
        await client.models.generate_content(model=MODEL, contents=history, config=config)
    with pytest.raises(official.ClientError, match="function response parts"):
        await client.models.generate_content(model="gemini-2.5-pro", contents=[*history[:2], history[0]], config=config)


async def test_structured_output(sim: Simulator, client: Any) -> None:
    for field in ("response_schema", "response_json_schema"):
        config = {"response_mime_type": "application/json", field: SCHEMA}
        reply = await client.models.generate_content(model=MODEL, contents="hello", config=config)
        assert json.loads(reply.text) == {"city": sim.requests[-1].nonce}


async def test_pictures_and_chats(sim: Simulator, client: Any) -> None:
    drawn = await client.models.generate_content(
        model="gemini-3.1-flash-image", contents="a prime", config={"response_modalities": ["TEXT", "IMAGE"]}
    )
    blobs = [part.inline_data for part in drawn.candidates[0].content.parts if part.inline_data]
    assert blobs[0].data == picture(sim.requests[0].nonce)
    chat = client.chats.create(model=MODEL, config={"system_instruction": "Be brief."})
    await chat.send_message("hello")
    second = [chunk async for chunk in await chat.send_message_stream("and?")]
    assert "“and?”" in "".join(chunk.text or "" for chunk in second)
    assert [content["role"] for content in sim.requests[2].json["contents"]] == ["user", "model", "user"]


async def test_blocks(sim: Simulator, client: Any) -> None:
    prompt = await client.models.generate_content(model=MODEL, contents="sim:block_prompt")
    assert prompt.text is None
    assert prompt.prompt_feedback.block_reason == types.BlockedReason.PROHIBITED_CONTENT
    answer = await client.models.generate_content(model=MODEL, contents="sim:block_answer")
    assert answer.candidates[0].finish_reason == types.FinishReason.SAFETY
    half = await client.models.generate_content(model=MODEL, contents="sim:filter")
    assert sim.requests[2].nonce in half.text
    broken = await client.models.generate_content(
        model=MODEL,
        contents="sim:bad_arguments",
        config={"tools": [{"function_declarations": [{"name": "weather", "parameters_json_schema": SCHEMA}]}]},
    )
    assert broken.candidates[0].finish_reason == types.FinishReason.MALFORMED_FUNCTION_CALL


async def test_errors_noise_and_cuts_inside_a_stream(sim: Simulator, client: Any) -> None:
    sim.script(
        Fault(ErrorEvent(2, status=503), nth=1),
        Fault(Pings(), nth=2),
        Fault(CutBeforeTerminator(), nth=3),
    )
    seen: list[Any] = []
    with pytest.raises(official.ServerError, match="overloaded") as caught:
        await _drained(seen, await client.models.generate_content_stream(model=MODEL, contents="hello"))
    assert (caught.value.code, caught.value.status, len(seen)) == (503, "UNAVAILABLE", 2)
    noisy: list[Any] = []
    await _drained(noisy, await client.models.generate_content_stream(model=MODEL, contents="hello"))
    assert noisy[-1].candidates[0].finish_reason == types.FinishReason.STOP
    cut: list[Any] = []
    await _drained(cut, await client.models.generate_content_stream(model=MODEL, contents="hello"))
    assert cut[-1].candidates[0].finish_reason is None
    assert not sim.unfired()


async def _drained(into: list[Any], stream: AsyncIterator[Any]) -> None:
    async for chunk in stream:
        into.append(chunk)


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (400, "INVALID_ARGUMENT"),
        (401, "UNAUTHENTICATED"),
        (402, "RESOURCE_EXHAUSTED"),
        (403, "PERMISSION_DENIED"),
        (404, "NOT_FOUND"),
        (429, "RESOURCE_EXHAUSTED"),
        (499, "CANCELLED"),
        (500, "INTERNAL"),
        (503, "UNAVAILABLE"),
        (504, "DEADLINE_EXCEEDED"),
    ],
)
async def test_statuses(sim: Simulator, client: Any, status: int, word: str) -> None:
    sim.script(Fault(Status(status)))
    with pytest.raises(official.APIError) as caught:
        await client.models.generate_content(model=MODEL, contents="hello")
    assert (caught.value.code, caught.value.status) == (status, word)
    assert type(caught.value) is (official.ServerError if status >= 500 else official.ClientError)
    assert len(sim.requests) == 1


async def test_quotas_are_named(sim: Simulator, client: Any) -> None:
    sim.script(Fault(Status(429, code="per_minute"), nth=1), Fault(Status(429, code="insufficient_quota"), nth=2))
    for period in ("PerMinute", "PerDay"):
        with pytest.raises(official.ClientError) as caught:
            await client.models.generate_content(model=MODEL, contents="hello")
        failure, retry = caught.value.details["error"]["details"]
        assert period in failure["violations"][0]["quotaId"]
        assert retry["retryDelay"] == "45.8379s"


async def test_keys(sim: Simulator) -> None:
    bad = made_client(sim, "invalid-key")
    with pytest.raises(official.ClientError, match="API key not valid") as caught:
        await bad.aio.models.generate_content(model=MODEL, contents="hello")
    assert caught.value.code == 400
    await bad.aio.aclose()
    bad.close()
    async with httpx.AsyncClient() as http:
        url = f"{sim.base_url('gemini')}/v1/models/{MODEL}:generateContent"
        assert (await http.post(url, json={"contents": CONTENTS})).status_code == 403
        assert (await http.post(f"{url}?key=plain", json={"contents": CONTENTS})).status_code == 200
    assert sim.requests[-1].key_in_url


async def test_models_in_pages_and_versions(sim: Simulator, client: Any) -> None:
    names = [model.name async for model in await client.models.list(config={"page_size": 5})]
    assert len(names) == len(set(names)) == 12
    assert len(sim.requests) == 3
    card = await client.models.get(model=MODEL)
    assert (card.name, card.input_token_limit, card.thinking) == (f"models/{MODEL}", 1_048_576, True)
    with pytest.raises(official.ClientError, match="not found for API version v1"):
        await client.models.generate_content(model="gemini-flash-latest", contents="hello")
    beta = made_client(sim, api_version="v1beta")
    await beta.aio.models.generate_content(model="gemini-flash-latest", contents="hello")
    await beta.aio.aclose()
    beta.close()
    for model in ("gemini-2.0-flash", "gemini-embedding-001", "nobody"):
        with pytest.raises(official.ClientError) as caught:
            await client.models.generate_content(model=model, contents="hello")
        assert caught.value.code == 404


async def test_embeddings_and_counts(sim: Simulator, client: Any) -> None:
    plain = await client.models.embed_content(
        model="gemini-embedding-001", contents=["sun", "moon"], config={"output_dimensionality": 16}
    )
    assert [len(one.values) for one in plain.embeddings] == [16, 16]
    packed = await client.models.embed_content(model="gemini-embedding-2", contents=["sun", "moon"])
    assert [len(one.values) for one in packed.embeddings] == [3072]
    assert (await client.models.count_tokens(model=MODEL, contents="one two three")).total_tokens == 7
    assert [seen.problem for seen in sim.requests] == [None] * 3


async def test_uploads_in_pieces(sim: Simulator, client: Any, tmp_path: Path) -> None:
    path = tmp_path / "large.txt"
    path.write_bytes(b"x" * 9_000_000)
    large = await client.files.upload(file=path)
    small = await client.files.upload(
        file=io.BytesIO(b"hello"), config={"mime_type": "text/plain", "display_name": "Notes"}
    )
    assert (large.size_bytes, large.state) == (9_000_000, types.FileState.ACTIVE)
    assert (small.size_bytes, small.display_name, small.source) == (5, "Notes", types.FileSource.UPLOADED)
    assert [seen.problem for seen in sim.requests] == [None] * 5
    assert [file.name async for file in await client.files.list(config={"page_size": 1})] == [large.name, small.name]
    assert (await client.files.get(name=small.name)).uri == small.uri
    reply = await client.models.generate_content(model=MODEL, contents=["What is it?", small])
    assert sim.requests[-1].nonce in reply.text
    await client.files.delete(name=small.name)
    with pytest.raises(official.ClientError, match="not found"):
        await client.files.get(name=small.name)


async def test_cached_contents(sim: Simulator, client: Any) -> None:
    cache = await client.caches.create(
        model=MODEL, config={"contents": "a long text", "system_instruction": "Be brief.", "ttl": "60s"}
    )
    assert (cache.expire_time - cache.create_time).total_seconds() == 60
    changed = await client.caches.update(name=cache.name, config={"ttl": "120s"})
    assert (changed.expire_time - changed.create_time).total_seconds() == 120
    reply = await client.models.generate_content(model=MODEL, contents="hello", config={"cached_content": cache.name})
    assert reply.usage_metadata.cached_content_token_count == cache.usage_metadata.total_token_count
    assert [one.name async for one in await client.caches.list()] == [cache.name]
    await client.caches.delete(name=cache.name)
    with pytest.raises(official.ClientError, match="not found"):
        await client.caches.get(name=cache.name)


async def test_batches(sim: Simulator, client: Any) -> None:
    source = [{"contents": "hello", "metadata": {"key": "one"}, "config": {"temperature": 0.5}}, {"contents": "on"}]
    job = await client.batches.create(model=MODEL, src=source, config={"display_name": "nightly"})
    states = []
    for _ in range(3):
        states.append(job.state.name)
        job = await client.batches.get(name=job.name)
    assert states == ["JOB_STATE_PENDING", "JOB_STATE_RUNNING", "JOB_STATE_SUCCEEDED"]
    first, second = job.dest.inlined_responses
    assert first.metadata == {"key": "one"}
    assert "“on”" in second.response.text
    line = json.dumps({"key": "a", "request": {"contents": CONTENTS}}).encode() + b"\n"
    file = await client.files.upload(file=io.BytesIO(line * 2), config={"mime_type": "application/jsonl"})
    over = await client.batches.create(model=MODEL, src=file.name)
    for _ in range(2):
        over = await client.batches.get(name=over.name)
    results = (await client.files.download(file=over.dest.file_name)).splitlines()
    assert [json.loads(result)["key"] for result in results] == ["a", "a"]
    doomed = await client.batches.create(model=MODEL, src=source)
    await client.batches.cancel(name=doomed.name)
    assert (await client.batches.get(name=doomed.name)).state == types.JobState.JOB_STATE_CANCELLED
    await client.batches.delete(name=doomed.name)
    assert [one.name async for one in await client.batches.list(config={"page_size": 1})] == [job.name, over.name]
    assert [seen.problem for seen in sim.requests if seen.problem] == []


@pytest.mark.filterwarnings("ignore:batches.create_embeddings")  # the client says that it may change
async def test_embedding_batches(sim: Simulator) -> None:
    client = made_client(sim)
    source = {"inlined_requests": {"contents": ["sun", "moon"], "config": {"output_dimensionality": 4}}}
    job = await asyncio.to_thread(client.batches.create_embeddings, model="gemini-embedding-001", src=source)
    for _ in range(2):
        job = await client.aio.batches.get(name=job.name)
    vectors = [one.response.embedding.values for one in job.dest.inlined_embed_content_responses]
    assert [len(vector) for vector in vectors] == [4, 4]
    assert sim.requests[0].problem is None
    await client.aio.aclose()
    client.close()


def _synchronous(sim: Simulator) -> list[Any]:
    with made_client(sim) as client:
        chunks = client.models.generate_content_stream(model=MODEL, contents="hello")
        return [
            client.models.generate_content(model=MODEL, contents="hello").text,
            "".join(chunk.text or "" for chunk in chunks),
            client.files.upload(file=io.BytesIO(b"hello"), config={"mime_type": "text/plain"}).size_bytes,
            len(client.models.embed_content(model="gemini-embedding-001", contents="sun").embeddings),
            len(list(client.models.list())),
        ]


async def test_the_synchronous_client(sim: Simulator) -> None:
    whole, streamed, *counts = await asyncio.to_thread(_synchronous, sim)
    first, second = (seen.nonce for seen in sim.requests[:2])
    assert whole.replace(first, second) == streamed
    assert counts == [5, 1, 12]
    assert all(seen.problem is None for seen in sim.requests)
