"""The OpenAI-compatible side: what is sent under /v3 and how the answers' oddities read."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from ovms_bench import ASK, TOOL, backend_at, mocked

from backends import errors
from backends.ovms import OVMS
from conformance.simulators import Simulator
from conformance.simulators.openai.answers.media import picture, wave


async def test_chat_whole_has_no_id(sim: Simulator, ovms: OVMS) -> None:
    reply = await ovms.achat(ASK, top_k=40, ignore_eos=False, chat_template_kwargs={"enable_thinking": False})
    assert reply.text.startswith(sim.requests[0].nonce)
    assert "id" not in reply.raw
    assert (reply.provider_request_id, reply.model, reply.finish_reason) == (None, "llama3", "stop")
    assert reply.usage.total_tokens == reply.usage.input_tokens + reply.usage.output_tokens
    assert sim.requests[0].path == "/v3/chat/completions"
    assert sim.requests[0].json == {
        "model": "llama3",
        "messages": ASK,
        "top_k": 40,
        "ignore_eos": False,
        "chat_template_kwargs": {"enable_thinking": False},
    }


async def test_chat_streamed_is_chat_whole(sim: Simulator, ovms: OVMS) -> None:
    for model in ("llama3", "qwen3"):
        whole = await ovms.achat(ASK, model=model)
        stream = ovms.astream_chat(ASK, model=model)
        chunks = [chunk async for chunk in stream]
        first, second = (seen.nonce for seen in sim.requests[-2:])
        assert chunks[0].raw["choices"][0]["delta"] == {"role": "assistant", "content": None}
        assert stream.reply.text == "".join(chunk.text for chunk in chunks) == whole.text.replace(first, second)
        assert stream.reply.usage == whole.usage
        assert stream.reply.finish_reason == "stop"
        expected = f"{second} was thought about." if model == "qwen3" else None
        assert stream.reply.reasoning == expected
        assert (whole.reasoning is None) == (expected is None)


async def test_tools_in_both_modes(sim: Simulator, ovms: OVMS) -> None:
    whole = await ovms.achat(ASK, tools=[TOOL], tool_choice="required")
    streamed = await ovms.astream_chat(ASK, tools=[TOOL]).collect()
    for reply, seen in zip((whole, streamed), sim.requests, strict=True):
        [call] = reply.tool_calls
        assert (call.name, call.arguments) == ("weather", f'{{"city": "{seen.nonce}"}}')
        assert reply.finish_reason == "tool_calls"


async def test_completion_in_both_modes(sim: Simulator, ovms: OVMS) -> None:
    whole = await ovms.acomplete("hello", max_tokens=4)
    stream = ovms.astream_complete("hello", max_tokens=4)
    chunks = [chunk async for chunk in stream]
    first, second = (seen.nonce for seen in sim.requests)
    assert stream.reply.text == whole.text.replace(first, second)
    assert whole.finish_reason == stream.reply.finish_reason == "length"
    assert {chunk.raw["object"] for chunk in chunks} == {"text_completion.chunk"}
    assert stream.reply.usage == whole.usage


async def test_responses_in_both_modes(sim: Simulator, ovms: OVMS) -> None:
    whole = await ovms.aresponses("hello", max_output_tokens=4)
    assert (whole.status, whole.finish_reason) == ("incomplete", "length")
    assert whole.raw["incomplete_details"] == {"reason": "max_tokens"}
    stream = ovms.astream_responses([{"role": "user", "content": "hello"}], reasoning={"effort": "low"})
    text = "".join([chunk.text async for chunk in stream])
    assert stream.reply.text == text
    assert text.startswith(sim.requests[1].nonce)
    assert (stream.reply.status, stream.reply.finish_reason) == ("completed", "stop")
    with pytest.raises(errors.InvalidRequestError, match="previous_response_id"):
        await ovms.aresponses("hello", previous_response_id="resp_1")


async def test_embeddings_without_a_model_in_the_answer(sim: Simulator, ovms: OVMS) -> None:
    packed = await ovms.aembed(["sun", "moon", "sun"], model="gte-large")
    plain = await ovms.aembed(["sun", "moon", "sun"], model="gte-large", encoding_format="float")
    assert packed.model == "gte-large"
    assert "model" not in packed.raw
    assert [len(vector) for vector in packed.vectors] == [1024] * 3
    assert packed.vectors[0] == packed.vectors[2] != packed.vectors[1]
    assert packed.vectors[1] == pytest.approx(plain.vectors[1])
    assert packed.usage.input_tokens == 3
    with pytest.raises(errors.InvalidRequestError, match="500"):
        await ovms.aembed(["x"] * 501, model="gte-large")
    with pytest.raises(errors.InvalidRequestError, match=r"texts\[0\]"):
        await ovms.aembed([1, 2], model="gte-large")  # type: ignore[list-item]  # token ids are not taken


async def test_rerank(ovms: OVMS) -> None:
    texts = ["a dog ran", "the cat sat", "a cat and a dog"]
    found = await ovms.arerank("the cat", texts, model="bge-reranker", top_n=2, return_documents=True)
    assert [one.index for one in found.results] == [1, 2]
    assert [one.text for one in found.results] == [texts[1], texts[2]]
    assert found.results[0].score > found.results[1].score
    assert (await ovms.arerank("the cat", texts, model="bge-reranker")).results[0].text is None


@pytest.mark.parametrize(
    "results",
    [
        [{"index": 2, "relevance_score": 0.5}],
        [{"index": -1, "relevance_score": 0.5}],
        [{"index": True, "relevance_score": 0.5}],
        [{"index": 0, "relevance_score": "0.5"}],
        [{"index": 0}],
        [{"index": 0, "relevance_score": 10**400}],
        [{"index": 0, "relevance_score": 0.5}, {"index": 0, "relevance_score": 0.4}],
        None,
    ],
)
async def test_rankings_that_break_the_format(results: Any) -> None:
    async with mocked(httpx.Response(200, json={"results": results})) as ovms:
        with pytest.raises(errors.ResponseFormatError):
            await ovms.arerank("a", ["b", "c"])


async def test_a_ranking_in_any_order_and_in_coheres_shape() -> None:
    results = [{"index": 0, "relevance_score": 0}, {"index": 1, "relevance_score": 0.9, "document": {"text": "c"}}]
    async with mocked(httpx.Response(200, json={"results": results})) as ovms:
        found = await ovms.arerank("a", ["b", "c"])
    assert [(one.index, one.score, one.text) for one in found.results] == [(1, 0.9, "c"), (0, 0.0, None)]


async def test_tokens(sim: Simulator, ovms: OVMS) -> None:
    one = await ovms.atokenize("hello world")
    two = await ovms.atokenize(["hello world", "hi"], add_special_tokens=False)
    padded = await ovms.atokenize("hi", max_length=5, pad_to_max_length=True, padding_side="left")
    assert [len(row) for row in one.tokens] == [3]
    assert two.tokens[0] == one.tokens[0][1:]
    assert [len(row) for row in two.tokens] == [2, 1]
    assert padded.tokens[0][:3] == (0, 0, 0)
    counted = await ovms.acount_tokens("hello world")
    assert (counted.tokens, counted.estimated, counted.method) == (3, False, "provider")
    assert sim.requests[0].json == {"model": "llama3", "text": "hello world"}


@pytest.mark.parametrize("tokens", [[[1], [2], [3]], [1, 2, 3], [[1], ["a"]], [[1], [True]], "text"])
async def test_tokens_that_break_the_format(tokens: Any) -> None:
    async with mocked(httpx.Response(200, json={"tokens": tokens})) as ovms:
        with pytest.raises(errors.ResponseFormatError):
            await ovms.atokenize(["a", "b"])


async def test_models(ovms: OVMS) -> None:
    found = await ovms.amodels()
    assert {"llama3", "double"} <= {model.id for model in found}
    assert {model.owned_by for model in found} == {"OVMS"}
    assert (await ovms.aget_model("gte-large")).id == "gte-large"
    async with mocked(httpx.Response(200, json={"id": 5})) as other:
        with pytest.raises(errors.ResponseFormatError):
            await other.aget_model("m")


async def test_images(sim: Simulator, ovms: OVMS) -> None:
    made = await ovms.agenerate_image("a cat", model="flux", n=2, size="512x512", rng_seed=7, negative_prompt="dogs")
    assert [image.data[:4] for image in made.images] == [b"\x89PNG"] * 2
    assert set(made.raw) == {"data"}
    edited = await ovms.aedit_image(picture("c0ffee"), "a cat", model="flux", strength=0.3, mask=picture("facade"))
    assert sim.requests[1].nonce.encode() in edited.images[0].data
    for body in ({"data": []}, {"data": [{"b64_json": "!"}]}, {"data": [{"url": "x"}]}):
        async with mocked(httpx.Response(200, json=body)) as other:
            with pytest.raises(errors.ResponseFormatError):
                await other.agenerate_image("a cat")


async def test_sound(sim: Simulator, ovms: OVMS) -> None:
    spoken = await ovms.aspeech("hello", model="kokoro", voice="af_alloy", speed=1.2, language="en-gb")
    assert (spoken.data[:4], spoken.content_type, spoken.size) == (b"RIFF", "audio/wav", len(spoken.data))
    assert sim.requests[0].json == {
        "model": "kokoro", "input": "hello", "voice": "af_alloy", "speed": 1.2, "language": "en-gb",
    }  # fmt: skip
    heard = await ovms.atranscribe(("a.wav", spoken.data), model="whisper", language="en", temperature=0.0)
    assert heard.text.startswith(sim.requests[1].nonce)
    assert (heard.segments, heard.words) == ((), ())
    timed = await ovms.atranscribe(("a.wav", spoken.data), model="whisper", timestamp_granularities=["segment"])
    assert timed.segments[0]["start"] == 0.0
    stream = ovms.astream_transcribe(("a.wav", spoken.data), model="whisper")
    assert "".join([chunk.text async for chunk in stream]) == stream.reply.text
    english = await ovms.atranslate(("a.wav", spoken.data), model="whisper")
    assert english.text.startswith(sim.requests[4].nonce)
    with pytest.raises(errors.InvalidRequestError, match="not valid wav nor mp3"):
        await ovms.atranscribe(("a.ogg", b"OggS"), model="whisper")
    async with mocked(httpx.Response(200, json={"text": "no sound"})) as other:
        with pytest.raises(errors.ResponseFormatError, match="not sound"):
            await other.aspeech("hello")


@pytest.mark.parametrize(
    ("name", "nearest"), [("temprature", "temperature"), ("logit_bias", None), ("user", None), ("top_logprobs", None)]
)
async def test_what_the_server_ignores_is_refused(ovms: OVMS, name: str, nearest: str | None) -> None:
    with pytest.raises(errors.InvalidRequestError, match=name) as caught:
        await ovms.achat(ASK, **{name: 1})
    assert nearest is None or nearest in caught.value.suggestions
    assert (await ovms.achat(ASK, extra_body={"user": "me"})).text  # whoever insists can send it


async def test_the_synchronous_twins_of_generation(sim: Simulator) -> None:
    def work() -> list[Any]:
        with backend_at(sim) as ovms:
            stream = ovms.stream_chat(ASK)
            text = "".join(chunk.text for chunk in stream)
            sound = ("a.wav", wave("c0ffee"))
            return [
                ovms.chat(ASK).finish_reason,
                text == stream.reply.text,
                ovms.complete("hello").finish_reason,
                ovms.stream_complete("hello").collect().finish_reason,
                ovms.responses("hello").status,
                ovms.stream_responses("hello").collect().status,
                len(ovms.embed("sun", model="gte-large").vectors),
                len(ovms.rerank("sun", ["moon"], model="bge-reranker").results),
                len(ovms.tokenize("sun").tokens),
                ovms.count_tokens("sun").tokens,
                ovms.get_model("llama3").id,
                len(ovms.generate_image("sun", model="flux").images),
                len(ovms.edit_image(picture("c0ffee"), "sun", model="flux").images),
                ovms.speech("sun", model="kokoro").data[:4],
                bool(ovms.transcribe(sound, model="whisper").text),
                bool(ovms.stream_transcribe(sound, model="whisper").collect().text),
                bool(ovms.translate(sound, model="whisper").text),
                len(ovms.models()) > 5,
            ]

    assert await asyncio.to_thread(work) == [
        "stop", True, "stop", "stop", "completed", "completed", 1, 1, 1, 2, "llama3", 1, 1, b"RIFF", True, True, True, True
    ]  # fmt: skip
