"""CONTRIBUTING's worked example: the files stand there as they would be written, and they meet the contract."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from blocks import blocks

import backends
import conformance.simulators
import conformance.subjects
from backends import credentials_file
from conformance import catalogue, check, jobs
from conformance.conduct import conduct
from conformance.simulators import registry
from conformance.subject import Subject
from conformance.verdict import Verdict

EXAMPLE = {block.text.partition("\n")[0].removeprefix("# "): block.text for block in blocks("CONTRIBUTING.md")}
"""Path -> text: each block names its file in its first line."""
MOST_LINES = 40


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subject]:
    """The example's subject, from files in a folder that the packages are told to look into as well."""
    folder = tmp_path_factory.mktemp("acme")
    for path, text in EXAMPLE.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, "utf-8")
    packages: list[ModuleType] = [backends, conformance.simulators, conformance.subjects]
    known = set(sys.modules)
    with pytest.MonkeyPatch.context() as patch:
        for package in packages:
            also = folder / package.__name__.replace(".", "/")
            patch.setattr(package, "__path__", [*package.__path__, str(also)])
        patch.setattr(credentials_file, "ROWS", (*credentials_file.ROWS, "acme"))
        patch.setattr(registry, "NAMES", (*registry.NAMES, "acme"))
        importlib.invalidate_caches()
        yield importlib.import_module("conformance.subjects.acme").SUBJECT
    for name in set(sys.modules) - known:
        package, _, last = name.rpartition(".")
        if last == "acme":
            del sys.modules[name]
            delattr(sys.modules[package], last)


def test_a_new_provider_of_the_dialect_is_short() -> None:
    written = [line for text in EXAMPLE.values() for line in text.splitlines() if line.strip()]
    assert sorted(EXAMPLE) == [
        "backends/acme.py",
        "conformance/simulators/acme/__init__.py",
        "conformance/subjects/acme.py",
    ]
    assert len(written) <= MOST_LINES


JUDGED = sorted(set(check.load()) - {"LIFE-01"} - check.COSTLY)  # what is costly is asked of the rows
"""All but what a fresh process imports: it does not know of the folder."""


@pytest.mark.parametrize("requirement_id", JUDGED)
def test_the_example_meets_the_contract(acme: Subject, requirement_id: str) -> None:
    requirement = catalogue.find(requirement_id)
    found = check.checks()[requirement_id]
    if jobs.not_applicable(acme, requirement) is not None:
        assert requirement_id in {
            "CAP-03",
            "CAP-05",
            "SEC-04",
            "SEC-12",
            "TRK-08",
        }  # a vendor's prices are data of its own
        return
    outcomes = {case: conduct(acme, requirement, found, case=case) for case in found.cases_for(acme)}
    assert outcomes
    assert {case: outcome.detail for case, outcome in outcomes.items() if outcome.verdict is not Verdict.PASS} == {}


def test_the_example_is_typed_and_named(acme: Subject) -> None:
    assert (acme.name, acme.title) == ("acme", "Acme")
    assert {"chat", "stream_chat", "embed", "models", "get_model"} == set(acme.declared)
    assert Path(importlib.import_module("backends.acme").__file__ or "").name == "acme.py"
