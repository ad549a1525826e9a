"""Every call against the simulated server: what was sent, what came back, in both modes."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import pytest
from vllm_bench import (
    ASK,
    CHAT,
    CLASSIFIER,
    EMBEDDER,
    HEARER,
    MATRYOSHKA,
    RANKER,
    SCHEMA,
    SEER,
    THINKER,
    TOOL,
    backend_at,
)

from backends import errors
from backends.vllm import VLLM
from conformance.simulators import Simulator
from conformance.simulators.openai.answers.media import picture, wave


async def test_chat_whole(sim: Simulator, vllm: VLLM) -> None:
    reply = await vllm.achat(ASK)
    seen = sim.requests[0]
    assert reply.text.startswith(seen.nonce)
    assert seen.path == "/v1/chat/completions"
    assert seen.json == {"model": CHAT, "messages": ASK, "request_id": reply.request_id}
    assert reply.raw["id"] == f"chatcmpl-{reply.request_id}"
    assert reply.provider_request_id == seen.nonce
    assert (reply.finish_reason, reply.model, reply.attempts, reply.tool_calls) == ("stop", CHAT, 1, ())
    assert reply.usage.total_tokens == reply.usage.input_tokens + reply.usage.output_tokens
    assert reply.usage.cached_tokens is None


async def test_chat_streamed_is_chat_whole(sim: Simulator, vllm: VLLM) -> None:
    whole = await vllm.achat(ASK, return_token_ids=True, stop="simulated")
    stream = vllm.astream_chat(ASK, return_token_ids=True, stop="simulated")
    chunks = [chunk async for chunk in stream]
    first, second = (seen.nonce for seen in sim.requests)
    assert stream.reply.text == "".join(chunk.text for chunk in chunks) == whole.text.replace(first, second)
    assert stream.reply.usage.total_tokens == whole.usage.total_tokens
    assert chunks[-1].usage == stream.reply.usage
    assert stream.reply.finish_reason == whole.finish_reason == "stop"
    ours, theirs = stream.reply.raw["choices"][0], whole.raw["choices"][0]
    assert ours["stop_reason"] == theirs["stop_reason"] == "simulated"
    assert len(ours["token_ids"]) == len(theirs["token_ids"]) == whole.usage.output_tokens
    assert stream.reply.raw["prompt_token_ids"] == whole.raw["prompt_token_ids"]
    assert stream.reply.raw["system_fingerprint"] == whole.raw["system_fingerprint"]
    assert sim.requests[1].json["stream_options"] == {"include_usage": True}


async def test_streams_count_as_asked(vllm: VLLM) -> None:
    running = vllm.astream_chat(ASK, stream_options={"continuous_usage_stats": True})
    counts = [chunk.usage.output_tokens async for chunk in running if chunk.usage]
    assert counts == sorted(counts)
    assert counts[-1] == running.reply.usage.output_tokens > 5
    silent = vllm.astream_chat(ASK, stream_options={"include_usage": False})
    assert [chunk async for chunk in silent if chunk.usage] == []
    assert silent.reply.usage.output_tokens is None


async def test_reasoning_shown_hidden_and_off(sim: Simulator, vllm: VLLM) -> None:
    shown = await vllm.achat(ASK, model=THINKER)
    stream = vllm.astream_chat(ASK, model=THINKER)
    reasoning = "".join([chunk.reasoning async for chunk in stream])
    assert shown.reasoning.startswith(sim.requests[0].nonce)
    assert stream.reply.reasoning == reasoning == shown.reasoning.replace(sim.requests[0].nonce, sim.requests[1].nonce)
    hidden = await vllm.achat(ASK, model=THINKER, include_reasoning=False)
    off = await vllm.achat(ASK, model=THINKER, chat_template_kwargs={"enable_thinking": False})
    assert hidden.reasoning is off.reasoning is None
    assert hidden.usage.output_tokens == shown.usage.output_tokens > off.usage.output_tokens


async def test_tools_whole_streamed_named_and_answered(sim: Simulator, vllm: VLLM) -> None:
    whole = await vllm.achat(ASK, tools=[TOOL], tool_choice="auto")
    [call] = whole.tool_calls
    assert (call.name, json.loads(call.arguments)) == ("weather", {"city": sim.requests[0].nonce})
    assert call.id.startswith("chatcmpl-tool-")
    assert whole.finish_reason == "tool_calls"
    second = {**TOOL, "function": {**TOOL["function"], "name": "clock"}}
    stream = await vllm.astream_chat(ASK, tools=[TOOL, second]).collect()
    assert [(one.name, json.loads(one.arguments)["city"]) for one in stream.tool_calls] == [
        ("weather", sim.requests[1].nonce),
        ("clock", sim.requests[1].nonce),
    ]
    named = await vllm.achat(ASK, tools=[TOOL], tool_choice={"type": "function", "function": {"name": "weather"}})
    assert (named.finish_reason, len(named.tool_calls)) == ("stop", 1)
    history = [
        *ASK,
        {"role": "assistant", "content": None, "tool_calls": whole.raw["choices"][0]["message"]["tool_calls"]},
        {"role": "tool", "tool_call_id": call.id, "content": "sunny"},
    ]
    assert (await vllm.achat(history, tools=[TOOL])).text.startswith(sim.requests[3].nonce)


async def test_structured_outputs(sim: Simulator, vllm: VLLM) -> None:
    shaped = await vllm.achat(ASK, structured_outputs={"json": SCHEMA})
    assert json.loads(shaped.text)["name"] == sim.requests[0].nonce
    assert (await vllm.achat(ASK, structured_outputs={"choice": ["yes", "no"]})).text == "yes"
    streamed = await vllm.astream_chat(ASK, structured_outputs={"json_object": True}).collect()
    assert json.loads(streamed.text) == {"answer": sim.requests[2].nonce}


async def test_images_only_where_the_model_sees(vllm: VLLM) -> None:
    url = "data:image/png;base64," + base64.b64encode(picture("c0ffee00")).decode()
    shown = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}]
    assert (await vllm.achat(shown, model=SEER)).usage.input_tokens > 256
    with pytest.raises(errors.InvalidRequestError, match="not a multimodal model"):
        await vllm.achat(shown)


async def test_several_conversations_at_once(sim: Simulator, vllm: VLLM) -> None:
    several = [[{"role": "user", "content": word}] for word in ("one", "two", "three")]
    reply = await vllm.achat_batch(several, max_tokens=40, stream_options={"include_usage": True})
    assert [word in text for word, text in zip(("one", "two", "three"), reply.texts, strict=True)] == [True] * 3
    assert sim.requests[0].json["messages"] == several
    assert "stream_options" not in sim.requests[0].json
    alone = await vllm.achat(several[0])
    assert reply.usage.input_tokens == 3 * alone.usage.input_tokens
    with pytest.raises(errors.InvalidRequestError, match="messages must not be empty"):
        await vllm.achat_batch([several[0], []])


async def test_completion_of_texts_and_tokens(sim: Simulator, vllm: VLLM) -> None:
    reply = await vllm.acomplete(["one", "two"], n=2, max_tokens=40, echo=True, logprobs=2, return_token_ids=True)
    assert len(reply.texts) == 4
    assert [text[:3] for text in reply.texts] == ["one", "one", "two", "two"]
    assert reply.raw["id"] == f"cmpl-{reply.request_id}"
    assert reply.usage.input_tokens == 2
    ids = reply.raw["choices"][0]["prompt_token_ids"]
    tokens = await vllm.acomplete(ids, max_tokens=4)
    assert (tokens.finish_reason, tokens.usage.input_tokens) == ("length", 1)
    assert sim.requests[1].json["prompt"] == ids
    assert (await vllm.acomplete("a prompt")).usage.output_tokens == 16
    measured = await vllm.acomplete("a prompt", max_tokens=0, echo=True, prompt_logprobs=1)
    assert measured.text == "a prompt"
    assert len(measured.raw["choices"][0]["prompt_logprobs"]) == 2


async def test_completion_streamed_is_completion_whole(sim: Simulator, vllm: VLLM) -> None:
    options: dict[str, Any] = {"max_tokens": 9, "echo": True, "return_token_ids": True, "n": 2}
    whole = await vllm.acomplete("hello", **options)
    stream = await vllm.astream_complete("hello", **options).collect()
    first, second = (seen.nonce for seen in sim.requests)
    assert stream.texts == tuple(text.replace(first, second) for text in whole.texts)
    for ours, theirs in zip(stream.raw["choices"], whole.raw["choices"], strict=True):
        assert len(ours["token_ids"]) == len(theirs["token_ids"])
        assert ours["prompt_token_ids"] == theirs["prompt_token_ids"]
    assert stream.usage.total_tokens == whole.usage.total_tokens


async def test_responses_kept_streamed_and_cancelled(sim: Simulator, vllm: VLLM) -> None:
    made = await vllm.aresponses("hello", instructions="Be brief.")
    assert made.id == f"resp_{made.request_id}" == sim.requests[0].json["request_id"]
    assert made.text.startswith(sim.requests[0].nonce)
    assert (await vllm.aget_response(made.id)).text == made.text
    stream = await vllm.astream_responses("hello").collect()
    assert stream.text == made.text.replace(sim.requests[0].nonce, sim.requests[2].nonce)
    assert stream.status == "completed"
    short = await vllm.astream_responses("hello", max_output_tokens=2).collect()
    assert (short.status, short.finish_reason, short.usage.output_tokens) == ("incomplete", "length", 2)
    waiting = await vllm.aresponses("hello", background=True)
    assert waiting.status == "queued"
    assert (await vllm.aget_response(waiting.id)).status == "in_progress"
    assert (await vllm.acancel_response(waiting.id)).status == "cancelled"
    with pytest.raises(errors.InvalidRequestError, match="Cannot cancel a synchronous response"):
        await vllm.acancel_response(made.id)
    with pytest.raises(errors.NotFoundError, match="not found"):
        await vllm.aget_response("resp_gone")
    with pytest.raises(errors.NotFoundError):
        await vllm.aresponses("on", previous_response_id="resp_gone")
    tools = [{"type": "function", "name": "weather", "parameters": TOOL["function"]["parameters"]}]
    called = await vllm.aresponses("hello", tools=tools)
    assert [one.name for one in called.tool_calls] == ["weather"]


async def test_embedding_of_texts_tokens_and_messages(sim: Simulator, vllm: VLLM) -> None:
    packed = await vllm.aembed(["sun", "moon", "sun"], model=EMBEDDER)
    plain = await vllm.aembed(["sun", "moon", "sun"], model=EMBEDDER, encoding_format="float")
    assert [len(row) for row in packed.vectors] == [64] * 3
    assert packed.vectors[0] == packed.vectors[2] != packed.vectors[1]
    assert packed.vectors[1] == pytest.approx(plain.vectors[1], abs=1e-6)
    assert [seen.json["encoding_format"] for seen in sim.requests] == ["base64", "float"]
    tokens = await vllm.atokenize("sun", model=EMBEDDER)
    same = await vllm.aembed([list(tokens.ids)], model=EMBEDDER)
    assert same.vectors[0] == packed.vectors[0]
    said = await vllm.aembed(ASK, model=EMBEDDER)
    assert len(said.vectors) == 1
    assert "input" not in sim.requests[-1].json
    short = await vllm.aembed("sun", model=MATRYOSHKA, dimensions=8)
    assert len(short.vectors[0]) == 8
    with pytest.raises(errors.InvalidRequestError, match="Matryoshka"):
        await vllm.aembed("sun", model=EMBEDDER, dimensions=8)


async def test_pooling_whole_and_by_token(vllm: VLLM) -> None:
    whole = await vllm.apool(["sun and moon", "sky"], model=EMBEDDER)
    assert [len(output) for output in whole.outputs] == [64, 64]
    rows = await vllm.apool("sun and moon", model=EMBEDDER, task="token_embed")
    assert [len(row) for row in rows.outputs[0]] == [64] * 5  # three words between two special tokens
    assert rows.usage.input_tokens == 5
    assert len((await vllm.apool(ASK, model=EMBEDDER)).outputs) == 1


async def test_classes(vllm: VLLM) -> None:
    reply = await vllm.aclassify(["good", "bad", "good"], model=CLASSIFIER)
    assert reply.verdicts[0] == reply.verdicts[2]
    for verdict in reply.verdicts:
        assert sum(verdict.probabilities) == pytest.approx(1)
        assert verdict.label == ("negative", "positive")[verdict.probabilities.index(max(verdict.probabilities))]
    assert len((await vllm.aclassify(ASK, model=CLASSIFIER)).verdicts) == 1


async def test_scores_one_to_many_and_pair_by_pair(sim: Simulator, vllm: VLLM) -> None:
    one = await vllm.ascore("sun", ["sun", "moon"], model=RANKER)
    assert one.scores[0] == pytest.approx(1) != one.scores[1]
    pairs = await vllm.ascore(["sun", "moon"], ["sun", "moon"], model=RANKER)
    assert pairs.scores == pytest.approx((1, 1))
    assert (await vllm.ascore("sun", "sun", model=EMBEDDER)).scores == pytest.approx((1,))
    parts = {"content": [{"type": "text", "text": "sun"}]}
    assert (await vllm.ascore(parts, [parts, "moon"], model=RANKER)).scores == one.scores
    assert sim.requests[0].json["text_2"] == ["sun", "moon"]


async def test_ranking(vllm: VLLM) -> None:
    texts = ["blue sky", "red sun", "the red sun at noon"]
    reply = await vllm.arerank("red sun", texts, model=RANKER)
    assert [one.index for one in reply.results] == [1, 2, 0]
    assert [one.text for one in reply.results] == [texts[1], texts[2], texts[0]]
    scores = [one.score for one in reply.results]
    assert scores == sorted(scores, reverse=True)
    assert len((await vllm.arerank("red sun", texts, model=RANKER, top_n=1)).results) == 1


async def test_tokens_there_and_back(vllm: VLLM) -> None:
    text = "Hello, naïve ☃ and 🙂 world"
    tokens = await vllm.atokenize(text, return_token_strs=True)
    assert "".join(tokens.texts).replace("Ġ", " ") == text
    assert (await vllm.adetokenize(tokens.ids)).text == text
    assert tokens.max_model_len == 131_072
    assert (await vllm.acount_tokens(text)).tokens == len(tokens.ids)
    said = await vllm.atokenize(ASK)
    assert len(said.ids) == (await vllm.achat(ASK)).usage.input_tokens
    assert said.texts is None
    with_tools = await vllm.acount_tokens(ASK, tools=[TOOL])
    assert with_tools.tokens > len(said.ids)
    without = await vllm.acount_tokens(ASK, add_generation_prompt=False)
    assert without.tokens < len(said.ids)
    bare = await vllm.atokenize("sun", model=EMBEDDER, add_special_tokens=False)
    assert len((await vllm.atokenize("sun", model=EMBEDDER)).ids) == len(bare.ids) + 2


async def test_tokens_of_the_first_model_where_none_is_named(sim: Simulator) -> None:
    async with backend_at(sim, model=None) as vllm:
        tokens = await vllm.atokenize("sun")
        assert (await vllm.adetokenize(tokens.ids)).text == "sun"
        assert tokens.max_model_len == 131_072


async def test_hearing(sim: Simulator, vllm: VLLM, tmp_path: Path) -> None:
    file = tmp_path / "hello.wav"
    file.write_bytes(wave("c0ffee00"))
    heard = await vllm.atranscribe(file, model=HEARER, language="de", hotwords="prime")
    assert heard.text.startswith(sim.requests[0].nonce)
    assert "in de" in heard.text
    assert heard.raw["usage"]["type"] == "duration"
    assert heard.model == HEARER
    plain = await vllm.atranscribe(file, model=HEARER, response_format="srt")
    assert plain.text.startswith("1\n00:00:00,000 --> ")
    timed = await vllm.atranscribe(file, model=HEARER, response_format="verbose_json", timestamp_granularities=["word"])
    assert timed.duration == len(timed.words) / 2
    stream = vllm.astream_transcribe(file, model=HEARER)
    text = "".join([chunk.text async for chunk in stream])
    assert stream.reply.text == text
    assert stream.reply.text.startswith(sim.requests[3].nonce)
    assert stream.reply.usage.total_tokens
    assert "translated" in (await vllm.atranslate(file, model=HEARER, to_language="fr")).text
    assert "translated" in (await vllm.astream_translate(file, model=HEARER).collect()).text
    assert all(seen.problem is None for seen in sim.requests)


async def test_a_server_hears_with_its_first_model_where_none_is_named(sim: Simulator) -> None:
    async with backend_at(sim, model=None) as vllm:
        assert (await vllm.atranscribe(("a.wav", wave("c0ffee00")))).text
        assert (await vllm.achat(ASK)).model == CHAT
        assert (await vllm.aembed("sun")).model == EMBEDDER
        assert (await vllm.ascore("sun", "moon")).model == EMBEDDER  # the first that can
    assert not any("model" in (seen.json or {}) for seen in sim.requests)


async def test_the_synchronous_side(sim: Simulator) -> None:
    def work() -> list[Any]:
        with backend_at(sim) as vllm:
            stream = vllm.stream_chat(ASK)
            text = "".join(chunk.text for chunk in stream)
            assert stream.reply.text == text
            return [
                vllm.chat(ASK).text,
                vllm.complete("hello").text,
                vllm.embed("sun", model=EMBEDDER).vectors,
                vllm.rerank("a", ["b", "a"], model=RANKER).results[0].index,
                vllm.detokenize(vllm.tokenize("hello").ids).text,
                vllm.health(),
                vllm.models()[0].id,
            ]

    results = await asyncio.to_thread(work)
    assert results[3:] == [1, "hello", True, CHAT]
    assert all(results[:3])
