"""What one analysis remembers of another changes the cost, never the verdict."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.reality import _judged, looks
from conformance.reality.engine import Engine
from conformance.reality.library import Library, Shelf, reach
from conformance.reality.source import Source, read

_BASE = """
import httpx

class Base:
    def __init__(self, work):
        self._work = work

    def ask(self, text):
        return self.read(self._work(text))

    def read(self, answer):
        return answer

class Http(Base):
    def __init__(self):
        super().__init__(httpx.Client().post)
"""
_HONEST = """
from together.base import Http

class Honest(Http):
    def chat(self, text):
        return self.ask(text)
"""
_LYING = """
from together.base import Base

class Lying(Base):
    def __init__(self):
        super().__init__(lambda text: "Hello!")

    def chat(self, text):
        return self.ask(text)
"""
_DEAF = """
from together.base import Http

class Deaf(Http):
    def chat(self, text):
        return self.ask(text)

    def read(self, answer):
        return "Hello!"
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "together"
    folder.mkdir()
    for name, text in (("__init__", ""), ("base", _BASE), ("honest", _HONEST), ("lying", _LYING), ("deaf", _DEAF)):
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    return folder


def _kinds(package: Path, name: str, shelf: Shelf | None) -> dict[str, str]:
    source = read(package / f"{name}.py", f"{name}.py", shelf.trees if shelf is not None else None)
    assert isinstance(source, Source)
    library = shelf.library(*reach([source])) if shelf is not None else Library(*reach([source]))
    found = _judged(library, [source], (), None)
    return {verdict.name: verdict.kind for verdict in found.classes}


@pytest.mark.parametrize(
    "order", [("honest", "lying", "deaf"), ("lying", "deaf", "honest"), ("deaf", "honest", "lying")]
)
def test_a_liar_beside_an_honest_one_is_found_in_any_order(package: Path, order: tuple[str, ...]) -> None:
    shelf = Shelf()
    expected = {"honest": {"Honest": "real"}, "lying": {"Lying": "mock"}, "deaf": {"Deaf": "mock"}}
    for name in order:
        assert _kinds(package, name, shelf) == expected[name] == _kinds(package, name, None)


def test_what_was_looked_at_is_not_looked_at_again(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf, looked_at = Shelf(), []
    look = Engine.look

    def noted(engine: Engine, key: looks.Key, written: dict[object, looks.Value]) -> looks.Summary:
        looked_at.append(f"{key.function.module.name} {key.function.name}")
        return look(engine, key, written)

    monkeypatch.setattr(Engine, "look", noted)
    _kinds(package, "honest", shelf)
    assert "together.base ask" in looked_at
    looked_at.clear()
    _kinds(package, "honest", shelf)
    assert looked_at == []
    _kinds(package, "lying", shelf)
    assert "together.base ask" in looked_at  # it does something else there


def test_a_file_that_changed_is_read_anew(package: Path) -> None:
    shelf = Shelf()
    assert _kinds(package, "honest", shelf) == {"Honest": "real"}
    text = _HONEST.replace("return self.ask(text)", "return 'Hello!'")
    (package / "honest.py").write_text(text, encoding="utf-8")
    assert _kinds(package, "honest", shelf) == {"Honest": "partial"}
