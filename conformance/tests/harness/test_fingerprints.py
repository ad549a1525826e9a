"""What a finding depends on: which modules of the real packages, which files, and what else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from conformance import catalogue
from conformance.fingerprints import Fingerprints, clause_of
from conformance.jobs import Job

_CASE = Job("hf_tei", "BRK-02")
_KILL = Job("openai", "BRK-02", saboteur="BRK-02-mute_refusal")
_OTHER = Job("hf_tei", "QUE-01")
_OTHER_KILL = Job("openai", "BRK-01", saboteur="BRK-01-counts_for_ever")
_STATIC = Job("hf_tei", "REAL-03")
_JOBS = {"case": _CASE, "kill": _KILL, "other": _OTHER, "static": _STATIC}


@pytest.fixture(scope="module")
def prints() -> Fingerprints:
    return Fingerprints()


@pytest.mark.parametrize(
    ("module", "concerned"),
    [
        ("conformance.checks.brk", {"case", "kill"}),
        ("conformance.checks.que", {"other"}),
        ("conformance.checks.common", {"case", "kill", "other", "static"}),
        ("conformance.saboteurs.brk", {"kill"}),
        ("conformance.saboteurs.que", set()),
        ("conformance.simulators.hf_tei", {"case", "other", "static"}),
        ("conformance.simulators.openai", {"case", "kill", "other", "static"}),  # the others' speak its dialect
        ("conformance.simulators.claude", set()),
        ("conformance.simulators.server", {"case", "kill", "other", "static"}),
        ("conformance.subjects.hf_tei", {"case", "other", "static"}),
        ("conformance.trial", {"case", "kill", "other", "static"}),
        ("conformance.reality.judge", {"static"}),
        ("conformance.reuse", set()),
        ("conformance.reports.page", set()),
        ("backends.hf_tei.reading", {"case", "kill", "other", "static"}),  # the shared calls name its types
        ("backends.openai.responses", {"kill"}),
        ("backends.claude", set()),
        ("backends.resilience.breaker", {"case", "kill", "other", "static"}),
        ("backends.base", {"case", "kill", "other", "static"}),
    ],
)
def test_a_module_concerns_those_who_may_run_it(prints: Fingerprints, module: str, concerned: set[str]) -> None:
    assert {name for name, job in _JOBS.items() if module in prints.modules_of(job)} == concerned


def test_whoever_looks_at_every_backend_depends_on_every_backend(prints: Fingerprints) -> None:
    found = prints.modules_of(Job("hf_tei", "LIFE-02"))
    assert {"backends.claude", "backends.vllm.core"} <= found
    assert "conformance.saboteurs.own_claude" not in found


def test_a_requirement_reads_the_same_in_every_process() -> None:
    """Sets come in another order with every process."""
    tags = ("stream", "chat", "keys", "http")
    requirement = replace(catalogue.find("BRK-02"), applies_to=frozenset(tags))
    assert repr(sorted(tags)) in clause_of(requirement)


def test_jobs_differ_by_seed_requirement_and_subject(prints: Fingerprints) -> None:
    jobs = (_CASE, Job("hf_tei", "BRK-01"), Job("openai", "BRK-02"), Job("hf_tei", "BRK-02", seed=1), _KILL)
    assert len({prints.of_job(job) for job in jobs}) == len(jobs)
    assert prints.of_job(_CASE) == prints.of_job(Job("hf_tei", "BRK-02"))


def _of_files(tmp_path: Path) -> tuple[str, str]:
    prints = Fingerprints([tmp_path / "packages"], [tmp_path / "fixtures"])
    return prints.surroundings, prints._recordings


@pytest.mark.parametrize(
    ("name", "surroundings", "recordings"),
    [
        ("packages/models.json", True, False),
        ("fixtures/pairs.jsonl", True, False),
        ("fixtures/recordings/server.jsonl", False, True),
        ("packages/recorded/server.jsonl", False, True),
        ("packages/tests/data.json", False, False),
        ("packages/code.py", False, False),
    ],
)
def test_a_file_that_is_no_module_belongs_to_everybody_but_for_recordings(
    name: str, surroundings: bool, recordings: bool, tmp_path: Path
) -> None:
    for folder in ("packages", "fixtures"):
        (tmp_path / folder).mkdir()
    before = _of_files(tmp_path)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("{}", encoding="utf-8")
    after = _of_files(tmp_path)
    assert (after[0] != before[0], after[1] != before[1]) == (surroundings, recordings)


def _sibling(prints: Fingerprints, changed: str) -> Fingerprints:
    """Return fingerprints of the same modules, where something else has changed."""
    other = Fingerprints()
    other._modules = prints._modules
    other.__dict__[changed] = "others"
    return other


def test_recordings_concern_those_who_replay_them(prints: Fingerprints) -> None:
    before = prints.of_job(_CASE), prints.of_job(Job("vllm", "CAP-05"))
    other = _sibling(prints, "_recordings")
    assert other.of_job(_CASE) == before[0]
    assert other.of_job(Job("vllm", "CAP-05")) != before[1]


def test_an_upgraded_library_concerns_everybody(prints: Fingerprints) -> None:
    other = _sibling(prints, "surroundings")
    assert other.of_job(_STATIC) != prints.of_job(_STATIC)


class _Changed:
    """The modules of the real packages, one of which has another source."""

    def __init__(self, prints: Fingerprints, module: str) -> None:
        self._modules, self._module = prints._modules, module

    def own_digest(self, name: str) -> str:
        return "changed" if name == self._module else self._modules.own_digest(name)

    def __getattr__(self, name: str) -> object:
        return getattr(self._modules, name)

    def __contains__(self, name: str) -> bool:
        return name in self._modules


@pytest.mark.parametrize(
    ("module", "asked_again"),
    [
        ("conformance.checks.brk", True),
        ("conformance.saboteurs.brk", True),
        ("conformance.subjects.openai", True),
        ("conformance.checks.que", False),
        ("conformance.saboteurs.que", False),
        ("conformance.checks.common", False),
        ("conformance.trial", False),
        ("conformance.simulators.openai", False),
        ("backends.resilience.breaker", False),
        ("backends.openai.responses", False),
    ],
)
def test_others_are_shown_a_saboteur_again_when_it_or_they_changed(
    prints: Fingerprints, module: str, asked_again: bool
) -> None:
    before = prints.of_others(_KILL)
    assert prints.of_others(_OTHER_KILL) != before
    other = _sibling(prints, "nothing")
    other._modules = _Changed(prints, module)  # type: ignore[assignment]
    assert (other.of_others(_KILL) != before) is asked_again


def test_others_are_asked_again_after_an_upgrade_and_not_for_a_file(prints: Fingerprints) -> None:
    assert _sibling(prints, "_installed").of_others(_KILL) != prints.of_others(_KILL)
    assert _sibling(prints, "surroundings").of_others(_KILL) == prints.of_others(_KILL)
