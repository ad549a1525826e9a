"""Contract versions: what is frozen stays scored and may not change; what is added waits for the next version."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from conformance import catalogue, frozen
from conformance.frozen import Contract, FreezeError, FrozenClause, freeze
from conformance.requirement import Level, Requirement

FIRST = Requirement("KEY-01", Level.MUST, "It holds.", "a test")
SECOND = Requirement("KEY-02", Level.SHOULD, "It holds, too.", "a test")
# The requirements that were there when the first version was frozen.
FIRST_COUNT = 144


def test_every_requirement_of_the_first_version_is_still_scored() -> None:
    first = frozen.versions()[0]
    assert first.version == "2026.11"
    assert len(first.clauses) == FIRST_COUNT
    assert set(first.clauses) <= set(frozen.contract().clauses)


def test_nothing_departs_from_the_latest_version() -> None:
    assert frozen.contract().departures(catalogue.load()) == []


def test_every_frozen_id_is_told_with_its_first_version() -> None:
    assert frozen.first_version("KEY-04") == "2026.11"
    assert frozen.first_version("TRK-90") is None


@pytest.mark.parametrize(
    ("today", "says"),
    [
        ([SECOND], ["KEY-01 is gone, but the contract is still 2026.11"]),
        (
            [replace(FIRST, level=Level.SHOULD), SECOND],
            ["KEY-01 is SHOULD, was MUST, but the contract is still 2026.11"],
        ),
        (
            [replace(FIRST, clause="It may hold."), SECOND],
            ["KEY-01 has another clause, but the contract is still 2026.11"],
        ),
        (
            [replace(FIRST, clause="It may hold.", level=Level.SHOULD)],
            [
                "KEY-01 is SHOULD, was MUST, but the contract is still 2026.11",
                "KEY-01 has another clause, but the contract is still 2026.11",
                "KEY-02 is gone, but the contract is still 2026.11",
            ],
        ),
        ([replace(FIRST, clause=" It  holds.\n", source="another", traffic=False), SECOND], []),
        ([FIRST, SECOND, Requirement("KEY-03", Level.MUST, "It is new.", "a test")], []),
    ],
)
def test_whatever_departs_from_a_version_is_named(today: list[Requirement], says: list[str]) -> None:
    contract = Contract("2026.11", {entry.id: FrozenClause.of(entry) for entry in (FIRST, SECOND)})
    assert contract.departures(today) == says


def test_what_is_frozen_is_read_back(tmp_path: Path) -> None:
    path = freeze("2026.11", [FIRST, SECOND], tmp_path)
    assert path.name == "2026.11.json"
    written = frozen._read(path.name, path.read_text(encoding="utf-8"))
    assert written == Contract("2026.11", {entry.id: FrozenClause.of(entry) for entry in (FIRST, SECOND)})
    assert freeze("2026.11.2", [FIRST], tmp_path).name == "2026.11.2.json"
    assert freeze("2026.12", [FIRST, SECOND], tmp_path).name == "2026.12.json"


@pytest.mark.parametrize(
    ("version", "says"),
    [
        ("2026.11", "is not later than 2026.11, which is out"),
        ("2025.12", "is not later than 2026.11"),
        ("2026.12", "there is nothing to freeze"),
        ("next", "it looks like 2026.11 or 2026.11.2"),
        ("2026.1", "it looks like 2026.11 or 2026.11.2"),
        ("../2026.12", "it looks like 2026.11 or 2026.11.2"),
    ],
)
def test_a_version_is_never_rewritten(tmp_path: Path, version: str, says: str) -> None:
    freeze("2026.11", [FIRST], tmp_path)
    before = (tmp_path / "2026.11.json").read_bytes()
    with pytest.raises(FreezeError, match=says):
        freeze(version, [FIRST], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["2026.11.json"]
    assert (tmp_path / "2026.11.json").read_bytes() == before


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is damaged"),
        ("[]", "is damaged"),
        ('{"version": "2026.11"}', "is damaged"),
        ('{"version": "2026.11", "requirements": {"KEY-01": {"level": "MUST"}}}', "is damaged"),
        ('{"version": "2026.12", "requirements": {}}', "says that it is version '2026.12'"),
    ],
)
def test_a_damaged_version_says_so(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        frozen._read("2026.11.json", text)
    assert "restore it from version control" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_without_any_version_nothing_can_be_scored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frozen, "versions", lambda: ())
    with pytest.raises(ValueError, match="conformance freeze VERSION"):
        frozen.contract()


def test_the_file_is_one_that_a_person_can_compare(tmp_path: Path) -> None:
    text = freeze("2026.11", [FIRST], tmp_path).read_text(encoding="utf-8")
    assert json.loads(text)["requirements"]["KEY-01"]["level"] == "MUST"
    assert text.count("\n") > 5
