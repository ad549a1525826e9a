"""The cache itself: its arguments, its file, forgetting."""

from __future__ import annotations

import logging
import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest

from backends import HFTEI, LLVM, OpenAI, S3Kit
from backends.cache import Cache, Entry
from backends.errors import ConfigurationError

BAD: dict[str, tuple[Any, ...]] = {
    "threshold": (-0.1, 1.1, "0.5", True, float("nan")),
    "embedder": ("text-embedding-3-small", 5, object()),
    "max_entries": (0, -1, 1.5, True),
    "max_bytes": (0, -1, "1"),
    "ttl": (0, -1, "1", float("nan")),
    "path": (5, b"x"),
    "store_sampled": (1, None),
    "tenant": (5,),
    "gate": ("strict", 5, None),
    "embedder_timeout": (0, -1, "1"),
}


def entry(key: str, **facts: Any) -> Entry:
    usual = {
        "scope": "s",
        "operation": "chat",
        "model": "m",
        "tenant": None,
        "text": key,
        "status": 200,
        "headers": (("a", "b"),),
    }
    return Entry(**{"key": key, "content": b"{}", **usual, **facts})


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD.items() for value in values])
def test_a_wrong_argument_is_named(name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"Cache: {name} must be"):
        Cache(**{name: value})


@pytest.mark.parametrize("kind", [LLVM, S3Kit])
def test_where_nothing_would_be_kept_a_cache_is_refused(kind: Any) -> None:
    with kind() as backend, pytest.raises(ConfigurationError, match="cache"):
        backend.create_endpoint("one", cache="exact")


def test_an_endpoint_may_have_another_cache_than_its_backend_or_none() -> None:
    mine = Cache()
    with HFTEI(base_url="http://127.0.0.1:9", cache="exact") as backend:
        backend.create_endpoint("none", cache=None)
        backend.create_endpoint("mine", cache=mine)
        assert backend.cache("none") is None
        assert backend.cache("mine") is mine
        assert backend.cache() is backend.cache() is not mine
    with OpenAI(api_key="sk-x") as plain:
        assert plain.cache() is None


def test_forgetting_needs_a_condition() -> None:
    cache = Cache()
    with pytest.raises(ConfigurationError, match="clear"):
        cache.invalidate()
    for key, facts in {"a": {"model": "x"}, "b": {"tenant": "t"}, "c": {"operation": "embed"}}.items():
        cache.put(entry(key, **facts), 0.0)
    assert cache.invalidate(model="x") == 1
    assert cache.invalidate(lambda one: one.operation == "embed", tenant="t") == 0
    assert cache.invalidate(operation="embed") == 1
    assert cache.statistics().entries == 1
    assert cache.clear() == 1


def test_what_is_larger_than_the_cache_is_not_kept() -> None:
    assert Cache(max_bytes=600).put(entry("a", content=b"x" * 1000), 0.0) == (False, 0)


def test_a_file_is_private_and_follows_the_store(tmp_path: Path) -> None:
    path = tmp_path / "answers.db"
    cache = Cache(path=path, max_entries=2, ttl=10.0)
    assert not path.exists()
    for key in "abc":
        cache.put(entry(key), 5.0)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = Cache(path=path)
    assert again.get("a", 6.0) is None
    found = again.get("b", 6.0)
    assert found is not None
    assert (found.content, found.headers, found.expires) == (b"{}", (("a", "b"),), 15.0)
    assert again.get("c", 15.0) is None
    assert Cache(path=path).clear() == 1
    assert Cache(path=path).statistics().entries == 0


@pytest.mark.parametrize("damage", ["bytes", "rows", "locked", "folder"])
def test_a_bad_file_is_a_warning_and_a_miss(damage: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "answers.db"
    Cache(path=path).put(entry("a"), 0.0)
    holder = sqlite3.connect(path)
    if damage == "bytes":
        path.write_bytes(b"no database" * 1000)
    elif damage == "rows":
        holder.execute("UPDATE answers_1 SET content = 5")
        holder.commit()
    elif damage == "locked":
        holder.execute("BEGIN EXCLUSIVE")
    else:
        path.unlink()
        path.mkdir()
    cache = Cache(path=path)
    with caplog.at_level(logging.WARNING, "backends.cache"):
        assert cache.get("a", 0.0) is None
        assert cache.put(entry("b"), 0.0)[0]
    holder.close()
    assert cache.get("b", 0.0) is not None
    assert cache.statistics().file_failures > 0
    assert "going on without it" in caplog.text
