"""API_QUICKSTART and README: every block is run as it stands, against the simulators, and must have talked to one."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import pytest
from blocks import ROOT, Block, blocks

from backends import registry as backend_registry
from conformance.rows import ROWS
from conformance.simulators.registry import NAMES
from conformance.threads import SimulatorThread

QUICKSTART = "API_QUICKSTART.md"
TITLES = {row.title: row.name for row in ROWS}
KEYS = {
    "OPENAI_API_KEY": "sk-quickstart-0001",
    "ANTHROPIC_API_KEY": "sk-ant-quickstart-0001",
    "GROQ_API_KEY": "gsk_quickstart0001",
    "GEMINI_API_KEY": "AIza-quickstart-0001",
    "AWS_ACCESS_KEY_ID": "AKIAQUICKSTART0001",
    "AWS_SECRET_ACCESS_KEY": "quickstart-secret",
    "AWS_DEFAULT_REGION": "us-east-1",
}
BLOCKS = [(TITLES[block.heading], block) for block in blocks(QUICKSTART) if block.heading in TITLES]


@pytest.fixture(scope="module")
def sim() -> Iterator[SimulatorThread]:
    thread = SimulatorThread(list(NAMES))
    thread.start()
    yield thread
    thread.stop()


@pytest.fixture(autouse=True)
def surroundings(sim: SimulatorThread, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """The credentials that the document tells a reader to set, and the simulators where the services would be."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    for row in NAMES:
        for variable in address_variables(row):
            monkeypatch.setenv(variable, address(row, sim))
    monkeypatch.chdir(tmp_path)


def address_variables(row: str) -> tuple[str, ...]:
    """The first variable in which the row's backend looks for its address."""
    if row == "s3_kit":
        return ("AWS_ENDPOINT_URL_S3",)
    return facts_of(row).base_url_variables[:1]


def address(row: str, sim: SimulatorThread) -> str:
    """What a user of the library would set: the root for servers, the official address' path for services."""
    return sim.tell(lambda: sim.sim.base_url(row)) + SUFFIXES.get(row, "")


SUFFIXES: dict[str, str] = {}
"""What our backend's address has besides what the official client takes."""


def facts_of(row: str) -> Any:
    module, name = backend_registry._HOMES[row]
    return getattr(importlib.import_module(module), name).provider


def run(block: Block, document: str) -> None:
    code = compile("\n" * (block.line - 1) + block.text, str(ROOT / document), "exec")
    exec(code, {"__name__": "__main__"})


@pytest.mark.parametrize(("row", "block"), BLOCKS, ids=[f"{row}-line{block.line}" for row, block in BLOCKS])
def test_an_example_works(row: str, block: Block, sim: SimulatorThread, capsys: pytest.CaptureFixture[str]) -> None:
    before = len(sim.requests)
    run(block, QUICKSTART)
    seen = sim.requests[before:]
    assert capsys.readouterr().out.strip(), "an example shows something"
    if row == "llvm":  # its wire is a pipe to a process of its own
        assert seen == []
        return
    assert seen, "an example asks the service"
    assert {request.provider for request in seen} == {row}
    assert [request.problem for request in seen if request.problem] == []


@pytest.mark.parametrize("row", [row.name for row in ROWS])
def test_every_backend_has_its_examples_and_credentials(row: str) -> None:
    assert len([block for name, block in BLOCKS if name == row]) >= 5
    text = (ROOT / QUICKSTART).read_text("utf-8")
    facts = facts_of(row)
    for variable in (*facts.key_variables, *facts.base_url_variables):
        assert f"`{variable}`" in text, f"{variable} is not told"


README = [block for block in blocks("README.md") if "OpenAI" in block.text]


@pytest.mark.parametrize("block", README, ids=[f"line{block.line}" for block in README])
def test_the_readme_works(block: Block, sim: SimulatorThread, capsys: pytest.CaptureFixture[str]) -> None:
    before = len(sim.requests)
    run(block, "README.md")
    assert capsys.readouterr().out.strip()
    assert [request.problem for request in sim.requests[before:]] == [None] * (len(sim.requests) - before)
    assert len(sim.requests) > before
