"""Every kind as its class, in either spelling; odd bodies; wrong models; what retries and keys make of them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from clocks import Hurried
from hf_tei_bench import backend_at, mocked

from backends import errors
from backends.hf_tei import HFTEI
from conformance.simulators import Fault, Simulator
from conformance.simulators.faults import Status

GOOD = (200, [[1.0, 0.0]])


@pytest.mark.parametrize("spell", [str, str.lower])
@pytest.mark.parametrize(
    ("status", "kind", "text", "expected"),
    [
        (400, "Empty", "`inputs` cannot be empty", errors.InvalidRequestError),
        (422, "Validation", "Input validation error: batch size 40 > maximum 32", errors.InvalidRequestError),
        (422, "Validation", "Input validation error: `inputs` must have less than 9 tokens", errors.ContextLengthError),
        (422, "Tokenizer", "tokenizer error x", errors.InvalidRequestError),
        (424, "Backend", "Backend error: NaN score", errors.ServerError),
        (424, "Backend", "model is not a re-ranker model", errors.UnsupportedError),
        (424, "Backend", "Backend error: Model is not an embedding model", errors.UnsupportedError),
        (429, "Overloaded", "Model is overloaded", errors.OverloadedError),
        (503, "Unhealthy", "unhealthy", errors.OverloadedError),
    ],
)
async def test_kinds(spell: Any, status: int, kind: str, text: str, expected: type[errors.BackendError]) -> None:
    for body in (
        {"error": text, "error_type": spell(kind)},
        {"message": text, "code": status, "type": spell(kind)},
    ):
        async with mocked((status, body)) as tei:
            with pytest.raises(errors.BackendError) as caught:
                await (tei.aopenai_embed("sun") if "code" in body else tei.aembed("sun"))
        error = caught.value
        assert type(error) is expected
        assert (error.status, error.code, error.provider, error.attempts) == (status, spell(kind), "hf_tei", 1)
        assert text in error.message


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
        (429, {"error": "Rate limit reached."}, errors.RateLimitError, "Rate limit"),
        (500, b"<html>oops</html>", errors.ServerError, "HTML page"),
        (503, b"", errors.OverloadedError, "HTTP 503"),
        (424, {"error": None}, errors.ServerError, "HTTP 424"),
    ],
)
async def test_odd_bodies(status: int, body: Any, kind: type[errors.BackendError], said: str) -> None:
    async with mocked((status, body)) as tei:
        with pytest.raises(errors.BackendError, match=said) as caught:
            await tei.aembed("sun")
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("kind", "call"),
    [
        ("reranker", "embed"),
        ("classifier", "embed"),
        ("reranker", "embed_all"),
        ("embedding", "embed_sparse"),
        ("classifier", "similarity"),
        ("classifier", "openai_embed"),
        ("embedding", "rerank"),
        ("classifier", "rerank"),
        ("embedding", "predict"),
    ],
)
async def test_a_call_that_the_model_is_not_for(sim: Simulator, kind: str, call: str) -> None:
    arguments: tuple[Any, ...] = ("sun", ["moon"]) if call in ("rerank", "similarity") else ("sun",)
    async with backend_at(sim, kind) as tei:
        await tei.atokenize(["warm", "up"])
        with pytest.raises(errors.UnsupportedError, match="model is not a") as caught:
            await getattr(tei, "a" + call)(*arguments)
    assert (caught.value.status, caught.value.code, caught.value.attempts) == (424, "Backend", 1)
    assert sum(not seen.path.endswith(("/info", "/tokenize")) for seen in sim.requests) == 1


async def test_a_failed_engine_is_asked_once_more() -> None:
    failed = (424, {"error": "Backend error: NaN score", "error_type": "Backend"})
    async with mocked(failed, GOOD, max_retries=5) as tei:
        assert (await tei.aembed("sun")).attempts == 2
    async with mocked(failed, max_retries=5) as tei:
        with pytest.raises(errors.ServerError) as caught:
            await tei.aembed("sun")
    assert caught.value.attempts == 2


async def test_an_overloaded_server_is_given_time() -> None:
    full = (429, {"error": "Model is overloaded", "error_type": "Overloaded"})
    clock = Hurried()
    async with mocked(full, full, GOOD, max_retries=5, jitter=0.0, clock=clock, api_keys=["one", "two"]) as tei:
        assert (await tei.aembed("sun")).attempts == 3
        assert clock.slept == [1.0, 2.0]
        assert [key.state for key in tei.endpoint().key_status()] == ["ready", "ready"]


async def test_what_the_server_finds_wrong_is_sent_once(sim: Simulator, tei: HFTEI) -> None:
    with pytest.raises(errors.InvalidRequestError, match="batch size 40 > maximum allowed batch size 32"):
        await tei.aembed(["sun"], extra_body={"inputs": ["sun"] * 40})
    with pytest.raises(errors.InvalidRequestError, match="cannot be empty"):
        await tei.aembed("sun", extra_body={"inputs": []})
    with pytest.raises(errors.InvalidRequestError, match="Failed to deserialize"):
        await tei.aembed("sun", extra_body={"inputs": {"a": 1}})
    with pytest.raises(errors.InvalidRequestError, match="must be a text, a pair"):
        await tei.apredict("sun", extra_body={"inputs": ["a", "b", "c"]})
    assert [seen.status for seen in sim.requests] == [422, 400, 422, 422]


async def test_a_refused_key(sim: Simulator) -> None:
    async with backend_at(sim, api_keys=["invalid-key", "good-key"]) as tei:
        assert (await tei.aembed("sun")).attempts == 2
        assert [key.state for key in tei.endpoint().key_status()] == ["retired", "ready"]
    async with backend_at(sim, api_key="invalid-key") as lonely:
        with pytest.raises(errors.AuthenticationError):
            await lonely.ainfo()
        assert await lonely.ahealth() is True
        assert await lonely.ametrics()


async def test_an_unhealthy_server(sim: Simulator, tei: HFTEI) -> None:
    sim.script(Fault(Status(503), path="/health", nth=1))
    assert await tei.ahealth() is False
    assert await tei.ahealth() is True


@pytest.mark.parametrize(
    ("call", "arguments", "body"),
    [
        ("embed", ["a"], {}),
        ("embed", ["a"], []),
        ("embed", ["a"], [[1.0], [2.0]]),
        ("embed", ["a"], [[]]),
        ("embed", ["a"], [["x"]]),
        ("embed", ["a"], [[True]]),
        ("embed", ["a"], b"[[NaN]]"),
        ("embed", ["a"], b"[[1e999]]"),
        ("embed_all", ["a"], [[]]),
        ("embed_all", ["a"], [[[]]]),
        ("embed_all", ["a"], [5]),
        ("embed_sparse", ["a"], [[{"index": -1, "value": 1.0}]]),
        ("embed_sparse", ["a"], [[{"index": 1, "value": 1.0}, {"index": 1, "value": 2.0}]]),
        ("embed_sparse", ["a"], [[{"index": 1}]]),
        ("rerank", ["q", ["a"]], [{"index": 1, "score": 0.5}]),
        ("rerank", ["q", ["a"]], [{"index": 0, "score": None}]),
        ("rerank", ["q", ["a"]], []),
        ("rerank", ["q", ["a"]], {"results": []}),
        ("predict", ["a"], [[]]),
        ("predict", ["a"], []),
        ("predict", ["a"], [{"label": 5, "score": 1.0}]),
        ("predict", [["a"]], [{"label": "x", "score": 1.0}]),
        ("similarity", ["a", ["b"]], ["x"]),
        ("openai_embed", ["a"], {"data": []}),
        ("tokenize", ["a"], [[{"id": 1}]]),
        ("tokenize", ["a"], [[{"id": 1, "text": "a", "special": 0, "start": 0, "stop": 1}]]),
        ("decode", [[1]], [5]),
        ("info", [], {}),
        ("info", [], {"model_id": "m", "model_type": {"classifier": {"id2label": {"x": "y"}}}}),
        ("metrics", [], b"not a metric"),
    ],
)
async def test_answers_of_another_shape(call: str, arguments: list[Any], body: Any) -> None:
    async with mocked((200, body)) as tei:
        tei._batch_sizes["default"] = 32
        with pytest.raises(errors.ResponseFormatError):
            await getattr(tei, "a" + call)(*arguments)


async def test_vectors_of_different_lengths() -> None:
    async with mocked((200, {"model_id": "m"}), (200, [[1.0], [1.0, 2.0]])) as tei:
        with pytest.raises(errors.ResponseFormatError, match="differ in length"):
            await tei.aembed(["a", "b"])


async def test_an_error_body_with_a_good_status() -> None:
    seen: list[httpx.Request] = []
    body = {"error": "Model is overloaded", "error_type": "Overloaded"}
    async with mocked((200, body), GOOD, seen=seen, max_retries=1) as tei:
        assert (await tei.aembed("sun")).vectors == ((1.0, 0.0),)
    assert len(seen) == 2
