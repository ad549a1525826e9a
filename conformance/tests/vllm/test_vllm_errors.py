"""The whole error table: bodies of every age and shape as their class, what is repeated, errors inside streams."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from vllm_bench import ASK, CHAT, CHAT_ANSWER, EMBEDDER, backend_at, events, mocked

from backends import errors
from backends.vllm import VLLM
from conformance.simulators import Fault, Simulator
from conformance.simulators.faults import CutBeforeTerminator, EmptyBody, ErrorEvent, Pings, Status


def told(message: str, kind: str, status: int, param: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": param, "code": status}}


LONG = "This model's maximum context length is 256 tokens. However, your prompt contains 3600 characters"
GONE = "The model `m` does not exist. Valid aliases: tiny, other."


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (
            400,
            told("1 validation error", "Bad Request", 400, "body.messages"),
            errors.InvalidRequestError,
            "Bad Request",
        ),
        (
            400,
            told("temperature must be", "BadRequestError", 400, "temperature"),
            errors.InvalidRequestError,
            "BadRequestError",
        ),
        (400, told(LONG, "BadRequestError", 400, "input_text"), errors.ContextLengthError, "BadRequestError"),
        (400, told("already loaded", "InvalidUserInput", 400), errors.InvalidRequestError, "InvalidUserInput"),
        (
            400,
            {"object": "error", "message": LONG, "type": "BadRequestError", "code": 400},
            errors.ContextLengthError,
            "BadRequestError",
        ),
        (401, {"error": "Unauthorized"}, errors.AuthenticationError, None),
        (404, told(GONE, "NotFoundError", 404, "model"), errors.UnknownModelError, "NotFoundError"),
        (404, told("Response with id 'a' not found.", "NotFoundError", 404), errors.NotFoundError, "NotFoundError"),
        (404, {"detail": "Not Found"}, errors.NotFoundError, None),
        (404, told("Not Found", "Not Found", 404), errors.NotFoundError, "Not Found"),
        (405, {"detail": "Method Not Allowed"}, errors.UnsupportedError, None),
        (422, told("no", "UnprocessableEntityError", 422), errors.InvalidRequestError, "UnprocessableEntityError"),
        (429, "slow down", errors.RateLimitError, None),
        (
            500,
            told("EngineCore encountered an issue.", "InternalServerError", 500),
            errors.ServerError,
            "InternalServerError",
        ),
        (501, told("no such API", "NotImplementedError", 501), errors.UnsupportedError, "NotImplementedError"),
        (503, {"error": "The model is currently scaling. Please try again later."}, errors.OverloadedError, None),
        (503, "", errors.OverloadedError, None),
    ],
)
async def test_statuses(status: int, body: Any, kind: type[errors.BackendError], code: str | None) -> None:
    async with mocked((status, body)) as vllm:
        with pytest.raises(errors.BackendError) as caught:
            await vllm.achat(ASK)
    error = caught.value
    assert (type(error), error.status, error.code, error.provider) == (kind, status, code, "vllm")
    if isinstance(body, dict):
        inner = body.get("error") or body.get("detail") or body
        assert (inner["message"] if isinstance(inner, dict) else inner) in error.message
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


@pytest.mark.parametrize(
    ("status", "attempts"), [(400, 1), (401, 1), (404, 1), (405, 1), (422, 1), (501, 1), (429, 3), (500, 3), (503, 3)]
)
async def test_what_is_repeated(sim: Simulator, status: int, attempts: int) -> None:
    async with backend_at(sim, max_retries=2, api_key="sk-one") as vllm:
        sim.script(Fault(Status(status)))
        with pytest.raises(errors.BackendError) as caught:
            await vllm.achat(ASK)
        assert caught.value.attempts == len(sim.requests) == attempts


async def test_501_feeds_no_breaker(sim: Simulator) -> None:
    async with backend_at(sim, max_retries=0, failure_threshold=1) as vllm:
        sim.script(Fault(Status(501), nth=1))
        with pytest.raises(errors.UnsupportedError):
            await vllm.achat(ASK)
        assert (await vllm.achat(ASK)).text


async def test_a_route_that_is_missing_says_why(sim: Simulator, vllm: VLLM) -> None:
    sim.script(Fault(Status(404, body={"detail": "Not Found"}), path="/sleep"))
    with pytest.raises(errors.NotFoundError, match=r"Not Found \(sleep\): this server has no such route"):
        await vllm.asleep()


async def test_an_unknown_model_brings_what_is_served(vllm: VLLM) -> None:
    with pytest.raises(errors.UnknownModelError) as caught:
        await vllm.achat(ASK, model="meta-llama/Llama-3.2-3B")
    assert CHAT in caught.value.suggestions  # from the server's own words
    await vllm.amodels()
    with pytest.raises(errors.UnknownModelError) as caught:
        await vllm.achat(ASK, model="Qwen/Qwen3-8b")
    assert caught.value.suggestions[0] == "Qwen/Qwen3-8B"
    with pytest.raises(errors.InvalidRequestError, match="does not support Chat Completions API"):
        await vllm.achat(ASK, model=EMBEDDER)


async def test_what_is_too_long(vllm: VLLM) -> None:
    with pytest.raises(errors.ContextLengthError, match="maximum context length is 8192"):
        await vllm.aembed("a" * 60_000, model=EMBEDDER)
    with pytest.raises(errors.ContextLengthError, match="9001 input tokens"):
        await vllm.aembed([[5] * 9001], model=EMBEDDER)
    with pytest.raises(errors.InvalidRequestError, match="max_tokens=200000") as caught:
        await vllm.achat(ASK, max_tokens=200_000)
    assert type(caught.value) is errors.InvalidRequestError
    assert (await vllm.aembed([[5] * 9001], model=EMBEDDER, truncate_prompt_tokens=-1)).vectors


async def test_a_bad_key_where_it_guards_and_where_it_does_not(sim: Simulator) -> None:
    async with backend_at(sim, api_key="sk-invalid") as vllm:
        with pytest.raises(errors.AuthenticationError, match="Unauthorized") as caught:
            await vllm.achat(ASK)
        assert caught.value.status == 401
    async with backend_at(sim, api_key="sk-invalid") as vllm:
        assert (await vllm.atokenize("hello")).ids


async def test_an_engine_that_died_between_pings(sim: Simulator) -> None:
    async with backend_at(sim, max_retries=2) as vllm:
        sim.script(Fault(EmptyBody(503), path="/v1/chat/completions", nth=(1, 2)))
        assert (await vllm.achat(ASK)).attempts == 3


async def test_errors_inside_streams(sim: Simulator) -> None:
    async with backend_at(sim, max_retries=1) as vllm:
        sim.script(Fault(ErrorEvent(0), nth=1))
        assert (await vllm.astream_chat(ASK).collect()).attempts == 2  # nothing had come
        sim.script(Fault(ErrorEvent(3), nth=1))
        with pytest.raises(errors.StreamInterruptedError, match="EngineCore") as caught:
            await vllm.astream_chat(ASK).collect()
        assert (caught.value.status, caught.value.attempts) == (500, 1)
        assert caught.value.partial.startswith(sim.requests[-1].nonce)
        sim.script(Fault(CutBeforeTerminator(), nth=1))
        with pytest.raises(errors.StreamInterruptedError):
            await vllm.astream_chat(ASK).collect()
        sim.script(Fault(ErrorEvent(2, status=400, message=LONG), nth=1))
        with pytest.raises(errors.StreamInterruptedError, match="maximum context length"):
            await vllm.astream_complete("hello").collect()
        sim.script(Fault(ErrorEvent(1), nth=1))
        with pytest.raises(errors.StreamInterruptedError):
            await vllm.astream_responses("hello").collect()


async def test_what_follows_an_error_in_a_stream_is_not_read() -> None:
    piece = {"model": "m", "choices": [{"index": 0, "delta": {"content": "Hi"}}]}
    body = events(piece, told("broken", "InternalServerError", 500), {**piece, "choices": "nonsense"})
    async with mocked((200, body)) as vllm:
        with pytest.raises(errors.StreamInterruptedError, match="broken") as caught:
            await vllm.astream_chat(ASK).collect()
    assert caught.value.partial == "Hi"


async def test_noise_of_proxies_is_harmless(sim: Simulator, vllm: VLLM) -> None:
    sim.script(Fault(Pings()))
    reply = await vllm.astream_chat(ASK).collect()
    assert reply.text.startswith(sim.requests[0].nonce)


@pytest.mark.parametrize(
    "raw",
    [
        {"reasoning": "because"},
        {"reasoning_content": "because"},
        {"reasoning": "because", "reasoning_content": "other"},
    ],
)
async def test_reasoning_under_its_new_and_its_old_name(raw: dict[str, str]) -> None:
    message = {"role": "assistant", "content": "hi", **raw}
    whole = {**CHAT_ANSWER, "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    async with mocked((200, whole)) as vllm:
        assert (await vllm.achat(ASK)).reasoning == "because"
    pieces = ({"choices": [{"index": 0, "delta": raw}]}, {"choices": [{"index": 0, "delta": {"content": "hi"}}]})
    async with mocked((200, events(*pieces))) as vllm:
        reply = await vllm.astream_chat(ASK).collect()
    assert (reply.reasoning, reply.text) == ("because", "hi")
