"""Calls that share requests and pass a cache: looked up one by one before they wait, kept one by one afterwards."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from choir import Hall, choir

from backends import errors
from backends.cache import Cache
from backends.resilience.clock import SystemClock
from conformance import subject
from conformance.simulators import Simulator
from conformance.subjects.shared_calls import BATCHED


async def test_what_is_kept_waits_for_nobody_and_the_rest_shares() -> None:
    hall = Hall()
    async with choir(hall, cache="exact") as backend:
        first = await asyncio.gather(*[backend.asing(line) for line in ("a", "bb", "ccc", "dddd")])
        again = await asyncio.gather(*[backend.asing(line) for line in ("bb", "dddd")])
        assert hall.sizes == [4]
        assert [(one.text, one.cached, one.cost, one.attempts) for one in again] == [
            ("C:bb", True, 0.0, 0),
            ("C:dddd", True, 0.0, 0),
        ]
        assert [one.usage for one in again] == [first[1].usage, first[3].usage]
        assert [one.usage.input_tokens for one in first] == [1, 2, 3, 4]
        counted = backend.report()["cache"]
        assert (counted["exact"], counted["misses"], counted["stored"], counted["bypassed"]) == (2, 4, 4, 0)
        assert backend.report()["batching"] == {"wire_calls": 1, "requests": 4, "largest": 4}


async def test_equal_calls_in_flight_are_one_input() -> None:
    hall = Hall()
    async with choir(hall, cache="exact", max_batch_size=2) as backend:
        found = await asyncio.gather(*[backend.asing(line) for line in ("a", "a", "a", "b")])
        assert [one.text for one in found] == ["C:a", "C:a", "C:a", "C:b"]
        assert [one.cached for one in found] == [False, True, True, False]
        assert hall.sizes == [2]


async def test_what_fails_is_not_kept_and_what_shared_with_it_is() -> None:
    hall = Hall()
    async with choir(hall, cache="exact") as backend:
        lines = ("a", "b", "bad", "c")
        found = await asyncio.gather(*[backend.asing(line) for line in lines], return_exceptions=True)
        assert isinstance(found[2], errors.InvalidRequestError)
        assert backend.report()["cache"]["stored"] == 3
        assert [(await backend.asing(line)).cached for line in ("a", "b", "c")] == [True] * 3


async def test_a_share_of_the_counts_outlives_the_process(tmp_path: Path) -> None:
    path = tmp_path / "answers.db"
    async with choir(Hall(), cache=Cache(path=path), max_batch_size=2) as backend:
        first = await asyncio.gather(backend.asing("a"), backend.asing("bbb"))
    hall = Hall()
    async with choir(hall, cache=Cache(path=path), max_batch_size=2) as backend:
        again = await asyncio.gather(backend.asing("a"), backend.asing("bbb"))
    assert (hall.sizes, [one.cached for one in again]) == ([], [True, True])
    assert [one.usage for one in again] == [one.usage for one in first]
    assert again[1].usage.estimated


@dataclass
class Place:
    base_url: str
    random: random.Random = field(default_factory=lambda: random.Random(0))
    clock: SystemClock = field(default_factory=SystemClock)


LEFT_OUT = {("ovms", "infer"), ("hf_tei", "embed_all"), ("hf_tei", "embed_sparse")}
CASES = [(row, name) for row in BATCHED for name in BATCHED[row] if row != "llvm" and (row, name) not in LEFT_OUT]
"""Inferences are never kept, two calls of TEI have the plan of a third; LLVM keeps answers in a cache of its own."""


@pytest.mark.parametrize(("row", "name"), CASES)
async def test_every_part_of_a_shared_answer_can_be_kept(row: str, name: str) -> None:
    case, tried = BATCHED[row][name], subject.load(row)
    texts: list[Any] = ["call-number-0001", ["call-number-0002", "call-number-0003"]]
    async with Simulator([tried.provider or ""]) as sim:
        site = Place(sim.base_url(tried.provider or ""))
        settings = {"cache": Cache(store_sampled=True), "max_batch_size": 3, "batch_timeout": 60.0}
        async with tried.make(site, **settings) as backend:
            first = await asyncio.gather(*[case.run(backend, text) for text in texts])
            again = [await case.run(backend, text) for text in texts]
            assert [one.cached for one in (*first, *again)] == [False, False, True, True]
            assert [case.own(one) for one in again] == [case.own(one) for one in first]
            assert [one.usage for one in again] == [one.usage for one in first]
            assert backend.report()["batching"]["requests"] == 2
