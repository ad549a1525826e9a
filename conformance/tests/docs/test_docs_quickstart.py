"""API_QUICKSTART and README: every block is run as it stands, alone, against a fresh simulated service where the reader
would have the real one; it must show something and must have been understood by that service."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from blocks import ROOT, Block, blocks, facts_of

from backends import credentials_file
from backends import registry as backend_registry
from conformance.rows import ROWS, row
from conformance.threads import SimulatorThread

QUICKSTART = "API_QUICKSTART.md"
TITLES = {entry.title: entry.name for entry in ROWS}
CLASSES = {kind: name for name, (_, kind) in backend_registry._HOMES.items()}
REFUSED = "Errors"
"""The section whose example shows what a refusal looks like; nowhere else may the service refuse."""
FEWEST_EXAMPLES = 5
FEWEST_LINES, MOST_LINES, WIDEST = 3, 12, 120


def row_of(block: Block) -> str:
    """The row that a block is about: its section's, else that of the class or name in its text."""
    if block.heading in TITLES:
        return TITLES[block.heading]
    imported = re.findall(r"\b\w+\b", " ".join(re.findall(r"^from backends import (.+)$", block.text, re.MULTILINE)))
    named = re.findall(r'create\("(\w+)"', block.text)
    (found,) = {*named, *(CLASSES[name] for name in imported if name in CLASSES)}
    return found


EXAMPLES = [
    pytest.param(document, block, id=f"{row_of(block)}-{document.partition('.')[0]}-line{block.line}")
    for document in (QUICKSTART, "README.md")
    for block in blocks(document)
]


@pytest.mark.parametrize(("document", "block"), EXAMPLES)
def test_an_example_works(
    document: str, block: Block, sim: SimulatorThread, capsys: pytest.CaptureFixture[str]
) -> None:
    code = compile("\n" * (block.line - 1) + block.text, str(ROOT / document), "exec")
    exec(code, {"__name__": "__main__"})
    assert capsys.readouterr().out.strip(), "an example shows something"
    seen = sim.requests
    if row_of(block) == "llvm":  # its wire is a pipe to a process of its own
        assert seen == []
        return
    assert {request.provider for request in seen} == {row_of(block)}
    refused = [request.problem for request in seen if request.problem]
    assert bool(refused) == (block.heading == REFUSED), refused


@pytest.mark.parametrize(("document", "block"), EXAMPLES)
def test_an_example_is_short(document: str, block: Block) -> None:
    lines = [line for line in block.text.splitlines() if line.strip()]
    assert FEWEST_LINES <= len(lines) <= MOST_LINES or document != QUICKSTART
    assert max(map(len, lines)) <= WIDEST


def section(title: str) -> str:
    """The text of one section of the quickstart."""
    text = (ROOT / QUICKSTART).read_text("utf-8")
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize(("title", "name"), TITLES.items())
def test_a_section_has_examples_and_names_the_credentials(title: str, name: str) -> None:
    facts = facts_of(name)
    assert sum(block.heading == title for block in blocks(QUICKSTART)) >= FEWEST_EXAMPLES
    told = section(title)
    names = [*facts.key_variables, *facts.key_file_variables, *facts.base_url_variables]
    if facts.key_variables:
        names += [f"[{name}]", f"{name}_access_key_id" if name == "s3_kit" else f"{name}_api_key"]
    assert [one for one in names if f"`{one}`" not in told] == []


def test_the_table_has_every_backend_with_class_and_row() -> None:
    table = section("Install")
    rows = [f"| {row(name).title} | `{kind}` | `{name}` |" for kind, name in CLASSES.items()]
    assert [one for one in rows if one not in table] == []
    assert table.count("\n| ") == len(rows) + 1, "one line a backend, and the header"


@pytest.mark.parametrize("document", [QUICKSTART, "README.md"])
def test_the_credentials_file_can_be_read(document: str, tmp_path: Path) -> None:
    (block,) = blocks(document, "toml")
    file = tmp_path / "credentials"
    file.write_text(block.text, "utf-8")
    file.chmod(0o600)
    assert {"openai", "s3_kit"} <= credentials_file.read_file(file).keys()


def test_links_within_the_document_lead_somewhere() -> None:
    text = (ROOT / QUICKSTART).read_text("utf-8")
    anchors = {heading.lower().replace(" ", "-") for heading in re.findall(r"^## (.+)$", text, re.MULTILINE)}
    targets = re.findall(r"\]\(([^)]+)\)", text)
    assert {target[1:] for target in targets if target[0] == "#"} == anchors
    assert [target for target in targets if target[0] != "#" and not (ROOT / target).exists()] == []
