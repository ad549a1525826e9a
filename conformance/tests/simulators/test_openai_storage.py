"""Files, batches and models, driven by the official client."""

from __future__ import annotations

import json

import openai
import pytest

from conformance.simulators import Simulator


async def test_a_file_comes_and_goes(sim: Simulator, client: openai.AsyncOpenAI) -> None:
    made = await client.files.create(
        file=("notes.txt", b"some text"),
        purpose="user_data",
        expires_after={"anchor": "created_at", "seconds": 3600},
    )
    assert (made.id, made.bytes, made.filename) == (f"file-{sim.requests[0].nonce}", 9, "notes.txt")
    assert made.expires_at == made.created_at + 3600
    assert (await client.files.content(made.id)).content == b"some text"
    assert (await client.files.retrieve(made.id)).purpose == "user_data"
    assert (await client.files.delete(made.id)).deleted
    with pytest.raises(openai.NotFoundError):
        await client.files.content(made.id)


async def test_lists_come_in_pages(sim: Simulator, client: openai.AsyncOpenAI) -> None:
    made = [await client.files.create(file=(f"{n}.txt", b"x"), purpose="user_data") for n in range(5)]
    await client.files.create(file=("v.png", b"x"), purpose="vision")
    listed = [one.id async for one in client.files.list(limit=2, purpose="user_data")]
    assert listed == [one.id for one in reversed(made)]
    assert [seen.path for seen in sim.requests].count("/v1/files") == 6 + 3
    first = await client.files.list(limit=2, order="asc")
    assert [one.id for one in first.data] == [made[0].id, made[1].id]


async def test_wrong_files(client: openai.AsyncOpenAI) -> None:
    for name, content, purpose in (("a.txt", b"x", "batch"), ("a.txt", b"x", "nonsense"), ("a.txt", b"", "user_data")):
        with pytest.raises(openai.BadRequestError):
            await client.files.create(file=(name, content), purpose=purpose)


def line(name: str, **body: object) -> dict:
    return {"custom_id": name, "method": "POST", "url": "/v1/chat/completions", "body": body}


async def upload(client: openai.AsyncOpenAI, *lines: dict) -> str:
    content = "\n".join(json.dumps(one) for one in lines).encode()
    return (await client.files.create(file=("batch.jsonl", content), purpose="batch")).id


async def start(client: openai.AsyncOpenAI, file: str) -> openai.types.Batch:
    return await client.batches.create(
        input_file_id=file, endpoint="/v1/chat/completions", completion_window="24h", metadata={"kind": "test"}
    )


async def test_a_batch_runs_its_lines_through_the_routes(client: openai.AsyncOpenAI) -> None:
    messages = [{"role": "user", "content": "Name a prime."}]
    good = [line(f"good-{n}", model="gpt-6-luna", messages=messages) for n in range(2)]
    file = await upload(client, *good, line("bad", model="gone", messages=messages))
    batch = await start(client, file)
    assert (batch.status, batch.output_file_id) == ("validating", None)
    states = []
    while batch.status != "completed":
        batch = await client.batches.retrieve(batch.id)
        states.append(batch.status)
    assert states == ["in_progress", "finalizing", "completed"]
    assert (batch.request_counts.total, batch.request_counts.completed, batch.request_counts.failed) == (3, 2, 1)
    output = [json.loads(row) for row in (await client.files.content(batch.output_file_id)).text.splitlines()]
    assert [row["custom_id"] for row in output] == ["good-0", "good-1"]
    texts = [row["response"]["body"]["choices"][0]["message"]["content"] for row in output]
    assert texts[0] != texts[1]
    assert "Name a prime." in texts[0]
    errors = [json.loads(row) for row in (await client.files.content(batch.error_file_id)).text.splitlines()]
    assert errors[0]["response"]["status_code"] == 404
    assert errors[0]["response"]["body"]["error"]["code"] == "model_not_found"
    assert [one.id async for one in client.batches.list(limit=1)] == [batch.id]


async def test_batches_cancelled_and_failed(client: openai.AsyncOpenAI) -> None:
    messages = [{"role": "user", "content": "hi"}]
    batch = await start(client, await upload(client, line("a", model="gpt-6-luna", messages=messages)))
    assert (await client.batches.cancel(batch.id)).status == "cancelling"
    assert (await client.batches.retrieve(batch.id)).status == "cancelled"
    with pytest.raises(openai.ConflictError):
        await client.batches.cancel(batch.id)
    twice = [line("a", model="gpt-6-luna", messages=messages)] * 2
    failed = await start(client, await upload(client, *twice, {"custom_id": "b"}))
    failed = await client.batches.retrieve(failed.id)
    assert failed.status == "failed"
    assert [(one.code, one.line) for one in failed.errors.data] == [("duplicate_custom_id", 2), ("invalid_method", 3)]
    with pytest.raises(openai.BadRequestError):
        await start(client, "file-gone")


async def test_the_catalogue(client: openai.AsyncOpenAI) -> None:
    names = [model.id async for model in client.models.list()]
    assert "gpt-6-luna" in names
    assert "gpt-4" not in names
    one = await client.models.retrieve("gpt-4o")
    assert (one.object, str(one.shutdown_date)) == ("model", "2027-01-14")
    tuned = "ft:gpt-4.1-mini:example::sim"
    assert (await client.models.delete(tuned)).deleted
    with pytest.raises(openai.NotFoundError):
        await client.models.retrieve(tuned)
    with pytest.raises(openai.PermissionDeniedError):
        await client.models.delete("gpt-4o")
