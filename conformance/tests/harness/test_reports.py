"""Reports are pure functions of evidence: golden files with every verdict, the same to the byte, and nothing green by accident."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from unittest.mock import patch

import jsonschema
import pytest

from conformance import frozen, summary
from conformance.baseline.known import KnownFailure, known_failures
from conformance.evidence import Evidence, read
from conformance.reports.marks import escaped
from conformance.requirement import Level
from conformance.rows import ROWS
from conformance.summary import Summary, summarise
from conformance.verdict import Verdict

from . import golden


@pytest.fixture
def summed() -> Summary:
    return summarise(read(golden.EVIDENCE), golden.REQUIREMENTS)


def test_the_golden_evidence_is_what_its_source_says(tmp_path: Path) -> None:
    golden.write_evidence(tmp_path / "evidence.jsonl")
    assert (tmp_path / "evidence.jsonl").read_bytes() == golden.EVIDENCE.read_bytes()


@pytest.mark.parametrize(
    "name",
    ["API_IMPLEMENTATION_STATUS.md", "status.json", "kill_matrix.md", "index.html", "junit.xml", "conformance.sarif"],
)
def test_reports_are_golden(name: str) -> None:
    """``python -m harness.golden`` in ``conformance/tests`` writes them anew after a wanted change."""
    assert golden.rendered()[name] == (golden.FOLDER / name).read_text(encoding="utf-8")


def test_every_verdict_is_in_the_golden_evidence(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {("openai", "BRK-02"): KnownFailure("openai", "BRK-02", "the provider cannot", "issue 7")}
    monkeypatch.setattr(summary, "known_failures", lambda: known)
    found = {cell.verdict for row in summarise(read(golden.EVIDENCE), golden.REQUIREMENTS).rows for cell in row.cells}
    assert found == set(Verdict)


def test_status_json_obeys_its_schema() -> None:
    schema = json.loads(files("conformance").joinpath("schemas/status.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(golden.rendered()["status.json"]), schema)


def test_all_twelve_rows_stand_in_both_tables_and_absent_ones_are_never_green() -> None:
    text = golden.rendered()["API_IMPLEMENTATION_STATUS.md"]
    for row in ROWS:
        lines = [line for line in text.splitlines() if line.startswith(f"| [{row.name}]")]
        assert len(lines) == 2, row.name
        if row.name != "openai":
            assert all("✅" not in line and "absent" in line for line in lines)


def test_green_needs_a_pass_and_a_caught_saboteur(summed: Summary) -> None:
    openai = next(entry for entry in summed.rows if entry.row.name == "openai")
    green = {column.name for column in openai.columns if column.green}
    assert green == {"queue", "request id"}
    verdicts = {cell.requirement.id: cell.verdict for cell in openai.cells}
    assert verdicts["BAK-01"] is Verdict.UNPROVEN
    assert verdicts["KEY-04"] is Verdict.UNKNOWN


def test_what_is_not_scored_is_shown_and_decides_nothing(summed: Summary) -> None:
    openai = next(entry for entry in summed.rows if entry.row.name == "openai")
    added = next(cell for cell in openai.cells if cell.requirement.id == "TRK-90")
    assert (added.verdict, added.scored) == (Verdict.FAIL, False)
    assert [cell.requirement.id for _, cell in summed.failures(scored=False)] == ["TRK-90"]
    assert "TRK-90" not in [cell.requirement.id for _, cell in summed.failures()]
    assert [kill["requirement"] for kill in summed.survivors()] == ["ERR-01"]
    musts = [cell for cell in openai.cells if cell.requirement.level is Level.MUST and cell.scored]
    assert openai.overall.concerned == len(musts) - 1, "STR-01 does not apply and TRK-90 is not scored"


def test_one_that_is_not_scored_cannot_keep_a_row_from_green() -> None:
    """Of two cells, one is green and one fails: with only the green one scored, the row is proven."""
    some = [entry for entry in golden.REQUIREMENTS if entry.id in ("TRK-01", "TRK-90")]
    summed = summarise(read(golden.EVIDENCE), some)
    openai = next(entry for entry in summed.rows if entry.row.name == "openai")
    assert (openai.overall.proven, openai.overall.concerned) == (1, 1)
    both = frozen.Contract("2026.12", {entry.id: frozen.FrozenClause.of(entry) for entry in some})
    with patch.object(frozen, "versions", lambda: (both,)):
        summed = summarise(read(golden.EVIDENCE), some)
    openai = next(entry for entry in summed.rows if entry.row.name == "openai")
    assert (openai.overall.proven, openai.overall.concerned) == (1, 2)


def test_a_column_without_requirements_is_not_built(summed: Summary) -> None:
    openai = next(entry for entry in summed.rows if entry.row.name == "openai")
    says = {column.name: column.text for column in openai.columns}
    assert says["batching"] == says["semantic cache"] == "not built"
    assert not openai.overall.green


def test_a_call_is_proven_only_when_both_its_cases_are(summed: Summary) -> None:
    openai = next(entry for entry in summed.rows if entry.row.name == "openai")
    assert [(name, proven) for name, _, proven in openai.endpoints] == [("chat", True), ("embed", False)]


def test_a_check_is_proven_by_any_row_and_says_which_of_its_own_it_rejected(summed: Summary) -> None:
    groq, openai = (next(entry for entry in summed.rows if entry.row.name == name) for name in ("groq", "openai"))
    found = {
        entry.row.name: next(cell for cell in entry.cells if cell.requirement.id == "ERR-01")
        for entry in (groq, openai)
    }
    assert found["groq"].saboteurs == found["openai"].saboteurs == ("ERR-01-takes_498_for_final",)
    assert (found["groq"].own, found["openai"].own) == (("ERR-01-takes_498_for_final",), ())


def test_the_kill_matrix_counts_what_was_made_from_each_row() -> None:
    text = golden.rendered()["kill_matrix.md"]
    assert "| openai | 7 | 5 | 6 | 5 |" in text
    assert "| groq | 2 | 2 | 1 | 2 |" in text
    assert sum(f"| {row.name} | 0 | 0 | 0 | 0 |" in text for row in ROWS) == len(ROWS) - 2
    assert "| BRK-01-never_opens | groq | breaks BRK-01 | ✅ BRK-01 | assertion | not asked |" in text


def test_without_evidence_nothing_is_known() -> None:
    empty = summarise(Evidence({"lane": "simulated", "seed": 0, "complete": False, "sources": "0" * 16}))
    assert {cell.verdict for row in empty.rows for cell in row.cells} == {Verdict.UNKNOWN}
    assert not any(column.green for row in empty.rows for column in row.columns)


def test_a_known_failure_that_no_longer_fails_must_leave_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    mended = KnownFailure("openai", "QUE-01", "was broken", "issue 1")
    monkeypatch.setattr(summary, "known_failures", lambda: {("openai", "QUE-01"): mended})
    assert summarise(read(golden.EVIDENCE), golden.REQUIREMENTS).mended() == [mended]


def test_a_known_failure_needs_a_reason_and_an_issue() -> None:
    with pytest.raises(ValueError, match="has no issue"):
        KnownFailure("openai", "BRK-01", "because", " ")
    assert isinstance(known_failures(), dict)


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        self.addresses += [str(value) for name, value in attrs if name in ("src", "href")]


def test_the_page_is_self_contained_and_cannot_be_injected_into() -> None:
    """Two scripts, the data and the program; nothing from evidence becomes a tag; no address is asked for."""
    text = golden.rendered()["index.html"]
    page = _Page()
    page.feed(text)
    assert page.scripts == 2
    assert page.addresses == []
    assert "<script>alert(1)</script>" not in text
    assert "\\u003cscript>alert(1)" in text


def test_tables_cannot_be_broken_by_evidence() -> None:
    assert escaped("a|b\nc <x> `d` \\") == "a\\|b c &lt;x> 'd' \\\\"
