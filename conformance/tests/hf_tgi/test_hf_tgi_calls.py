"""Each call of the backend against the simulated server, in both modes."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from hf_tgi_bench import ASK, SCHEMA, TOOL, backend_at, mocked

from backends import errors
from backends.hf_tgi import HFTGI, Timings, timings
from backends.types import TokenCount
from conformance.simulators import Simulator


async def test_generation_with_its_tokens(sim: Simulator, tgi: HFTGI) -> None:
    reply = await tgi.agenerate("Say hi.", max_new_tokens=200)
    assert reply.text.startswith(sim.requests[0].nonce)
    assert reply.texts == (reply.text,)
    assert "".join(token.text for token in reply.tokens if not token.special) == reply.text
    assert reply.tokens[-1].special
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (3, len(reply.tokens))
    assert reply.usage.total_tokens == 3 + len(reply.tokens)
    assert (reply.finish_reason, reply.seed, reply.model) == ("eos_token", None, "tgi")
    assert sim.requests[0].json == {"inputs": "Say hi.", "parameters": {"max_new_tokens": 200, "details": True}}


async def test_generation_without_details_still_counts(sim: Simulator, tgi: HFTGI) -> None:
    reply = await tgi.agenerate("hello", details=False)
    assert (reply.finish_reason, reply.tokens) == (None, ())
    assert reply.usage.output_tokens == int(reply.headers["x-generated-tokens"])
    stream = await tgi.astream_generate("hello", details=False).collect()
    assert (stream.finish_reason, stream.usage.output_tokens) == (None, None)
    assert stream.text.replace(sim.requests[1].nonce, "") == reply.text.replace(sim.requests[0].nonce, "")


async def test_candidates_and_seeds(tgi: HFTGI) -> None:
    reply = await tgi.agenerate("hello", best_of=2, do_sample=True, decoder_input_details=True, top_n_tokens=3)
    (other,) = reply.best_of_sequences
    assert other.text != reply.text
    assert (other.finish_reason, other.generated_tokens) == ("eos_token", len(other.tokens))
    assert other.seed is not None
    assert reply.seed is not None
    assert other.seed != reply.seed
    assert [token.text for token in reply.prefill] == ["hello"]
    assert {len(place) for place in reply.top_tokens} == {3}
    assert (await tgi.agenerate("hello", temperature=0.5, seed=11)).seed == 11


async def test_why_it_ended(tgi: HFTGI) -> None:
    assert (await tgi.agenerate("hello", max_new_tokens=3)).finish_reason == "length"
    stopped = await tgi.agenerate("hello", stop="naïve")
    assert (stopped.finish_reason, stopped.text[-5:]) == ("stop_sequence", "naïve")
    streamed = await tgi.astream_generate("hello", stop=["naïve", "never"]).collect()
    assert (streamed.finish_reason, streamed.text[-5:]) == ("stop_sequence", "naïve")


@pytest.mark.parametrize("kind", ["json", "json_object", "json_schema"])
async def test_grammars(sim: Simulator, tgi: HFTGI, kind: str) -> None:
    value: Any = {"name": "answer", "schema": SCHEMA} if kind == "json_schema" else SCHEMA
    reply = await tgi.agenerate("hello", grammar={"type": kind, "value": value})
    assert json.loads(reply.text) == {"city": sim.requests[0].nonce}
    assert sim.requests[0].json["parameters"]["grammar"] == {"type": kind, "value": value}
    await tgi.agenerate("hello", grammar={"type": "regex", "value": "[0-9]+"})
    assert sim.requests[1].json["parameters"]["grammar"] == {"type": "regex", "value": "[0-9]+"}


async def test_the_compatible_route(sim: Simulator, tgi: HFTGI) -> None:
    whole = await tgi.agenerate("hello", compat=True, return_full_text=True)
    stream = tgi.astream_generate("hello", compat=True)
    chunks = [chunk async for chunk in stream]
    assert whole.text == "hello" + sim.requests[0].nonce + whole.text.partition(sim.requests[0].nonce)[2]
    assert isinstance(whole.raw, list)
    assert "".join(chunk.text for chunk in chunks) == stream.reply.text
    assert [(seen.path, seen.json["stream"]) for seen in sim.requests] == [("/", False), ("/", True)]


async def test_the_whole_text_of_a_stream_may_hold_the_prompt(tgi: HFTGI) -> None:
    stream = tgi.astream_generate("Say: ", return_full_text=True)
    joined = "".join([chunk.text async for chunk in stream])
    assert stream.reply.text == "Say: " + joined


async def test_adapters(sim: Simulator) -> None:
    async with backend_at(sim, model="simulated/lora") as tgi:
        assert (await tgi.agenerate("hello")).model == "simulated/lora"
        await tgi.achat(ASK)
        await tgi.agenerate("hello", model="tgi")
        await tgi.agenerate("hello", model="tgi", adapter_id="other")
        await tgi.acomplete("hello", model="third")
        assert set(tgi.report()["models"]) == {"simulated/lora", "tgi", "other", "third"}
    sent = [seen.json for seen in sim.requests]
    assert sent[0]["parameters"]["adapter_id"] == sent[1]["model"] == "simulated/lora"
    assert "adapter_id" not in sent[2]["parameters"]
    assert (sent[3]["parameters"]["adapter_id"], sent[4]["model"]) == ("other", "third")


async def test_timings_of_both_units(tgi: HFTGI) -> None:
    reply = await tgi.agenerate("hello")
    took = timings(reply)
    assert took.total == pytest.approx(int(reply.headers["x-total-time"]) / 1000)
    assert took.compute == pytest.approx(took.total, abs=0.001)
    assert took.total == pytest.approx(took.validation + took.queue + took.inference)
    assert took.per_token == pytest.approx(took.inference / len(reply.tokens), abs=0.001)
    assert took.input_characters == 5
    streamed = timings(await tgi.astream_generate("hello").collect())
    assert streamed == Timings(input_characters=5)
    assert timings({"x-total-time": "-1", "x-compute-time": "soon", "x-queue-time": ""}) == Timings()


async def test_chat_and_its_stream(sim: Simulator, tgi: HFTGI) -> None:
    whole = await tgi.achat(ASK, stop="###", max_completion_tokens=60, presence_penalty=-1)
    stream = tgi.astream_chat(ASK, max_tokens=60)
    chunks = [chunk async for chunk in stream]
    assert stream.reply.text == "".join(chunk.text for chunk in chunks)
    assert stream.reply.usage == whole.usage
    assert (whole.finish_reason, stream.reply.finish_reason) == ("stop", "stop")
    assert sim.requests[0].json == {
        "model": "tgi",
        "messages": ASK,
        "stop": ["###"],
        "max_tokens": 60,
        "presence_penalty": -1,
    }
    assert sim.requests[1].json["stream_options"] == {"include_usage": True}
    assert timings(whole).total


async def test_tools(sim: Simulator, tgi: HFTGI) -> None:
    for choice in ("auto", "required", "weather", {"type": "function", "function": {"name": "weather"}}):
        reply = await tgi.achat(ASK, tools=[TOOL], tool_choice=choice, tool_prompt="Use it.")
        (call,) = reply.tool_calls
        assert (call.id, call.name, reply.text) == ("0", "weather", "")
        assert json.loads(call.arguments) == {"city": sim.requests[-1].nonce}
    assert (await tgi.achat(ASK, tools=[TOOL], tool_choice="none")).tool_calls == ()
    streamed = await tgi.astream_chat(ASK, tools=[TOOL]).collect()
    assert json.loads(streamed.tool_calls[0].arguments) == {"city": sim.requests[-1].nonce}


async def test_response_formats(sim: Simulator, tgi: HFTGI) -> None:
    openai_words = {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": SCHEMA}}
    for wanted in (openai_words, {"type": "json", "value": SCHEMA}):
        reply = await tgi.achat(ASK, response_format=wanted)
        assert json.loads(reply.text) == {"city": sim.requests[-1].nonce}
    await tgi.achat(ASK, response_format={"type": "text"}, tools=[TOOL])
    assert "response_format" not in sim.requests[-1].json
    assert sim.requests[0].json["response_format"] == {
        "type": "json_schema",
        "value": {"name": "x", "schema": SCHEMA},
    }


async def test_completions(sim: Simulator, tgi: HFTGI) -> None:
    both = await tgi.acomplete(["one", "two"], temperature=0, repetition_penalty=1.2, stop="END")
    assert [text.startswith(sim.requests[0].nonce) for text in both.texts] == [True, True]
    assert (both.finish_reason, both.model) == ("stop", "simulated/tiny-instruct")
    stream = await tgi.astream_complete("one", max_tokens=200).collect()
    assert stream.usage.output_tokens
    assert stream.finish_reason == "eos_token"
    assert "stream_options" not in sim.requests[1].json


async def test_tokens(tgi: HFTGI) -> None:
    tokens = await tgi.atokenize("Zwölf ☃!")
    assert [(token.text, token.start, token.stop) for token in tokens] == [("Zwölf", 0, 5), (" ☃", 5, 7), ("!", 7, 8)]
    chat = await tgi.achat_tokenize(ASK, tools=[TOOL])
    assert "weather" in chat.text
    assert "".join(token.text for token in chat.tokens) == chat.text == chat.raw["templated_text"]
    assert await tgi.acount_tokens("Zwölf ☃!") == TokenCount(3, False, "the server's tokenizer")
    assert (await tgi.acount_tokens(ASK)).tokens == len((await tgi.achat_tokenize(ASK)).tokens)


async def test_what_the_server_tells(tgi: HFTGI) -> None:
    info = await tgi.ainfo()
    assert (info.model_id, info.version, info.max_best_of, info.docker_label) == (
        "simulated/tiny-instruct",
        "3.3.7",
        2,
        None,
    )
    assert info.raw["router"] == "text-generation-router"
    assert [model.id for model in await tgi.amodels()] == ["simulated/tiny-instruct"]
    await tgi.agenerate("hello")
    found = {(metric.name, *metric.labels.values()): metric.value for metric in await tgi.ametrics()}
    assert found[("tgi_request_count",)] == 1
    assert found[("tgi_request_failure", "validation")] == 0
    assert found[("tgi_request_generated_tokens_bucket", "+Inf")] == 1
    assert await tgi.ahealth() is True


async def test_an_unhealthy_server() -> None:
    async with mocked((503, {"error": "unhealthy", "error_type": "healthcheck"})) as tgi:
        assert await tgi.ahealth() is False


async def test_the_synchronous_twins(sim: Simulator) -> None:
    def work() -> list[object]:
        with backend_at(sim) as tgi:
            stream = tgi.stream_generate("hello")
            text = "".join(chunk.text for chunk in stream)
            return [
                text == stream.reply.text,
                tgi.generate("hello").finish_reason,
                tgi.chat(ASK).finish_reason,
                tgi.stream_chat(ASK).collect().finish_reason,
                tgi.complete("hello").finish_reason,
                tgi.stream_complete("hello").collect().finish_reason,
                len(tgi.tokenize("hello there")),
                tgi.chat_tokenize(ASK).text[:8],
                tgi.count_tokens("hello").tokens,
                tgi.info().version,
                tgi.health(),
                len(tgi.models()),
                bool(tgi.metrics()),
            ]

    assert await asyncio.to_thread(work) == [
        True, "eos_token", "stop", "stop", "stop", "eos_token", 2, "<|user|>", 1, "3.3.7", True, 1, True
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("environ", "sent"),
    [
        ({}, None),
        ({"HF_TOKEN": "hf_first"}, "hf_first"),
        ({"HUGGING_FACE_HUB_TOKEN": "hf_second"}, "hf_second"),
        ({"HF_TOKEN": "hf_first", "HUGGING_FACE_HUB_TOKEN": "hf_second"}, "hf_first"),
        ({"HF_TOKEN_PATH": "token"}, "hf_third"),
        ({"HF_TOKEN": "hf_first", "HF_TOKEN_PATH": "token"}, "hf_first"),
        ({"HF_TOKEN_PATH": "absent"}, None),
        ({"HF_TOKEN_PATH": "empty"}, None),
    ],
)
async def test_where_the_key_comes_from(tmp_path: Path, environ: dict[str, str], sent: str | None) -> None:
    (tmp_path / "token").write_text("hf_third\n")
    (tmp_path / "empty").write_text("\n")
    if "HF_TOKEN_PATH" in environ:
        environ = {**environ, "HF_TOKEN_PATH": str(tmp_path / environ["HF_TOKEN_PATH"])}
    seen: list[Any] = []
    async with mocked((200, {"generated_text": "Hi"}), seen=seen, environ=environ) as tgi:
        await tgi.agenerate("hello")
    assert seen[0].headers.get("authorization") == (None if sent is None else f"Bearer {sent}")
    assert seen[0].url == "http://127.0.0.1:8080/generate"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe", "is not text"),
        (b"x" * 5000, "too large"),
        (None, "cannot be read"),
        (b"two\nlines", "HF_TOKEN_PATH"),
    ],
)
async def test_a_token_file_that_is_none(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "token"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    async with mocked((200, {"generated_text": "Hi"}), environ={"HF_TOKEN_PATH": str(path)}) as tgi:
        with pytest.raises(errors.ConfigurationError, match=said):
            await tgi.agenerate("hello")


async def test_addresses() -> None:
    async with HFTGI(environ={"HF_TGI_BASE_URL": "http://127.0.0.1:3000/"}) as tgi:
        assert (tgi.base_url, tgi.openai_base_url) == ("http://127.0.0.1:3000", "http://127.0.0.1:3000/v1")


async def test_endpoints_have_keys_of_their_own(sim: Simulator) -> None:
    async with backend_at(sim, api_key="key-one") as tgi:
        tgi.create_endpoint("second", base_url=sim.base_url("hf_tgi"), api_key="key-two")
        await tgi.agenerate("hello")
        await tgi.agenerate("hello", endpoint="second")
        stream = tgi.astream_generate("hello", endpoint="second")
        assert (await stream.collect()).text
    prints = [seen.key_fingerprint for seen in sim.requests]
    assert prints[0] != prints[1] == prints[2]
