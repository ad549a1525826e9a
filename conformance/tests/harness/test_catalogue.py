"""The catalogue: sound, complete for its chapters, and every column and check stands on it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance import catalogue, check, lint, saboteurs, subject
from conformance.baseline.known import KnownFailure
from conformance.check import Check
from conformance.columns import COLUMNS
from conformance.requirement import CHAPTERS, Level, Requirement
from conformance.requirements import life
from conformance.rows import ROWS

from .parrot import PARROT

# The first catalogue: requirements are added freely and never taken away.
COUNTS = {
    "KEY": 18,
    "QUE": 15,
    "LIM": 5,
    "BAK": 11,
    "BRK": 10,
    "TRK": 11,
    "CAC": 9,
    "BAT": 7,
    "STR": 10,
    "ERR": 7,
    "FLT": 9,
    "SEC": 12,
    "EDG": 5,
    "CAP": 4,
    "REAL": 4,
    "LIFE": 5,
}


def test_lint_finds_nothing() -> None:
    """Unique, in order, checked or said to be unchecked; no check, saboteur or excuse without its requirement."""
    assert lint.lint() == []


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
        """It does nothing."""

    check.load()
    saboteurs.load()
    monkeypatch.setitem(check._registry, ("KEY-99", "simulated"), Check("KEY-99", nothing))
    monkeypatch.setitem(
        saboteurs._registry,
        "QUE-99-x",
        saboteurs.Saboteur("QUE-99-x", "QUE-99", "sin", lambda backend: None, None, ("opnai",)),
    )
    assert lint.lint() == [
        "KEY-99 has a check but no requirement",
        "saboteur QUE-99-x breaks QUE-99, which is no requirement",
        "saboteur QUE-99-x: no subject is called 'opnai'",
    ]


def test_lint_sees_what_is_said_of_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    async def mute(trial: object) -> None:
        del trial

    check.load()
    said = tuple(replace(entry, unchecked="later" if entry.id == "TRK-08" else "") for entry in catalogue.load())
    monkeypatch.setattr(catalogue, "load", lambda: said)
    monkeypatch.setitem(check._registry, ("TRK-08", "simulated"), Check("TRK-08", mute))
    monkeypatch.delitem(check._registry, ("QUE-03", "simulated"))
    name = f"{mute.__module__}.{mute.__qualname__}"
    assert lint.lint() == [
        "QUE-03 has no check and does not say why",
        "TRK-08 has a check and says that it has none",
        f"TRK-08: the docstring of {name} is no sentence that says its clause",
    ]


def test_lint_sees_a_saboteur_without_a_sin(monkeypatch: pytest.MonkeyPatch) -> None:
    saboteurs.load()
    silent = saboteurs.Saboteur("QUE-03-silent", "QUE-03", " ", lambda backend: None)
    monkeypatch.setitem(saboteurs._registry, silent.name, silent)
    assert lint.lint() == ["saboteur QUE-03-silent does not say what it does wrong"]


def test_lint_sees_ids_out_of_place(monkeypatch: pytest.MonkeyPatch) -> None:
    misplaced = Requirement("KEY-01", Level.MUST, "It holds.", "a test")
    monkeypatch.setattr(life, "REQUIREMENTS", (misplaced, *life.REQUIREMENTS))
    assert lint.lint() == ["KEY-01 is defined twice", "KEY-01 stands in requirements/life.py"]
    monkeypatch.setattr(life, "REQUIREMENTS", life.REQUIREMENTS[:1:-1])
    assert "LIFE-03 stands after LIFE-04" in lint.lint()


def test_lint_sees_declarations_of_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    lost = KnownFailure("openai", "QUE-99", "a reason", "issue 1")
    monkeypatch.setattr(lint, "known_failures", lambda: {("openai", "QUE-99"): lost})
    monkeypatch.setattr(subject, "built", lambda: ("openai",))
    monkeypatch.setattr(subject, "load", lambda name: replace(PARROT, not_applicable={"QUE-98": "a reason"}))
    assert lint.lint() == [
        "subject openai excuses itself from QUE-98, which is no requirement",
        "known failure openai QUE-99: there is no such backend or requirement",
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


def test_what_is_asked_cannot_say_why_it_is_not() -> None:
    good = {"id": "BRK-01", "level": Level.MUST, "clause": "It holds.", "source": "somewhere"}
    with pytest.raises(ValueError, match="BRK-01 is black-box and says why it is not asked"):
        Requirement(**good, black_box=True, unasked="it takes a minute")  # type: ignore[arg-type]


def test_applies_to_needs_every_tag() -> None:
    requirement = Requirement("STR-05", Level.MUST, "c", "s", applies_to=frozenset({"stream", "usage"}))
    assert requirement.concerns(frozenset({"stream", "usage", "http"}))
    assert not requirement.concerns(frozenset({"stream"}))
