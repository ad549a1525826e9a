"""Each call of the backend against the simulated server, in both modes; long lists in parts."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from clocks import Hurried
from hf_tei_bench import backend_at, mocked

from backends import errors
from backends.hf_tei import HFTEI, Timings, cosine_similarity, timings
from backends.types import TokenCount
from conformance.simulators import Fault, Simulator
from conformance.simulators.faults import Status

INFO = (200, {"model_id": "m", "max_client_batch_size": 4})


async def test_embedding_in_every_shape(sim: Simulator, tei: HFTEI) -> None:
    one = await tei.aembed("red")
    listed = await tei.aembed(["red"])
    ids = await tei.aembed([101, 2000, 102])
    several = await tei.aembed(["red", [2000, 2001], "blue"])
    assert [len(reply.vectors) for reply in (one, listed, ids, several)] == [1, 1, 1, 3]
    assert cosine_similarity(one.vectors[0], several.vectors[0]) == pytest.approx(1.0)
    assert cosine_similarity(one.vectors[0], several.vectors[2]) < 0.9
    assert (one.usage.input_tokens, one.usage.total_tokens, one.usage.output_tokens) == (3, 3, None)
    sent = [seen.json for seen in sim.requests if seen.path == "/embed"]
    assert [body["inputs"] for body in sent] == ["red", ["red"], [101, 2000, 102], ["red", [2000, 2001], "blue"]]
    assert [seen.path for seen in sim.requests].count("/info") == 1


async def test_length_and_dimensions(tei: HFTEI) -> None:
    unit = (await tei.aembed("deep water")).vectors[0]
    assert sum(value * value for value in unit) == pytest.approx(1.0)
    raw = (await tei.aembed("deep water", normalize=False)).vectors[0]
    assert sum(value * value for value in raw) == pytest.approx(9.0)
    assert len((await tei.aembed("deep water", dimensions=16)).vectors[0]) == 16
    with pytest.raises(errors.InvalidRequestError, match="between 1 and 64"):
        await tei.aembed("deep water", dimensions=65)


async def test_truncation_and_prompts(tei: HFTEI) -> None:
    long = "first " + "middle " * 600 + "last"
    with pytest.raises(errors.ContextLengthError, match="less than 512 tokens"):
        await tei.aembed(long, truncate=False)
    left = await tei.aembed(long, truncation_direction="left")
    right = await tei.aembed(long, truncate=True, truncation_direction="Right")
    assert left.vectors != right.vectors
    assert left.usage.input_tokens == right.usage.input_tokens == 512
    asked = await tei.aembed("deep water", prompt_name="query")
    assert asked.usage.input_tokens == 6
    with pytest.raises(errors.InvalidRequestError, match="prompt_name"):
        await tei.aembed("deep water", prompt_name="nobody")


async def test_long_lists_go_in_parts(sim: Simulator) -> None:
    texts = [f"word{number}" for number in range(100)]
    async with backend_at(sim, max_concurrent_requests=2) as tei:
        whole = await tei.aembed(texts)
        alone = [(await tei.aembed(text)).vectors[0] for text in (texts[0], texts[31], texts[32], texts[99])]
        assert tei.queue_status()["active"] == 0
    parts = [seen for seen in sim.requests if seen.path == "/embed" and isinstance(seen.json["inputs"], list)]
    assert sorted(len(seen.json["inputs"]) for seen in parts) == [4, 32, 32, 32]
    for place, vector in zip((0, 31, 32, 99), alone, strict=True):
        assert cosine_similarity(whole.vectors[place], vector) == pytest.approx(1.0)
    assert len(whole.vectors) == len(whole.raw) == 100
    assert (whole.attempts, whole.usage.input_tokens, whole.usage.total_tokens) == (4, 300, 300)
    assert whole.raw[99] == list(whole.vectors[99])


async def test_the_limit_is_the_servers_and_asked_once(sim: Simulator, tei: HFTEI) -> None:
    sim._mounted["hf_tei"].state.max_client_batch_size = 8
    other = Simulator(["hf_tei"])
    async with other:
        tei.create_endpoint("other", base_url=other.base_url("hf_tei"))
        for _ in range(2):
            await tei.aembed(["word"] * 9)
            await tei.aembed(["word"] * 9, endpoint="other")
        assert [seen.path for seen in other.requests] == ["/info", "/embed", "/embed"]
    assert sorted(seen.path for seen in sim.requests) == ["/embed"] * 4 + ["/info"]


async def test_one_input_asks_for_no_limit(sim: Simulator, tei: HFTEI) -> None:
    await tei.aembed("word")
    await tei.aembed(["word"])
    await tei.arerank("query", ["word"])
    await tei.apredict("word")
    await tei.atokenize("word")
    assert "/info" not in [seen.path for seen in sim.requests]


async def test_a_front_end_without_info() -> None:
    seen: list[httpx.Request] = []
    rows = [[[0.5, 0.5]] * 32, [[0.5, 0.5]] * 2]
    async with mocked((404, b""), *((200, part) for part in rows), seen=seen, max_concurrent_requests=1) as tei:
        assert len((await tei.aembed(["word"] * 34)).vectors) == 34
    assert [request.url.path for request in seen] == ["/info", "/embed", "/embed"]
    async with mocked((503, b""), seen=seen) as tei:
        with pytest.raises(errors.OverloadedError):
            await tei.aembed(["word"] * 34)


async def test_one_part_that_fails_ends_the_call(sim: Simulator) -> None:
    sim.script(Fault(Status(422, message="part two is bad"), path="/embed", nth=2))
    async with backend_at(sim) as tei:
        with pytest.raises(errors.InvalidRequestError, match="part two is bad"):
            await tei.aembed(["word"] * 100)
        assert tei.queue_status()["active"] == 0
        assert tei.report()["active_requests"] == 0
        assert len((await tei.aembed(["word"] * 100)).vectors) == 100


async def test_parts_are_repeated_one_by_one(sim: Simulator) -> None:
    sim.script(Fault(Status(429, code="Overloaded"), path="/embed", nth=2))
    async with backend_at(sim) as tei:
        reply = await tei.aembed(["word"] * 70)
    assert (len(reply.vectors), reply.attempts) == (70, 4)


async def test_the_deadline_is_that_of_all_parts() -> None:
    clock = Hurried()

    def late(request: httpx.Request) -> httpx.Response:
        clock.now += 3.0
        rows = json.loads(request.content)["inputs"] if request.content else []
        return httpx.Response(200, json=[[1.0]] * len(rows) if rows else INFO[1])

    tei = HFTEI(transport=httpx.MockTransport(late), clock=clock, environ={}, max_concurrent_requests=1)
    async with tei:
        with pytest.raises(errors.DeadlineExceededError):
            await tei.aembed(["word"] * 12, deadline=8.0)
        assert len((await tei.aembed(["word"] * 12, deadline=20.0)).vectors) == 12
        with pytest.raises(errors.InvalidRequestError, match="deadline"):
            await tei.aembed(["word"] * 12, deadline="soon")


async def test_the_callers_id_is_on_every_part() -> None:
    own = "00000000-0000-4000-8000-000000000007"
    async with mocked(INFO, (200, [[1.0]] * 4)) as tei:
        reply = await tei.aembed(["word"] * 8, request_id=own)
    assert reply.request_id == own
    assert len(reply.vectors) == 8


async def test_every_token(tei: HFTEI) -> None:
    reply = await tei.aembed_all(["deep water", "sand"])
    assert [len(rows) for rows in reply.vectors] == [4, 3]
    assert {len(row) for rows in reply.vectors for row in rows} == {64}
    assert (await tei.aembed_all("sand")).usage.input_tokens == 3
    assert len((await tei.aembed_all(["a"] * 40)).vectors) == 40


async def test_sparse_vectors(sim: Simulator) -> None:
    async with backend_at(sim, "splade") as tei:
        reply = await tei.aembed_sparse(["water water", "sand"])
        assert len((await tei.aembed_sparse(["sand"] * 33)).vectors) == 33
    water, sand = reply.vectors
    assert max(water.values()) == 1.5
    assert max(sand.values()) == 1.0
    assert set(water) & set(sand) == {30_521}
    assert reply.usage.input_tokens == 4 + 3


async def test_ranking(sim: Simulator) -> None:
    async with backend_at(sim, "reranker") as tei:
        reply = await tei.arerank("deep water", ["dry sand", "deep water", "cold water"], return_text=True)
        assert [(entry.index, entry.text) for entry in reply.results] == [
            (1, "deep water"),
            (2, "cold water"),
            (0, "dry sand"),
        ]
        assert reply.scores == tuple(entry.score for entry in sorted(reply.results, key=lambda one: one.index))
        raw = await tei.arerank("deep water", ["deep water"], raw_scores=True)
        assert (raw.results[0].score, raw.results[0].text) == (4.0, None)


async def test_a_ranking_in_parts_is_one_ranking(sim: Simulator, tei: HFTEI) -> None:
    texts = ["sand"] * 40 + ["deep water"] + ["water"] * 40
    reply = await tei.arerank("deep water", texts)
    assert [entry.index for entry in reply.results[:2]] == [40, 41]
    assert sorted(entry.index for entry in reply.results) == list(range(81))
    assert [row["index"] for row in reply.raw] == [entry.index for entry in reply.results]
    assert [entry.score for entry in reply.results] == sorted((entry.score for entry in reply.results), reverse=True)
    assert reply.attempts == 3
    assert reply.usage.input_tokens == sum(len(text.split()) + 2 + 3 for text in texts)


async def test_labels(sim: Simulator) -> None:
    async with backend_at(sim, "classifier") as tei:
        single = await tei.apredict("a good day")
        pair = await tei.apredict(("a good day", "a bad day"))
        two = await tei.apredict(["a good day", "a bad day"])
        many = await tei.apredict(["a good day", ("one", "two")] * 20)
        raw = await tei.apredict("a good day", raw_scores=True)
    assert [label.label for label in single.labels] == ["positive", "negative", "neutral"]
    assert (len(single.rows), len(pair.rows), len(two.rows), len(many.rows)) == (1, 1, 2, 40)
    assert two.rows[0][:2] == single.labels[:2]
    assert two.rows[1][0].label == "negative"
    assert raw.labels[0].score > 1
    sent = [seen.json["inputs"] for seen in sim.requests if seen.path == "/classifier/predict"]
    assert sent[:3] == ["a good day", ["a good day", "a bad day"], [["a good day"], ["a bad day"]]]
    assert sent[3][:2] == [["a good day"], ["one", "two"]]


async def test_similarities(sim: Simulator, tei: HFTEI) -> None:
    reply = await tei.asimilarity(
        "deep water", ["deep water", "cold water", "sand"], truncate=True, prompt_name="query"
    )
    assert reply.scores[0] == 1.0
    assert 1 > reply.scores[1] > reply.scores[2]
    assert sim.requests[-1].json["parameters"] == {"truncate": True, "prompt_name": "query"}
    many = await tei.asimilarity("deep water", ["sand"] * 62 + ["deep water"])
    assert len(many.scores) == 63
    assert many.scores[-1] == 1.0
    sizes = [len(seen.json["inputs"]["sentences"]) for seen in sim.requests if seen.path == "/similarity"]
    assert sorted(sizes) == [1, 3, 31, 31]


async def test_the_openai_side(sim: Simulator, tei: HFTEI) -> None:
    native = await tei.aembed(["sun", "moon"])
    packed = await tei.aopenai_embed(["sun", "moon"])
    plain = await tei.aopenai_embed("sun", encoding_format="float", dimensions=16, user="me")
    assert packed.vectors[0] == pytest.approx(native.vectors[0], abs=1e-6)
    assert packed.usage.input_tokens == native.usage.input_tokens == 6
    assert (packed.model, len(plain.vectors[0])) == ("simulated/tiny-embedder", 16)
    many = await tei.aopenai_embed([f"word{number}" for number in range(40)])
    assert [row["index"] for row in many.raw["data"]] == list(range(40))
    assert many.raw["usage"] == {"prompt_tokens": 120, "total_tokens": 120}
    assert (many.attempts, many.usage.total_tokens, len(many.vectors)) == (2, 120, 40)
    with pytest.raises(errors.InvalidRequestError, match="between 1 and 64") as caught:
        await tei.aopenai_embed("sun", dimensions=65)
    assert (caught.value.code, caught.value.status) == ("Validation", 422)


async def test_tokens_there_and_back(tei: HFTEI) -> None:
    texts = ["Zwölf ☃!", "sand"]
    tokens = await tei.atokenize(texts)
    assert [(token.text, token.start, token.stop) for token in tokens[0][1:-1]] == [
        ("Zwölf", 0, 5),
        (" ☃", 5, 7),
        ("!", 7, 8),
    ]
    assert (tokens[0][0].special, tokens[0][0].start) == (True, None)
    ids = [[token.id for token in row] for row in tokens]
    assert await tei.adecode(ids) == tuple(texts)
    assert await tei.adecode(ids[1]) == ("sand",)
    assert await tei.adecode(ids[1], skip_special_tokens=False) == ("[CLS]sand[SEP]",)
    assert len((await tei.atokenize("sand", add_special_tokens=False))[0]) == 1
    assert await tei.acount_tokens("sand") == TokenCount(3, False, "the server's tokenizer")
    assert len(await tei.atokenize(["a"] * 40)) == 40
    assert len(await tei.adecode([[1]] * 40)) == 40


@pytest.mark.parametrize(
    ("kind", "model_type", "pooling", "labels"),
    [
        ("embedding", "embedding", "mean", {}),
        ("splade", "embedding", "splade", {}),
        ("classifier", "classifier", None, {0: "negative", 1: "positive", 2: "neutral"}),
        ("reranker", "reranker", None, {0: "LABEL_0"}),
    ],
)
async def test_what_the_server_tells(
    sim: Simulator, kind: str, model_type: str, pooling: str | None, labels: dict[int, str]
) -> None:
    async with backend_at(sim, kind) as tei:
        info = await tei.ainfo()
        assert (info.model_type, info.pooling, info.labels) == (model_type, pooling, labels)
        assert (info.max_client_batch_size, info.auto_truncate, info.docker_label) == (32, True, None)
        assert info.raw["tokenization_workers"] == 2
        assert [model.id for model in await tei.amodels()] == ["simulated/tiny-embedder"]
        assert await tei.ahealth() is True
        await tei.atokenize("sand")
        names = {metric.name for metric in await tei.ametrics()}
        assert {"te_request_count", "te_queue_size", "te_request_input_length_bucket"} <= names


async def test_an_old_server_says_less() -> None:
    async with mocked((200, {"model_id": "m", "model_type": "odd", "auto_truncate": None})) as tei:
        info = await tei.ainfo()
    assert (info.model_id, info.model_type, info.served_model_name) == ("m", None, None)
    assert (info.max_client_batch_size, info.auto_truncate, dict(info.labels)) == (None, None, {})


async def test_timings(tei: HFTEI) -> None:
    reply = await tei.aembed("deep water")
    took = timings(reply)
    assert took.total == took.compute == pytest.approx(int(reply.headers["x-total-time"]) / 1000)
    assert took.total == pytest.approx(took.tokenization + took.queue + took.inference)
    assert took.input_characters == 10
    assert timings({"x-total-time": "soon"}) == Timings()


async def test_usage_without_its_header() -> None:
    async with mocked(INFO, (200, [[1.0]] * 4, {"x-compute-tokens": "8"}), (200, [[1.0]] * 4)) as tei:
        reply = await tei.aembed(["word"] * 8)
    assert (reply.usage.input_tokens, reply.usage.total_tokens) == (None, None)


async def test_the_synchronous_twins(sim: Simulator) -> None:
    def work() -> list[object]:
        with backend_at(sim) as tei:
            return [
                len(tei.embed(["sun", "moon"]).vectors),
                len(tei.embed_all("sun").vectors[0]),
                len(tei.embed_sparse("sun").vectors[0]),
                tei.rerank("sun", ["moon", "sun"]).results[0].index,
                tei.predict("good").labels[0].label,
                tei.similarity("sun", ["sun"]).scores,
                len(tei.openai_embed("sun").vectors),
                tei.decode([[token.id for token in tei.tokenize("sun")[0]]]),
                tei.count_tokens("sun").tokens,
                tei.info().version,
                len(tei.models()),
                tei.health(),
                bool(tei.metrics()),
            ]

    assert await asyncio.to_thread(work) == [
        2, 3, 2, 1, "positive", (1.0,), 1, ("sun",), 3, "1.9.3", 1, True, True
    ]  # fmt: skip


async def test_endpoints_are_servers_with_keys_of_their_own(sim: Simulator) -> None:
    async with backend_at(sim, "embedding", api_key="key-one") as tei:
        tei.create_endpoint("ranker", base_url=sim.base_url("hf_tei") + "/reranker", api_key="key-two")
        await tei.aembed("sun")
        ranked: Any = await tei.arerank("sun", ["moon", "sun"], endpoint="ranker")
    assert ranked.results[0].index == 1
    assert [seen.path for seen in sim.requests] == ["/embedding/embed", "/reranker/info", "/reranker/rerank"]
    prints = [seen.key_fingerprint for seen in sim.requests]
    assert prints[0] != prints[1] == prints[2]


async def test_where_the_key_and_the_address_come_from() -> None:
    seen: list[httpx.Request] = []
    for environ in ({"HF_TOKEN": "hf_one"}, {"HUGGING_FACE_HUB_TOKEN": "hf_two"}, {}):
        async with mocked((200, [[1.0]]), seen=seen, environ=environ) as tei:
            await tei.aembed("sun")
    assert [request.headers.get("authorization") for request in seen] == ["Bearer hf_one", "Bearer hf_two", None]
    async with HFTEI(environ={"HF_TEI_BASE_URL": "http://127.0.0.1:3000/"}) as tei:
        assert (tei.base_url, tei.openai_base_url) == ("http://127.0.0.1:3000", "http://127.0.0.1:3000/v1")
