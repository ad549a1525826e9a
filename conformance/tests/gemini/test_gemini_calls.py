"""Each call against the simulated service, and what its reply holds."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from gemini_bench import ASK, PIXEL, SCHEMA, TOOL, backend_at, mocked, said

from backends import errors
from backends.gemini import Gemini
from backends.types import Usage
from conformance.simulators import Simulator
from conformance.simulators.openai.answers.media import picture, wave

THINKER = "gemini-3.8-flash"


async def test_chat_whole_and_streamed_agree(sim: Simulator, gemini: Gemini) -> None:
    whole = await gemini.achat(ASK, include_thoughts=True)
    stream = gemini.astream_chat(ASK, include_thoughts=True)
    chunks = [chunk async for chunk in stream]
    first, second = (seen.nonce for seen in sim.requests)
    assert stream.reply.text == whole.text.replace(first, second)
    assert stream.reply.reasoning == (whole.reasoning or "").replace(first, second)
    assert stream.reply.usage == whole.usage
    assert stream.reply.finish_reason == whole.finish_reason == "STOP"
    assert stream.reply.raw["candidates"][0]["content"] == json.loads(
        json.dumps(whole.raw["candidates"][0]["content"]).replace(first, second)
    )
    assert (whole.provider_request_id, stream.reply.provider_request_id) == (f"r{first}", f"r{second}")
    assert (whole.model, whole.attempts) == ("gemini-3.5-flash-lite", 1)
    assert "".join(chunk.reasoning for chunk in chunks) == stream.reply.reasoning
    assert [seen.query for seen in sim.requests] == ["", "alt=sse"]


async def test_usage_counts_thoughts_as_output_and_cached_as_input(sim: Simulator, gemini: Gemini) -> None:
    cache = await gemini.acreate_cache("a long text " * 20, model=THINKER)
    reply = await gemini.achat(ASK, model=THINKER, cached_content=cache.id)
    raw = reply.raw["usageMetadata"]
    assert reply.usage == Usage(
        raw["promptTokenCount"],
        raw["candidatesTokenCount"] + raw["thoughtsTokenCount"],
        raw["totalTokenCount"],
        cached_tokens=cache.usage.input_tokens,
        reasoning_tokens=raw["thoughtsTokenCount"],
    )
    assert reply.usage.total_tokens == (reply.usage.input_tokens or 0) + (reply.usage.output_tokens or 0)


@pytest.mark.parametrize(
    ("metadata", "usage"),
    [
        (None, Usage()),
        ({}, Usage(0, 0, 0)),
        ({"promptTokenCount": 5, "totalTokenCount": 5}, Usage(5, 0, 5)),
        ({"promptTokenCount": 5, "candidatesTokenCount": 2}, Usage(5, 2, 7)),
        ({"promptTokenCount": 5, "toolUsePromptTokenCount": 3, "totalTokenCount": 8}, Usage(8, 0, 8)),
        ({"promptTokenCount": "5", "thoughtsTokenCount": -1}, Usage(0, 0, 0)),
        (
            {
                "promptTokensDetails": [
                    {"modality": "AUDIO", "tokenCount": 4},
                    {"modality": "TEXT", "tokenCount": 1},
                    5,
                ],
                "candidatesTokensDetails": [{"modality": "AUDIO", "tokenCount": 3}],
                "promptTokenCount": 5,
            },
            Usage(5, 0, 5, audio_tokens=7, audio_output_tokens=3),
        ),
    ],
)
async def test_usage_as_the_provider_gives_it(metadata: Any, usage: Usage) -> None:
    async with mocked((200, said("Two", usageMetadata=metadata))) as gemini:
        assert (await gemini.achat(ASK)).usage == usage


async def test_the_whole_round_of_a_tool(sim: Simulator, gemini: Gemini) -> None:
    tools = [TOOL, {"type": "function", "function": {"name": "tide", "parameters": SCHEMA}}]
    asked = await gemini.achat(ASK, model=THINKER, tools=tools)
    assert [call.name for call in asked.tool_calls] == ["weather", "tide"]
    assert json.loads(asked.tool_calls[0].arguments) == {"city": sim.requests[0].nonce}
    assert asked.finish_reason == "STOP"
    results = [{"role": "tool", "tool_call_id": call.id, "content": f"{call.name}: fine"} for call in asked.tool_calls]
    by_reply = await gemini.achat([*ASK, asked, *results], model=THINKER, tools=tools)
    said_so = {"role": "assistant", "content": asked.text, "tool_calls": list(asked.tool_calls)}
    by_calls = await gemini.achat([*ASK, said_so, *results], model=THINKER, tools=tools)
    assert by_reply.tool_calls == by_calls.tool_calls == ()
    assert sim.requests[1].json == sim.requests[2].json
    unsigned = [
        {"id": call.id, "function": {"name": call.name, "arguments": call.arguments}} for call in asked.tool_calls
    ]
    with pytest.raises(errors.InvalidRequestError, match="missing a thought_signature"):
        await gemini.achat([*ASK, {"role": "assistant", "tool_calls": unsigned}, *results], model=THINKER, tools=tools)
    streamed = await gemini.astream_chat(ASK, model=THINKER, tools=tools).collect()
    again = [{**result, "tool_call_id": call.id} for result, call in zip(results, streamed.tool_calls, strict=True)]
    await gemini.achat([*ASK, streamed, *again], model=THINKER, tools=tools)


async def test_tool_choice_is_obeyed(gemini: Gemini) -> None:
    tools = [TOOL, {"type": "function", "function": {"name": "tide"}}]
    one = {"type": "function", "function": {"name": "tide"}}
    assert [call.name for call in (await gemini.achat(ASK, tools=tools, tool_choice=one)).tool_calls] == ["tide"]
    assert (await gemini.achat(ASK, tools=tools, tool_choice="none")).tool_calls == ()


async def test_json_answers(sim: Simulator, gemini: Gemini) -> None:
    reply = await gemini.achat(ASK, response_json_schema=SCHEMA)
    assert json.loads(reply.text) == {"city": sim.requests[0].nonce}
    subset = {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}}
    reply = await gemini.agenerate("hello", response_schema=subset)
    assert json.loads(reply.text) == {"city": sim.requests[1].nonce}


async def test_limits_stops_and_candidates(gemini: Gemini) -> None:
    short = await gemini.achat(ASK, max_output_tokens=3)
    assert (short.finish_reason, short.usage.output_tokens) == ("MAX_TOKENS", 3)
    stopped = await gemini.achat(ASK, stop_sequences=["simulated"])
    assert "simulated" not in stopped.text
    many = await gemini.astream_chat(ASK, candidate_count=3).collect()
    assert len(set(many.texts)) == 3
    assert many.text == many.texts[0]


async def test_generate_takes_native_contents(sim: Simulator, gemini: Gemini) -> None:
    contents = [{"role": "user", "parts": [{"text": "a"}]}, {"role": "model", "parts": [{"text": "b"}]}]
    reply = await gemini.agenerate([*contents, {"role": "user", "parts": [{"text": "c"}]}])
    assert "“c”" in reply.text
    streamed = await gemini.astream_generate("hello").collect()
    assert "“hello”" in streamed.text
    assert sim.requests[0].json["contents"][:2] == contents


async def test_pictures(sim: Simulator, gemini: Gemini) -> None:
    made = await gemini.agenerate_image("a prime", image_config={"aspectRatio": "16:9"})
    assert (made.images[0].data, made.output_format) == (picture(sim.requests[0].nonce), "png")
    assert made.provider_request_id == f"r{sim.requests[0].nonce}"
    await gemini.agenerate_image(["the same in blue", {"inlineData": {"mimeType": "image/png", "data": PIXEL}}])
    assert sim.requests[1].json["contents"][0]["parts"][1]["inlineData"]["mimeType"] == "image/png"
    assert "gemini-3.1-flash-image" in sim.requests[1].path
    beside = await gemini.achat(ASK, model="gemini-3-pro-image", response_modalities=["TEXT", "IMAGE"])
    assert (beside.media[0].mime_type, bool(beside.text)) == ("image/png", True)
    chunks = [
        chunk async for chunk in gemini.astream_chat(ASK, model="gemini-3-pro-image", response_modalities=["IMAGE"])
    ]
    assert chunks[-1].data == picture(sim.requests[3].nonce)
    with pytest.raises(errors.InvalidRequestError, match="response modalities"):
        await gemini.agenerate_image("a prime", model="gemini-3.8-flash")


async def test_words_instead_of_a_picture() -> None:
    async with mocked((200, said("I would rather not."))) as gemini:
        with pytest.raises(errors.ResponseFormatError, match="no picture came"):
            await gemini.agenerate_image("a prime")


async def test_sound(sim: Simulator, gemini: Gemini) -> None:
    reply = await gemini.achat(ASK, response_modalities=["AUDIO"])
    assert (reply.text, reply.media[0].data) == ("", wave(sim.requests[0].nonce))


async def test_embeddings_of_one_and_many(sim: Simulator, gemini: Gemini) -> None:
    one = await gemini.aembed("sun", dimensions=16)
    many = await gemini.aembed(["sun", "moon", {"parts": [{"text": "sun"}]}], dimensions=16)
    assert [seen.path.rpartition(":")[2] for seen in sim.requests] == ["embedContent", "batchEmbedContents"]
    assert one.vectors[0] == many.vectors[0] == many.vectors[2] != many.vectors[1]
    assert (len(one.vectors[0]), one.usage, many.usage.input_tokens) == (16, Usage(), 3)
    titled = await gemini.aembed(["sun"], task_type="RETRIEVAL_DOCUMENT", title="Stars", model="gemini-embedding-2")
    assert len(titled.vectors) == 1
    assert sim.requests[2].json == {
        "model": "models/gemini-embedding-2",
        "taskType": "RETRIEVAL_DOCUMENT",
        "title": "Stars",
        "content": {"parts": [{"text": "sun"}]},
    }


@pytest.mark.parametrize(
    ("data", "said_so"),
    [
        ({"embeddings": []}, "0 vectors came for 2"),
        ({"embeddings": [{"values": [1.0]}, {"values": [1.0, 2.0]}]}, "differ in length"),
        ({"embeddings": [{"values": ["x"]}, {"values": [1.0]}]}, "not a number"),
        ({"embeddings": 5}, "no vectors came"),
        ({}, "'embeddings' is missing"),
    ],
)
async def test_vectors_that_cannot_be_read(data: Any, said_so: str) -> None:
    async with mocked((200, data)) as gemini:
        with pytest.raises(errors.ResponseFormatError, match=said_so):
            await gemini.aembed(["sun", "moon"])


async def test_counting(sim: Simulator, gemini: Gemini) -> None:
    text = await gemini.acount_tokens("one two three")
    assert (text.tokens, text.estimated, text.method) == (7, False, "provider")
    longer = await gemini.acount_tokens([{"role": "system", "content": "Be brief."}, *ASK], tools=[TOOL])
    assert longer.tokens > text.tokens
    request = sim.requests[1].json["generateContentRequest"]
    assert request["model"] == "models/gemini-3.5-flash-lite"
    assert request.keys() == {"model", "contents", "systemInstruction", "tools"}
    with pytest.raises(errors.InvalidRequestError, match="temperature"):
        await gemini.acount_tokens("one", temperature=0.5)  # type: ignore[call-arg]
    async with mocked((200, {}), (200, {"totalTokens": "many"})) as other:
        assert (await other.acount_tokens("one")).tokens == 0
        with pytest.raises(errors.ResponseFormatError, match="count is not a number"):
            await other.acount_tokens("one")


async def test_models_over_their_pages(sim: Simulator, gemini: Gemini) -> None:
    models = await gemini.amodels(limit=5)
    assert [seen.query for seen in sim.requests] == [
        "pageSize=5",
        "pageSize=5&pageToken=from-5",
        "pageSize=5&pageToken=from-10",
    ]
    by_name = {model.id: model for model in models}
    assert by_name["gemini-2.5-pro"].retires == "2026-12-01"
    assert by_name["gemini-3.8-flash"].raw["inputTokenLimit"] == 1_048_576
    assert "gemini-flash-latest" not in by_name
    assert (await gemini.aget_model("models/gemini-3.8-flash")).id == "gemini-3.8-flash"
    with pytest.raises(errors.UnknownModelError) as caught:
        await gemini.aget_model("gemini-3.8-fl")
    assert "gemini-3.8-flash" in caught.value.suggestions
    async with backend_at(sim, api_version="v1beta") as beta:
        assert (await beta.aget_model("gemini-flash-latest")).retires is None


async def test_a_list_that_goes_round_and_one_that_is_none() -> None:
    async with mocked((200, {"models": [], "nextPageToken": "a"})) as gemini:
        with pytest.raises(errors.ResponseFormatError, match="circle"):
            await gemini.amodels()
    async with mocked((200, {"models": 5}), (200, {})) as gemini:
        with pytest.raises(errors.ResponseFormatError, match="no list"):
            await gemini.amodels()
        assert await gemini.amodels() == ()


async def test_caches(sim: Simulator, gemini: Gemini) -> None:
    made = await gemini.acreate_cache(ASK, system_instruction="Be brief.", tools=[TOOL], ttl=90.5)
    assert sim.requests[0].json["ttl"] == "90.5s"
    assert made.id.startswith("cachedContents/")
    assert (made.model, (made.expires or 0) - (made.created or 0)) == ("gemini-3.5-flash-lite", 90)
    changed = await gemini.aupdate_cache(made.id, expire_time="2026-12-01T00:00:00Z")
    assert changed.expires == 1_796_083_200
    assert [cache.id async for cache in gemini.alist_caches()] == [made.id]
    with pytest.raises(errors.InvalidRequestError, match="can not be used with"):
        await gemini.achat(ASK, cached_content=made.id, tools=[TOOL])
    gone = await gemini.adelete_cache(made.id.removeprefix("cachedContents/"))
    assert (gone.id, gone.deleted) == (made.id, True)
    with pytest.raises(errors.NotFoundError):
        await gemini.aget_cache(made.id)


async def test_batches_of_generations(sim: Simulator, gemini: Gemini) -> None:
    requests = [
        {"custom_id": "good", "messages": ASK, "max_tokens": 4},
        {"custom_id": "blocked", "messages": [{"role": "user", "content": "sim:block_prompt"}]},
        {"custom_id": "bad", "messages": [{"role": "user", "content": "hello"}], "cached_content": "cachedContents/no"},
    ]
    made = await gemini.acreate_batch(requests, model=THINKER, display_name="nightly")
    assert (made.status, made.ended, made.display_name) == ("BATCH_STATE_PENDING", False, "nightly")
    with pytest.raises(errors.InvalidRequestError, match="BATCH_STATE_RUNNING") as caught:
        await gemini.abatch_results(made.id)
    assert caught.value.code == "not_ended"
    good, blocked, bad = await gemini.abatch_results(made.id)
    assert (good.custom_id, good.reply.finish_reason) == ("good", "MAX_TOKENS")
    assert isinstance(blocked.error, errors.ContentFilterError)
    assert isinstance(bad.error, errors.InvalidRequestError)
    assert (bad.error.provider, bad.error.attempts, blocked.error.provider) == ("gemini", 1, "gemini")
    done = await gemini.aget_batch(made.id)
    assert (done.ended, done.total, done.succeeded, done.failed) == (True, 3, 2, 1)
    assert done.endpoint == f"models/{THINKER}"
    await gemini.acancel_batch(made.id)
    await gemini.adelete_batch(made.id)
    assert [batch async for batch in gemini.alist_batches()] == []


async def test_batches_over_files(sim: Simulator, gemini: Gemini) -> None:
    lines = [{"key": str(number), "request": {"contents": [{"parts": [{"text": "hi"}]}]}} for number in range(2)]
    lines.append({"key": "bad", "request": {"contents": []}})
    file = await gemini.aupload_file(("b.jsonl", "\n".join(map(json.dumps, lines)).encode()), mime_type="text/plain")
    made = await gemini.acreate_batch(file.id)
    await gemini.aget_batch(made.id)
    results = await gemini.abatch_results(made.id)
    assert [result.custom_id for result in results] == ["0", "1", "bad"]
    assert [bool(result.reply) for result in results] == [True, True, False]
    assert "contents must not be empty" in str(results[2].error)
    with pytest.raises(errors.InvalidRequestError, match=r"files/\.\.\."):
        await gemini.acreate_batch("b.jsonl")


async def test_batches_of_embeddings(sim: Simulator, gemini: Gemini) -> None:
    made = await gemini.acreate_embedding_batch(["sun", "moon"], dimensions=8, display_name="stars")
    assert made.display_name == "stars"
    await gemini.aget_batch(made.id)
    sun, moon = await gemini.abatch_results(made.id)
    plain = await gemini.aembed(["sun", "moon"], dimensions=8)
    assert (sun.vector, moon.vector) == plain.vectors
    cancelled = await gemini.acreate_embedding_batch(["sun"])
    await gemini.acancel_batch(cancelled.id)
    assert await gemini.abatch_results(cancelled.id) == ()


@pytest.mark.parametrize(
    ("data", "said_so"),
    [
        ({"metadata": {}}, "'name' is missing"),
        ({"name": 5}, "no name"),
        ({"name": "batches/a", "metadata": 5}, "JSON object"),
        (
            {
                "name": "b",
                "metadata": {"state": "X_STATE_SUCCEEDED", "output": {"inlinedResponses": {"inlinedResponses": 5}}},
            },
            "not a list",
        ),
        (
            {
                "name": "b",
                "metadata": {"state": "X_STATE_SUCCEEDED"},
                "response": {"inlinedResponses": {"inlinedResponses": [{}]}},
            },
            "'response' is missing",
        ),
    ],
)
async def test_batches_that_cannot_be_read(data: Any, said_so: str) -> None:
    async with mocked((200, data)) as gemini:
        with pytest.raises(errors.ResponseFormatError, match=said_so):
            await gemini.abatch_results("batches/a")


async def test_a_batch_that_failed_is_a_batch() -> None:
    failed = {"name": "batches/a", "done": True, "error": {"code": 3}, "metadata": {"state": "BATCH_STATE_FAILED"}}
    async with mocked((200, failed)) as gemini:
        batch = await gemini.aget_batch("a")
        assert (batch.ended, batch.problems) == (True, {"code": 3})
        assert await gemini.abatch_results("a") == ()


async def test_refusals_say_what_to_use(gemini: Gemini) -> None:
    for name, reason in Gemini.refusals.items():
        with pytest.raises(errors.UnsupportedError) as caught:
            await getattr(gemini, f"a{name}")("anything", at="all")
        assert reason in str(caught.value)


async def test_creations_are_not_repeated_when_they_may_have_happened() -> None:
    seen: list[httpx.Request] = []
    async with mocked((500, {}), seen=seen, max_retries=3) as gemini:
        for call in (
            gemini.acreate_batch([{"messages": ASK}]),
            gemini.acreate_cache("text"),
            gemini.adelete_file("a"),
            gemini.adelete_batch("a"),
            gemini.adelete_cache("a"),
        ):
            with pytest.raises(errors.ServerError):
                await call
    assert len(seen) == 5


async def test_redirects_go_nowhere_else() -> None:
    seen: list[httpx.Request] = []
    elsewhere = httpx.Response(307, headers={"location": "https://elsewhere.example/v1"})
    async with mocked((307, elsewhere), seen=seen) as gemini:
        with pytest.raises(errors.TransportError, match="another host"):
            await gemini.achat(ASK)
    assert len(seen) == 1
