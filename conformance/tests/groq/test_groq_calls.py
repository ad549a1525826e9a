"""Answers read in full: times, limits, cost, tokens, sound, files, batches, models, responses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from groq_bench import ASK, JSONL, LINE, MODEL, backend_at, completion, mocked

from backends import errors
from backends.groq import Groq, Timings, Window, executed_tools, rate_limits, timings
from backends.telemetry import tokens
from conformance.simulators import Simulator
from conformance.simulators.openai.answers.media import wave

SOUND = ("a.wav", wave("c0ffee00"))


async def test_a_whole_answer() -> None:
    headers = {
        "x-ratelimit-limit-requests": "14400",
        "x-ratelimit-limit-tokens": "18000",
        "x-ratelimit-remaining-requests": "14370",
        "x-ratelimit-remaining-tokens": "17997",
        "x-ratelimit-reset-requests": "2m59.56s",
        "x-ratelimit-reset-tokens": "7.66s",
    }
    async with mocked(httpx.Response(200, json=completion(), headers=headers)) as backend:
        reply = await backend.achat(ASK)
    assert (reply.text, reply.model, reply.provider_request_id) == ("Seven", MODEL, "req_01m")
    assert reply.raw == completion()
    assert timings(reply) == Timings(0.012, 0.003, 0.01, 0.013, 900.0)
    assert rate_limits(reply).requests == Window(14_400, 14_370, pytest.approx(179.56))
    assert rate_limits(reply).tokens == Window(18_000, 17_997, 7.66)
    assert reply.cost == pytest.approx((74 * 0.075 + 9 * 0.30) / 1e6)


@pytest.mark.parametrize(
    "usage",
    [None, [], "x", {"queue_time": "x"}, {"queue_time": True}, {"queue_time": -1}, {"completion_tokens": 5}],
)
def test_times_that_are_none(usage: Any) -> None:
    assert timings({"usage": usage}) == Timings()
    assert timings({"x_groq": usage}) == Timings()


def test_an_absurd_count_gives_no_speed() -> None:
    """The answer is read all the same."""
    assert timings({"usage": {"completion_tokens": 10**400, "completion_time": 0.5}}) == Timings(completion=0.5)


def test_limits_that_are_none() -> None:
    none = Window(None, None, None)
    assert rate_limits({}).requests == none
    wrong = {f"x-ratelimit-{what}-tokens": "soon" for what in ("limit", "remaining", "reset")}
    assert rate_limits(wrong).tokens == none
    assert rate_limits({"x-ratelimit-limit-tokens": "9" * 5000, "x-ratelimit-reset-tokens": "1" * 500}).tokens == none


@pytest.mark.parametrize(
    ("extra", "dollars"),
    [
        ({}, (74 * 0.075 + 9 * 0.30) / 1e6),
        ({"model": "openai/gpt-oss-120b"}, (74 * 0.15 + 9 * 0.60) / 1e6),
        ({"model": "allam-2-7b"}, 0.0),
        ({"model": "qwen/qwen3.8-27b"}, None),
        ({"model": "somebody/new"}, None),
        ({"service_tier": "performance"}, None),
        ({"service_tier": "flex"}, (74 * 0.075 + 9 * 0.30) / 1e6),
        ({"usage": None}, None),
        ({"usage": {"prompt_tokens": 74}}, None),
        (
            {"usage": {"prompt_tokens": 74, "completion_tokens": 9, "prompt_tokens_details": {"cached_tokens": 64}}},
            (10 * 0.075 + 64 * 0.0375 + 9 * 0.30) / 1e6,
        ),
        ({"usage": {"prompt_tokens": 4, "completion_tokens": 9, "prompt_tokens_details": {"cached_tokens": 64}}}, None),
        ({"usage_breakdown": {"models": []}}, None),
        ({"usage_breakdown": "x"}, None),
        ({"usage_breakdown": {"models": ["x"]}}, None),
        (
            {
                "model": "groq/compound",
                "usage_breakdown": {
                    "models": [
                        {"model": MODEL, "usage": {"prompt_tokens": 100, "completion_tokens": 10}},
                        {"model": "openai/gpt-oss-120b", "usage": {"prompt_tokens": 10, "completion_tokens": 1}},
                    ]
                },
            },
            (100 * 0.075 + 10 * 0.30 + 10 * 0.15 + 0.60) / 1e6,
        ),
        (
            {
                "usage_breakdown": {
                    "models": [
                        {"model": MODEL, "usage": {"prompt_tokens": 100, "completion_tokens": 10}},
                        {"model": "somebody/new", "usage": {"prompt_tokens": 10, "completion_tokens": 1}},
                    ]
                }
            },
            None,
        ),
    ],
)
async def test_cost_is_exact_or_none(extra: dict[str, Any], dollars: float | None) -> None:
    async with mocked(completion(**extra)) as backend:
        cost = (await backend.achat(ASK)).cost
    assert cost == (None if dollars is None else pytest.approx(dollars, abs=1e-15))


async def test_tools_that_the_service_ran_have_no_known_price(backend: Groq) -> None:
    reply = await backend.achat(ASK, tools=[{"type": "code_interpreter"}])
    assert [tool["type"] for tool in executed_tools(reply)] == ["code_interpreter"]
    assert reply.cost is None
    assert executed_tools(await backend.achat(ASK)) == ()
    assert (await backend.achat(ASK, service_tier="performance")).cost is None


def test_estimates() -> None:
    backend = mocked({})
    told = backend.estimate_cost("openai/gpt-oss-120b", input_tokens=1000, cached_tokens=200, output_tokens=100)
    assert told.dollars == pytest.approx((800 * 0.15 + 200 * 0.075 + 100 * 0.60) / 1e6)
    assert (told.as_of, told.approximate) == ("2026-08-21", False)
    assert "console.groq.com" in told.source
    assert backend.estimate_cost(input_tokens=0, output_tokens=0).dollars == 0.0
    assert backend.estimate_cost("whisper-large-v3", seconds=3600).dollars == pytest.approx(0.111)
    assert backend.estimate_cost(seconds=1).dollars == pytest.approx(10 / 3600 * 0.04)
    spoken = backend.estimate_cost(characters=2000)
    assert (spoken.dollars, spoken.approximate) == (0.1, True)
    assert backend.estimate_cost("groq/compound", input_tokens=1, output_tokens=1).dollars is None
    assert backend.estimate_cost("somebody/new", input_tokens=1, output_tokens=1).dollars is None
    for wrong in (
        {},
        {"input_tokens": 1},
        {"input_tokens": -1, "output_tokens": 1},
        {"input_tokens": True, "output_tokens": 1},
        {"input_tokens": 1, "output_tokens": 1, "cached_tokens": 2},
        {"seconds": float("nan")},
        {"seconds": 1, "characters": 1},
        {"model": MODEL, "seconds": 1},
    ):
        with pytest.raises(errors.InvalidRequestError):
            backend.estimate_cost(**wrong)
    backend.close()


async def test_tokens_are_counted_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(tokens, "_loaded", {})
    backend = mocked({})
    rough = await backend.acount_tokens("hello world")
    assert (rough.tokens, rough.estimated, rough.method) == (3, True, "characters")
    assert (await backend.acount_tokens(ASK)).estimated

    class Coder:
        def encode(self, text: str, *, disallowed_special: tuple[str, ...]) -> list[str]:
            return text.split()

    monkeypatch.setattr(tokens, "_loaded", {"o200k_harmony": Coder()})
    exact = await backend.acount_tokens("hello world", model="openai/gpt-oss-120b")
    assert (exact.tokens, exact.estimated, exact.method) == (2, False, "tiktoken o200k_harmony")
    assert (await backend.acount_tokens("hello world", model="qwen/qwen3.6-27b")).estimated
    assert (await backend.acount_tokens(ASK)).method == "tiktoken o200k_harmony and framing"
    await backend.aclose()


def test_harmony_is_counted_with_the_ranks_of_its_base(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    assert tokens.cached_ranks("o200k_harmony") is None
    import hashlib

    name = hashlib.sha1(b"https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken").hexdigest()
    (tmp_path / name).write_bytes(b"ranks")
    monkeypatch.setitem(tokens._CHECKSUMS, "o200k_base", hashlib.sha256(b"ranks").hexdigest())
    assert tokens.cached_ranks("o200k_harmony") == tmp_path / name


async def test_transcripts(sim: Simulator, backend: Groq) -> None:
    plain = await backend.atranscribe(SOUND)
    assert plain.text.startswith(sim.requests[0].nonce)
    assert (plain.model, plain.cost) == ("whisper-large-v3-turbo", None)
    form = sim.requests[0].body
    assert form.index(b'name="model"') < form.index(b'name="file"')
    text = await backend.atranscribe(SOUND, response_format="text", language="de", prompt="x", temperature=0.5)
    assert text.text.startswith(sim.requests[1].nonce)
    told = await backend.atranscribe(
        url="https://example.com/a.wav",
        model="whisper-large-v3",
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
    )
    assert (told.language, len(told.segments)) == ("english", 1)
    assert told.words[0]["start"] == 0.0
    assert told.cost == pytest.approx(max(told.duration or 0, 10) / 3600 * 0.111)
    assert sim.requests[2].body.count(b'name="timestamp_granularities[]"') == 2
    assert sim.requests[2].header("content-type").startswith("multipart/form-data")
    english = await backend.atranslate(SOUND, response_format="verbose_json")
    assert english.model == "whisper-large-v3"
    assert english.raw["task"] == "translate"
    assert all(seen.problem is None for seen in sim.requests)


async def test_the_services_id_is_taken_from_the_body_where_no_header_has_it() -> None:
    async with mocked({"text": "hello", "x_groq": {"id": "req_7"}}) as backend:
        assert (await backend.atranscribe(SOUND)).provider_request_id == "req_7"
    async with mocked({"text": "hello", "x_groq": "strange"}) as backend:
        assert (await backend.atranscribe(SOUND)).provider_request_id is None


async def test_speech(sim: Simulator, backend: Groq, tmp_path: Path) -> None:
    whole = await backend.aspeech("hello", response_format="wav", sample_rate=24_000, speed=1.2)
    assert (whole.data[:4], whole.content_type, whole.cost) == (b"RIFF", "audio/wav", None)
    stream = backend.astream_speech("hello", voice="troy")
    pieces = [chunk.data async for chunk in stream]
    assert b"".join(piece or b"" for piece in pieces) == stream.reply.data
    landed = await backend.aspeech_to_file("hello", tmp_path / "a.wav", model="canopylabs/orpheus-arabic-saudi")
    assert landed.size == (tmp_path / "a.wav").stat().st_size
    assert sim.requests[2].json["voice"] == "abdullah"
    with pytest.raises(errors.InvalidRequestError, match="voice"):
        await backend.aspeech("hello", voice="alloy")


async def test_the_life_of_a_batch(sim: Simulator, backend: Groq, tmp_path: Path) -> None:
    file = await backend.aupload_file(("in.jsonl", JSONL))
    assert (file.purpose, file.size) == ("batch", len(JSONL))
    made = await backend.acreate_batch(file.id, metadata={"a": "b"})
    for _ in range(3):
        made = await backend.aget_batch(made.id)
    assert (made.status, made.total, made.succeeded, made.ended) == ("completed", 1, 1, True)
    assert made.output_file_id is not None
    line = json.loads((await backend.afile_content(made.output_file_id)).data)
    assert line["custom_id"] == LINE["custom_id"]
    assert line["response"]["status_code"] == 200
    await backend.adownload_file(made.output_file_id, tmp_path / "out.jsonl")
    assert json.loads((tmp_path / "out.jsonl").read_bytes()) == line
    second = await backend.acreate_batch(file.id, completion_window="48h")
    assert (await backend.acancel_batch(second.id)).status == "cancelling"
    assert [batch.id async for batch in backend.alist_batches()] == [second.id, made.id]
    assert {entry.id for entry in await backend.alist_files().collect()} == {file.id, made.output_file_id}
    assert (await backend.adelete_file(file.id)).deleted
    with pytest.raises(errors.NotFoundError):
        await backend.aget_file(file.id)
    for window in ("23h", "169h", "8d", "0d", "24", "d", "1w", ""):
        with pytest.raises(errors.InvalidRequestError, match="completion_window"):
            await backend.acreate_batch(file.id, completion_window=window)


async def test_models(sim: Simulator, backend: Groq) -> None:
    models = {model.id: model for model in await backend.amodels()}
    assert models[MODEL].raw["max_completion_tokens"] == 65_536
    assert (await backend.aget_model(MODEL)).raw == models[MODEL].raw
    assert sim.requests[-1].path.endswith("/models/openai%2Fgpt-oss-20b")
    with pytest.raises(errors.UnknownModelError, match="2026-08-16"):
        await backend.aget_model("llama-3.3-70b-versatile")


async def test_responses(sim: Simulator, backend: Groq) -> None:
    whole = await backend.aresponses("hello", reasoning={"effort": "low"}, store=False)
    assert whole.text.startswith(sim.requests[0].nonce)
    given, made = whole.usage.input_tokens or 0, whole.usage.output_tokens or 0
    assert whole.cost == pytest.approx((given * 0.075 + made * 0.30) / 1e6)
    stream = backend.astream_responses("hello", instructions="Be brief.")
    text = "".join([chunk.text async for chunk in stream])
    assert stream.reply.text == text
    assert stream.reply.cost
    for name in ("previous_response_id", "conversation", "background"):
        with pytest.raises(errors.InvalidRequestError, match=f"{name}: the service keeps no responses"):
            backend.astream_responses("hello", **{name: "x"})


async def test_both_modes_say_the_same(sim: Simulator) -> None:
    import asyncio

    def ask() -> Any:
        with backend_at(sim) as backend:
            return backend.chat(ASK), "".join(chunk.text for chunk in backend.stream_chat(ASK)), backend.list_files()

    whole, streamed, files = await asyncio.get_running_loop().run_in_executor(None, ask)
    assert whole.text.startswith(sim.requests[0].nonce)
    assert streamed.startswith(sim.requests[1].nonce)
    assert files == []
