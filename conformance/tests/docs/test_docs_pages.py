"""The pages under ``docs/``: every example is run as it stands, alone, and shows something; every link leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from blocks import ROOT, Block, blocks

from conformance.threads import SimulatorThread

PAGES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md"))
EXAMPLES = [
    pytest.param(page, block, id=f"{Path(page).stem}-line{block.line}") for page in PAGES for block in blocks(page)
]


@pytest.mark.parametrize(("page", "block"), EXAMPLES)
def test_an_example_of_a_page_works(
    page: str, block: Block, sim: SimulatorThread, capsys: pytest.CaptureFixture[str]
) -> None:
    code = compile("\n" * (block.line - 1) + block.text, str(ROOT / page), "exec")
    exec(code, {"__name__": "__main__"})
    assert capsys.readouterr().out.strip()
    assert sim.requests


@pytest.mark.parametrize("page", PAGES)
def test_links_of_a_page_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    for target in re.findall(r"\]\(([^)#]+)", text):
        assert target.startswith("https://") or (ROOT / page).parent.joinpath(target).exists(), target
