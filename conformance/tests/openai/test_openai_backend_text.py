"""Chat, completion, embedding, moderation against the simulator: what is sent, what is read, in both modes."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest

from backends import OpenAI, errors
from conformance.simulators.faults import ErrorEvent, Fault, Pings, Status
from conformance.simulators.server import Simulator

KEY = "sk-planted-key-0001"
MODEL = "gpt-6-luna"
ASK = [{"role": "user", "content": "Name a prime."}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


async def gather(stream: Any, into: list[str]) -> None:
    async for chunk in stream:
        into.append(chunk.text)


async def test_chat_reads_everything(sim: Simulator, backend: OpenAI) -> None:
    reply = await backend.achat(ASK, model=MODEL, seed=7, temperature=0.5, stop=["#"], logit_bias={"50": -3})
    seen = sim.requests[0]
    assert seen.json == {
        "model": MODEL,
        "messages": ASK,
        "seed": 7,
        "temperature": 0.5,
        "stop": ["#"],
        "logit_bias": {"50": -3},
    }
    assert reply.text.startswith(seen.nonce)
    assert reply.texts == (reply.text,)
    assert reply.finish_reason == "stop"
    assert reply.model == MODEL
    assert reply.provider_request_id == f"req_{seen.nonce}"
    assert reply.attempts == 1
    assert reply.raw["choices"][0]["message"]["content"] == reply.text
    usage = reply.usage
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens == reply.raw["usage"]["total_tokens"]
    assert not usage.estimated
    headers = dict(seen.headers)
    assert headers["x-client-request-id"] == reply.request_id


async def test_a_stream_joins_to_the_text_and_brings_usage(sim: Simulator, backend: OpenAI) -> None:
    stream = backend.astream_chat(ASK, model=MODEL)
    chunks = [chunk async for chunk in stream]
    assert sim.requests[0].json["stream_options"] == {"include_usage": True}
    assert "".join(chunk.text for chunk in chunks) == stream.reply.text
    assert stream.reply.text.startswith(sim.requests[0].nonce)
    assert chunks[-1].usage == stream.reply.usage
    assert stream.reply.usage.total_tokens == stream.reply.raw["usage"]["total_tokens"]
    assert stream.reply.finish_reason == "stop"
    assert [chunk.finish_reason for chunk in chunks if chunk.finish_reason] == ["stop"]
    assert stream.reply.provider_request_id == f"req_{sim.requests[0].nonce}"


async def test_a_caller_may_turn_usage_off(sim: Simulator, backend: OpenAI) -> None:
    reply = await backend.astream_chat(ASK, model=MODEL, stream_options={"include_usage": False}).collect()
    assert sim.requests[0].json["stream_options"] == {"include_usage": False}
    assert reply.usage.total_tokens is None


async def test_parallel_tools_whole_and_streamed_agree(sim: Simulator, backend: OpenAI) -> None:
    other = {"type": "function", "function": {"name": "tide", "parameters": {"type": "object", "properties": {}}}}
    ask = {"model": MODEL, "tools": [WEATHER, other], "tool_choice": "required", "parallel_tool_calls": True}
    whole = await backend.achat(ASK, **ask)
    assert whole.finish_reason == "tool_calls"
    assert whole.tool_calls
    for call in whole.tool_calls:
        assert call.id.startswith("call_")
        assert isinstance(json.loads(call.arguments), dict)
    stream = backend.astream_chat(ASK, **ask)
    chunks = [chunk async for chunk in stream]
    streamed = stream.reply
    assert [call.name for call in streamed.tool_calls] == [call.name for call in whole.tool_calls]
    assert [call.type for call in streamed.tool_calls] == [call.type for call in whole.tool_calls]
    pieces = [piece for chunk in chunks for piece in chunk.tool_calls if piece.index == 0]
    assert "".join(piece.arguments for piece in pieces) == streamed.tool_calls[0].arguments
    assert pieces[0].id == streamed.tool_calls[0].id
    assert streamed.raw["choices"][0]["message"]["tool_calls"][0]["id"] == streamed.tool_calls[0].id


async def test_schema_images_audio_files_logprobs_and_choices(sim: Simulator, backend: OpenAI) -> None:
    schema = {"name": "prime", "schema": {"type": "object", "properties": {"n": {"type": "integer"}}}, "strict": True}
    shaped = await backend.achat(ASK, model=MODEL, response_format={"type": "json_schema", "json_schema": schema})
    assert isinstance(json.loads(shaped.text), dict)
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo=", "detail": "low"}},
        {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
    ]
    asked = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": parts}]
    several = await backend.achat(asked, model=MODEL, n=2, logprobs=True, top_logprobs=2)
    assert sim.requests[1].json["messages"] == asked
    assert len(several.texts) == 2
    assert len(several.logprobs["content"][0]["top_logprobs"]) == 2
    stream = backend.astream_chat(asked, model=MODEL, n=2, logprobs=True, top_logprobs=2)
    chunks = [chunk async for chunk in stream]
    for index, text in enumerate(stream.reply.texts):
        assert "".join(chunk.text for chunk in chunks if chunk.index == index) == text
    joined = "".join(entry["token"] for entry in stream.reply.logprobs["content"])
    assert joined == stream.reply.texts[0]


async def test_spoken_answers(backend: OpenAI) -> None:
    ask = {"model": MODEL, "modalities": ["text", "audio"], "audio": {"format": "wav", "voice": "alloy"}}
    whole = await backend.achat(ASK, **ask)
    assert whole.text == whole.raw["choices"][0]["message"]["audio"]["transcript"]
    stream = backend.astream_chat(ASK, **ask)
    sound = b"".join([chunk.data async for chunk in stream if chunk.data])
    assert sound[:4] == b"RIFF"
    assert stream.reply.text.split(" ", 1)[1:] == whole.text.split(" ", 1)[1:]


async def test_completion_and_its_stream(sim: Simulator, backend: OpenAI) -> None:
    one = await backend.acomplete("Once upon", max_tokens=8)
    assert sim.requests[0].json["model"] == "gpt-3.5-turbo-instruct"
    assert one.text
    assert one.usage.input_tokens
    many = await backend.acomplete(["a", "b", "c"], n=2, best_of=2)
    assert len(many.texts) == 6
    assert many.text == many.texts[0]
    await backend.acomplete([[1, 2], [3]])
    assert sim.requests[2].json["prompt"] == [[1, 2], [3]]
    stream = backend.astream_complete("Once upon", max_tokens=8)
    text = "".join([chunk.text async for chunk in stream])
    assert text == stream.reply.text != ""
    assert stream.reply.usage.total_tokens


async def test_embedding_in_both_encodings(sim: Simulator, backend: OpenAI) -> None:
    texts = ["one two", "three", "four five"]
    packed = await backend.aembed(texts, dimensions=64)
    plain = await backend.aembed(texts, dimensions=64, encoding_format="float")
    assert [seen.json["encoding_format"] for seen in sim.requests] == ["base64", "float"]
    assert [len(vector) for vector in packed.vectors] == [64, 64, 64]
    for one, other in zip(packed.vectors, plain.vectors, strict=True):
        assert one == pytest.approx(other, abs=1e-6)
    assert packed.usage.input_tokens == plain.usage.input_tokens > 0
    single = await backend.aembed("one two", dimensions=64)
    assert single.vectors[0] == pytest.approx(packed.vectors[0], abs=1e-6)
    assert len((await backend.aembed([[1, 2], [3]])).vectors) == 2


async def test_moderation(sim: Simulator, backend: OpenAI) -> None:
    found = await backend.amoderate(["hello", "they hate"])
    assert [verdict.flagged for verdict in found.verdicts] == [False, True]
    assert found.flagged
    assert found.verdicts[1].categories["hate"]
    assert found.verdicts[1].scores["hate"] > 0.9
    assert found.verdicts[1].applied["hate"] == ("text",)
    parts = [{"type": "text", "text": "hi"}, {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]
    assert not (await backend.amoderate(parts)).flagged
    assert sim.requests[1].json["input"] == parts


async def test_the_backends_model_is_used_for_its_kind_only(sim: Simulator) -> None:
    async with OpenAI(api_key=KEY, base_url=sim.base_url("openai"), model="gpt-5.5", environ={}) as backend:
        await backend.achat(ASK)
        await backend.aembed("x")
        await backend.achat(ASK, model=MODEL)
    assert [seen.json["model"] for seen in sim.requests] == ["gpt-5.5", "text-embedding-3-small", MODEL]


async def test_organisation_and_project_headers(sim: Simulator) -> None:
    environ = {"OPENAI_ORG_ID": "org-env", "OPENAI_PROJECT_ID": "proj-env", "OPENAI_API_KEY": KEY}
    url = sim.base_url("openai")
    async with OpenAI(environ=environ, base_url=url) as backend:
        await backend.achat(ASK)
    async with OpenAI(metadata={"openai_organization": "org-meta"}, environ=environ, base_url=url) as backend:
        await backend.achat(ASK)
    async with OpenAI(api_key=KEY, environ={}, base_url=url) as backend:
        await backend.achat(ASK)
    found = [
        (dict(seen.headers).get("openai-organization"), dict(seen.headers).get("openai-project"))
        for seen in sim.requests
    ]
    assert found == [("org-env", "proj-env"), ("org-meta", "proj-env"), (None, None)]
    broken = OpenAI(api_key=KEY, environ={"OPENAI_ORG_ID": "a\nb"}, base_url=url)
    with pytest.raises(errors.ConfigurationError, match="organization"):
        await broken.achat(ASK)
    await broken.aclose()


async def test_an_error_in_a_stream_before_and_behind_content(sim: Simulator, backend: OpenAI) -> None:
    sim.script(Fault(ErrorEvent(after_events=2, status=500), path="*/chat/completions", nth=1))
    stream = backend.astream_chat(ASK, model=MODEL)
    got: list[str] = []
    with pytest.raises(errors.StreamInterruptedError) as caught:
        await gather(stream, got)
    assert caught.value.partial == "".join(got) != ""
    assert caught.value.attempts == 1
    assert isinstance(caught.value.__cause__, errors.ServerError)
    sim.script(
        Fault(ErrorEvent(after_events=0, status=429, code="rate_limit_exceeded"), path="*/chat/completions", nth=1)
    )
    again = await backend.astream_chat(ASK, model=MODEL).collect()
    assert again.attempts == 2  # nothing had come: it was repeated
    assert not sim.unfired()


async def test_pings_are_harmless(sim: Simulator, backend: OpenAI) -> None:
    sim.script(Fault(Pings(), path="*"))
    stream = backend.astream_chat(ASK, model=MODEL)
    text = "".join([chunk.text async for chunk in stream])
    assert text == stream.reply.text
    assert text.startswith(sim.requests[0].nonce)
    assert not sim.unfired()


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, None, errors.InvalidRequestError),
        (400, "context_length_exceeded", errors.ContextLengthError),
        (400, "content_policy_violation", errors.ContentFilterError),
        (401, None, errors.AuthenticationError),
        (403, None, errors.PermissionDeniedError),
        (404, None, errors.NotFoundError),
        (409, None, errors.ServerError),
        (413, None, errors.InvalidRequestError),
        (422, None, errors.InvalidRequestError),
        (429, None, errors.RateLimitError),
        (429, "insufficient_quota", errors.QuotaExceededError),
        (429, "credit_balance_exhausted", errors.QuotaExceededError),
        (500, None, errors.ServerError),
        (503, None, errors.OverloadedError),
    ],
)
async def test_every_status_has_its_class(
    sim: Simulator, status: int, code: str | None, kind: type[errors.BackendError]
) -> None:
    sim.script(Fault(Status(status, code=code)))
    async with OpenAI(api_key=KEY, base_url=sim.base_url("openai"), max_retries=0, environ={}) as backend:
        with pytest.raises(errors.BackendError) as caught:
            await backend.achat(ASK, model=MODEL)
    assert type(caught.value) is kind
    assert caught.value.status == status
    assert caught.value.provider == "openai"
    assert caught.value.message
    if code is not None:
        assert caught.value.code == code


async def test_unknown_and_retired_models(backend: OpenAI) -> None:
    with pytest.raises(errors.UnknownModelError) as caught:
        await backend.achat(ASK, model="gpt-6-lunar")
    assert caught.value.suggestions[0] == "gpt-6-luna"
    assert caught.value.code == "model_not_found"
    assert caught.value.status == 404
    with pytest.raises(errors.UnknownModelError, match="2026-10-23") as caught:
        await backend.achat(ASK, model="gpt-4")
    assert caught.value.suggestions == ("gpt-5.5",)
    assert "use gpt-5.5" in str(caught.value)
    with pytest.raises(errors.UnknownModelError) as caught:
        await backend.agenerate_image("a cat", model="dall-e-3")
    assert "2026-05-12" in caught.value.message


def test_the_synchronous_twins_give_the_same() -> None:
    ready, stop = threading.Event(), threading.Event()
    address: list[str] = []

    async def serve() -> None:
        async with Simulator(["openai"]) as sim:
            address.append(sim.base_url("openai"))
            ready.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert ready.wait(10)
        with OpenAI(api_key=KEY, base_url=address[0], environ={}) as backend:
            reply = backend.chat(ASK, model=MODEL)
            stream = backend.stream_chat(ASK, model=MODEL)
            text = "".join(chunk.text for chunk in stream)
            assert text == stream.reply.text
            assert text.split(" ", 1)[1:] == reply.text.split(" ", 1)[1:]
            assert backend.complete("Once", max_tokens=3).text
            assert backend.embed("x", dimensions=8).vectors
            assert not backend.moderate("hello").flagged
            assert backend.responses("hello").text
            assert any(model.id == MODEL for model in backend.models())
            assert backend.list_files() == []
            with pytest.raises(errors.UnsupportedError, match="2026-08-26"):
                backend.assistants()
    finally:
        stop.set()
        thread.join()
