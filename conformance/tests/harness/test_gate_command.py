"""``conformance gate`` as a build runs it: what it prints, what it writes, its exit status, and the page for a pull request."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from conformance.baseline.gate import Change, Comparison, compare
from conformance.command_line import main
from conformance.evidence import read
from conformance.reports import pull_request
from conformance.reports.status_json import document
from conformance.rows import ROWS
from conformance.summary import summarise

from . import golden

Document = dict[str, Any]
GATE = ("gate", "--evidence", "today.jsonl", "--baseline", "baseline.json")


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reports of the evidence."""
    folder = tmp_path_factory.mktemp("reports")
    assert main(["report", "--evidence", str(golden.EVIDENCE), "--reports", str(folder)]) == 0
    return folder


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reports: Path) -> Path:
    """A folder with evidence, and a baseline that says what the evidence says."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(golden.EVIDENCE, tmp_path / "today.jsonl")
    shutil.copytree(reports, tmp_path / "reports")
    shutil.copy(reports / "status.json", tmp_path / "baseline.json")
    return tmp_path


def _set(place: Path, **verdicts: str) -> bytes:
    """Change verdicts of the baseline and return its bytes."""
    path = place / "baseline.json"
    baseline = json.loads(path.read_text(encoding="utf-8"))
    for name, verdict in verdicts.items():
        baseline["backends"]["openai"]["requirements"][name.replace("_", "-")] = verdict
    path.write_text(json.dumps(baseline), encoding="utf-8")
    return path.read_bytes()


def _printed(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_nothing_changed(capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(GATE) == 0
    out, err = capsys.readouterr()
    assert out == "Nothing got worse, 0 got better. Baseline: baseline.json.\n"
    assert "the evidence is of other code than today's" in err


def test_worse_is_named_cell_by_cell_and_status_1(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _set(place, BRK_01="pass", ERR_01="unproven", QUE_01="unknown")
    capsys.readouterr()
    assert main(GATE) == 1
    lines = _printed(capsys)
    assert lines[0].startswith("WORSE    openai BRK-01: was pass, is fail (requests: expected 2")
    assert lines[1] == "WORSE    openai ERR-01: was unproven, is vacuous (the check asserted nothing)"
    assert lines[2:] == ["BETTER   openai: QUE-01 pass", "2 got worse, 1 got better. Baseline: baseline.json."]


def test_better_is_told_with_the_line_that_raises_the_baseline(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _set(place, QUE_01="fail", TRK_01="unknown")
    capsys.readouterr()
    assert main(GATE) == 0
    assert _printed(capsys) == [
        "BETTER   openai: QUE-01 pass, TRK-01 pass",
        "Nothing got worse, 2 got better. Baseline: baseline.json.",
        "Raise the baseline: conformance gate --raise --baseline baseline.json --evidence today.jsonl",
    ]


@pytest.mark.parametrize("option", ["--raise", "--update"])
def test_the_baseline_is_raised_when_nothing_got_worse(
    place: Path, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _set(place, QUE_01="fail")
    assert main([*GATE, option]) == 0
    assert _printed(capsys)[-1] == "baseline.json now says what the evidence says."
    assert (place / "baseline.json").read_bytes() == (place / "reports" / "status.json").read_bytes()


def test_the_baseline_is_never_raised_over_a_loss(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = _set(place, QUE_01="fail", BRK_01="pass")
    assert main([*GATE, "--raise"]) == 1
    assert _printed(capsys)[-1] == "The baseline is left as it is: it is raised only when nothing got worse."
    assert (place / "baseline.json").read_bytes() == before


def test_the_first_baseline_is_written_only_when_asked(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "baseline.json").unlink()
    assert main(GATE) == 2
    assert "write the first with --raise" in capsys.readouterr().err
    assert not (place / "baseline.json").exists()
    assert main([*GATE, "--raise"]) == 0
    assert _printed(capsys) == ["There was no baseline; baseline.json is the first."]
    assert main(GATE) == 0


BAD = {
    "no baseline": (("--baseline", "none.json"), "none.json does not exist"),
    "a damaged baseline": (("--baseline", "broken.json"), "broken.json is not valid JSON"),
    "a damaged baseline is not raised": (("--baseline", "broken.json", "--raise"), "broken.json is not valid JSON"),
    "a baseline of another shape": (("--baseline", "other.json"), "other.json is not a status.json"),
    "a folder as baseline": (("--baseline", "reports"), "reports cannot be read"),
    "no evidence": (("--evidence", "none.jsonl"), "none.jsonl does not exist; run `conformance run` first"),
    "damaged evidence": (("--evidence", "broken.json"), "broken.json"),
    "a page in a folder": (("--markdown", "reports"), "--markdown reports cannot be written"),
    "a page below a file": (("--markdown", "broken.json/page.md"), "--markdown broken.json/page.md cannot be written"),
    "an option nearly right": (("--rais",), "did you mean --raise?"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_done_is_one_line_and_status_2(
    name: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more, says = BAD[name]
    (place / "broken.json").write_text('{"kind": "header"\n', encoding="utf-8")
    (place / "other.json").write_text("[]", encoding="utf-8")
    before = {path.name: path.read_bytes() for path in place.glob("*.json*")}
    capsys.readouterr()
    assert main([*GATE, *more]) == 2
    out, err = capsys.readouterr()
    told = [line for line in err.splitlines() if "the evidence is of other code" not in line]
    assert out == ""
    assert len(told) == 1
    assert told[0].startswith("conformance: ")
    assert says in told[0]
    assert {path.name: path.read_bytes() for path in place.glob("*.json*")} == before


def test_the_page_for_a_pull_request(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _set(place, BRK_01="pass", QUE_01="fail")
    capsys.readouterr()
    assert main([*GATE, "--markdown", "out/page.md"]) == 1
    page = (place / "out" / "page.md").read_text(encoding="utf-8")
    assert page.startswith("### ❌ Conformance: 1 worse, 1 better\n\nContract 2026.11. Backends green: 0 of 12; ")
    assert "| openai | " in page
    assert "| 1 | QUE-01 |" in page
    assert "- **openai BRK-01**: was pass, is fail (requests: expected 2, got &lt;script>alert(1)&lt;/script>)" in page
    assert page.endswith("1 got worse, 1 got better.\n")
    assert capsys.readouterr().out.startswith("WORSE    openai BRK-01")


def test_the_page_on_standard_output_is_alone_there(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _set(place, QUE_01="fail")
    capsys.readouterr()
    assert main([*GATE, "--markdown", "-"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("### ✅ Conformance: 0 worse, 1 better\n")
    assert out.endswith(
        "`conformance gate --raise --baseline baseline.json --evidence today.jsonl` raises the baseline.\n"
    )
    assert "BETTER   openai: QUE-01 pass" in err


def test_the_page_stays_short_however_much_changed() -> None:
    summary = summarise(read(golden.EVIDENCE), golden.REQUIREMENTS)
    today = document(summary)
    changes = tuple(
        Change(row.name, f"KEY-{number:02}", "pass", "fail", "a | reason " * 60)
        for row in ROWS
        for number in range(1, 13)
    )
    found = Comparison(changes, changes, changes)
    page = pull_request.render(today, today, found, "Mend it.")
    assert len(page.splitlines()) <= 40
    assert len(page) < 8_000
    assert "… and 132 more." in page
    assert "KEY-06 and 6 more |" in page
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    assert all(line.replace("\\|", "").count("|") == 6 for line in rows)


def test_the_page_counts_before_and_after() -> None:
    with golden.in_force():
        summary = summarise(read(golden.EVIDENCE), golden.REQUIREMENTS)
        today = document(summary)
        baseline = document(summary)
        baseline["backends"]["openai"]["requirements"]["CAP-01"] = "fail"
        baseline["backends"]["openai"]["endpoints"]["chat"]["proven"] = False
        page = pull_request.render(baseline, today, compare(baseline, summary), "Raise it.")
    caught = [kill["killed"] for kill in golden.RECORDS if kill["kind"] == "kill" and kill["requirement"] != "TRK-90"]
    counts = f"endpoints proven: 1 of 2 (was 0 of 2); saboteurs caught: {sum(caught)} of {len(caught)}."
    assert f"requirements proven: 3 of 9 (was 2 of 9); {counts}" in page
    assert "| openai | 3/8 | 3/8 | 0 | CAP-01, endpoint chat |" in page
    assert "TRK-90" not in page
