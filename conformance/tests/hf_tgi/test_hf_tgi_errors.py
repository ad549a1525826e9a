"""Every status and kind as its class, odd bodies, hints, and what keys, breaker and retries make of them."""

from __future__ import annotations

import pickle
from typing import Any

import httpx
import pytest
from clocks import Hurried
from hf_tgi_bench import ASK, backend_at, event, mocked, sse

from backends import errors
from backends.hf_tgi import HFTGI
from conformance.simulators import Fault, Simulator
from conformance.simulators.faults import CutBeforeTerminator, ErrorEvent, Pings, Reset, SplitEvery, Status

GOOD = {"generated_text": "Hi", "details": {"finish_reason": "length", "generated_tokens": 1, "seed": None}}


@pytest.mark.parametrize(
    ("status", "error_type", "text", "kind"),
    [
        (422, "validation", "Input validation error: `stop` supports up to 4", errors.InvalidRequestError),
        (
            422,
            "validation",
            "Input validation error: `inputs` must have less than 9 tokens.",
            errors.ContextLengthError,
        ),
        (
            422,
            "validation",
            "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 2048. Given: 9 `inputs` tokens",
            errors.ContextLengthError,
        ),
        (422, "template_error", "Template error: x", errors.InvalidRequestError),
        (422, "missing_template_variable", "Missing template variable", errors.InvalidRequestError),
        (422, "tool_error", "Tool error: x", errors.InvalidRequestError),
        (424, "generation", "Request failed during generation: x", errors.ServerError),
        (429, "overloaded", "Model is overloaded", errors.OverloadedError),
        (500, "incomplete_generation", "Incomplete generation", errors.ServerError),
        (500, "incomplete_generation_stream", "Incomplete generation stream", errors.ServerError),
        (500, "stream_serialization_error", "x", errors.ServerError),
        (503, "healthcheck", "unhealthy", errors.OverloadedError),
    ],
)
async def test_kinds(status: int, error_type: str, text: str, kind: type[errors.BackendError]) -> None:
    async with mocked((status, {"error": text, "error_type": error_type})) as tgi:
        for call in (tgi.agenerate("hello"), tgi.achat(ASK), tgi.acomplete("hello"), tgi.atokenize("hello")):
            with pytest.raises(errors.BackendError) as caught:
                await call
            error = caught.value
            assert type(error) is kind
            assert (error.status, error.code, error.provider, error.attempts) == (status, error_type, "hf_tgi", 1)
            assert text in error.message
            assert type(pickle.loads(pickle.dumps(error))) is kind


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (400, b"Failed to parse the request body as JSON: EOF", errors.InvalidRequestError, "Failed to parse"),
        (413, b"Failed to buffer the request body: length limit exceeded", errors.InvalidRequestError, "length limit"),
        (415, b"Expected request with `Content-Type: application/json`", errors.InvalidRequestError, "Content-Type"),
        (
            422,
            b"Failed to deserialize the JSON body into the target type: x",
            errors.InvalidRequestError,
            "deserialize",
        ),
        (401, b"", errors.AuthenticationError, "the key"),
        (404, b"", errors.NotFoundError, "without /v1"),
        (405, b"", errors.UnsupportedError, "without /v1"),
        (424, b"", errors.ServerError, "HTTP 424"),
        (429, {"error": "Rate limit reached."}, errors.RateLimitError, "Rate limit"),
        (502, b"<html>Bad Gateway</html>", errors.ServerError, "HTML page"),
        (503, {"error": "Model x is currently loading", "estimated_time": 20.0}, errors.OverloadedError, "loading"),
        (500, {"error": ["odd"], "error_type": 5}, errors.ServerError, "HTTP 500"),
        (500, {"error": {"message": "deep"}}, errors.ServerError, "deep"),
        (500, [1], errors.ServerError, "HTTP 500"),
    ],
)
async def test_odd_bodies(status: int, body: Any, kind: type[errors.BackendError], said: str) -> None:
    async with mocked((status, body)) as tgi:
        with pytest.raises(errors.BackendError, match=said) as caught:
            await tgi.agenerate("hello")
    assert type(caught.value) is kind


async def test_a_failed_engine_is_asked_once_more_and_not_twice() -> None:
    failed = (424, {"error": "Request failed during generation: x", "error_type": "generation"})
    seen: list[httpx.Request] = []
    async with mocked(failed, (200, GOOD), seen=seen, max_retries=5) as tgi:
        assert (await tgi.agenerate("hello")).attempts == 2
    async with mocked(failed, seen=seen, max_retries=5) as tgi:
        with pytest.raises(errors.ServerError) as caught:
            await tgi.agenerate("hello")
        assert caught.value.attempts == 2
        assert tgi.report()["circuit_breaker"]["state"] == "closed"
    assert len(seen) == 4
    assert seen[0].content == seen[1].content


async def test_an_overloaded_server_is_nobodys_key() -> None:
    full = (429, {"error": "Model is overloaded", "error_type": "overloaded"})
    clock = Hurried()
    async with mocked(full, full, (200, GOOD), max_retries=5, api_keys=["key-one", "key-two"], clock=clock) as tgi:
        assert (await tgi.agenerate("hello")).attempts == 3
        assert len(clock.slept) == 2
        assert [key.state for key in tgi.endpoint().key_status()] == ["ready", "ready"]


async def test_the_front_ends_rate_limit_is_the_keys(sim: Simulator) -> None:
    sim.script(Fault(Status(429), nth=1))
    clock = Hurried()
    async with backend_at(sim, api_keys=["key-one", "key-two"], clock=clock) as tgi:
        assert (await tgi.agenerate("hello")).attempts == 2
        assert clock.slept == []
        assert [key.state for key in tgi.endpoint().key_status()] == ["cooling", "ready"]
    assert sim.requests[0].key_fingerprint != sim.requests[1].key_fingerprint


async def test_a_loading_model_says_how_long() -> None:
    loading = (503, {"error": "Model x is currently loading", "estimated_time": 20.5})
    clock = Hurried()
    async with mocked(loading, (200, GOOD), max_retries=5, clock=clock, jitter=0.0) as tgi:
        await tgi.agenerate("hello")
    assert clock.slept == [20.5]
    async with mocked((503, {"error": "loading", "estimated_time": 400}), max_retries=5) as tgi:
        with pytest.raises(errors.OverloadedError) as caught:
            await tgi.agenerate("hello")
    assert (caught.value.retry_after, caught.value.attempts) == (400.0, 1)


async def test_validation_is_never_repeated(sim: Simulator, tgi: HFTGI) -> None:
    with pytest.raises(errors.InvalidRequestError, match="`stop` supports up to 4"):
        await tgi.agenerate("hello", stop=["a", "b", "c", "d", "e"])
    with pytest.raises(errors.ContextLengthError, match="less than 1024 tokens"):
        await tgi.agenerate("word " * 1100)
    with pytest.raises(errors.ContextLengthError, match="max_new_tokens"):
        await tgi.achat(ASK, max_tokens=5000)
    with pytest.raises(errors.InvalidRequestError, match="`best_of` must be > 0 and <= 2"):
        await tgi.agenerate("hello", best_of=3, do_sample=True)
    with pytest.raises(errors.InvalidRequestError, match="batch size exceeded"):
        await tgi.acomplete(["a"] * 5)
    with pytest.raises(errors.InvalidRequestError, match="Tool choice not found"):
        await tgi.achat(ASK, tools=[{"type": "function", "function": {"name": "a"}}], tool_choice="b")
    for stream in (tgi.astream_generate("word " * 1100), tgi.astream_chat([{"role": "user", "content": "w " * 1100}])):
        with pytest.raises(errors.ContextLengthError):
            await stream.collect()
    assert [seen.status for seen in sim.requests] == [422] * 6 + [200] * 2


async def test_a_refused_key_is_retired(sim: Simulator) -> None:
    async with backend_at(sim, api_keys=["invalid-key", "good-key"]) as tgi:
        assert (await tgi.agenerate("hello")).attempts == 2
        assert [key.state for key in tgi.endpoint().key_status()] == ["retired", "ready"]
        assert (await tgi.ahealth(), (await tgi.ainfo()).model_id) == (True, "simulated/tiny-instruct")
    async with backend_at(sim, api_key="invalid-key") as lonely:
        with pytest.raises(errors.AuthenticationError, match="refused the key"):
            await lonely.agenerate("hello")


async def test_the_native_stream_under_faults(sim: Simulator, tgi: HFTGI) -> None:
    plain = await tgi.astream_generate("hello").collect()
    for action in (Pings(), SplitEvery(1)):
        sim.script(Fault(action, path="/generate_stream", nth=1))
        again = await tgi.astream_generate("hello").collect()
        assert again.text.replace(sim.requests[-1].nonce, "") == plain.text.replace(sim.requests[0].nonce, "")
    for action in (ErrorEvent(after_events=0, status=503, code="healthcheck"), Reset("headers")):
        sim.script(Fault(action, path="/generate_stream", nth=1))
        sent = len(sim.requests)
        assert (await tgi.astream_generate("hello").collect()).text
        assert len(sim.requests) - sent == 2
    for action in (CutBeforeTerminator(), ErrorEvent(after_events=3)):
        sim.script(Fault(action, path="/generate_stream", nth=1))
        sent = len(sim.requests)
        with pytest.raises(errors.StreamInterruptedError) as caught:
            await tgi.astream_generate("hello").collect()
        assert caught.value.partial
        assert len(sim.requests) - sent == 1


async def test_an_error_body_with_a_good_status() -> None:
    for call in ("agenerate", "ainfo"):
        async with mocked((200, {"error": "Model is overloaded", "error_type": "overloaded"})) as tgi:
            with pytest.raises(errors.OverloadedError):
                await (tgi.agenerate("hello") if call == "agenerate" else tgi.ainfo())


@pytest.mark.parametrize(
    ("call", "body"),
    [
        ("agenerate", {}),
        ("agenerate", []),
        ("agenerate", [{"generated_text": "a"}, {"generated_text": "b"}]),
        ("agenerate", {"generated_text": 5}),
        ("agenerate", {"generated_text": "a", "details": []}),
        ("agenerate", {"generated_text": "a", "details": {"tokens": [{"id": 1}]}}),
        ("agenerate", {"generated_text": "a", "details": {"tokens": "x"}}),
        ("agenerate", {"generated_text": "a", "details": {"best_of_sequences": [{}]}}),
        ("atokenize", {"tokens": []}),
        ("atokenize", [{"id": 1, "text": "a", "start": None, "stop": 1}]),
        ("achat_tokenize", {"tokenize_response": [], "templated_text": None}),
        ("achat_tokenize", []),
        ("ainfo", {}),
        ("ainfo", {"model_id": 5}),
        ("amodels", {"data": [{}]}),
        ("ametrics", b"<html>"),
    ],
)
async def test_answers_of_another_shape(call: str, body: Any) -> None:
    arguments: dict[str, tuple[Any, ...]] = {"agenerate": ("hello",), "atokenize": ("hello",), "achat_tokenize": (ASK,)}
    async with mocked((200, body)) as tgi:
        with pytest.raises(errors.ResponseFormatError):
            await getattr(tgi, call)(*arguments.get(call, ()))


async def test_an_event_beyond_the_bound() -> None:
    async with mocked((200, sse(event(1, "a"), event(2, "x" * 5000))), max_event_bytes=1000) as tgi:
        with pytest.raises(errors.StreamInterruptedError, match="larger than 1000"):
            await tgi.astream_generate("hello").collect()
