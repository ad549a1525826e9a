"""Files, batches, models and refusals against the simulator."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from backends import OpenAI, errors
from conformance.simulators.faults import CutAfter, Fault, Status
from conformance.simulators.server import Simulator

LINE = {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "gpt-6-luna"}}
JSONL = json.dumps(LINE).encode() + b"\n"


def names_in(directory: Path) -> list[str]:
    return sorted(entry.name for entry in directory.iterdir())


async def test_the_life_of_a_file(sim: Simulator, backend: OpenAI, tmp_path: Path) -> None:
    expiry = {"anchor": "created_at", "seconds": 3600}
    made = await backend.aupload_file(("in.jsonl", JSONL), "batch", expires_after=expiry)
    assert (made.filename, made.purpose, made.size, made.status) == ("in.jsonl", "batch", len(JSONL), "processed")
    assert made.expires
    assert (await backend.aget_file(made.id)).raw == made.raw
    assert (await backend.afile_content(made.id)).data == JSONL
    path = tmp_path / "out.jsonl"
    landed = await backend.adownload_file(made.id, path)
    assert (landed.size, path.read_bytes()) == (len(JSONL), JSONL)
    assert (await backend.adelete_file(made.id)).deleted
    with pytest.raises(errors.NotFoundError):
        await backend.aget_file(made.id)
    sim.script(Fault(CutAfter(3), path="*/content"))
    other = await backend.aupload_file(JSONL, "batch")
    with pytest.raises(errors.BackendError):
        await backend.adownload_file(other.id, tmp_path / "cut.jsonl")
    assert names_in(tmp_path) == ["out.jsonl"]


async def test_lists_walk_over_their_pages(sim: Simulator, backend: OpenAI) -> None:
    ids = [(await backend.aupload_file((f"{n}.jsonl", JSONL), "batch")).id for n in range(5)]
    sim.requests.clear()
    found = [file.id async for file in backend.alist_files(limit=2, order="asc", purpose="batch")]
    assert found == ids
    queries = [seen.query for seen in sim.requests if seen.method == "GET"]
    assert queries == [
        "limit=2&order=asc&purpose=batch",
        f"limit=2&order=asc&purpose=batch&after={ids[1]}",
        f"limit=2&order=asc&purpose=batch&after={ids[3]}",
    ]
    later = await backend.alist_files(order="asc", after=ids[2]).collect()
    assert [file.id for file in later] == ids[3:]


async def test_a_list_that_goes_in_circles_ends(answering: Callable[..., OpenAI]) -> None:
    backend = answering({"object": "list", "data": [{"id": "file-1"}], "has_more": True})
    with pytest.raises(errors.ResponseFormatError, match="circle"):
        await backend.alist_files().collect()
    await backend.aclose()


async def test_the_life_of_a_batch(sim: Simulator, backend: OpenAI) -> None:
    source = await backend.aupload_file(("in.jsonl", JSONL), "batch")
    made = await backend.acreate_batch(source.id, "/v1/chat/completions", metadata={"a": "b"})
    assert made.input_file_id == source.id
    assert made.endpoint == "/v1/chat/completions"
    assert not made.ended
    state = await backend.aget_batch(made.id)
    assert state.id == made.id
    assert made.id in [batch.id for batch in await backend.alist_batches().collect()]
    other = await backend.acreate_batch(source.id, "/v1/chat/completions")
    assert (await backend.acancel_batch(other.id)).status in ("cancelling", "cancelled")


async def test_what_creates_is_not_repeated_blindly(sim: Simulator, backend: OpenAI) -> None:
    sim.script(Fault(Status(500), path="*/batches", nth=1), Fault(Status(429), path="*/files", nth=1))
    with pytest.raises(errors.ServerError) as caught:
        await backend.acreate_batch("file-1", "/v1/responses")
    assert caught.value.attempts == 1
    assert (await backend.aupload_file(JSONL, "batch")).attempts == 2  # a 429 says that nothing was done
    assert not sim.unfired()


async def test_models(sim: Simulator, backend: OpenAI) -> None:
    models = {model.id: model for model in await backend.amodels()}
    assert models["gpt-5"].retires == "2026-12-11"
    assert models["gpt-6-luna"].retires is None
    one = await backend.aget_model("gpt-6-luna")
    assert (one.id, one.owned_by) == ("gpt-6-luna", "system")
    assert (await backend.adelete_model("ft:gpt-4.1-mini:example::sim")).deleted
    assert sim.requests[-1].path.endswith("/models/ft%3Agpt-4.1-mini%3Aexample%3A%3Asim")
    with pytest.raises(errors.UnknownModelError) as caught:
        await backend.aget_model("gpt-6-lunar")
    assert "gpt-6-luna" in caught.value.suggestions


@pytest.mark.parametrize("name", sorted(OpenAI.refusals))
async def test_refusals_name_date_and_replacement_and_send_nothing(sim: Simulator, backend: OpenAI, name: str) -> None:
    with pytest.raises(errors.UnsupportedError, match=r"2026-\d\d-\d\d; use ") as caught:
        await getattr(backend, f"a{name}")("anything", model="x")
    assert caught.value.code == "unsupported"
    assert sim.requests == []


async def test_an_id_cannot_leave_its_segment(answering: Callable[..., OpenAI]) -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.raw_path.decode())
        return httpx.Response(404, json={"error": {"message": "no"}}, request=request)

    backend = answering(answer)
    for wrong in ("a/../b", "a?x=1", "a#b", "ü%2f"):
        with pytest.raises(errors.NotFoundError):
            await backend.aget_file(wrong)
    assert seen == [
        "/v1/files/a%2F..%2Fb",
        "/v1/files/a%3Fx%3D1",
        "/v1/files/a%23b",
        "/v1/files/%C3%BC%252f",
    ]
    for wrong in ("", ".", "..", "a\nb", "x" * 501):
        with pytest.raises(errors.InvalidRequestError, match="file_id"):
            await backend.aget_file(wrong)
    assert len(seen) == 4
    await backend.aclose()
