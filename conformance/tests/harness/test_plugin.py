"""The pytest plugin, by inner runs: silent until asked, honest when the contract breaks, and the writer of evidence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from conformance import saboteurs, subject
from conformance.evidence import read
from conformance.subject import Subject

from .parrot import PARROT

pytest_plugins = ["pytester"]

_INSTALLED = any(entry.value == "conformance.plugin" for entry in entry_points(group="pytest11"))
INI = "[pytest]\nasyncio_default_fixture_loop_scope = function\n"
PLUGIN = () if _INSTALLED else ("-p", "conformance.plugin")


@pytest.fixture(autouse=True)
def alone(parrot: Subject, pytester: pytest.Pytester) -> None:
    del parrot
    pytester.makeini(INI)
    pytester.makepyfile(test_own="def test_of_somebody_else():\n    assert True\n")


def _run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_inprocess(*PLUGIN, "-p", "no:cacheprovider", *arguments)


def _invents(monkeypatch: pytest.MonkeyPatch) -> None:
    def make(site: Any, **settings: Any) -> Any:
        backend = PARROT.make(site, **settings)
        perform = backend._perform

        async def invented(operation: Any, options: Any) -> Any:
            return replace(await perform(operation, options), text="Hello!")

        backend._perform = invented
        return backend

    monkeypatch.setattr(subject, "load", lambda name: replace(PARROT, make=make))


def test_without_the_marker_nothing_is_added(pytester: pytest.Pytester) -> None:
    _run(pytester).assert_outcomes(passed=1)
    _run(pytester, "-m", "not conformance and not live").assert_outcomes(passed=1)
    assert not (pytester.path / ".conformance").exists()


def test_the_markers_are_known_to_strict_runs(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        test_marked="import pytest\n\n@pytest.mark.requirement('KEY-04')\n@pytest.mark.conformance\ndef test_it():\n    assert True\n"
    )
    _run(pytester, "--strict-markers", "test_marked.py").assert_outcomes(passed=1)


def test_the_contract_runs_and_writes_evidence(pytester: pytest.Pytester) -> None:
    result = _run(pytester, "-m", "conformance", "-k", "REAL-04")
    result.assert_outcomes(passed=3, deselected=_others(result))
    found = read(pytester.path / ".conformance" / "evidence.jsonl")
    assert [case["case"] for case in found.cases] == ["answer", "error", "usage"]
    assert [kill["killed"] for kill in found.kills] == [True, True]
    assert found.header["complete"] is False
    assert not (pytester.path / "reports").exists()
    result.stdout.fnmatch_lines(
        ["*conformance: look at the evidence: *evidence.jsonl (a partial run leaves reports/ as it is)"]
    )


def _others(result: pytest.RunResult) -> int:
    return int(result.parseoutcomes()["deselected"])


def test_places_can_be_named(pytester: pytest.Pytester) -> None:
    result = _run(
        pytester,
        "-m",
        "conformance",
        "-k",
        "REAL-04",
        "--conformance-evidence",
        "e.jsonl",
        "--conformance-reports",
        "out",
    )
    assert result.ret == pytest.ExitCode.OK
    status = json.loads((pytester.path / "out" / "status.json").read_text(encoding="utf-8"))
    assert status["backends"]["openai"]["requirements"]["REAL-04"] == "pass"
    result.stdout.fnmatch_lines(
        ["*conformance: look at *index.html or *API_IMPLEMENTATION_STATUS.md; evidence: e.jsonl"]
    )


def test_a_broken_requirement_fails_the_run_and_says_which_clause(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    _invents(monkeypatch)
    result = _run(pytester, "-m", "conformance", "-k", "REAL-01 and not invents and not repeats")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "REAL-01 MUST: The answer carries the nonce*",
            "fail: [[]call[]] the reply's content is not the server's*",
        ]
    )
    assert "Traceback" not in result.stdout.str()


def test_a_saboteur_that_survives_fails_the_run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    harmless = saboteurs.Saboteur("REAL-04-harmless", "REAL-04", "does nothing at all", lambda backend: None)
    saboteurs.load(["REAL"])
    monkeypatch.setitem(saboteurs._registry, harmless.name, harmless)
    result = _run(pytester, "-m", "conformance", "-k", "REAL-04-harmless")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["the saboteur survived (does nothing at all): the check passed"])


def test_a_vacuous_check_fails_the_run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "load", lambda name: replace(PARROT, declared={}))
    result = _run(pytester, "-m", "conformance", "-k", "REAL-02 and not never and not wrong")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["vacuous: the subject declares no case"])


def test_what_does_not_concern_is_skipped_with_its_reason(pytester: pytest.Pytester) -> None:
    result = _run(pytester, "-m", "conformance", "-k", "SEC-04", "-rs")
    assert result.parseoutcomes()["skipped"] == 1
    result.stdout.fnmatch_lines(["*not applicable: Parrot has no s3*"])


def test_live_without_credentials_is_skipped_with_the_variable(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = subject.Live(variables=("PARROT_API_KEY",), make=lambda environ: None)
    monkeypatch.setattr(subject, "load", lambda name: replace(PARROT, live=live))
    result = _run(pytester, "-m", "live", "-rs")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["*set PARROT_API_KEY to try Parrot live*"])
    assert not (pytester.path / ".conformance").exists()


def test_it_can_be_switched_off(pytester: pytest.Pytester) -> None:
    pytester.makeini(INI + "conformance = false\n")
    result = _run(pytester, "-m", "conformance")
    assert result.parseoutcomes() == {"deselected": 1}


def test_an_unwritable_place_is_one_line(pytester: pytest.Pytester) -> None:
    (pytester.path / "file").write_text("text")
    result = _run(pytester, "-m", "conformance", "--conformance-reports", "file")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --conformance-reports file cannot be written*"])


def test_importing_the_plugin_loads_nothing_heavy(tmp_path: Path) -> None:
    program = (
        "import sys, conformance.plugin\n"
        "heavy = {'backends', 'httpx', 'aiohttp', 'h11', 'rich', 'jsonschema', 'hypothesis', 'conformance.runner'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    ended = subprocess.run(  # the very same interpreter
        [sys.executable, "-c", program],
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout == "[]\n"
