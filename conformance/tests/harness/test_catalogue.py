"""The catalogue: sound, complete for its chapters, and every column and check stands on it."""

from __future__ import annotations

import pytest

from conformance import catalogue, check, saboteurs
from conformance.check import Check
from conformance.columns import COLUMNS
from conformance.requirement import CHAPTERS, Level, Requirement
from conformance.rows import ROWS

# The first catalogue: requirements are added freely and never taken away.
COUNTS = {
    "KEY": 12,
    "QUE": 14,
    "BAK": 11,
    "BRK": 10,
    "TRK": 8,
    "BAT": 7,
    "STR": 10,
    "ERR": 7,
    "SEC": 6,
    "CAP": 4,
    "REAL": 4,
    "LIFE": 4,
}


def test_lint_finds_nothing() -> None:
    """Unique, in order, sourced; no check, saboteur or excuse without its requirement."""
    assert catalogue.lint() == []


def test_every_chapter_is_there_without_a_gap() -> None:
    for chapter in CHAPTERS:
        ids = [requirement.id for requirement in catalogue.load() if requirement.chapter == chapter]
        assert ids == [f"{chapter}-{number:02}" for number in range(1, len(ids) + 1)]
        assert len(ids) >= COUNTS[chapter]


def test_columns_name_requirements_that_exist_and_none_twice() -> None:
    known = {requirement.id for requirement in catalogue.load()}
    named = [name for column in COLUMNS for name in column.requirements]
    assert set(named) <= known
    assert len(named) == len(set(named))


def test_rows_are_the_twelve() -> None:
    expected = "claude gemini groq hf_tei hf_tgi llvm ollama openai opea ovms s3_kit vllm"
    assert " ".join(row.name for row in ROWS) == expected


def test_lint_sees_an_orphan(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(trial: object) -> None:
        del trial

    check.load()
    saboteurs.load()
    monkeypatch.setitem(check._registry, ("KEY-99", "simulated"), Check("KEY-99", nothing))
    monkeypatch.setitem(
        saboteurs._registry,
        "QUE-99-x",
        saboteurs.Saboteur("QUE-99-x", "QUE-99", "sin", lambda backend: None, None, ("opnai",)),
    )
    assert catalogue.lint() == [
        "KEY-99 has a check but no requirement",
        "saboteur QUE-99-x breaks QUE-99, which is no requirement",
        "saboteur QUE-99-x: no subject is called 'opnai'",
    ]


def test_a_requirement_cannot_be_judged_twice() -> None:
    async def other(trial: object) -> None:
        del trial

    check.load(["REAL"])
    with pytest.raises(ValueError, match="judged twice"):
        check.check("REAL-01")(other)


@pytest.mark.parametrize(("field", "value"), [("id", "brk-1"), ("id", "BRK-001"), ("clause", " "), ("source", "")])
def test_a_requirement_is_checked_when_it_is_made(field: str, value: str) -> None:
    good = {"id": "BRK-01", "level": Level.MUST, "clause": "It holds.", "source": "somewhere"}
    with pytest.raises(ValueError, match=value.strip() or "has no"):
        Requirement(**{**good, field: value})  # type: ignore[arg-type]


def test_applies_to_needs_every_tag() -> None:
    requirement = Requirement("STR-05", Level.MUST, "c", "s", applies_to=frozenset({"stream", "usage"}))
    assert requirement.concerns(frozenset({"stream", "usage", "http"}))
    assert not requirement.concerns(frozenset({"stream"}))
