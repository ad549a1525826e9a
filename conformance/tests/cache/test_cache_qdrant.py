"""The index on a server, with the client's own in-process mode and with servers that are broken: misses, never errors."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from qdrant_client import QdrantClient, models

from backends import OpenAI
from backends.cache import Cache
from backends.cache.index import unit
from backends.cache.qdrant import QdrantIndex
from backends.errors import ConfigurationError
from conformance.checks.toy_embedder import bag_of_words

EAST, NORTH, NEAR_EAST = unit([1.0, 0.0]), unit([0.0, 1.0]), unit([1.0, 0.2])
ANSWER = {"id": "1", "model": "m", "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}}]}


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def client() -> Iterator[QdrantClient]:
    made = QdrantClient(":memory:")
    yield made
    made.close()


def filled(index: QdrantIndex) -> QdrantIndex:
    for scope, key, vector in (("s", "east", EAST), ("s", "north", NORTH), ("t", "other", EAST)):
        index.add(scope, key, vector)
    index.flush()
    return index


def keys(index: QdrantIndex, vector: bytes = EAST, least: float = 0.5) -> list[str]:
    return [key for _, key in index.nearest("s", vector, least, 5)]


def test_it_finds_the_likest_of_its_scope(client: QdrantClient) -> None:
    index = filled(QdrantIndex(client, "me"))
    assert keys(index) == ["east"]
    assert keys(index, NEAR_EAST, 0.1) == ["east", "north"]
    assert keys(index, least=1.0) == ["east"]
    index.remove("s", "east")
    index.flush()
    assert keys(index) == []
    assert index.failures == 0


def test_owners_of_one_collection_see_nothing_of_each_other(client: QdrantClient) -> None:
    mine, other = filled(QdrantIndex(client, "me")), QdrantIndex(client, "other")
    assert keys(other) == []
    other.add("s", "east", EAST)
    other.remove("s", "east")
    other.flush()
    assert keys(mine) == ["east"]


async def ask(index: Any, *texts: str) -> list[bool]:
    async def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=ANSWER)

    cache = Cache(0.6, bag_of_words, index=index)
    async with OpenAI(api_key="sk-x", transport=httpx.MockTransport(answer), max_retries=0, cache=cache) as backend:
        found = []
        for text in texts:
            found.append((await backend.achat([{"role": "user", "content": text}])).cached)
            index.flush()
        return found


QUESTION, REWORDED = "How do I reset my password?", "How can I reset my password"


async def test_a_cache_searches_there(client: QdrantClient) -> None:
    assert await ask(QdrantIndex(client, "me"), QUESTION, REWORDED) == [False, True]


async def test_vectors_of_an_earlier_process_are_removed_when_they_are_met(client: QdrantClient) -> None:
    await ask(QdrantIndex(client, "me"), QUESTION)
    (stale,) = client.scroll("backends-cache")[0]
    assert await ask(QdrantIndex(client, "me"), REWORDED) == [False]
    (fresh,) = client.scroll("backends-cache")[0]
    assert stale.payload["key"] != fresh.payload["key"]


@pytest.mark.parametrize("damage", ["dimension", "unreachable", "nonsense"])
async def test_a_broken_server_is_one_warning_and_misses(
    damage: str, client: QdrantClient, caplog: pytest.LogCaptureFixture
) -> None:
    if damage == "dimension":
        client.create_collection(
            "backends-cache", vectors_config=models.VectorParams(size=3, distance=models.Distance.COSINE)
        )
    elif damage == "unreachable":
        client = QdrantClient(url="http://127.0.0.1:9", timeout=1, check_compatibility=False)
    else:
        client.query_points = lambda *arguments, **options: "nonsense"
    clock = Clock()
    index = QdrantIndex(client, "me", clock=clock)
    with caplog.at_level(logging.WARNING, "backends.cache"):
        for question, reworded in ((QUESTION, REWORDED), ("Where is it?", "Where is it")):
            assert await ask(index, question, reworded, question) == [False, False, True]
            clock.now += 60.0
    assert index.failures > 1
    assert caplog.text.count("The index of the cache failed") == 1


def test_damaged_points_are_passed_over(client: QdrantClient, caplog: pytest.LogCaptureFixture) -> None:
    index = filled(QdrantIndex(client, "me"))
    for number, payload in enumerate(({}, {"key": 5}, {"key": None})):
        facts = {"owner": "me", "scope": "s", **payload}
        client.upsert("backends-cache", [models.PointStruct(id=number, vector=[1.0, 0.0], payload=facts)])
    assert keys(index) == ["east"]
    assert index.failures == 1
    assert "3 of 4 points" in caplog.text


def test_a_server_that_failed_is_left_alone_for_a_while(client: QdrantClient) -> None:
    clock, asked = Clock(), []
    index = filled(QdrantIndex(client, "me", clock=clock))
    search = client.query_points

    def failing(*arguments: Any, **options: Any) -> Any:
        asked.append(clock.now)
        raise ConnectionError("gone")

    client.query_points = failing
    assert [keys(index), keys(index)] == [[], []]
    assert asked == [0.0]
    client.query_points = search
    clock.now = 5.0
    assert keys(index) == ["east"]


def test_a_server_that_hangs_fills_no_memory(client: QdrantClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backends.cache.qdrant._MOST_WAITING", 0)
    index = QdrantIndex(client, "me")
    index.add("s", "k", EAST)
    assert index.failures == 1


@pytest.mark.parametrize(("arguments", "name"), [(("me", ""), "collection"), (("", "c"), "owner"), ((5, "c"), "owner")])
def test_a_wrong_argument_is_named(client: QdrantClient, arguments: Any, name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"QdrantIndex: {name} must be"):
        QdrantIndex(client, arguments[0], collection=arguments[1])


def test_what_is_no_client_is_refused_and_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="client must be a QdrantClient"):
        QdrantIndex("http://127.0.0.1:6333", "me")
    monkeypatch.setitem(sys.modules, "qdrant_client.models", None)
    with pytest.raises(ConfigurationError, match=r"backends-conformance\[qdrant\]"):
        QdrantIndex(object(), "me")
