"""Batches, files, models, caching and counts against the simulator, in both modes."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import httpx
import pytest
from claude_bench import ASK, MESSAGE, TOOL, backend_at, error, mocked

from backends import errors
from backends.claude import Claude
from backends.claude.results import ResultReader
from backends.claude.values import unix_time
from backends.wire.values import FormatError
from conformance.simulators import Simulator


def _line(name: str, **result: Any) -> bytes:
    return json.dumps({"custom_id": name, "result": result}).encode() + b"\n"


async def test_the_life_of_a_batch(sim: Simulator, claude: Claude) -> None:
    requests = [
        {"custom_id": "good", "params": {"messages": ASK, "system": "Be brief."}},
        {"custom_id": "gone", "params": {"messages": ASK, "model": "claude-2.1"}},
        {"custom_id": "tool", "params": {"messages": ASK, "tools": [TOOL]}},
    ]
    batch = await claude.acreate_batch(requests)
    assert (batch.status, batch.total, batch.processing, batch.ended) == ("in_progress", 3, 3, False)
    assert batch.expires is not None
    assert batch.created is not None
    assert batch.expires - batch.created == 86_400
    with pytest.raises(errors.InvalidRequestError, match="not ended"):
        await claude.abatch_results(batch.id).collect()
    while not batch.ended:
        batch = await claude.aget_batch(batch.id)
    assert (batch.total, batch.succeeded, batch.failed, batch.processing) == (3, 2, 1, 0)
    assert batch.results_url == f"{sim.base_url('claude')}/v1/messages/batches/{batch.id}/results"
    stream = claude.abatch_results(batch.id)
    items = {chunk.item.custom_id: chunk async for chunk in stream}  # type: ignore[attr-defined]
    assert stream.reply.outcomes == {"succeeded": 2, "errored": 1}
    assert stream.reply.total == 3
    good, tool, gone = (items[name].item for name in ("good", "tool", "gone"))
    assert good.reply.text == items["good"].text
    assert "Name a prime" in good.reply.text
    assert good.reply.usage.total_tokens
    assert good.reply.raw["usage"]["service_tier"] == "batch"
    assert tool.reply.tool_calls[0].name == "weather"
    assert type(gone.error) is errors.UnknownModelError
    assert gone.error.suggestions == ("claude-sonnet-5-5",)
    assert claude.report()["tokens"]["input"] == 0
    assert (await claude.adelete_batch(batch.id)).deleted
    with pytest.raises(errors.NotFoundError):
        await claude.aget_batch(batch.id)


@pytest.mark.parametrize(("tiers", "dollars"), [({}, None), ({"batch": 0.5}, 5.0)])
async def test_an_item_of_a_batch_costs_what_its_tier_costs(tiers: dict[str, float], dollars: float | None) -> None:
    message = {**MESSAGE, "usage": {"input_tokens": 8, "output_tokens": 1, "service_tier": "batch"}}
    prices = {MESSAGE["model"]: {"input": 1e6, "output": 2e6, "tiers": tiers}}
    async with mocked(_line("ok", type="succeeded", message=message), prices=prices) as claude:
        chunks = [chunk async for chunk in claude.abatch_results("msgbatch_1")]
        report = claude.report()
    assert chunks[0].item.reply.cost == dollars
    assert report["cost"]["dollars"] == 0.0  # results can be read twice


async def test_a_cancelled_batch(claude: Claude) -> None:
    batch = await claude.acreate_batch([{"custom_id": "a", "params": {"messages": ASK}}])
    with pytest.raises(errors.InvalidRequestError, match="cancel it first"):
        await claude.adelete_batch(batch.id)
    assert (await claude.acancel_batch(batch.id)).status == "canceling"
    ended = await claude.aget_batch(batch.id)
    assert (ended.status, ended.cancelled, ended.total) == ("ended", 1, 1)
    assert (await claude.abatch_results(batch.id).collect()).outcomes == {"canceled": 1}


async def test_batches_are_listed_over_all_pages(claude: Claude) -> None:
    made = [(await claude.acreate_batch([{"custom_id": "a", "params": {"messages": ASK}}])).id for _ in range(5)]
    assert [batch.id async for batch in claude.alist_batches(limit=2)] == made[::-1]
    assert [batch.id for batch in await claude.alist_batches().collect()] == made[::-1]


def test_results_are_read_at_every_split() -> None:
    body = (
        _line("ok", type="succeeded", message=MESSAGE)
        + _line("bad", type="errored", error=error("invalid_request_error", "Nö."))
        + _line("late", type="expired")
        + _line("off", type="canceled")[:-1]
    )
    for cut in range(len(body)):
        reader = ResultReader(1 << 16, lambda _: None)
        chunks: list[Any] = [*reader.feed(body[:cut]), *reader.feed(body[cut:]), *reader.finish()]
        assert [(chunk.item.custom_id, chunk.item.outcome) for chunk in chunks] == [
            ("ok", "succeeded"),
            ("bad", "errored"),
            ("late", "expired"),
            ("off", "canceled"),
        ]
        assert chunks[0].text == "Seven"
        assert isinstance(chunks[1].item.error, errors.InvalidRequestError)
        assert chunks[1].item.error.message == "Nö."
        assert reader.done


@pytest.mark.parametrize(
    "line",
    [
        b"[]\n",
        b"{}\n",
        b'{"custom_id": 7, "result": {"type": "expired"}}\n',
        b'{"custom_id": "a", "result": 7}\n',
        b"x\n",
    ],
)
def test_lines_that_are_no_results(line: bytes) -> None:
    with pytest.raises((FormatError, KeyError)):
        list(ResultReader(1 << 16, lambda _: None).feed(line))


async def test_results_cut_inside_a_line_are_an_error() -> None:
    whole = _line("ok", type="succeeded", message=MESSAGE)
    async with mocked(whole + whole[:40]) as claude:
        stream = claude.abatch_results("msgbatch_1")
        assert (await anext(stream)).item.custom_id == "ok"
        with pytest.raises(errors.StreamInterruptedError, match="cannot be read"):
            await anext(stream)


async def test_the_life_of_a_file(sim: Simulator, claude: Claude, tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("some notes")
    file = await claude.aupload_file(notes, expires_in_seconds=86_400)
    assert (file.filename, file.size, file.media_type, file.downloadable) == ("notes.txt", 10, "text/plain", False)
    assert file.expires is not None
    assert sim.requests[0].header("content-type").startswith("multipart/form-data")
    same = await claude.aget_file(file.id)
    assert (same.id, same.created) == (file.id, file.created)
    document = {"type": "document", "source": {"type": "file", "file_id": file.id}}
    assert (await claude.achat([{"role": "user", "content": [document]}])).text
    with pytest.raises(errors.InvalidRequestError) as caught:
        await claude.afile_content(file.id)
    assert caught.value.code == "file_not_downloadable"
    assert (await claude.adelete_file(file.id)).deleted
    with pytest.raises(errors.NotFoundError, match="File not found"):
        await claude.achat([{"role": "user", "content": [document]}])


async def test_what_a_tool_has_made_can_be_fetched(claude: Claude, tmp_path: Path) -> None:
    name = next(file.id for file in await claude.alist_files().collect() if file.downloadable)
    content = await claude.afile_content(name)
    assert (content.data[:5], content.size, content.content_type) == (b"month", 21, "text/csv")
    copy = tmp_path / "copy.csv"
    landed = await claude.adownload_file(name, copy)
    assert copy.read_bytes() == content.data
    assert (landed.size, landed.data) == (21, b"")
    with pytest.raises(errors.NotFoundError):
        await claude.adownload_file("nothing", tmp_path / "none")
    assert os.listdir(tmp_path) == ["copy.csv"]


async def test_files_are_listed_over_all_pages(sim: Simulator, claude: Claude) -> None:
    made = [(await claude.aupload_file((f"{number}.txt", b"x"))).id for number in range(4)]
    start = len(sim.requests)
    listed = [file.id async for file in claude.alist_files(limit=2)]
    assert listed == [*made[::-1], "file_made_by_a_tool"]
    assert [seen.query for seen in sim.requests[start:]] == ["limit=2", "limit=2&page=page_2", "limit=2&page=page_4"]


async def test_models(sim: Simulator, claude: Claude) -> None:
    living = await claude.amodels()
    ids = [model.id for model in living]
    assert "claude-haiku-5-5" in ids
    assert "claude-2.1" not in ids
    old = next(model for model in living if model.id == "claude-opus-4-5")
    assert (old.retires, old.raw["lifecycle"]) == ("2027-01-22", "deprecated")
    assert living[0].created == unix_time("2026-10-01T00:00:00Z")
    assert [model.id for model in await claude.amodels(lifecycle=["retired"], limit=2)] == [
        "claude-opus-4-0",
        "claude-3-opus-20240229",
        "claude-2.1",
    ]
    assert sim.requests[-1].query.endswith("after_id=claude-3-opus-20240229")
    one = await claude.aget_model("claude-opus-5-5")
    assert (one.id, one.raw["max_tokens"], one.retires) == ("claude-opus-5-5", 128_000, None)
    with pytest.raises(errors.UnknownModelError) as caught:
        await claude.aget_model("claude-opus-5-6")
    assert "claude-opus-5-5" in caught.value.suggestions


@pytest.mark.parametrize(
    "page",
    [
        {},
        {"data": {}},
        {"data": ["model"]},
        {"data": [{"id": "a"}], "has_more": True, "last_id": 7},
        {"data": [{}], "has_more": False},
    ],
)
async def test_pages_that_are_none(page: dict[str, Any]) -> None:
    async with mocked(page) as claude:
        with pytest.raises(errors.ResponseFormatError):
            await claude.amodels()


async def test_a_page_that_names_itself_ends_in_an_error() -> None:
    async with mocked({"data": [{"id": "a"}], "has_more": True, "last_id": "a"}) as claude:
        with pytest.raises(errors.ResponseFormatError, match="circle"):
            await claude.amodels()


async def test_the_prompt_cache_shows_in_the_usage(claude: Claude) -> None:
    system = [{"type": "text", "text": "The rules of the house. " * 300, "cache_control": {"type": "ephemeral"}}]
    first = (await claude.achat(ASK, system=system)).usage
    second = (await claude.achat(ASK, system=system)).usage
    streamed = (await claude.astream_chat([*ASK], system=system).collect()).usage
    whole = (await claude.acount_tokens(ASK, system=system)).tokens
    assert first.cache_write_tokens == second.cached_tokens == streamed.cached_tokens
    assert (first.cache_write_tokens or 0) > 1024
    assert (first.cached_tokens, second.cache_write_tokens) == (0, 0)
    assert first.input_tokens == second.input_tokens == streamed.input_tokens == whole
    assert claude.report()["tokens"]["input"] == 3 * whole


async def test_an_answer_goes_on_from_its_own_content(claude: Claude) -> None:
    thinking = {"type": "adaptive"}
    asked = await claude.astream_chat(ASK, tools=[TOOL], thinking=thinking).collect()
    call = asked.tool_calls[0]
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "sunny"}
    messages = [
        *ASK,
        {"role": "assistant", "content": list(asked.content)},
        {"role": "user", "content": [result]},
    ]
    answered = await claude.achat(messages, tools=[TOOL], thinking=thinking)
    assert answered.finish_reason == "end_turn"
    assert answered.text


async def test_the_synchronous_twins(sim: Simulator, tmp_path: Path) -> None:
    def use() -> dict[str, Any]:
        with backend_at(sim) as claude:
            batch = claude.create_batch([{"custom_id": "a", "params": {"messages": ASK}}])
            claude.get_batch(batch.id)
            ended = claude.get_batch(batch.id).ended
            file = claude.upload_file(("a.txt", b"x"))
            return {
                "text": bool(claude.chat(ASK).text),
                "stream": "".join(chunk.text for chunk in claude.stream_chat(ASK)) != "",
                "tokens": claude.count_tokens("hello").tokens > 0,
                "ended": ended,
                "items": [chunk.item.outcome for chunk in claude.batch_results(batch.id)],  # type: ignore[attr-defined]
                "batches": len(claude.list_batches()),
                "files": len(claude.list_files()),
                "file": claude.get_file(file.id).filename,
                "copy": claude.download_file("file_made_by_a_tool", tmp_path / "copy").size,
                "gone": claude.delete_file(file.id).deleted,
                "models": len(claude.models()),
                "model": claude.get_model("claude-opus-5-5").id,
            }

    assert await asyncio.to_thread(use) == {
        "text": True,
        "stream": True,
        "tokens": True,
        "ended": True,
        "items": ["succeeded"],
        "batches": 1,
        "files": 2,
        "file": "a.txt",
        "copy": 21,
        "gone": True,
        "models": 12,
        "model": "claude-opus-5-5",
    }


@pytest.mark.parametrize("name", sorted(Claude.refusals))
async def test_refusals(claude: Claude, sim: Simulator, name: str) -> None:
    with pytest.raises(errors.UnsupportedError, match=f"Claude does not offer {name}"):
        await getattr(claude, "a" + name)("anything")
    assert sim.requests == []


@pytest.mark.parametrize("text", [None, 7, "", "yesterday", "0000-00-00T00:00:00Z", "2026-13-01T00:00:00Z"])
def test_times_that_are_none(text: Any) -> None:
    assert unix_time(text) is None


async def test_batch_ids_never_leave_their_segment() -> None:
    seen: list[httpx.Request] = []
    async with mocked({"id": "x", "processing_status": "ended"}, seen=seen) as claude:
        await claude.aget_batch("a/../b?c")
    assert seen[0].url.raw_path == b"/v1/messages/batches/a%2F..%2Fb%3Fc"


async def test_a_server_that_imitates_the_api() -> None:
    async with Simulator(["ollama"]) as sim:
        address = sim.base_url("ollama")
        async with Claude(base_url=address, api_key="any", model="llama3.2", environ={}) as claude:
            whole = await claude.achat(ASK, tools=[TOOL])
            streamed = await claude.astream_chat(ASK).collect()
            with pytest.raises(errors.UnknownModelError, match="nobody"):
                await claude.achat(ASK, model="nobody")
    assert [call.name for call in whole.tool_calls] == ["weather"]
    assert "Name a prime" in streamed.text
    assert (streamed.finish_reason, streamed.usage.cached_tokens) == ("end_turn", None)
    assert streamed.usage.input_tokens
