"""A little of everything with real processes: it works, whatever it costs here."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import (
    adaptive,
    batching,
    caching,
    command_line,
    imports,
    interleaved,
    overheads,
    result_files,
    waiting_line,
)
from benchmarks.context import Context
from benchmarks.moody_provider import PHASES

TINY = Context(rounds=2, seconds=0.05, quick=True)


@pytest.fixture
def without_packages(tmp_path: Path) -> str:
    """Return an interpreter that finds no installed package."""
    script = tmp_path / "bare-python"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n', "utf-8")
    script.chmod(0o755)
    return str(script)


def test_clients_are_measured_in_rounds_and_absent_ones_are_rows(without_packages: str) -> None:
    context = Context(rounds=2, seconds=0.05, interpreters={"litellm": without_packages})
    orders = {
        "calls": {"what": "call", "in_flight": 2, "warm_up": 0.01, "seconds": 0.05},
        "streams": {"what": "stream", "in_flight": 1, "warm_up": 0.01, "seconds": 0.05},
    }
    found = interleaved.run("test", context, ["aiohttp_raw", "litellm_router"], orders)
    measured, absent = found["clients"]
    assert measured["status"] == "measured"
    assert set(measured["versions"]) == {"aiohttp"}
    for level in measured["levels"].values():
        assert len(level["per_second"]) == 2
        assert level["failures"] == 0
        assert level["requests_per_call"] == [1.0, 1.0], "the server saw each call once"
    assert (absent["status"], absent["remark"]) == ("not installed", "pip install litellm")
    assert found["noise"]["spin_spread"] >= 0


def test_our_clients_give_the_text_that_was_sent() -> None:
    orders = {"1": {"what": "call", "in_flight": 1, "warm_up": 0.01, "seconds": 0.05}}
    found = interleaved.run("test", TINY, ["transport", "whole_path", "whole_path_sync"], orders, rounds=1)
    for row in found["clients"]:
        assert (row["status"], row["remark"]) == ("measured", "")
        assert row["levels"]["1"]["first_failure"] is None


def test_imports_are_measured_over_a_bare_interpreter(monkeypatch: pytest.MonkeyPatch, without_packages: str) -> None:
    subjects = [subject for subject in imports.SUBJECTS if subject[0] in ("bare", "backends", "litellm")]
    monkeypatch.setattr(imports, "SUBJECTS", subjects)
    found = imports.measure(Context(quick=True, interpreters={"litellm": without_packages}))
    rows = {row["name"]: row for row in found["rows"]}
    assert len(rows["backends"]["wall"]) == found["settings"]["rounds"]
    assert rows["litellm"]["status"] == "not installed"


def test_the_waiting_line_is_measured_at_each_size() -> None:
    found = waiting_line.measure(TINY)
    assert [row["waiting"] for row in found["rows"]] == [1_000, 10_000]
    assert all(len(row["push"]) == 2 for row in found["rows"])


def test_shared_requests_are_fewer_and_every_text_is_in_one() -> None:
    rows = {row["size"]: row for row in batching.measure(TINY)["rows"]}
    assert rows[1]["inputs_per_request"] == [1.0, 1.0]
    assert min(rows[64]["inputs_per_request"]) > 8


def test_every_kind_of_hit_and_miss_is_measured() -> None:
    rows = caching.measure(Context(rounds=1, quick=True))["rows"]
    assert [row["name"] for row in rows] == list(caching.TITLES)
    assert all(0 < row["p50"][0] <= row["p99"][0] for row in rows)


def test_every_way_of_watching_is_measured_in_each_round() -> None:
    rows = overheads.measure(TINY)["rows"]
    assert [row["name"] for row in rows] == list(overheads.TITLES)
    assert all(len(row["seconds"]) == 2 and min(row["seconds"]) > 0 for row in rows)


def test_a_quick_run_writes_results_and_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results, reports = tmp_path / "results", tmp_path / "reports"
    order = [
        "waiting_line",
        "growth",
        "--quick",
        "--date",
        "2026-01-02",
        "--results",
        str(results),
        "--reports",
        str(reports),
    ]
    assert command_line.main(order) == 0
    growth = json.loads((results / "growth.json").read_text("utf-8"))
    assert (growth["status"], growth["quick"], growth["date"]) == ("measured", True, "2026-01-02")
    assert "A quick run" in (reports / "BENCHMARKS.md").read_text("utf-8")
    assert "not measured" in capsys.readouterr().out
    assert command_line.main(["--report", "--results", str(results), "--reports", str(reports)]) == 0


@pytest.mark.parametrize(
    "options",
    [
        ["nonsense"],
        ["--nonsense"],
        ["--rounds", "0"],
        ["--rounds", "x"],
        ["--seconds", "-1"],
        ["--date", "yesterday"],
        ["--python", "litellm"],
        ["--python", "litellm=/no/such/python"],
        ["--report", "--quick"],
        ["--report", "calls"],
    ],
)
def test_wrong_options_are_one_line_and_exit_2(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        command_line.main(options)
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("benchmarks: ")
    assert said.count("\n") == 1


def test_damaged_results_are_one_line_and_exit_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "calls.json").write_text("{", "utf-8")
    with pytest.raises(SystemExit) as caught:
        command_line.main(["--report", "--results", str(tmp_path), "--reports", str(tmp_path / "reports")])
    assert caught.value.code == 2
    assert "calls.json" in capsys.readouterr().err


def test_parts_have_modules() -> None:
    for part in result_files.PARTS:
        module = __import__(f"benchmarks.{part}", fromlist=["measure"])
        assert callable(module.measure)


def test_the_moody_provider_is_the_same_every_time() -> None:
    """A few seconds of three moods: whoever comes is counted once, and a second run gives the same figures."""
    moods = tuple(replace(phase, seconds=4.0) for phase in PHASES if phase.name in ("well", "throttled", "dead"))
    found = {name: adaptive._run(make, 1, moods, 4.0) for name, (_, _, make) in adaptive.CLIENTS.items()}
    again = adaptive._run(adaptive.CLIENTS["adaptive"][2], 1, moods, 4.0)
    assert again == found["adaptive"]
    for spans in found.values():
        assert [span["came"] for span in spans] == [span["came"] for span in again]
        assert all(span["served"] <= span["came"] for span in spans)
    assert sum(span["wasted"] for span in found["naive"]) > sum(span["wasted"] for span in again)


def test_a_router_that_is_not_there_says_what_to_install(without_packages: str) -> None:
    bare = replace(TINY, interpreters={"litellm": without_packages})
    with adaptive._Router(bare, PHASES[:1], 1.0) as router:
        assert router.rows() == []
    assert router._process.returncode is not None
    assert router.told == {"status": "not installed", "remark": "pip install 'backends-conformance[bench]'"}


def test_a_router_that_fails_is_told_of() -> None:
    broken = replace(TINY, interpreters={"litellm": "/bin/false"})
    with adaptive._Router(broken, PHASES[:1], 1.0) as router:
        assert router.rows() == []
    assert router.told == {"status": "failed", "remark": "its process ended with 1"}
