"""The official clients against the simulated TEI server: huggingface_hub, and openai for ``/v1``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import huggingface_hub
import numpy
import openai
import pytest
from huggingface_hub.errors import HfHubHTTPError

from conformance.simulators import Fault, Simulator
from conformance.simulators.faults import Status


@pytest.fixture
async def hub(sim: Simulator) -> AsyncIterator[Callable[[str], huggingface_hub.AsyncInferenceClient]]:
    made: list[huggingface_hub.AsyncInferenceClient] = []

    def client(kind: str) -> huggingface_hub.AsyncInferenceClient:
        address = sim.base_url("hf_tei") + (f"/{kind}" if kind else "")
        made.append(huggingface_hub.AsyncInferenceClient(model=address, token="hf_key"))
        return made[-1]

    yield client
    for one in made:
        await one.close()


@pytest.fixture
def plain(sim: Simulator) -> Iterator[huggingface_hub.InferenceClient]:
    address = sim.base_url("hf_tei")
    with huggingface_hub.InferenceClient(address, provider="hf-inference", token="hf_key") as client:
        yield client
    huggingface_hub.close_session()


@pytest.fixture
async def side(sim: Simulator) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(api_key="key", base_url=sim.base_url("hf_tei") + "/v1", max_retries=0) as client:
        yield client


async def test_feature_extraction(sim: Simulator, hub: Any) -> None:
    client = hub("")
    one = await client.feature_extraction("deep water", normalize=True, truncate=True)
    two = await client.feature_extraction(["deep water", "sand"], prompt_name="query", dimensions=16)
    assert (one.shape, one.dtype) == ((1, 64), numpy.float32)
    assert float((one * one).sum()) == pytest.approx(1.0, abs=1e-5)
    assert two.shape == (2, 16)
    assert sim.requests[0].json == {"inputs": "deep water", "normalize": True, "truncate": True}
    assert [seen.path for seen in sim.requests] == ["/", "/"]
    assert all(seen.problem is None and seen.key_fingerprint for seen in sim.requests)


async def test_feature_extraction_synchronously(sim: Simulator, plain: huggingface_hub.InferenceClient) -> None:
    def work() -> tuple[Any, dict[str, Any], bool]:
        row = plain.feature_extraction("deep water", truncation_direction="Left")
        return row, plain.get_endpoint_info(), plain.health_check()

    row, info, healthy = await asyncio.to_thread(work)
    assert row.shape == (1, 64)
    assert (info["model_type"], info["max_client_batch_size"], healthy) == (
        {"embedding": {"pooling": "mean"}},
        32,
        True,
    )


async def test_the_alias_follows_the_model(sim: Simulator, hub: Any) -> None:
    scores = await hub("sentence-similarity").sentence_similarity("deep water", ["deep water", "sand", "cold water"])
    assert scores[0] == 1.0
    assert scores[0] > scores[2] > scores[1]
    labels = await hub("classifier").text_classification("a good day")
    assert (labels.label, labels.score > 0.5) == ("positive", True)
    with pytest.raises(HfHubHTTPError) as caught:
        await hub("embedding").sentence_similarity("deep water", ["sand"])
    assert caught.value.response.status_code == 422
    assert [seen.path.strip("/") for seen in sim.requests] == ["sentence-similarity", "classifier", "embedding"]


async def test_errors_reach_the_client_once(sim: Simulator, hub: Any) -> None:
    client = hub("")
    with pytest.raises(HfHubHTTPError, match="batch size 40 > maximum allowed batch size 32") as caught:
        await client.feature_extraction(["sand"] * 40)
    assert caught.value.response.status_code == 422
    for status in (413, 424, 429):
        sim.script(Fault(Status(status), nth=1))
        with pytest.raises(HfHubHTTPError) as caught:
            await client.feature_extraction("sand")
        assert caught.value.response.status_code == status
    with pytest.raises(HfHubHTTPError, match="less than 512 tokens"):
        await client.feature_extraction("sand " * 600, truncate=False)
    assert len(sim.requests) == 5


async def test_openai_embeddings(sim: Simulator, side: openai.AsyncOpenAI) -> None:
    packed = await side.embeddings.create(model="any", input=["sun", "moon"])
    plain = await side.embeddings.create(model="any", input=["sun", "moon"], encoding_format="float", dimensions=64)
    ids = await side.embeddings.create(model="any", input=[[2000, 2001], [2002]])
    assert packed.data[0].embedding == pytest.approx(plain.data[0].embedding, abs=1e-6)
    assert [row.index for row in packed.data] == [0, 1]
    assert (packed.model, packed.usage.prompt_tokens) == ("simulated/tiny-embedder", 6)
    assert [len(row.embedding) for row in ids.data] == [64, 64]
    assert sim.requests[0].json["encoding_format"] == "base64"


async def test_openai_errors_are_flat(sim: Simulator, side: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.UnprocessableEntityError) as caught:
        await side.embeddings.create(model="any", input=["sun"] * 33)
    assert caught.value.response.json() == {
        "message": "Input validation error: batch size 33 > maximum allowed batch size 32",
        "code": 422,
        "type": "Validation",
    }
    with pytest.raises(openai.AuthenticationError):
        await side.with_options(api_key="invalid").embeddings.create(model="any", input="sun")


async def test_routes_that_no_client_has(sim: Simulator) -> None:
    async with httpx.AsyncClient(base_url=sim.base_url("hf_tei")) as http:
        ranked = await http.post(
            "/rerank", json={"query": "sea", "texts": ["dry sand", "deep sea"], "return_text": True}
        )
        assert [(row["index"], row["text"]) for row in ranked.json()] == [(1, "deep sea"), (0, "dry sand")]
        assert int(ranked.headers["x-compute-tokens"]) == (1 + 2 + 3) * 2
        sparse = (await http.post("/splade/", json={"inputs": "water"})).json()
        assert all(set(entry) == {"index", "value"} for entry in sparse[0])
        tokens = (await http.post("/tokenize", json={"inputs": "deep water"})).json()
        assert [token["start"] for token in tokens[0]] == [None, 0, 4, None]
        decoded = await http.post("/decode", json={"ids": [token["id"] for token in tokens[0]]})
        assert decoded.json() == ["deep water"]
        assert "x-compute-tokens" not in decoded.headers
        every = (await http.post("/embed_all", json={"inputs": "deep water"})).json()
        assert [len(row) for row in every[0]] == [64] * 4
        flat = await http.post("/predict", json={"inputs": ["a", "b"]})
        assert isinstance(flat.json()[0], dict)
        assert (await http.post("/predict", json={"inputs": ["a", "b", "c"]})).status_code == 422


@pytest.mark.parametrize(
    ("send", "status", "said"),
    [
        ({"content": b"{", "headers": {"content-type": "application/json"}}, 400, "Failed to parse the request body"),
        ({"content": b"{}", "headers": {"content-type": "text/plain"}}, 415, "Expected request with `Content-Type"),
        ({"json": {}}, 422, "Failed to deserialize the JSON body into the target type: missing field `inputs`"),
        ({"json": {"inputs": []}}, 400, '{"error":"`inputs` cannot be empty","error_type":"Empty"}'),
        ({"json": {"inputs": ""}}, 422, '"error_type":"Validation"'),
        ({"json": {"inputs": "a", "truncation_direction": "Up"}}, 422, "Failed to deserialize"),
    ],
)
async def test_refusals_of_the_framework_and_the_server(sim: Simulator, send: Any, status: int, said: str) -> None:
    async with httpx.AsyncClient(base_url=sim.base_url("hf_tei")) as http:
        answer = await http.post("/embed", **send)
    assert answer.status_code == status
    assert said in answer.text


async def test_only_some_routes_ask_for_the_key(sim: Simulator) -> None:
    async with httpx.AsyncClient(base_url=sim.base_url("hf_tei"), headers={"authorization": "Bearer invalid"}) as http:
        codes = {path: (await http.get(path)).status_code for path in ("/info", "/health", "/ping", "/", "/metrics")}
    assert codes == {"/info": 401, "/health": 200, "/ping": 200, "/": 200, "/metrics": 200}
