"""The command: what it prints, its exit status, and one helpful line for every kind of bad input."""

from __future__ import annotations

import json
import re
import shutil
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from conformance import frozen, saboteurs, subject, summary
from conformance.baseline.known import KnownFailure
from conformance.command_line import main
from conformance.command_run import _few
from conformance.subject import Subject

from . import golden
from .parrot import PARROT


@pytest.fixture(autouse=True)
def place(parrot: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    del parrot
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


BAD = {
    "no command": ([], "COMMAND"),
    "an unknown command": (["rum"], "invalid choice: 'rum'"),
    "an unknown option": (["run", "--bakend", "openai"], "did you mean --backend?"),
    "an option of another command": (["list", "--seed", "1"], "unrecognized arguments"),
    "an option without its value": (["run", "--seed"], "--seed"),
    "an unknown backend": (["run", "--backend", "opnai"], "there is no backend 'opnai'; did you mean openai?"),
    "a backend that is not built": (["run", "--backend", "claude"], "backend claude is not built yet; built: openai"),
    "an unknown requirement": (["run", "--requirement", "BRK-O1"], "did you mean BRK-"),
    "a requirement far from any": (["run", "--requirement", "???"], "there is no requirement '???'; known: KEY-01"),
    "an unknown lane": (["run", "--lane", "dream"], "invalid choice: 'dream'"),
    "a lane that no backend has": (["run", "--lane", "real"], "no check judges the selection in the lane real yet"),
    "a seed that is no number": (["run", "--seed", "x"], "'x' is not a whole number"),
    "too many processes": (["run", "-n", "9999"], "9999 is not between 0 and 256"),
    "a folder as evidence": (["run", "--requirement", "REAL-04", "--evidence", "."], "name another --evidence FILE"),
    "reports in a file": (
        ["run", "--requirement", "REAL-04", "--reports", "file"],
        "name another folder with --reports DIR",
    ),
    "no evidence": (["report"], "run `conformance run` first"),
    "no evidence for the gate": (["gate", "--baseline", "good.json"], "run `conformance run` first"),
    "a check that would write": (["report", "--check", "--junit", "junit.xml"], "--check writes nothing"),
    "JUnit into a folder": (["run", "--requirement", "REAL-04", "--junit", "."], "--junit . cannot be written"),
    "SARIF into a folder": (["report", "--evidence", "good.jsonl", "--sarif", "."], "--sarif . cannot be written"),
    "damaged evidence": (["report", "--evidence", "damaged.jsonl"], "no footer"),
    "unwritable reports": (["report", "--evidence", "good.jsonl", "--reports", "file"], "--reports DIR"),
    "no baseline": (["gate", "--evidence", "good.jsonl"], "name a committed status.json with --baseline"),
    "a damaged baseline": (["gate", "--evidence", "good.jsonl", "--baseline", "file"], "is not valid JSON"),
    "a port that is none": (["serve", "--port", "70000"], "ports are 0 to 65535"),
    "an unknown provider": (["serve", "--provider", "opnai"], "did you mean openai?"),
    "no source": (["reality", "nowhere.py"], "does not exist; name a Python file or a folder"),
    "a source that is no Python": (["reality", "file"], "holds no Python source"),
    "an empty folder": (["reality", "empty"], "holds no Python source"),
    "nothing to judge": (["reality"], "reality needs a PATH"),
    "a folder that is no corpus": (["reality", "empty", "--corpus"], "holds no labels.json"),
    "a corpus as JSON": (["reality", "--corpus", "--json"], "leave --json out"),
    "nothing to explain": (["explain"], "ID"),
    "an unknown id": (["explain", "BRK-77"], "did you mean BRK-07?"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_line_and_status_2(name: str, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments, says = BAD[name]
    (place / "file").write_text("text")
    (place / "empty").mkdir()
    shutil.copy(golden.EVIDENCE, place / "good.jsonl")
    shutil.copy(golden.FOLDER / "status.json", place / "good.json")
    lines = golden.EVIDENCE.read_text(encoding="utf-8").splitlines(keepends=True)
    (place / "damaged.jsonl").write_text("".join(lines[:-1]), encoding="utf-8")
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("conformance: ")
    assert err.count("\n") == 1
    assert says in err
    assert "Traceback" not in err


def test_a_port_in_use_is_one_line(taken_port: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--port", str(taken_port), "--provider", "openai"]) == 2
    assert capsys.readouterr().err.startswith(f"conformance: port {taken_port} cannot be used")


def test_a_run_that_holds(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--requirement", "REAL-04", "--reports", "out"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "Look at out/index.html or out/API_IMPLEMENTATION_STATUS.md; evidence: .conformance/evidence.jsonl"
    assert sorted(path.name for path in (place / "out").iterdir()) == [
        "API_IMPLEMENTATION_STATUS.md",
        "FAULTS.md",
        "REALITY.md",
        "index.html",
        "kill_matrix.md",
        "status.json",
    ]
    status = json.loads((place / "out" / "status.json").read_text(encoding="utf-8"))
    assert status["backends"]["openai"]["requirements"]["REAL-04"] == "pass"


def test_two_runs_give_the_same_files(place: Path) -> None:
    for folder in ("one", "two"):
        assert main(["run", "--requirement", "REAL-01", "--requirement", "REAL-04", "--reports", folder]) == 0
    for path in (place / "one").iterdir():
        assert path.read_bytes() == (place / "two" / path.name).read_bytes()


def test_files_for_other_programs_are_written_by_run_and_by_report_alike(place: Path) -> None:
    assert main(["run", "--requirement", "REAL-04", "-n", "1", "--junit", "a/junit.xml", "--sarif", "a/run.sarif"]) == 0
    assert ElementTree.fromstring((place / "a" / "junit.xml").read_bytes()).get("failures") == "0"
    assert json.loads((place / "a" / "run.sarif").read_bytes())["version"] == "2.1.0"
    assert main(["report", "--reports", "out", "--junit", "b.xml", "--sarif", "b.sarif"]) == 0
    assert (place / "a" / "junit.xml").read_bytes() == (place / "b.xml").read_bytes()
    assert (place / "a" / "run.sarif").read_bytes() == (place / "b.sarif").read_bytes()


def test_a_partial_run_leaves_the_reports_alone(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--requirement", "REAL-04"]) == 0
    assert not (place / "reports").exists()
    assert "a partial run leaves reports/ as it is" in capsys.readouterr().out.splitlines()[-1]


def test_a_broken_contract_is_status_1(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def make(site: Any, **settings: Any) -> Any:
        backend = PARROT.make(site, **settings)
        perform = backend._perform

        async def invented(operation: Any, options: Any) -> Any:
            return replace(await perform(operation, options), text="Hello!")

        backend._perform = invented
        return backend

    monkeypatch.setattr(subject, "load", lambda name: replace(PARROT, make=make))
    assert main(["run", "--requirement", "REAL-01", "--no-saboteurs"]) == 1
    out = capsys.readouterr().out
    assert "FAIL     openai REAL-01: The answer carries the nonce" in out
    assert "[call] the reply's content is not the server's" in out
    assert out.splitlines()[-1] == "RED, status 1, each told above: requirements broken: openai REAL-01."


def test_what_is_not_scored_is_shown_and_leaves_the_status_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    nothing_frozen = frozen.Contract("2026.11", {})
    monkeypatch.setattr(frozen, "versions", lambda: (nothing_frozen,))
    monkeypatch.setattr(subject, "load", lambda name: replace(PARROT, declared={}))
    saboteurs.load(["REAL"])
    harmless = saboteurs.Saboteur("REAL-02-harmless", "REAL-02", "does nothing at all", lambda backend: None)
    monkeypatch.setitem(saboteurs._registry, harmless.name, harmless)
    assert main(["run", "--requirement", "REAL-02", "-n", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "UNSCORED openai REAL-02, added since contract 2026.11: the subject declares no case"
    assert "UNSCORED REAL-02-harmless survived (does nothing at all): the subject declares no case" in lines
    assert "0 requirements broken" in lines[-2]


def test_a_known_failure_that_passes_now_is_status_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stale = KnownFailure("openai", "REAL-04", "was broken", "issue 1")
    monkeypatch.setattr(summary, "known_failures", lambda: {("openai", "REAL-04"): stale})
    assert main(["run", "--requirement", "REAL-04", "-n", "1"]) == 1
    assert (
        "MENDED   openai REAL-04 no longer fails: take it out of baseline/known_failures.json"
        in capsys.readouterr().out
    )


def test_report_check_and_gate(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--requirement", "REAL-04", "--reports", "reports"]) == 0
    assert main(["report", "--check"]) == 0
    assert main(["gate"]) == 0
    status = place / "reports" / "status.json"
    text = status.read_text(encoding="utf-8")
    status.write_text(re.sub(r'("REAL-01": )"unknown"', r'\1"pass"', text, count=0), encoding="utf-8")
    capsys.readouterr()
    assert main(["report", "--check"]) == 1
    told = capsys.readouterr().out
    assert "Out of date: reports/status.json" in told
    assert '"REAL-01": "pass"' in told
    assert main(["gate"]) == 1
    assert "WORSE    openai REAL-01: was pass, is unknown" in capsys.readouterr().out
    assert main(["report"]) == 0
    assert status.read_text(encoding="utf-8") == text


def test_evidence_of_other_code_is_out_of_date(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(golden.EVIDENCE, place / "old.jsonl")
    assert main(["report", "--evidence", "old.jsonl", "--reports", "out"]) == 0
    assert "of other code" in capsys.readouterr().err
    assert main(["report", "--check", "--evidence", "old.jsonl", "--reports", "out"]) == 1


def test_list_shows_every_requirement(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    out = capsys.readouterr().out
    assert out.count("\n") >= 91
    assert re.search(r"^KEY-04  MUST   B", out, re.MULTILINE)


def test_explain_names_check_and_saboteurs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "real-01"]) == 0
    out = capsys.readouterr().out
    assert "check:      conformance.checks.real.real_01 (lane simulated)" in out
    assert "REAL-01-invents_answers" in out


def test_reality_of_a_stub_is_status_1(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "stub.py").write_text("class Backend:\n    def chat(self, messages):\n        return 'Hello'\n")
    assert main(["reality", "stub.py"]) == 1
    assert capsys.readouterr().out.endswith("MOCK: 0 real, 0 partial, 1 mock, 0 refusal, 0 local\n")
    assert main(["reality", "stub.py", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["kind"] == "mock"


def test_live_without_credentials_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    live = subject.Live(variables=("PARROT_API_KEY",), make=lambda environ: None)
    monkeypatch.setattr(subject, "load", lambda name: replace(PARROT, live=live))
    assert main(["run", "--lane", "live"]) == 2
    assert "set PARROT_API_KEY to try Parrot live" in capsys.readouterr().err


def test_the_last_line_of_a_red_run_names_the_first_of_everything_that_is_red() -> None:
    assert _few("saboteurs survived", ["a", "b"]) == "saboteurs survived: a, b"
    assert _few("machines failed", [*"abcdefg"]) == "machines failed: a, b, c, d, e and 2 more"
