"""``conformance list``, ``explain`` and ``freeze``: everything known about the catalogue, and its lint as a command."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest

from conformance import catalogue, frozen, saboteurs
from conformance.blackbox import question
from conformance.command_line import main
from conformance.requirement import Level, Requirement
from conformance.subject import Subject

from . import golden

NEW = Requirement("TRK-90", Level.MUST, "It is new.", "a test", unchecked="it is made up")


@pytest.fixture(autouse=True)
def place(parrot: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    del parrot
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch) -> None:
    """The catalogue has one requirement that no version has frozen."""
    whole = (*(one for one in catalogue.load() if frozen.contract().scores(one.id)), NEW)
    monkeypatch.setattr(catalogue, "load", lambda: whole)
    monkeypatch.setattr(catalogue, "find", lambda name: next(one for one in whole if one.id == name))


def test_list_shows_the_version_and_marks_additions(added: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    scored = len(frozen.contract().clauses)
    assert lines[0] == f"Contract {frozen.contract().version}: {scored} requirements scored, 1 added since."
    assert [line for line in lines if re.match(r"\S+ +(MUST|SHOULD) +..\+ ", line)] == ["TRK-90  MUST    -+ It is new."]


def test_the_catalogue_is_sound(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--lint"]) == 0
    assert capsys.readouterr().out == f"The catalogue of contract {frozen.contract().version} is sound.\n"


def test_an_unsound_catalogue_is_status_1(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    softened = tuple(
        replace(one, level=Level.SHOULD) if one.id == "KEY-04" else one
        for one in catalogue.load()
        if one.id != "LIFE-04"
    )
    monkeypatch.setattr(catalogue, "load", lambda: softened)
    assert main(["list", "--lint"]) == 1
    lines = capsys.readouterr().out.splitlines()
    version = frozen.contract().version
    assert "LINT     LIFE-04 has a check but no requirement" in lines
    assert f"LINT     KEY-04 is SHOULD, was MUST, but the contract is still {version}" in lines
    assert f"LINT     LIFE-04 is gone, but the contract is still {version}" in lines
    assert lines[-1] == f"{len(lines) - 1} problems in the catalogue of contract {version}."


def test_a_black_box_requirement_without_a_question_is_unsound(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = {name: one for name, one in question.load().items() if name != "FLT-08"}
    monkeypatch.setattr(question, "load", lambda: asked)
    assert main(["list", "--lint"]) == 1
    assert "LINT     FLT-08 is a black-box requirement without a question; write one" in capsys.readouterr().out


def test_what_is_not_asked_of_clients_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "LIM-03"]) == 0
    assert "  clients:    not asked: a program has its own clock: " in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["list"], ["list", "--lint"]], ids=" ".join)
@pytest.mark.parametrize(
    ("found", "says"),
    [
        ("()", "requirements/frozen holds no version; run `conformance freeze VERSION`"),
        ("2026.01.json", "requirements/frozen/2026.01.json is damaged"),
    ],
    ids=["none", "damaged"],
)
def test_without_a_sound_version_there_is_one_line(
    arguments: list[str],
    found: str,
    says: str,
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if found.endswith(".json"):
        (place / found).write_text("{")
    monkeypatch.setattr(frozen, "versions", frozen.versions.__wrapped__)
    monkeypatch.setattr(frozen, "files", lambda package: _Folder(place / "frozen" if found == "()" else place))
    (place / "frozen").mkdir()
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert says in err


class _Folder:
    """Stands for the installed package: the folder of versions is another one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def joinpath(self, name: str) -> Path:
        del name
        return self._folder


def test_freeze_writes_the_next_version_and_says_what_to_commit(
    added: None, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in Path(str(files("conformance").joinpath("requirements/frozen"))).glob("*.json"):
        shutil.copy(path, place)
    write = frozen.freeze
    monkeypatch.setattr(frozen, "freeze", lambda version, entries: write(version, entries, place))
    assert main(["freeze", "2999.01"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"Contract 2999.01: {len(catalogue.load())} requirements, 1 added, ")
    assert lines[1].startswith(f"Commit {place / '2999.01.json'} ")
    assert '"TRK-90"' in (place / "2999.01.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("version", "says"), [("soon", "it looks like 2026.11"), ("2026.11", "which is out and stays as it is")]
)
def test_what_cannot_be_frozen_is_one_line_and_status_2(
    version: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["freeze", version]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert says in err


def test_explain_without_evidence_says_how_to_make_some(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "que-01"]) == 0
    out = capsys.readouterr().out
    requirement = catalogue.find("QUE-01")
    assert out.startswith(f"QUE-01 (MUST, black box)\n  {requirement.clause}\n  source:     {requirement.source}\n")
    assert "  contract:   scored since 2026.11\n" in out
    assert (
        "  check:      conformance.checks.que.que_01 (lane simulated)\n              The server never sees more" in out
    )
    assert out.endswith(
        "  evidence:   none; `conformance run --requirement QUE-01` writes .conformance/evidence.jsonl\n"
    )


def test_explain_shows_what_the_last_evidence_says(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(golden.EVIDENCE, place / "old.jsonl")
    assert main(["explain", "BRK-01", "--evidence", "old.jsonl"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "  evidence:   old.jsonl (lane simulated, of other code than today's)" in lines
    verdicts = dict(line.split(maxsplit=1) for line in lines[lines.index(_evidence_line(lines)) + 1 :])
    assert verdicts["openai"].startswith("fail: requests: expected 2")
    assert verdicts["claude"] == "not in the evidence"
    assert len(verdicts) == 12


def _evidence_line(lines: list[str]) -> str:
    return next(line for line in lines if line.startswith("  evidence:"))


def test_explain_tells_what_became_of_each_saboteur(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    saboteurs.load(["REAL"])
    harmless = saboteurs.Saboteur("REAL-04-harmless", "REAL-04", "does nothing at all", lambda backend: None)
    monkeypatch.setitem(saboteurs._registry, harmless.name, harmless)
    assert main(["run", "--requirement", "REAL-04", "-n", "1"]) == 1
    unseen = saboteurs.Saboteur("REAL-04-unseen", "REAL-04", "came later", lambda backend: None)
    monkeypatch.setitem(saboteurs._registry, unseen.name, unseen)
    capsys.readouterr()
    assert main(["explain", "REAL-04"]) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    fates = {
        line.split()[1].rstrip(":"): lines[index + 1] for index, line in enumerate(lines) if line[:9] == "saboteur:"
    }
    assert fates["REAL-04-harmless"] == "survived on openai"
    assert fates["REAL-04-unseen"] == "not in the evidence"
    others = [fate for name, fate in fates.items() if name not in (harmless.name, unseen.name)]
    assert others
    assert all(fate.startswith("caught on openai by ") for fate in others)
    assert any(re.fullmatch(r"openai +pass", line) for line in lines)


def test_explain_of_what_nothing_checks_says_why(added: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "TRK-90"]) == 0
    out = capsys.readouterr().out
    assert "  contract:   added since the last version, not scored yet\n" in out
    assert "  check:      none yet: it is made up\n" in out
    assert "  saboteur:   none yet, so a pass stays unproven\n" in out


@pytest.mark.parametrize(("name", "says"), [("BRK-77", "did you mean BRK-07?"), ("que1", "did you mean QUE-")])
def test_explain_of_an_unknown_id_names_the_nearest(name: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", name]) == 2
    assert says in capsys.readouterr().err


def test_explain_from_damaged_evidence_is_status_2(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "broken.jsonl").write_text("{", encoding="utf-8")
    assert main(["explain", "QUE-01", "--evidence", "broken.jsonl"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
