"""The simulated deployment byte by byte: there is no official client, so the wire itself is the oracle."""

from __future__ import annotations

import ast
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from conformance.simulators import Fault, Simulator
from conformance.simulators.faults import ErrorEvent, Pings, SplitEvery, Status

JSON = {"content-type": "application/json"}
DONE = "data: [DONE]"


@pytest.fixture
async def wire(sim: Simulator) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=sim.base_url("opea"), trust_env=False) as client:
        yield client


def events(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.text.endswith("\n\n")
    return answer.text.removesuffix("\n\n").split("\n\n")


def literals(answer: httpx.Response) -> list[bytes]:
    """Tokens of a stream whose every event is what ``repr`` writes."""
    *found, last = events(answer)
    assert last == DONE
    values = [ast.literal_eval(event.removeprefix("data: ")) for event in found]
    assert [f"data: {value!r}" for value in values] == found
    return values


async def test_chatqna_streams_literals_unless_told_otherwise(sim: Simulator, wire: httpx.AsyncClient) -> None:
    answer = await wire.post("/v1/chatqna", json={"messages": "Who's naïve ☃?"})
    tokens = literals(answer)
    assert b"".join(tokens).decode().startswith(sim.requests[0].nonce)
    assert "Who's naïve ☃?" in b"".join(tokens).decode()
    assert any(event.startswith('data: b"') for event in events(answer))  # a token with a single quote
    assert "\\xe2\\x98\\x83" in answer.text
    assert answer.text.isascii()
    whole = await wire.post("/v1/chatqna", json={"messages": "Who's naïve ☃?", "stream": False})
    body = whole.json()
    assert (body["object"], body["model"], body["choices"][0]["finish_reason"]) == (
        "chat.completion",
        "chatqna",
        "stop",
    )
    assert body["usage"] == {"prompt_tokens": 0, "total_tokens": 0, "completion_tokens": 0}
    assert body["choices"][0]["message"]["audio"] is None
    assert sim.requests[1].nonce in body["choices"][0]["message"]["content"]


async def test_a_refusal_is_a_200_without_escaping(wire: httpx.AsyncClient) -> None:
    answer = await wire.post("/v1/chatqna", json={"messages": "sim:unsafe_quote"})
    assert events(answer) == [
        "data: b'Violated policies: a user's \"weapons\", please check your input.'",
        DONE,
    ]
    whole = await wire.post("/v1/chatqna", json={"messages": "sim:unsafe", "stream": False})
    said = "Violated policies: Violent Crimes, please check your input."
    assert whole.json()["choices"][0]["message"]["content"] == said
    asked = await wire.post("/v1/guardrails", json={"text": "sim:unsafe"})
    assert (asked.status_code, asked.json()["text"], asked.json()["downstream_black_list"]) == (200, said, [".*"])
    fine = await wire.post("/v1/guardrails", json={"text": "hello"})
    assert fine.json()["downstream_black_list"] == []


async def test_chatqna_swallows_errors_and_docsum_wraps_them(sim: Simulator, wire: httpx.AsyncClient) -> None:
    assert events(await wire.post("/v1/chatqna", json={"messages": "sim:swallow"})) == [DONE]
    sim.script(Fault(ErrorEvent(2, message="engine died")))
    assert len(literals(await wire.post("/v1/chatqna", json={"messages": "hello"}))) == 2
    tokens = literals(await wire.post("/v1/docsum", json={"type": "text", "messages": "hello"}))
    assert json.loads(tokens[2])["error"]["message"] == "engine died"
    assert not sim.unfired()


async def test_docsum_is_a_stream_even_where_none_is_wanted(wire: httpx.AsyncClient) -> None:
    tokens = literals(await wire.post("/v1/docsum", json={"type": "text", "messages": "hello"}))
    assert tokens[-1] == b""
    assert len(tokens) > 5
    [whole] = literals(await wire.post("/v1/docsum", json={"type": "text", "messages": "hello", "stream": False}))
    assert {"id", "text", "prompt"} <= set(json.loads(whole))
    form = {"type": (None, "text"), "messages": (None, ""), "stream": (None, "false")}
    files = [("files", ("a.txt", b"one", "text/plain")), ("files", ("b.txt", b"two", "text/plain"))]
    [whole] = literals(await wire.post("/v1/docsum", files=[*form.items(), *files]))
    assert json.loads(whole)["prompt"] == "one\ntwo"


async def test_codegen_and_translations_pass_chunks_through(wire: httpx.AsyncClient) -> None:
    *chunks, last = events(await wire.post("/v1/codegen", json={"messages": "a loop"}))
    kinds = {json.loads(chunk.removeprefix("data: "))["object"] for chunk in chunks}
    assert (kinds, last) == ({"chat.completion.chunk"}, DONE)
    body = {"language_from": "Go", "language_to": "C", "source_code": "x", "stream": False}
    *chunks, last = events(await wire.post("/v1/codetrans", json=body))
    kinds = {json.loads(chunk.removeprefix("data: "))["object"] for chunk in chunks}
    assert (kinds, last) == ({"text_completion"}, DONE)


async def test_faqgen_is_a_run_log(sim: Simulator, wire: httpx.AsyncClient) -> None:
    *patches, last = events(await wire.post("/v1/faqgen", json={"messages": "hello", "stream": True}))
    operations = [op for patch in patches for op in json.loads(patch.removeprefix("data: "))["ops"]]
    said = [op["value"] for op in operations if op["path"].endswith("/streamed_output_str/-")]
    assert operations[0]["path"] == ""
    assert operations[-1]["value"] == {"output_text": "".join(said)}
    assert last == DONE
    whole = await wire.post("/v1/faqgen", json={"messages": "hello"})
    assert sim.requests[1].nonce in whole.json()["text"]


async def test_the_text_generation_service_by_the_form_of_its_question(wire: httpx.AsyncClient) -> None:
    async def kind(body: dict[str, Any]) -> str:
        answer = await wire.post("/v1/chat/completions", json=body)
        text = answer.text
        first = json.loads(text.removeprefix("data: ").partition("\n\n")[0] if text.startswith("data") else text)
        return f"{'stream of ' if text.startswith('data') else ''}{first['object']}"

    chat = [{"role": "user", "content": "hello"}]
    assert await kind({"messages": chat}) == "chat.completion"
    assert await kind({"messages": chat, "stream": True}) == "stream of chat.completion.chunk"
    assert await kind({"messages": "hello"}) == "text_completion"
    assert await kind({"messages": "hello", "stream": True}) == "stream of text_completion"
    assert await kind({"query": "hello", "documents": ["one"]}) == "stream of text_completion"
    assert await kind({"query": "hello", "stream": False}) == "text_completion"
    found = {"initial_query": "hello", "retrieved_docs": [{"text": "one"}], "top_n": 1}
    assert await kind(found) == "text_completion"


async def test_tools_are_taken_and_dropped(wire: httpx.AsyncClient) -> None:
    tools = [{"type": "function", "function": {"name": "weather", "parameters": {}}}]
    answer = await wire.post(
        "/v1/chat/completions", json={"messages": [{"role": "user", "content": "x"}], "tools": tools}
    )
    message = answer.json()["choices"][0]["message"]
    assert message["content"]
    assert message["tool_calls"] is None


async def test_what_a_real_megaservice_asks_of_tei_and_of_the_model(sim: Simulator, wire: httpx.AsyncClient) -> None:
    headers = {**JSON, "authorization": "Bearer None"}
    vectors = (await wire.post("/embed", json={"inputs": "the tide"}, headers=headers)).json()
    assert (len(vectors), {type(number) for number in vectors[0]}) == (1, {float})
    ranked = (await wire.post("/rerank", json={"query": "tide", "texts": ["rain", "the tide"]}, headers=headers)).json()
    assert [one["index"] for one in ranked] == [1, 0]
    assert (await wire.post("/v1/chatqna", json={"messages": "hello"}, headers=headers)).status_code == 200
    assert {seen.key_fingerprint for seen in sim.requests} == {""}


async def test_each_event_is_a_write_of_its_own(sim: Simulator) -> None:
    async with (
        httpx.AsyncClient(trust_env=False) as client,
        client.stream("POST", sim.base_url("opea") + "/v1/chatqna", json={"messages": "hello"}) as answer,
    ):
        assert answer.headers["transfer-encoding"] == "chunked"
        body = b"".join([piece async for piece in answer.aiter_raw()])
    assert body.count(b"\n\n") > 5


async def test_the_worked_example_of_an_empty_store(sim: Simulator, wire: httpx.AsyncClient) -> None:
    empty = await wire.post("/v1/retrieval", json={"text": "hello", "embedding": [0.1]})
    assert empty.json()["retrieved_docs"] == []
    assert (empty.json()["initial_query"], empty.json()["top_n"]) == ("hello", 1)
    assert (await wire.post("/v1/retrieval", json={"input": "hello", "embedding": [0.1]})).json() == {
        "retrieved_docs": []
    }
    answer = await wire.post("/v1/chatqna", json={"messages": "hello", "stream": False})
    assert "Search results" not in answer.json()["choices"][0]["message"]["content"]


async def test_of_several_files_in_a_form_the_last_is_read(wire: httpx.AsyncClient) -> None:
    files = [("files", ("a.txt", b"one")), ("files", ("b.txt", b"two"))]
    answer = await wire.post("/v1/dataprep/ingest", files=files)
    assert answer.json() == {"status": 200, "message": "Data preparation succeeded"}
    listed = (await wire.post("/v1/dataprep/get", json={})).json()
    assert [(one["name"], one["type"], one["parent"]) for one in listed] == [("b.txt", "File", "")]
    again = await wire.post("/v1/dataprep/ingest", files=files)
    assert (again.status_code, "already exists" in again.json()["detail"]) == (400, True)
    assert (await wire.post("/v1/dataprep/ingest", files={"chunk_size": (None, "5")})).status_code == 400
    assert (await wire.post("/v1/dataprep/ingest", files={"link_list": (None, "no list")})).status_code == 400
    reserved = {"index_name": (None, "ALL"), "files": ("a.txt", b"x")}
    assert (await wire.post("/v1/dataprep/ingest", files=reserved)).status_code == 400
    gone = await wire.post("/v1/dataprep/delete", json={"file_path": "c.txt"})
    assert (gone.status_code, "File not found" in gone.json()["detail"]) == (404, True)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chatqna", {"question": "hello"}),
        ("/v1/chatqna", {"messages": [{"role": "tool", "content": "hello"}]}),
        ("/v1/chatqna", {"messages": "hello", "k": 0}),
        ("/v1/docsum", {"messages": "hello"}),
        ("/v1/codetrans", {"language_from": "Go"}),
        ("/v1/visualqna", {"messages": "hello"}),
        (
            "/v1/visualqna",
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,x"}}]}]},
        ),
        ("/v1/audioqna", {"audio": "not base64!"}),
    ],
)
async def test_a_megaservice_fails_in_plain_text(wire: httpx.AsyncClient, path: str, body: dict[str, Any]) -> None:
    answer = await wire.post(path, json=body)
    assert (answer.status_code, answer.text) == (500, "Internal Server Error")
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(
    ("path", "body", "loc", "kind"),
    [
        ("/v1/embeddings", {"model": "x"}, ["body", "input"], "missing"),
        ("/v1/embeddings", {"input": "x", "inputs": "y"}, ["body", "inputs"], "extra_forbidden"),
        ("/v1/embeddings", {"input": ["a", 7]}, ["body", "input", 1], "type"),
        ("/v1/chat/completions", {"messages": [], "seed": 0}, ["body", "messages"], "too_short"),
        ("/v1/retrieval", {"text": "x"}, ["body", "embedding"], "missing"),
        ("/v1/prompt/create", {"user": "ann"}, ["body", "prompt_text"], "missing"),
    ],
)
async def test_a_microservice_lists_what_is_wrong(
    sim: Simulator, wire: httpx.AsyncClient, path: str, body: dict[str, Any], loc: list[Any], kind: str
) -> None:
    answer = await wire.post(path, json=body)
    [entry] = answer.json()["detail"]
    assert (answer.status_code, entry["loc"], entry["type"]) == (422, loc, kind)
    assert sim.requests[0].problem


async def test_statuses_pages_and_paths(sim: Simulator, wire: httpx.AsyncClient) -> None:
    for status, said in ((502, "502 Bad Gateway"), (504, "504 Gateway Time-out"), (500, "Internal Server Error")):
        sim.script(Fault(Status(status), nth=1))
        answer = await wire.post("/v1/chatqna", json={"messages": "hello"})
        assert answer.status_code == status
        assert said in answer.text
    assert (await wire.get("/v1/nowhere")).json() == {"detail": "Not Found"}
    assert (await wire.get("/v1/chatqna")).status_code == 405
    refused = await wire.post("/v1/chatqna", json={"messages": "x"}, headers={"authorization": "Bearer invalid-key"})
    assert (refused.status_code, refused.json()) == (401, {"detail": "Unauthorized"})
    assert (await wire.post("/v1/embeddings", content=b"{", headers=JSON)).status_code == 422
    assert (await wire.post("/v1/chatqna", content=b"{", headers=JSON)).status_code == 500
    assert (await wire.post("/v1/chatqna", content=b"{}")).status_code == 500


async def test_what_every_service_answers(wire: httpx.AsyncClient) -> None:
    health = await wire.get("/health")
    assert (health.status_code, health.content) == (200, b"")
    assert set((await wire.get("/v1/health_check")).json()) == {"Service Title", "Version", "Service Description"}
    before = (await wire.get("/v1/statistics")).json()["opea_service@embedding"]
    assert set(before.values()) == {None}
    assert len(before) == 6
    await wire.post("/v1/embeddings", json={"input": "x"})
    after = (await wire.get("/v1/statistics")).json()["opea_service@embedding"]
    assert after["p50_latency"] == after["average_latency"] == pytest.approx(0.11)
    metrics = await wire.get("/metrics")
    assert metrics.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'megaservice_request_latency_bucket{le="+Inf"} 2.0\n' in metrics.text


async def test_noise_and_splits_fall_on_the_wire(sim: Simulator, wire: httpx.AsyncClient) -> None:
    body = {"messages": [{"role": "user", "content": "hello"}], "stream": True}
    sim.script(Fault(Pings(), nth=1), Fault(SplitEvery(3), path="/v1/chatqna", nth=1))
    noisy = await wire.post("/v1/chat/completions", json=body)
    assert ": a proxy keeps the line open\n\n" in noisy.text
    assert len(literals(await wire.post("/v1/chatqna", json={"messages": "hello"}))) > 5
    assert not sim.unfired()


async def test_the_same_requests_get_the_same_bytes(sim: Simulator, wire: httpx.AsyncClient) -> None:
    first = await wire.post("/v1/chatqna", json={"messages": "hello"})
    await wire.post("/v1/dataprep/ingest", files={"files": ("a.txt", b"one")})
    sim.reset()
    again = await wire.post("/v1/chatqna", json={"messages": "hello"})
    assert again.content == first.content
    assert (await wire.post("/v1/dataprep/get", json={})).json() == []
