"""``conformance run --changed``: what is taken over, what runs again, and what such evidence is good for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance import command_run, jobs
from conformance.command_line import main
from conformance.evidence import Evidence, read
from conformance.evidence_writer import Writer, encoded
from conformance.jobs import Job
from conformance.reuse import Stamped
from conformance.subject import Subject

_ARGUMENTS = ["run", "--changed", "--backend", "openai", "--requirement", "REAL-04", "--no-saboteurs", "-n", "1"]
_JOB = Job("openai", "REAL-04")
_RUN = "f" * 16


class _Prints:
    """Fingerprints that a test chooses."""

    surroundings = "here"

    def __init__(self, now: str = "1", others: str = "a") -> None:
        self.now, self.others = now, others

    def of_job(self, job: Job) -> str:
        del job
        return self.now * 16

    def of_others(self, job: Job) -> str:
        del job
        return self.others * 16

    def of_subject(self, name: str) -> str:
        del name
        return self.now * 16


@pytest.fixture
def prints(parrot: Subject, monkeypatch: pytest.MonkeyPatch) -> _Prints:
    del parrot
    made = _Prints()
    monkeypatch.setattr(command_run, "Fingerprints", lambda: made)
    return made


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    return tmp_path / "evidence.jsonl"


def _run(evidence: Path, capsys: pytest.CaptureFixture[str]) -> tuple[list[str], Evidence]:
    assert main([*_ARGUMENTS, "--evidence", str(evidence)]) == 0
    return capsys.readouterr().out.splitlines(), read(evidence)


def test_what_has_not_changed_is_taken_over_and_says_from_which_run(
    prints: _Prints, evidence: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said, first = _run(evidence, capsys)
    assert "nothing is taken over, everything runs" in said[0].lower()
    assert "3 run, 0 reused." in said
    monkeypatch.setattr(jobs, "conduct", None)
    for _ in range(2):
        said, again = _run(evidence, capsys)
        assert "0 run, 3 reused." in said
        assert {case["from"] for case in again.cases} == {first.header["run"]}
        assert [{**case, "from": ""} for case in again.cases] == [{**case, "from": ""} for case in first.cases]
        assert again.subjects["openai"]["from"] == first.header["run"]
    prints.now = "2"
    with pytest.raises(TypeError):
        _run(evidence, capsys)  # it wants to run again


def test_what_has_changed_runs_again(prints: _Prints, evidence: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _run(evidence, capsys)
    prints.now = "2"
    said, again = _run(evidence, capsys)
    assert "3 run, 0 reused." in said
    assert again.taken_over == 0
    assert {case["fingerprint"] for case in again.cases} == {"2" * 16}


def _header(evidence: Path, **changed: Any) -> None:
    lines = evidence.read_bytes().splitlines(keepends=True)
    evidence.write_bytes(encoded({**json.loads(lines[0]), **changed}) + b"".join(lines[1:]))


def _cut(evidence: Path) -> None:
    evidence.write_bytes(b"".join(evidence.read_bytes().splitlines(keepends=True)[:-1]))


def _lie(evidence: Path) -> None:
    evidence.write_bytes(evidence.read_bytes().replace(b'"assertions":1', b'"assertions":9'))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (Path.unlink, "does not exist"),
        (_cut, "no footer"),
        (_lie, "its lines were changed after the run"),
        (lambda path: _header(path, version=99), "written in version 99"),
    ],
)
def test_evidence_that_cannot_be_trusted_is_not_used(
    damage: Callable[[Path], None], said: str, prints: _Prints, evidence: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    del prints
    _run(evidence, capsys)
    damage(evidence)
    lines, again = _run(evidence, capsys)
    assert [line for line in lines if said in line] == lines[:1]
    assert again.taken_over == 0


def test_evidence_of_a_partial_run_has_nothing_to_take_over(
    prints: _Prints, evidence: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    del prints
    plain = [word for word in _ARGUMENTS if word != "--changed"]
    assert main([*plain, "--evidence", str(evidence)]) == 0
    assert "run" not in read(evidence).header
    capsys.readouterr()
    lines, _ = _run(evidence, capsys)
    assert "is not of a whole simulated run" in lines[0]


def test_only_what_is_simulated_is_taken_over(evidence: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--changed", "--lane", "real", "--evidence", str(evidence)]) == 2
    assert "--changed" in capsys.readouterr().err


def test_the_gate_refuses_what_was_taken_over(
    prints: _Prints, evidence: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An edited verdict with a digest that fits could be taken over; it never gets past the gate."""
    del prints
    gate = ["gate", "--raise", "--evidence", str(evidence), "--baseline", str(tmp_path / "status.json")]
    _run(evidence, capsys)
    assert main(gate) == 0
    _run(evidence, capsys)
    assert main(gate) == 2
    assert "takes over 3 findings of earlier runs; make it whole with `conformance run`" in capsys.readouterr().err


def _evidence(path: Path, records: list[dict[str, Any]], surroundings: str | None = "here") -> Evidence:
    with Writer(path, lane="simulated", seed=0, complete=True, sources="0" * 16, surroundings=surroundings) as writer:
        for record in records:
            writer.add(record)
    return read(path)


def _case(case: str = "", verdict: str = "pass", **more: Any) -> dict[str, Any]:
    return {
        "kind": "case", "subject": "openai", "requirement": "REAL-04", "lane": "simulated", "case": case, "detail": "",
        "verdict": verdict, "failure": "", "assertions": 1, "requests": 1, "fingerprint": "1" * 16, **more,
    }  # fmt: skip


def _kill(killed: bool = True, **more: Any) -> dict[str, Any]:
    return {
        "kind": "kill", "saboteur": "REAL-04-x", "subject": "openai", "requirement": "REAL-04", "sin": "a sin", "by": "",
        "killed": killed, "detail": "", "also": None, "fingerprint": "1" * 16, **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("records", "taken"),
    [
        ([_case()], True),
        ([_case(verdict="not_applicable")], True),
        ([_case("a"), _case("b")], True),
        ([_case("a"), _case("b", "fail")], False),
        ([_case(verdict="vacuous")], False),
        ([_case("a"), _case("b", fingerprint="2" * 16)], False),
        ([], False),
    ],
)
def test_only_clean_verdicts_under_the_same_fingerprint(
    records: list[dict[str, Any]], taken: bool, evidence: Path
) -> None:
    stamped = Stamped(_Prints(), _evidence(evidence, records))  # type: ignore[arg-type]
    assert (stamped.taken(_JOB) is not None) is taken


@pytest.mark.parametrize("killed", [True, False])
def test_a_survivor_is_tried_again(killed: bool, evidence: Path) -> None:
    stamped = Stamped(_Prints(), _evidence(evidence, [_kill(killed)]))  # type: ignore[arg-type]
    assert (stamped.taken(Job("openai", "REAL-04", saboteur="REAL-04-x")) is not None) is killed
    assert stamped.taken(_JOB) is None


def test_a_finding_keeps_the_run_that_made_it(evidence: Path) -> None:
    stamped = Stamped(_Prints(), _evidence(evidence, [_case(**{"from": _RUN})]))  # type: ignore[arg-type]
    assert [record["from"] for record in stamped.taken(_JOB) or ()] == [_RUN]


def test_a_run_without_a_name_gives_nothing(evidence: Path) -> None:
    stamped = Stamped(_Prints(), _evidence(evidence, [_case()], surroundings=None))  # type: ignore[arg-type]
    assert stamped.taken(_JOB) is None


_SABOTEUR = Job("openai", "REAL-04", saboteur="REAL-04-x")
_ASKED = {"also": ["REAL-01"], "also_fingerprint": "a" * 16}


def _after(evidence: Path, kill: dict[str, Any], **prints: str) -> tuple[bool, dict[str, Any]]:
    """Try the saboteur again after a change: whether the others are asked, and what is told then."""
    stamped = Stamped(_Prints("2", **prints), _evidence(evidence, [kill]))  # type: ignore[arg-type]
    assert stamped.taken(_SABOTEUR) is None
    asked = stamped.needed(_SABOTEUR).others
    (told,) = stamped.stamped(_SABOTEUR, [_kill(also=["REAL-02"] if asked else None)])
    assert told["fingerprint"] == "2" * 16
    return asked, told


def test_what_others_notice_is_taken_over_where_neither_they_nor_the_saboteur_changed(evidence: Path) -> None:
    run = _evidence(evidence, [_kill(**_ASKED)]).header["run"]
    asked, told = _after(evidence, _kill(**_ASKED))
    assert not asked
    assert (told["also"], told["also_fingerprint"], told["also_from"]) == (["REAL-01"], "a" * 16, run)
    assert "from" not in told


@pytest.mark.parametrize("kept", [{"from": _RUN}, {"also_from": _RUN}, {"from": "e" * 16, "also_from": _RUN}])
def test_what_others_notice_keeps_the_run_that_asked_them(kept: dict[str, str], evidence: Path) -> None:
    _, told = _after(evidence, _kill(**_ASKED, **kept))
    assert told["also_from"] == _RUN


@pytest.mark.parametrize(
    ("kill", "prints"),
    [
        (_kill(**_ASKED), {"others": "b"}),
        (_kill(killed=False, **_ASKED), {}),
        (_kill(also=["REAL-01"]), {}),
    ],
    ids=["checks or saboteur changed", "it survived", "no fingerprint"],
)
def test_others_are_asked_again(kill: dict[str, Any], prints: dict[str, str], evidence: Path) -> None:
    asked, told = _after(evidence, kill, **prints)
    assert asked
    assert (told["also"], told["also_fingerprint"]) == (["REAL-02"], prints.get("others", "a") * 16)
    assert "also_from" not in told


def test_who_asked_nobody_has_nothing_to_take_over(evidence: Path) -> None:
    stamped = Stamped(_Prints("2"), _evidence(evidence, [_kill()]))  # type: ignore[arg-type]
    assert stamped.needed(_SABOTEUR) == _SABOTEUR
    assert stamped.stamped(_SABOTEUR, [_kill()]) == [_kill(fingerprint="2" * 16)]
    assert stamped.needed(_JOB) == _JOB


def test_a_run_tells_where_others_were_not_asked_and_the_gate_refuses_it(
    prints: _Prints, evidence: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The changed backend is tried again, by its own check; a whole run asks the others."""
    whole = [word for word in _ARGUMENTS if word != "--no-saboteurs"]
    gate = ["gate", "--raise", "--evidence", str(evidence), "--baseline", str(tmp_path / "status.json")]
    assert main([*whole, "--evidence", str(evidence)]) == 0
    first = read(evidence)
    shown = [kill["saboteur"] for kill in first.kills if kill["also"] is not None]
    assert shown
    assert main(gate) == 0
    capsys.readouterr()
    prints.now = "2"
    assert main([*whole, "--evidence", str(evidence)]) == 0
    again = read(evidence)
    assert (again.taken_over, again.others_taken_over) == (0, len(shown))
    assert [(kill["saboteur"], kill["also"]) for kill in again.kills] == [
        (kill["saboteur"], kill["also"]) for kill in first.kills
    ]
    assert f"{len(shown)} saboteurs were shown to their own check alone" in capsys.readouterr().out
    assert main(gate) == 2
    assert f"takes over {len(shown)} findings" in capsys.readouterr().err
    prints.others = "b"
    assert main([*whole, "--evidence", str(evidence)]) == 0
    assert read(evidence).others_taken_over == 0
    assert "shown to their own check alone" not in capsys.readouterr().out
