"""Offline batches: what is refused before the wire, what lines may hold, how long one waits."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from backends import Claude, Gemini, Groq, OpenAI, errors
from backends.offline import batch_requests
from conformance.virtual_time import LoopClock, VirtualTimeLoop

HELLO = [{"role": "user", "content": "hello"}]
REPLY = {
    "id": "1",
    "object": "chat.completion",
    "model": "gpt-6-luna",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}


def line(name: Any, status: Any = 200, body: Any = REPLY, **more: Any) -> bytes:
    return json.dumps({"custom_id": name, "response": {"status_code": status, "body": body}, **more}).encode()


def service(status: str, good: bytes = b"", bad: bytes = b"") -> httpx.MockTransport:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/content"):
            return httpx.Response(200, content=good if "good" in request.url.path else bad)
        batch = {"id": "batch_1", "object": "batch", "status": status, "output_file_id": "good", "error_file_id": "bad"}
        return httpx.Response(200, json=batch)

    return httpx.MockTransport(answer)


@pytest.mark.parametrize(
    ("requests", "says"),
    [
        ([], "1 to 10 mappings"),
        ("hello", "1 to 10 mappings"),
        ({"custom_id": "a"}, "1 to 10 mappings"),
        ([{"custom_id": str(number), "messages": HELLO} for number in range(11)], "1 to 10 mappings"),
        ([{"messages": HELLO}], r"requests\[0\] must be a mapping with custom_id"),
        (["hello"], r"requests\[0\] must be a mapping"),
        ([{"custom_id": "", "messages": HELLO}], r"requests\[0\]\['custom_id'\] must be text"),
        ([{"custom_id": "x" * 65, "messages": HELLO}], "1 to 64 characters"),
        ([{"custom_id": 5, "messages": HELLO}], "must be text"),
        ([{"custom_id": "a", "messages": HELLO}] * 2, r"requests\[1\].*not the only one"),
        ([{"custom_id": "a", "messages": HELLO, "deadline": 5}], "deadline belongs to the call"),
    ],
)
def test_malformed_requests_are_told_by_place(requests: Any, says: str) -> None:
    with pytest.raises(errors.InvalidRequestError, match=says):
        batch_requests(requests, "openai", 10)


@pytest.mark.parametrize("kind", [OpenAI, Groq, Claude, Gemini])
async def test_a_bad_argument_of_one_chat_is_told_with_its_place(kind: type[Any]) -> None:
    sent: list[httpx.Request] = []
    backend = kind(api_key="sk-a", transport=httpx.MockTransport(sent.append))
    requests = [{"custom_id": "a", "messages": HELLO}, {"custom_id": "b", "messages": HELLO, "tempreature": 1}]
    with pytest.raises(errors.InvalidRequestError) as caught:
        await backend.asubmit_batch(requests)
    assert "tempreature" in str(caught.value)
    assert kind is Gemini or "requests[1]" in str(caught.value)
    assert sent == []
    await backend.aclose()


async def test_gemini_takes_one_model_a_batch() -> None:
    backend = Gemini(api_key="sk-a")
    requests = [{"custom_id": name, "messages": HELLO, "model": f"gemini-{name}"} for name in "ab"]
    with pytest.raises(errors.InvalidRequestError, match="the same model"):
        await backend.asubmit_batch(requests)
    await backend.aclose()


async def test_answers_come_by_their_ids_and_errors_are_not_raised() -> None:
    good = b"\n".join([line("b"), b"", line("a", 200, {**REPLY, "model": "other"})])
    bad = line("c", 400, {"error": {"message": "no such thing", "code": "bad"}}) + b"\n"
    bad += json.dumps({"custom_id": "d", "response": None, "error": {"message": "expired", "code": "expired"}}).encode()
    backend = OpenAI(api_key="sk-a", transport=service("completed", good, bad))
    answers = await backend.abatch_answers("batch_1")
    assert list(answers) == ["b", "a", "c", "d"]
    assert answers["a"].reply is not None
    assert (answers["a"].reply.text, answers["a"].reply.model, answers["a"].reply.cost) == ("hi", "other", None)
    assert isinstance(answers["c"].error, errors.InvalidRequestError)
    assert (answers["c"].error.code, answers["c"].error.provider) == ("bad", "openai")
    assert answers["d"].error is not None
    assert "expired" in str(answers["d"].error)
    await backend.aclose()


@pytest.mark.parametrize(
    "content",
    [
        b"not json",
        b"[]",
        b'{"response": {}}',
        b'{"custom_id": 5, "response": {"status_code": 200, "body": {}}}',
        line("a", 200, {"choices": []}),
        line("a", 200, "text"),
        line("a", 200, None),
        b'{"custom_id": "a", "response": 7}',
        b'{"custom_id": "a", "response": {"status_code": 200}}',
    ],
)
async def test_lines_that_cannot_be_read_are_told_by_number(content: bytes) -> None:
    backend = OpenAI(api_key="sk-a", transport=service("completed", line("first") + b"\n" + content))
    with pytest.raises(errors.ResponseFormatError, match="Line 2"):
        await backend.abatch_answers("batch_1")
    await backend.aclose()


async def test_answers_are_there_when_it_has_ended() -> None:
    backend = OpenAI(api_key="sk-a", transport=service("in_progress"))
    with pytest.raises(errors.InvalidRequestError) as caught:
        await backend.abatch_answers("batch_1")
    assert caught.value.code == "not_ended"
    for every in (0, -1, True, "soon"):
        with pytest.raises(errors.InvalidRequestError, match="every"):
            await backend.afinish_batch("batch_1", every=every)
    await backend.aclose()


OPENAI = {"id": "batch_1", "object": "batch", "status": "completed", "output_file_id": "good"}
CLAUDE = {"id": "msgbatch_1", "processing_status": "ended", "request_counts": {}}
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-haiku-4-5",
    "content": [{"type": "text", "text": "hi"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 1, "output_tokens": 1},
}
RESULT = json.dumps({"custom_id": "a", "result": {"type": "succeeded", "message": MESSAGE}}).encode()
GEMINI_REPLY = {"candidates": [{"content": {"parts": [{"text": "hi"}]}, "finishReason": "STOP"}]}
GEMINI = {
    "name": "batches/1",
    "metadata": {"state": "BATCH_STATE_SUCCEEDED"},
    "response": {"inlinedResponses": {"inlinedResponses": [{"metadata": {"key": "a"}, "response": GEMINI_REPLY}]}},
}


@pytest.mark.parametrize(
    ("kind", "batch", "content", "most"),
    [
        pytest.param(OpenAI, OPENAI, line("a"), 2, id="openai"),
        pytest.param(Groq, OPENAI, line("a"), 2, id="groq"),
        pytest.param(Claude, CLAUDE, RESULT, 2, id="claude"),
        pytest.param(Gemini, GEMINI, b"", 1, id="gemini"),
    ],
)
async def test_a_batch_that_has_ended_is_looked_at_once(kind: Any, batch: Any, content: bytes, most: int) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        fetched = request.url.path.endswith(("/content", "/results"))
        return httpx.Response(200, content=content) if fetched else httpx.Response(200, json=batch)

    backend = kind(api_key="sk-a", transport=httpx.MockTransport(answer))
    for fetch in (backend.afinish_batch, backend.abatch_answers):
        asked.clear()
        answers = await fetch("1")
        assert answers["a"].reply.text == "hi"
        assert len(asked) == most, asked
    await backend.aclose()


def test_the_deadline_bounds_the_whole_wait() -> None:
    loop = VirtualTimeLoop()

    async def wait() -> float:
        backend = OpenAI(api_key="sk-a", transport=service("in_progress"), clock=LoopClock(loop))
        with pytest.raises(errors.DeadlineExceededError, match="in_progress"):
            await backend.afinish_batch("batch_1", every=30.0, deadline=100.0)
        await backend.aclose()
        return loop.time()

    began = loop.time()
    try:
        assert loop.run_until_complete(wait()) - began == pytest.approx(90.0, abs=0.1)
    finally:
        loop.close()
