"""Every status and every error line as its class; hostile answers; what the breaker and retries make of them."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from ollama_bench import ASK, backend_at, lines, mocked

from backends import errors
from backends.ollama import Ollama
from conformance.simulators import Fault, Simulator
from conformance.simulators.faults import (
    CutAfter,
    CutBeforeTerminator,
    DeepJson,
    EmptyBody,
    EmptyStream,
    ErrorEvent,
    Garbage,
    Html,
    Oversized,
    Pings,
    Reset,
    SplitEvery,
    Status,
    Truncate,
)

BUSY = "server busy, please try again.  maximum pending requests exceeded"
PIECE = {"model": "m", "created_at": "t", "message": {"role": "assistant", "content": "Hi"}, "done": False}
LAST = {**PIECE, "message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop", "eval_count": 1}


@pytest.mark.parametrize(
    ("status", "text", "kind", "code"),
    [
        (400, "invalid request", errors.InvalidRequestError, None),
        (400, "the input length exceeds the context length", errors.ContextLengthError, "context_length"),
        (400, '"m" does not support thinking', errors.InvalidRequestError, "capability"),
        (400, "invalid model name", errors.InvalidRequestError, "model_name"),
        (401, "unauthorized", errors.AuthenticationError, "unauthorized"),
        (403, "cloud disabled", errors.PermissionDeniedError, None),
        (404, "model 'm' not found", errors.UnknownModelError, "model_not_found"),
        (404, 'model "m" not found, try pulling it first', errors.UnknownModelError, "model_not_found"),
        (404, "blob not found", errors.NotFoundError, None),
        (429, "too many requests", errors.RateLimitError, None),
        (429, "you've reached your hourly usage limit", errors.QuotaExceededError, "usage_limit"),
        (499, "client closed request", errors.TransportError, None),
        (500, "llama runner process has terminated", errors.ServerError, None),
        (500, "model requires more system memory (9 GiB)", errors.ServerError, "out_of_memory"),
        (500, "pull model manifest: file does not exist", errors.UnknownModelError, "model_not_found"),
        (502, "upstream unreachable", errors.ServerError, None),
        (503, BUSY, errors.OverloadedError, "queue_full"),
        (504, "timeout", errors.ServerError, None),
    ],
)
async def test_statuses(status: int, text: str, kind: type[errors.BackendError], code: str | None) -> None:
    async with mocked((status, {"error": text})) as ollama:
        with pytest.raises(errors.BackendError) as caught:
            await ollama.achat(ASK)
    error = caught.value
    assert type(error) is kind
    assert (error.status, error.code, error.provider) == (status, code, "ollama")
    assert text.split(".", maxsplit=1)[0] in error.message
    assert type(pickle.loads(pickle.dumps(error))) is kind


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (403, b"", errors.PermissionDeniedError, "Host header"),
        (404, b"404 page not found", errors.NotFoundError, "without /api or /v1"),
        (502, b"<html><title>Bad Gateway</title></html>", errors.ServerError, "HTML page"),
        (500, b"", errors.ServerError, "HTTP 500"),
        (400, b'{"error": ["odd"]}', errors.InvalidRequestError, "HTTP 400"),
        (401, {"error": "", "signin_url": "https://ollama.com/connect?key=k"}, errors.AuthenticationError, "signin"),
        (404, {"error": {"message": "model 'm' not found", "type": "not_found_error"}}, errors.UnknownModelError, "m"),
    ],
)
async def test_odd_bodies(status: int, body: Any, kind: type[errors.BackendError], said: str) -> None:
    async with mocked((status, body)) as ollama:
        with pytest.raises(kind, match=said) as caught:
            await ollama.achat(ASK)
    assert caught.value.status == status
    assert "connect?key" not in str(caught.value)


async def test_an_unknown_model_brings_names_and_a_hint(sim: Simulator, ollama: Ollama) -> None:
    with pytest.raises(errors.UnknownModelError, match=r"Pull it: pull\('llama3'\)") as caught:
        await ollama.achat(ASK, model="llama3")
    assert caught.value.suggestions == ()
    await ollama.amodels()
    with pytest.raises(errors.UnknownModelError) as caught:
        await ollama.achat(ASK, model="llama3")
    assert caught.value.suggestions[0] == "llama3.2:latest"
    with pytest.raises(errors.UnknownModelError) as caught:
        await ollama.astream_chat(ASK, model="qwen3").collect()
    assert "qwen3:8b" in caught.value.suggestions
    assert [seen.status for seen in sim.requests] == [404, 200, 404, 404]


@pytest.mark.parametrize(
    ("text", "kind", "status"),
    [
        ("model 'm' not found", errors.UnknownModelError, 404),
        (BUSY, errors.OverloadedError, 503),
        ("the input length exceeds the context length", errors.ContextLengthError, 400),
        ("unauthorized", errors.AuthenticationError, 401),
        ("an unexpected end", errors.ServerError, None),
    ],
)
async def test_error_lines_before_any_content(text: str, kind: type[errors.BackendError], status: int | None) -> None:
    async with mocked((200, lines({"error": text}))) as ollama:
        with pytest.raises(kind) as caught:
            await ollama.astream_chat(ASK).collect()
    assert type(caught.value) is kind
    assert caught.value.status == status


async def test_an_error_line_after_content_is_typed_and_keeps_what_came() -> None:
    body = lines(PIECE, PIECE, {"error": BUSY})
    async with mocked((200, body)) as ollama:
        stream = ollama.astream_chat(ASK)
        seen: list[str] = []
        with pytest.raises(errors.StreamInterruptedError, match="server busy") as caught:
            await _into(seen, stream)
    assert seen == ["Hi", "Hi"]
    assert (caught.value.partial, caught.value.status, caught.value.code) == ("HiHi", 503, "queue_full")
    assert isinstance(caught.value.__cause__, errors.OverloadedError)


async def _into(seen: list[str], stream: Any) -> None:
    async for chunk in stream:
        seen.append(chunk.text)


async def test_an_error_body_with_a_good_status() -> None:
    async with mocked((200, {"error": "model 'm' not found"})) as ollama:
        for call in (ollama.achat(ASK), ollama.acomplete("hello"), ollama.aembed("sun"), ollama.amodels()):
            with pytest.raises(errors.UnknownModelError):
                await call


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "empty body"),
        (b"<html>", "not JSON"),
        (b"[]", "JSON object"),
        (b"{}", "done is not true"),
        (b'{"done": true}', "field 'message' is missing"),
        (json.dumps({**LAST, "done": False}).encode(), "done is not true"),
        (json.dumps({**LAST, "message": []}).encode(), "AttributeError"),
        (json.dumps({**LAST, "message": {"content": 7}}).encode(), "content is not text"),
        (json.dumps({**LAST, "done_reason": 7}).encode(), "done_reason is not text"),
        (json.dumps({**LAST, "message": {"tool_calls": [{}]}}).encode(), "'function'"),
        (b'{"done": true, "message": {"content": "\xff"}}', "UTF-8"),
        (b"[" * 200 + b"]" * 200, "nested too deeply"),
    ],
)
async def test_answers_that_cannot_be_read(body: bytes, said: str) -> None:
    async with mocked((200, body)) as ollama:
        with pytest.raises(errors.ResponseFormatError, match=said):
            await ollama.achat(ASK)


@pytest.mark.parametrize(
    ("embeddings", "said"),
    [([], "0 vectors came for 1"), ([[1.0], [1.0]], "2 vectors"), ([["x"]], "not a number"), ([[]], "empty")],
)
async def test_vectors_that_cannot_be_read(embeddings: Any, said: str) -> None:
    async with mocked((200, {"embeddings": embeddings})) as ollama:
        with pytest.raises(errors.ResponseFormatError, match=said):
            await ollama.aembed("sun")


async def test_missing_counts_are_zero_only_where_the_server_leaves_zeros_out() -> None:
    cached = {**LAST, "message": {"role": "assistant", "content": "Hi"}}
    unsaid = {name: value for name, value in cached.items() if name != "eval_count"}
    empty = {**unsaid, "message": {"role": "assistant", "content": ""}}
    async with mocked((200, cached), (200, unsaid), (200, empty), (200, lines(PIECE, {**LAST}))) as ollama:
        usages = [(await ollama.achat(ASK)).usage for _ in range(3)]
        usages.append((await ollama.astream_chat(ASK).collect()).usage)
    counts = [(usage.input_tokens, usage.output_tokens, usage.total_tokens) for usage in usages]
    assert counts == [(0, 1, 1), (0, None, None), (0, 0, 0), (0, 1, 1)]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (CutBeforeTerminator(), errors.StreamInterruptedError),
        (CutAfter(200), errors.StreamInterruptedError),
        (Truncate(), errors.StreamInterruptedError),
        (Reset("body", 200), errors.StreamInterruptedError),
        (EmptyStream(), errors.TransportError),
        (Garbage(), errors.ResponseFormatError),
        (DeepJson(), errors.ResponseFormatError),
        (EmptyBody(200), errors.TransportError),
    ],
)
async def test_broken_streams(sim: Simulator, fault: Any, kind: type[errors.BackendError]) -> None:
    sim.script(Fault(fault))
    async with backend_at(sim, max_retries=0) as ollama:
        stream = ollama.astream_chat(ASK)
        seen: list[str] = []
        with pytest.raises(kind) as caught:
            await _into(seen, stream)
    assert type(caught.value) is kind
    assert (caught.value.partial or "") == "".join(seen)
    assert not sim.unfired()


@pytest.mark.parametrize("fault", [SplitEvery(1), SplitEvery(7), Pings()])
async def test_harmless_streams(sim: Simulator, ollama: Ollama, fault: Any) -> None:
    plain = await ollama.astream_chat(ASK).collect()
    sim.script(Fault(fault))
    split = await ollama.astream_chat(ASK).collect()
    first, second = (seen.nonce for seen in sim.requests)
    assert split.text == plain.text.replace(first, second)
    assert split.usage == plain.usage
    assert not sim.unfired()


async def test_a_line_beyond_the_bound(sim: Simulator) -> None:
    sim.script(Fault(Oversized(100_000)))
    async with backend_at(sim, max_retries=0, max_event_bytes=50_000) as ollama:
        with pytest.raises(errors.ResponseFormatError, match="larger than 50000 bytes"):
            await ollama.astream_chat(ASK).collect()


async def test_a_full_queue_is_tried_again_and_a_missing_model_is_not(sim: Simulator, ollama: Ollama) -> None:
    sim.script(Fault(Status(503), nth=(1, 2)))
    reply = await ollama.achat(ASK)
    assert reply.attempts == 3
    with pytest.raises(errors.UnknownModelError) as caught:
        await ollama.achat(ASK, model="nobody")
    assert caught.value.attempts == 1
    sim.script(Fault(ErrorEvent(0, status=503), nth=1))
    stream = await ollama.astream_chat(ASK).collect()
    assert stream.attempts == 2


async def test_a_gateways_page_and_a_reset(sim: Simulator, ollama: Ollama) -> None:
    sim.script(Fault(Html(502), nth=1), Fault(Reset("headers"), nth=2))
    reply = await ollama.achat(ASK)
    assert reply.attempts == 3
    assert len({json.dumps(seen.json) for seen in sim.requests}) == 1
