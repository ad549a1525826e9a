"""The report of a mutation run: verdicts taken over as they are, no score too high, no list that is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.mutation import command_line, equivalent, report, taking, verdicts
from benchmarks.mutation.verdicts import Change, DamagedError, Module, Run

BREAKER = "backends.resilience.breaker"
HINTS = "backends.resilience.hints"
SURVIVOR = Change("return 0.0", "return 1.0")
TOOL = taking.Tool("mutmut 3", lambda name, _: f"--- a\n+++ b\n@@ -1 +1 @@\n same\n-    -1 {name[-1]}\n+    +1")


def a_run(**changes: Any) -> Run:
    modules = {
        BREAKER: Module("0" * 16, {"Breaker.wait": "kksk", "Breaker.acquire": "t."}),
        HINTS: Module("1" * 16, {"read_seconds": "kkku"}),
    }
    survivors = {
        f"{BREAKER}.Breaker.wait#3": SURVIVOR,
        f"{BREAKER}.Breaker.acquire#1": Change("break", "return"),
        f"{HINTS}.read_seconds#4": Change("a | b", "a & b"),
    }
    return Run(
        **{
            "tool": "mutmut 3",
            "python": "3.11",
            "sample": "every other",
            "modules": modules,
            "changes": survivors,
            **changes,
        }
    )


def test_timeouts_and_mutants_without_a_test_are_not_killed() -> None:
    """Only what was run counts, and of that only what a test refused counts as killed."""
    found = report.scores(a_run(), ())
    assert found[BREAKER] == report.Score(made=6, killed=3, timed_out=1, unnoticed=1, equivalent=0)
    assert (found[BREAKER].run, found[BREAKER].percent) == (5, "60.0 %")
    assert found[HINTS].percent == "75.0 %"


def test_equivalent_ones_count_neither_way() -> None:
    whole = report.total(report.scores(a_run(), [f"{BREAKER}.Breaker.wait#3"]).values())
    assert (whole.killed, whole.equivalent, whole.run) == (6, 1, 9)
    assert whole.percent == "75.0 %"


def test_a_score_is_cut_off_and_never_rounded_up() -> None:
    assert report.Score(made=3000, killed=2549, timed_out=0, unnoticed=451, equivalent=0).percent == "84.9 %"
    assert report.Score(made=1, killed=0, timed_out=0, unnoticed=0, equivalent=0).percent == ""


def test_the_page_says_what_was_run_and_what_was_not_noticed() -> None:
    page = report.render(a_run(), {f"{BREAKER}.Breaker.wait#3": (SURVIVOR, "Nobody can tell.")})
    assert "**75.0 % of the mutants" in page
    assert "(target: 85%, not reached)" in page
    assert "Of 10 mutants 9 were run (every other); the others count neither way." in page
    unnoticed, equal = page.split("## Timed out")
    assert r"| `backends.resilience.hints.read_seconds#4` | ``a \| b`` | ``a & b`` |" in unnoticed
    assert "Breaker.wait#3" not in unnoticed
    assert "| ``return 0.0`` | ``return 1.0`` | Nobody can tell. |" in equal


def test_a_long_line_is_cut_to_where_it_differs() -> None:
    long = "x" * 300
    page = report.render(
        a_run(changes={**a_run().changes, f"{HINTS}.read_seconds#4": Change(f"{long} 0", f"{long} 1")}), {}
    )
    assert f"``…{'x' * 79} 0``" in page


@pytest.mark.parametrize(
    ("mutant", "change", "complaint"),
    [
        ("Breaker.wait#1", SURVIVOR, "was killed"),
        ("Breaker.wait#9", SURVIVOR, "does not exist"),
        ("Breaker.wait#3", Change("return 0.0", "return 2.0"), "another change by now: return 1.0"),
    ],
)
def test_a_wrong_entry_of_the_list_is_an_error(mutant: str, change: Change, complaint: str) -> None:
    (found,) = equivalent.errors(a_run(), {f"{BREAKER}.{mutant}": (change, "because")})
    assert complaint in found


def test_an_entry_that_was_not_run_is_no_error() -> None:
    assert equivalent.errors(a_run(), {f"{BREAKER}.Breaker.acquire#2": (SURVIVOR, "because")}) == []


def test_verdicts_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "verdicts.json"
    verdicts.write(a_run(), path)
    assert verdicts.read(path) == a_run()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "cannot be read"),
        ("[]", "no object"),
        ('{"schema": 2}', "schema 1"),
        ('{"schema": 1, "tool": "t", "python": "p", "sample": "", "changes": {}}', "'modules'"),
        (
            '{"schema": 1, "tool": "t", "python": "p", "sample": "", "changes": {}, '
            '"modules": {"m": {"source": "", "functions": {"f": "kx"}}}}',
            "do not exist: x",
        ),
    ],
)
def test_damaged_verdicts_are_named(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "verdicts.json"
    path.write_text(text, "utf-8")
    with pytest.raises(DamagedError, match=complaint):
        verdicts.read(path)


def test_a_reason_is_not_optional(tmp_path: Path) -> None:
    path = tmp_path / "equivalent.json"
    path.write_text(json.dumps({"m.f#1": {"was": "a", "now": "b", "why": ""}}), "utf-8")
    with pytest.raises(DamagedError, match=r"m\.f#1"):
        equivalent.read(path)


def the_tools_folder(root: Path, codes: dict[str, int | None]) -> None:
    source = root / "backends" / "wire" / "sse.py"
    source.parent.mkdir(parents=True)
    source.write_text("pass\n", "utf-8")
    meta = root / "mutants" / "backends" / "wire" / "sse.py.meta"
    meta.parent.mkdir(parents=True)
    meta.write_text(json.dumps({"exit_code_by_key": codes}), "utf-8")


def test_the_tools_verdicts_are_taken_over(tmp_path: Path) -> None:
    the_tools_folder(
        tmp_path,
        {
            "backends.wire.sse.xǁReaderǁ_feed__mutmut_1": 1,
            "backends.wire.sse.xǁReaderǁ_feed__mutmut_2": 0,
            "backends.wire.sse.x_events__mutmut_1": 36,
            "backends.wire.sse.x_events__mutmut_2": None,
            "backends.wire.sse.x_events__mutmut_3": 33,
        },
    )
    run = taking.take(TOOL, tmp_path)
    assert run.modules["backends.wire.sse"].functions == {"Reader._feed": "ks", "events": "t.u"}
    assert run.changes == {
        "backends.wire.sse.Reader._feed#2": Change("-1 2", "+1"),
        "backends.wire.sse.events#1": Change("-1 1", "+1"),
        "backends.wire.sse.events#3": Change("-1 3", "+1"),
    }


def test_a_mutant_that_broke_the_process_is_not_called_killed(tmp_path: Path) -> None:
    the_tools_folder(tmp_path, {"backends.wire.sse.x_events__mutmut_1": -11})
    with pytest.raises(DamagedError, match="-11"):
        taking.take(TOOL, tmp_path)


def test_nothing_to_take_over(tmp_path: Path) -> None:
    with pytest.raises(DamagedError, match="run mutmut first"):
        taking.take(TOOL, tmp_path)


def test_the_committed_report_is_what_the_verdicts_say(capsys: pytest.CaptureFixture[str]) -> None:
    """And the list of equivalent mutants is right, and the target reached."""
    assert command_line.main(["--check"]) == 0, capsys.readouterr().err


def test_a_missed_target_and_another_report_fail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written = tmp_path / "verdicts.json"
    verdicts.write(a_run(), written)
    listed = tmp_path / "equivalent.json"
    listed.write_text("{}", "utf-8")
    options = ["--verdicts", str(written), "--equivalent", str(listed), "--reports", str(tmp_path)]
    assert command_line.main([*options, "--check"]) == 1
    assert "MUTATION.md is not what the verdicts say" in capsys.readouterr().err
    assert command_line.main(options) == 1
    said = capsys.readouterr()
    assert "the target of 85% is missed" in said.err
    assert "6 killed of 9 run" in said.out
    assert BREAKER in said.out
    written.write_text("{", "utf-8")
    assert command_line.main(options) == 2
