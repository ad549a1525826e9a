"""The pytest plugin's verdicts: what is known or not scored is an expected failure, and what is known and passes is red."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance import frozen, saboteurs, subject
from conformance.baseline import known
from conformance.baseline.known import KnownFailure
from conformance.evidence import read
from conformance.subject import Subject

from .parrot import PARROT
from .test_plugin import INI, _invents, _run

pytest_plugins = ["pytester"]


@pytest.fixture(autouse=True)
def alone(parrot: Subject, pytester: pytest.Pytester) -> None:
    del parrot
    pytester.makeini(INI)


def _known(monkeypatch: pytest.MonkeyPatch, requirement: str) -> None:
    entry = KnownFailure("openai", requirement, "the provider cannot", "issue 7")
    monkeypatch.setattr(known, "known_failures", lambda: {("openai", requirement): entry})


def _contract(pytester: pytest.Pytester, names: str) -> pytest.RunResult:
    return _run(pytester, "-m", "conformance", "-rx", "-k", names)


def test_a_known_failure_is_expected(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    _known(monkeypatch, "REAL-01")
    _invents(monkeypatch)
    result = _contract(pytester, "openai-REAL-01 and not REAL-01-")
    assert result.ret == pytest.ExitCode.OK
    assert result.parseoutcomes()["xfailed"] == 1
    result.stdout.fnmatch_lines(["*the provider cannot (issue 7)"])


def test_a_known_failure_that_passes_now_is_red(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    _known(monkeypatch, "REAL-01")
    result = _contract(pytester, "openai-REAL-01")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert result.parseoutcomes()["failed"] == 1
    result.stdout.fnmatch_lines(["it no longer fails: take it out of baseline/known_failures.json"])
    assert read(pytester.path / ".conformance" / "evidence.jsonl").cases[0]["verdict"] == "pass"


def test_a_known_failure_that_does_not_concern_is_red(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    _known(monkeypatch, "SEC-04")
    result = _contract(pytester, "openai-SEC-04")
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_a_known_failure_excuses_no_vacuous_check(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    _known(monkeypatch, "REAL-02")
    monkeypatch.setattr(subject, "load", lambda name: replace(PARROT, declared={}))
    result = _contract(pytester, "openai-REAL-02 and not REAL-02-")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["vacuous: the subject declares no case"])


def test_a_known_failure_excuses_no_saboteur(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    _known(monkeypatch, "REAL-04")
    _add_harmless(monkeypatch)
    result = _contract(pytester, "REAL-04-harmless")
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_what_is_not_scored_is_an_expected_failure(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frozen, "versions", lambda: (frozen.Contract("2026.11", {}),))
    _invents(monkeypatch)
    result = _contract(pytester, "openai-REAL-01 and not REAL-01-")
    assert result.ret == pytest.ExitCode.OK
    assert result.parseoutcomes()["xfailed"] == 1
    result.stdout.fnmatch_lines(["*not scored: added since contract 2026.11"])


def test_a_survivor_of_what_is_not_scored_is_expected(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frozen, "versions", lambda: (frozen.Contract("2026.11", {}),))
    _add_harmless(monkeypatch)
    result = _contract(pytester, "REAL-04-harmless")
    assert result.ret == pytest.ExitCode.OK
    assert result.parseoutcomes()["xfailed"] == 1


def _add_harmless(monkeypatch: pytest.MonkeyPatch) -> None:
    harmless = saboteurs.Saboteur("REAL-04-harmless", "REAL-04", "does nothing at all", lambda backend: None)
    saboteurs.load(["REAL"])
    monkeypatch.setitem(saboteurs._registry, harmless.name, harmless)
