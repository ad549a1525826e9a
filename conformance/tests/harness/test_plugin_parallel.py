"""The pytest plugin under pytest-xdist: whoever runs what, evidence and reports are those of one process, to the byte."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from conformance.evidence import read

from .test_plugin import INI, PLUGIN

pytest_plugins = ["pytester"]

# Workers are other processes, so the plan is cut down where each of them, and the controller, loads it.
CONFTEST = """
from conformance import claims, reality, runner

claims.analyse_modules = lambda names: reality.Analysis((), ())  # seconds for each process, whoever runs the cases
whole = runner.plan
runner.plan = lambda selection: tuple(
    job for job in whole(selection) if job.subject == "openai" and job.requirement in ("BRK-01", "BRK-04", "BRK-08", "BRK-10")
)
"""


def _contract(pytester: pytest.Pytester, name: str, *arguments: str) -> Path:
    """Run the contract in a process of its own and return its folder of evidence and reports."""
    folder = pytester.path / name
    result = pytester.runpytest_subprocess(
        *PLUGIN, "-p", "no:cacheprovider", "--assert=plain", "-m", "conformance",
        "--conformance-evidence", f"{folder}/evidence.jsonl", "--conformance-reports", str(folder), *arguments,
    )  # fmt: skip
    assert result.ret == pytest.ExitCode.OK
    return folder


@pytest.fixture(autouse=True)
def small(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    pytester.makeini(INI)
    pytester.makeconftest(CONFTEST)


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_two_workers_write_what_one_process_writes(pytester: pytest.Pytester) -> None:
    serial = _contract(pytester, "serial")
    parallel = _contract(pytester, "parallel", "-n", "2")
    found = read(serial / "evidence.jsonl")
    assert found.header["complete"] is True
    assert len(found.cases) > 3
    assert len(found.kills) > 3
    assert _files(parallel) == _files(serial)
