"""Graphs of large scopes: the same answers as comparing all, kept in step, kept in the file, never a crash or a failure."""

from __future__ import annotations

import gc
import logging
import os
import random
import sqlite3
import sys
import threading
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from usearch import index as engine

from backends.cache import Cache, Entry
from backends.cache.file import CacheFile
from backends.cache.graph import GraphIndex, index_in_memory
from backends.cache.graphfile import GraphFile
from backends.cache.index import MemoryIndex, unit
from backends.cache.neighbours import Neighbours, Unusable

LARGE = 20


@lru_cache
def vectors(number: int, dimensions: int = 16, seed: int = 3) -> tuple[bytes, ...]:
    chance = numpy.random.default_rng(seed)
    return tuple(unit(row) for row in chance.standard_normal((number, dimensions)).tolist())


def filled(kept: Any = None, number: int = 200, dimensions: int = 16) -> GraphIndex:
    index = GraphIndex(numpy, engine, kept, LARGE)
    for place, vector in enumerate(vectors(number, dimensions)):
        index.add("scope", str(place), vector)
    index.settle()
    return index


def graph_of(index: Any, scope: str = "scope") -> Neighbours | None:
    return index._scopes[scope].graph  # type: ignore[no-any-return]


def is_in_step(index: Any) -> bool:
    scope = index._scopes["scope"]
    return bool(scope.graph.labels() == set(scope._named) | scope._gone and not scope._gone & set(scope._named))


def keys(found: list[tuple[float, str]]) -> list[str]:
    return [key for _, key in found]


# -- what it finds -----------------------------------------------------------------------------------------------------


def test_it_finds_what_comparing_all_finds_with_the_exact_cosine() -> None:
    index, exact = filled(), MemoryIndex(numpy)
    assert graph_of(index) is not None
    for place, vector in enumerate(vectors(200)):
        exact.add("scope", str(place), vector)
    looked_for = seen = 0
    for asked in vectors(60, seed=4):
        found, all_of_them = (one.nearest("scope", asked, 0.4, 10) for one in (index, exact))
        scores = {key: score for score, key in exact.nearest("scope", asked, 0.4, 200)}
        assert [score for score, _ in found] == pytest.approx([scores[key] for key in keys(found)], abs=1e-6)
        assert [score for score, _ in found] == sorted((score for score, _ in found), reverse=True)
        looked_for, seen = looked_for + len(all_of_them), seen + len({*keys(found)} & {*keys(all_of_them)})
    assert seen >= 0.98 * looked_for


def test_a_vector_is_as_like_itself_as_can_be_and_scopes_do_not_mix() -> None:
    index = filled()
    for place, vector in enumerate(vectors(LARGE, seed=9)):
        index.add("other", f"other {place}", vector)
    index.settle()
    assert graph_of(index, "other") is not None
    for place, vector in enumerate(vectors(200)):
        assert keys(index.nearest("scope", vector, 1.0, 5)) == [str(place)]
        assert all(key.startswith("other") for key in keys(index.nearest("other", vector, -1.0, 5)))
    assert index.nearest("a third", vectors(1)[0], 0.0, 5) == []


def test_a_small_scope_has_no_graph_and_starts_no_thread() -> None:
    index = filled(number=LARGE - 1)
    assert graph_of(index) is None
    assert index._worker is None


def test_another_dimension_is_refused_by_name() -> None:
    index = filled()
    for refused in (lambda: index.add("new", "b", unit([1.0])), lambda: index.nearest("scope", unit([1.0]), 0.5, 1)):
        with pytest.raises(ValueError, match="1 dimensions, those in the cache have 16"):
            refused()


MOVES = st.lists(st.tuples(st.booleans(), st.integers(0, 30), st.integers(0, 59)), max_size=60)


@settings(max_examples=15, deadline=None)
@given(before=MOVES, during=MOVES, after=MOVES)
def test_it_stays_in_step_before_while_and_after_its_graph_is_built(before: Any, during: Any, after: Any) -> None:
    pool = vectors(60)
    index, exact = GraphIndex(numpy, engine, None, LARGE), MemoryIndex(numpy)

    def move(moves: Any) -> None:
        for adds, key, place in moves:
            for one in (index, exact):
                one.add("scope", str(key), pool[place]) if adds else one.remove("scope", str(key))

    for place in range(LARGE):
        move([(True, 100 + place, place)])
    move(before)
    index._step_taken = lambda: move(during.pop(0) for _ in range(min(3, len(during))))  # type: ignore[method-assign]
    index.settle()
    assert graph_of(index) is not None
    move([*during, *after])
    for asked in pool[:10]:
        found, expected = (sorted(one.nearest("scope", asked, 0.2, 100)) for one in (index, exact))
        assert [key for _, key in found] == [key for _, key in expected]
    assert is_in_step(index)


def test_a_scope_of_which_all_was_replaced_is_still_found_in() -> None:
    index = filled(number=200)
    fresh = vectors(200, seed=8)
    for place, vector in enumerate(fresh):
        index.remove("scope", str(place))
        index.add("scope", f"new {place}", vector)
    assert index._scopes["scope"].gone == 200

    def found() -> int:
        return sum(keys(index.nearest("scope", vector, 0.99, 5)) == [f"new {at}"] for at, vector in enumerate(fresh))

    assert found() >= 190
    index.settle()
    assert index._scopes["scope"].gone == 0
    assert found() >= 198


def test_the_few_of_which_many_are_gone_are_all_compared() -> None:
    index = filled(number=80)
    for place in range(75):
        index.remove("scope", str(place))
    assert [keys(index.nearest("scope", vectors(80)[place], 0.99, 5)) for place in range(75, 80)] == [
        [str(place)] for place in range(75, 80)
    ]


# -- in the file -------------------------------------------------------------------------------------------------------


class Memory(dict[str, Any]):
    """Keeps graphs, and counts."""

    def read(self, scope: str) -> bytes | None:
        return self.get(scope)

    def write(self, scope: str, content: bytes | None) -> None:
        self[scope] = content


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    added: list[int] = []
    add = Neighbours.add

    def counting(self: Neighbours, labels: Any, contents: Any) -> None:
        added.extend(labels)
        add(self, labels, contents)

    monkeypatch.setattr(Neighbours, "add", counting)
    return added


def test_a_graph_that_was_kept_is_brought_into_step_not_built_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Memory()
    filled(kept).close()
    added = counted(monkeypatch)
    index = GraphIndex(numpy, engine, kept, LARGE)
    for place, vector in list(enumerate(vectors(210)))[10:]:  # ten left, ten are new
        index.add("scope", str(place), vector)
    index.settle()
    assert len(added) == 10
    assert is_in_step(index)
    assert keys(index.nearest("scope", vectors(210)[205], 0.99, 2)) == ["205"]


def test_it_is_saved_when_much_changed_and_at_the_end_and_forgotten_with_its_scope() -> None:
    kept = Memory()
    index = filled(kept)
    first = kept["scope"]
    index.add("scope", "one more", vectors(1, seed=5)[0])
    index.close()
    assert kept["scope"] is first  # not for one in 200
    index = filled(kept)
    for place, vector in enumerate(vectors(30, seed=5)):
        index.add("scope", f"more {place}", vector)
    index.settle()
    assert kept["scope"] is not first
    for key in list(index._scopes["scope"].keys):
        index.remove("scope", key)
    index.settle()
    assert kept["scope"] is None


def entry(place: int, vector: bytes) -> Entry:
    return Entry(f"key {place}", "scope", "chat", "m", None, f"text {place}", 200, (), b"{}", vector=vector)


async def embed(text: str) -> list[float]:
    raise AssertionError("no text is embedded here")


def cache_at(path: Path) -> Cache:
    return Cache(0.8, embed, path=path)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GraphIndex.__init__, "__defaults__", (None, LARGE))


@pytest.fixture
def path(tmp_path: Path, small: None) -> Path:
    """A file with sixty answers and their graph."""
    path = tmp_path / "answers.db"
    cache = cache_at(path)
    for place, vector in enumerate(vectors(60)):
        cache.put(entry(place, vector), 0.0)
    cache.settle()
    cache._index.close()  # type: ignore[union-attr]
    return path


async def found_in(path: Path) -> tuple[Cache, bool]:
    cache = cache_at(path)
    cache.settle()
    found, _ = await cache.alike("scope", "text 7", vectors(60)[7], 0.0)
    return cache, found is not None and found.text == "text 7"


async def test_a_cache_finds_its_graph_in_its_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    added = counted(monkeypatch)
    cache, found = await found_in(path)
    assert found
    assert added == []
    assert graph_of(cache._index) is not None


def spoiled(damage: str, path: Path) -> None:
    with sqlite3.connect(path) as connection:
        content = b"".join(row[0] for row in connection.execute("SELECT content FROM graph_parts_1"))
        if damage == "truncated":
            connection.execute("UPDATE graph_parts_1 SET content = ?", (content[: len(content) // 2],))
        elif damage == "flipped":
            middle = len(content) // 2
            flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
            connection.execute("UPDATE graph_parts_1 SET content = ?", (flipped,))
        elif damage == "text":
            connection.execute("UPDATE graph_parts_1 SET content = 'text'")
        elif damage == "digest":
            connection.execute("UPDATE graphs_1 SET digest = NULL")
        elif damage == "columns":
            connection.execute("DROP TABLE graph_parts_1")
            connection.execute("CREATE TABLE graph_parts_1 (other)")
    connection.close()
    if damage in ("version", "dimension", "nonsense"):
        other = {
            "version": content.replace(b"neighbours-1", b"neighbours-0"),
            "dimension": Neighbours(engine, numpy, 7).dumped(),
            "nonsense": content[: content.index(b"\n") + 1] + b"no graph",
        }
        GraphFile(CacheFile(path)).write("scope", other[damage])


@pytest.mark.parametrize(
    "damage", ["truncated", "flipped", "text", "digest", "columns", "version", "dimension", "nonsense"]
)
async def test_a_spoiled_graph_is_a_warning_and_built_anew(
    damage: str, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spoiled(damage, path)
    with caplog.at_level(logging.WARNING, "backends.cache"):
        cache, found = await found_in(path)
    assert found
    assert graph_of(cache._index) is not None
    assert "cache file" in caplog.text
    if damage != "columns":
        caplog.clear()
        assert (await found_in(path))[1]
        assert not caplog.records


def test_bytes_that_native_code_refuses_are_unusable() -> None:
    whole = filled()._scopes["scope"].graph.dumped()  # type: ignore[attr-defined]
    with pytest.raises(Unusable):
        Neighbours.restored(engine, numpy, 16, whole[: whole.index(b"\n") + 1] + b"usearch")
    assert len(Neighbours.restored(engine, numpy, 16, whole).labels()) == 200


async def test_a_locked_file_costs_the_graph_only(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    holder = sqlite3.connect(path)
    cache = cache_at(path)
    cache.settle()
    holder.execute("BEGIN EXCLUSIVE")
    cache._index._save("scope")  # type: ignore[union-attr]
    cache._index._scopes["scope"].changed = 60  # type: ignore[union-attr]
    cache._index._save("scope")  # type: ignore[union-attr]
    holder.close()
    assert cache.statistics().file_failures == 1
    assert (await found_in(path))[1]


# -- failures, forks, threads ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["add", "nearest"])
def test_a_graph_that_fails_is_given_up_and_all_is_compared(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    index = filled()

    def fails(*_: Any) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(Neighbours, step, fails)
    index.add("scope", "0", vectors(1, seed=5)[0])
    assert keys(index.nearest("scope", vectors(1, seed=5)[0], 0.99, 2)) == ["0"]
    assert graph_of(index) is None
    index.settle()
    assert index._worker is None


def test_a_graph_that_cannot_be_built_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: Any) -> None:
        raise MemoryError("none left")

    monkeypatch.setattr(Neighbours, "add", fails)
    index = filled()
    assert "searched without: none left" in caplog.text
    assert keys(index.nearest("scope", vectors(8)[7], 0.99, 2)) == ["7"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
@pytest.mark.parametrize("within", [False, True], ids=["at rest", "while a thread is within"])
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_fork_goes_on_with_its_own(within: bool) -> None:
    index = filled()
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with index._lock:
            entered.set()
            leave.wait()

    holder = threading.Thread(target=hold)
    if within:
        holder.start()
        entered.wait()
    child = os.fork()
    if not child:
        code = 1
        try:
            right = keys(index.nearest("scope", vectors(8)[7], 0.99, 2)) == ["7"]
            right &= (graph_of(index) is None) is within
            index.add("scope", "new", vectors(1, seed=5)[0])
            index.settle()
            right &= graph_of(index) is not None
            right &= keys(index.nearest("scope", vectors(1, seed=5)[0], 0.99, 2)) == ["new"]
            code = 0 if right else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    leave.set()
    if within:
        holder.join()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_fork_waits_until_no_graph_is_being_written(tmp_path: Path) -> None:
    file = GraphFile(CacheFile(tmp_path / "answers.db"))
    ended = threading.Event()

    def writes() -> None:
        while not ended.is_set():
            file.write("scope", b"a graph" * 100)

    writer = threading.Thread(target=writes)
    writer.start()
    for _ in range(3):
        child = os.fork()
        if not child:
            other = GraphFile(CacheFile(tmp_path / "other.db"))
            other.write("scope", b"mine")
            os._exit(0 if other.read("scope") == b"mine" else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    ended.set()
    writer.join()
    assert file.read("scope") == b"a graph" * 100


def test_where_no_thread_is_to_be_had_all_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: Any) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", fails)
    index = filled()
    index.tend()
    assert index._worker is None
    assert keys(index.nearest("scope", vectors(8)[7], 0.99, 2)) == ["7"]


def test_threads_may_add_remove_and_search_while_it_is_built() -> None:
    index = GraphIndex(numpy, engine, Memory(), LARGE)
    pool, problems = vectors(100), []

    def works(number: int) -> None:
        chance = random.Random(number)
        try:
            for _ in range(150):
                place = chance.randrange(100)
                index.add("scope", f"{place} of {number}", pool[place])
                index.tend()
                if f"{place} of {number}" not in keys(index.nearest("scope", pool[place], 0.99, 8)):
                    problems.append(place)
                if place % 3 == 0:
                    index.remove("scope", f"{place} of {number}")
        except Exception as problem:
            problems.append(problem)

    workers = [threading.Thread(target=works, args=(number,)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    index.settle()
    assert problems == []
    assert is_in_step(index)


def test_an_index_that_is_closed_while_it_is_built_stops_and_still_works(monkeypatch: pytest.MonkeyPatch) -> None:
    index = GraphIndex(numpy, engine, Memory(), LARGE)
    begun = threading.Event()
    monkeypatch.setattr(index, "_step_taken", lambda: (begun.set(), index.close()))
    for place, vector in enumerate(vectors(300)):
        index.add("scope", str(place), vector)
    index.settle()
    assert begun.is_set()
    assert graph_of(index) is None
    assert keys(index.nearest("scope", vectors(8)[7], 0.99, 2)) == ["7"]


def test_a_cache_that_is_gone_saves_its_graph(path: Path) -> None:
    cache = cache_at(path)
    cache.settle()
    for place, vector in enumerate(vectors(5, seed=5)):
        cache.put(entry(100 + place, vector), 0.0)
    before = GraphFile(CacheFile(path)).read("scope")
    del cache
    gc.collect()  # its store knows it
    after = GraphFile(CacheFile(path)).read("scope")
    assert before is not None
    assert after is not None
    assert len(after) > len(before)


@pytest.mark.parametrize("missing", ["usearch.index", "numpy"])
def test_without_a_package_all_is_compared(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(index_in_memory(None), GraphIndex)
    monkeypatch.setitem(sys.modules, missing, None)
    index = index_in_memory(None)
    assert type(index) is MemoryIndex
    assert (index._numeric is None) is (missing == "numpy")
