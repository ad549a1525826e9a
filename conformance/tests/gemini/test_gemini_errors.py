"""Every documented error as its class; quotas of a minute and of a day; what hints, keys and the breaker make of them."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from clocks import Hurried
from gemini_bench import ASK, backend_at, events, mocked, said

from backends import errors
from backends.gemini.failures import raise_inside, typed_error
from conformance.simulators import Fault, Simulator
from conformance.simulators.faults import ErrorEvent, Status
from conformance.simulators.record import fingerprint

TYPE = "type.googleapis.com/google.rpc."


def body(status: int, word: str, message: str = "It broke.", **detail: Any) -> dict[str, Any]:
    details = [{"@type": TYPE + name, **fields} for name, fields in detail.items()]
    return {"error": {"code": status, "message": message, "status": word, "details": details}}


def quota(*ids: str, delay: str = "45.8379s") -> dict[str, Any]:
    return body(
        429,
        "RESOURCE_EXHAUSTED",
        "You exceeded your current quota, please check your plan and billing details.",
        QuotaFailure={"violations": [{"quotaId": name, "quotaMetric": "m", "quotaValue": "20"} for name in ids]},
        RetryInfo={"retryDelay": delay},
    )


@pytest.mark.parametrize(
    ("status", "data", "kind", "code"),
    [
        (400, body(400, "INVALID_ARGUMENT"), errors.InvalidRequestError, "INVALID_ARGUMENT"),
        (
            400,
            body(400, "INVALID_ARGUMENT", "API key not valid.", ErrorInfo={"reason": "API_KEY_INVALID"}),
            errors.AuthenticationError,
            "API_KEY_INVALID",
        ),
        (
            400,
            body(400, "INVALID_ARGUMENT", "API key expired. Please renew the API key."),
            errors.AuthenticationError,
            "INVALID_ARGUMENT",
        ),
        (
            400,
            body(400, "FAILED_PRECONDITION", "User location is not supported for the API use."),
            errors.PermissionDeniedError,
            "FAILED_PRECONDITION",
        ),
        (400, body(400, "FAILED_PRECONDITION"), errors.InvalidRequestError, "FAILED_PRECONDITION"),
        (
            400,
            body(
                400, "INVALID_ARGUMENT", "The input token count (9) exceeds the maximum number of tokens allowed (8)."
            ),
            errors.ContextLengthError,
            "INVALID_ARGUMENT",
        ),
        (401, body(401, "UNAUTHENTICATED"), errors.AuthenticationError, "UNAUTHENTICATED"),
        (402, body(402, "RESOURCE_EXHAUSTED"), errors.QuotaExceededError, "RESOURCE_EXHAUSTED"),
        (403, body(403, "PERMISSION_DENIED"), errors.PermissionDeniedError, "PERMISSION_DENIED"),
        (404, body(404, "NOT_FOUND"), errors.NotFoundError, "NOT_FOUND"),
        (
            404,
            body(404, "NOT_FOUND", "models/x is not found for API version v1."),
            errors.UnknownModelError,
            "NOT_FOUND",
        ),
        (429, body(429, "RESOURCE_EXHAUSTED"), errors.RateLimitError, "RESOURCE_EXHAUSTED"),
        (429, quota("RequestsPerMinutePerProject"), errors.RateLimitError, "RESOURCE_EXHAUSTED"),
        (429, quota("RequestsPerMinute", "RequestsPerDayPerProject"), errors.QuotaExceededError, "RESOURCE_EXHAUSTED"),
        (
            429,
            body(429, "RESOURCE_EXHAUSTED", "The monthly spend limit is reached."),
            errors.QuotaExceededError,
            "RESOURCE_EXHAUSTED",
        ),
        (499, body(499, "CANCELLED"), errors.TransportError, "CANCELLED"),
        (500, body(500, "INTERNAL"), errors.ServerError, "INTERNAL"),
        (503, body(503, "UNAVAILABLE"), errors.OverloadedError, "UNAVAILABLE"),
        (504, body(504, "DEADLINE_EXCEEDED"), errors.ServerError, "DEADLINE_EXCEEDED"),
        (503, [body(503, "UNAVAILABLE")], errors.OverloadedError, "UNAVAILABLE"),
        (400, {"error": {"code": "invalid_request", "message": "m"}}, errors.InvalidRequestError, "invalid_request"),
    ],
)
async def test_statuses(status: int, data: Any, kind: type[errors.BackendError], code: str) -> None:
    async with mocked((status, data)) as gemini:
        with pytest.raises(errors.BackendError) as caught:
            await gemini.achat(ASK)
    error = caught.value
    assert type(error) is kind
    assert (error.status, error.code, error.provider) == (status, code, "gemini")
    assert type(pickle.loads(pickle.dumps(error))) is kind


@pytest.mark.parametrize(
    ("status", "data", "said"),
    [
        (502, b"<html><title>Bad Gateway</title></html>", "HTML page"),
        (404, b"<!DOCTYPE html><p>404", "without a version"),
        (500, b"", "HTTP 500"),
        (500, b"[]", "HTTP 500"),
        (500, b'{"error": 5}', "HTTP 500"),
        (500, b'{"error": {"details": 5, "message": []}}', "HTTP 500"),
        (500, b'{"error": {"details": [5, {"violations": [5, {}]}, {"violations": 5, "reason": 5}]}}', "HTTP 500"),
        (503, b"upstream connect error", "upstream connect error"),
    ],
)
async def test_odd_bodies(status: int, data: bytes, said: str) -> None:
    async with mocked((status, data)) as gemini:
        with pytest.raises(errors.BackendError, match=said) as caught:
            await gemini.achat(ASK)
    assert caught.value.status == status


async def test_retry_info_of_a_minute_is_waited_for(sim: Simulator) -> None:
    clock = Hurried()
    sim.script(Fault(Status(429, code="per_minute"), nth=1))
    async with backend_at(sim, clock=clock) as gemini:
        reply = await gemini.achat(ASK)
    assert reply.attempts == 2
    assert clock.slept[0] == pytest.approx(45.8379)


async def test_a_days_quota_is_not_waited_for(sim: Simulator) -> None:
    clock = Hurried()
    sim.script(Fault(Status(429, code="insufficient_quota")))
    async with backend_at(sim, clock=clock) as gemini:
        with pytest.raises(errors.QuotaExceededError, match="current quota") as caught:
            await gemini.achat(ASK)
    assert (caught.value.attempts, clock.slept) == (1, [])


async def test_retry_info_inside_a_stream_is_waited_for_too(sim: Simulator) -> None:
    clock = Hurried()
    sim.script(Fault(ErrorEvent(0, status=429, code="per_minute"), nth=1))
    async with backend_at(sim, clock=clock) as gemini:
        reply = await gemini.astream_chat(ASK).collect()
    assert reply.attempts == 2
    assert clock.slept[0] == pytest.approx(45.8379)


async def test_a_bad_key_gives_way_to_the_next(sim: Simulator) -> None:
    async with backend_at(sim, api_key=None, api_keys=["one-invalid", "good"]) as gemini:
        reply = await gemini.achat(ASK)
        await gemini.achat(ASK)
    used = [seen.key_fingerprint for seen in sim.requests]
    assert used == [fingerprint("one-invalid"), fingerprint("good"), fingerprint("good")]
    assert (sim.requests[0].status, reply.attempts) == (400, 2)


async def test_a_missing_key_at_the_server(sim: Simulator) -> None:
    async with backend_at(sim, api_key="x-invalid") as gemini:
        with pytest.raises(errors.AuthenticationError, match="API key not valid") as caught:
            await gemini.achat(ASK)
    assert caught.value.code == "API_KEY_INVALID"


@pytest.mark.parametrize(
    ("model", "suggestion"),
    [
        ("gemini-3.8-flsh", "gemini-3.8-flash"),
        ("models/gemini-2.0-flash", "gemini-3.5-flash"),
        ("gemini-embedding-001", "gemini-embedding-2"),
    ],
)
async def test_unknown_models_bring_names(sim: Simulator, model: str, suggestion: str) -> None:
    async with backend_at(sim) as gemini:
        for call in (gemini.achat(ASK, model=model), gemini.astream_generate("hello", model=model).collect()):
            with pytest.raises(errors.UnknownModelError) as caught:
                await call
            assert suggestion in caught.value.suggestions
            assert model.removeprefix("models/") in caught.value.message


async def test_an_unknown_model_that_the_message_does_not_name() -> None:
    async with mocked((404, body(404, "NOT_FOUND", "Model is not found."))) as gemini:
        with pytest.raises(errors.UnknownModelError, match=r"asked for was nobody\."):
            await gemini.achat(ASK, model="nobody")


async def test_a_file_that_is_not_there_is_no_unknown_model(sim: Simulator) -> None:
    async with backend_at(sim) as gemini:
        with pytest.raises(errors.NotFoundError, match="File nothing is not found"):
            await gemini.aget_file("files/nothing")


@pytest.mark.parametrize(
    ("data", "kind", "status"),
    [
        ({"error": {"code": 503, "message": "m", "status": "UNAVAILABLE"}}, errors.OverloadedError, 503),
        ({"error": {"status": "RESOURCE_EXHAUSTED"}}, errors.RateLimitError, 429),
        ({"error": {"code": 8, "message": "m"}}, errors.RateLimitError, 429),
        ({"error": {"code": 3, "message": "m"}}, errors.InvalidRequestError, 400),
        ({"error": {"code": 77, "message": "m"}}, errors.ServerError, None),
        ([{"error": {"code": 500}}], errors.ServerError, 500),
    ],
)
async def test_errors_with_a_good_status(data: Any, kind: type[errors.BackendError], status: int | None) -> None:
    async with mocked((200, data)) as gemini:
        with pytest.raises(errors.BackendError) as caught:
            await gemini.achat(ASK)
    assert type(caught.value) is kind
    assert caught.value.status == status


def test_what_is_no_error_passes() -> None:
    raise_inside({"candidates": [], "error": {"code": 500}})
    raise_inside([])
    assert typed_error(None, "plain").message == "plain"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty body"),
        (b"<html>", "not JSON"),
        (b"[]", "JSON object"),
        (b"{}", "no candidates"),
        (b'{"candidates": []}', "no candidates"),
        (b'{"candidates": {}}', "candidates is not a list"),
        (b'{"candidates": "oops"}', "candidates is not a list"),
        (b'{"candidates": [5]}', "AttributeError"),
        (b'{"candidates": [{"content": {"parts": "x"}}]}', "parts is not a list"),
        (b'{"candidates": [{"content": 5}]}', "AttributeError"),
        (b'{"candidates": [{"content": {"parts": [5]}}]}', "AttributeError"),
        (b'{"candidates": [{"content": {"parts": [{"text": 5}]}}]}', "text is not text"),
        (b'{"candidates": [{"content": {"parts": [{"functionCall": {}}]}}]}', "'name'"),
        (b'{"candidates": [{"content": {"parts": [{"functionCall": {"name": 5}}]}}]}', "has no name"),
        (
            b'{"candidates": [{"content": {"parts": [{"functionCall": {"name": "a", "args": "x"}}]}}]}',
            "not an object",
        ),
        (b'{"candidates": [{"content": {"parts": [{"inlineData": {"data": "?"}}]}}]}', "not base64"),
        (b'{"promptFeedback": 5}', "AttributeError"),
        (b"[" * 200 + b"]" * 200, "nested too deeply"),
    ],
)
async def test_answers_that_cannot_be_read(data: bytes, said: str) -> None:
    async with mocked((200, data)) as gemini:
        with pytest.raises(errors.ResponseFormatError, match=said):
            await gemini.achat(ASK)


@pytest.mark.parametrize("stream", [False, True])
async def test_blocked_prompts_and_answers_raise(sim: Simulator, stream: bool) -> None:
    async with backend_at(sim) as gemini:
        for text, code, words in (
            ("sim:block_prompt", "PROHIBITED_CONTENT", "The prompt was blocked"),
            ("sim:block_answer", "SAFETY", "The answer was blocked"),
        ):
            messages = [{"role": "user", "content": text}]
            with pytest.raises(errors.ContentFilterError, match=words) as caught:
                await (gemini.astream_chat(messages).collect() if stream else gemini.achat(messages))
            assert (caught.value.code, caught.value.attempts, caught.value.fault) == (code, 1, "caller")


@pytest.mark.parametrize("stream", [False, True])
async def test_what_came_before_a_block_is_returned(sim: Simulator, stream: bool) -> None:
    messages = [{"role": "user", "content": "sim:filter"}]
    async with backend_at(sim) as gemini:
        reply = await (gemini.astream_chat(messages).collect() if stream else gemini.achat(messages))
    assert reply.finish_reason == "SAFETY"
    assert sim.requests[0].nonce in reply.text


async def test_a_block_says_what_the_provider_says() -> None:
    feedback = {"blockReason": "OTHER", "blockReasonMessage": "Because."}
    prompt = {"promptFeedback": feedback}
    answer = said(finish="RECITATION")
    answer["candidates"][0]["finishMessage"] = "Known words."
    async with mocked((200, prompt), (200, answer), (200, events(answer))) as gemini:
        with pytest.raises(errors.ContentFilterError, match=r"blocked: OTHER\. Because\."):
            await gemini.achat(ASK)
        with pytest.raises(errors.ContentFilterError, match=r"RECITATION\. Known words\."):
            await gemini.achat(ASK)
        with pytest.raises(errors.ContentFilterError, match="RECITATION"):
            await gemini.astream_chat(ASK).collect()


async def test_an_unknown_finish_reason_is_no_error() -> None:
    async with mocked((200, said("Two", finish="FROM_THE_FUTURE")), (200, said(finish="MALFORMED_RESPONSE"))) as gemini:
        assert (await gemini.achat(ASK)).finish_reason == "FROM_THE_FUTURE"
        empty = await gemini.achat(ASK)
    assert (empty.text, empty.finish_reason) == ("", "MALFORMED_RESPONSE")
