"""Targets, page and charts are pure functions of the results and honest about what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import benchmark_samples as samples
import pytest

from benchmarks import report, result_files, targets
from benchmarks.charts import charts

Results = dict[str, dict[str, Any]]


@pytest.fixture
def results() -> Results:
    return samples.everything()


def _verdicts(results: Results) -> dict[str, str]:
    return {f"{row.part}: {row.what}": row.verdict for row in targets.rows(results)}


def test_every_target_is_judged_by_its_median(results: Results) -> None:
    verdicts = _verdicts(results)
    assert len(verdicts) == len(targets.TARGETS)
    missed = {what: verdict for what, verdict in verdicts.items() if verdict != "reached"}
    assert len(missed) == 2
    for what, verdict in missed.items():
        assert what.startswith("sync_twin: ")
        assert verdict == "not reached: 3 instead of 2"


def test_a_missed_target_says_by_how_much(results: Results) -> None:
    results["calls"] = samples.with_clients(
        "calls",
        ("1", "32", "128"),
        {"aiohttp_raw": [1000.0], "whole_path": [400.0], "openai_sdk": [10.0], "litellm_router": [10.0]},
    )
    assert targets.rows(results)[0].verdict == "not reached: 0.4 instead of 0.5"


def _calls(whole_path: list[float]) -> dict[str, Any]:
    rates = {name: [1000.0] * len(whole_path) for name in ("aiohttp_raw", "openai_sdk", "litellm_router")}
    return samples.with_clients("calls", ("1", "32", "128"), {**rates, "whole_path": whole_path})


def test_rounding_never_reaches_a_target(results: Results) -> None:
    results["calls"] = _calls([499.66])
    verdict = targets.rows(results)[0].verdict
    assert verdict.startswith("not reached: 0.49966")


def test_rounds_that_disagree_are_said(results: Results) -> None:
    results["calls"] = _calls([400.0, 600.0, 700.0])
    assert targets.rows(results)[0].verdict == "reached: in the median, and in 2 of 3 rounds"
    results["calls"] = _calls([400.0, 450.0, 700.0])
    assert targets.rows(results)[0].verdict == "not reached: 0.45 instead of 0.5, reached in 1 of 3 rounds"


def test_a_target_without_figures_is_a_row_that_says_why(results: Results) -> None:
    del results["growth"]
    results["streams"]["quick"] = True
    results["calls"]["clients"][-1].update(status="not installed", remark="pip install litellm", levels={})
    verdicts = list(_verdicts(results).values())
    assert "not measured: run `python -m benchmarks growth`" in verdicts
    assert "not measured: a quick run says nothing about speed" in verdicts
    assert "not measured: litellm router not installed: pip install litellm" in verdicts


def test_nothing_measured_is_still_a_page() -> None:
    page = report.render({})
    assert page.count("not measured") == len(targets.TARGETS)


def test_the_page_is_the_same_every_time_and_shows_every_part(results: Results) -> None:
    page = report.render(results)
    assert page == report.render(samples.everything())
    for heading in (
        "Targets",
        "Conditions",
        "Calls",
        "Streams",
        "The waiting line",
        "Shared requests",
        "The cache",
        "The contract",
    ):
        assert f"## {heading}\n" in page
    assert "| adaptive, whole path | 45% | 0.55 | 90% | 0% |" in page
    assert "not reached: 3 instead of 2" in page
    assert "2026-01-02" in page


def test_an_absent_client_is_a_row(results: Results) -> None:
    results["calls"]["clients"].append(
        samples.client("any_llm", None, (), status="not installed", remark="pip install any-llm-sdk")
    )
    assert "| any llm | not installed: pip install any-llm-sdk |" in report.render(results)


def test_what_observers_cost_beyond_the_same_by_hand_is_told(results: Results) -> None:
    page = report.render(results)
    assert "by hand: OpenTelemetry with its SDK 10 µs; `CallLog` 8 µs." in page
    results["overheads"]["rows"] = [row for row in results["overheads"]["rows"] if not row["name"].endswith("floor")]
    assert "by hand:" not in report.render(results)


def test_the_router_is_in_the_table_or_the_page_says_why_not(results: Results) -> None:
    assert "LiteLLM 1.2: its Router keeps its own time" in report.render(results)
    remark = "pip install 'backends-conformance[bench]'"
    results["adaptive"]["router"] = {"status": "not installed", "remark": remark}
    assert f"LiteLLM's Router is not in this table: not installed: {remark}" in report.render(results)
    del results["adaptive"]["router"]  # results of an earlier version
    assert "not in this table: not measured: run `python -m benchmarks adaptive`" in report.render(results)


def test_an_observer_that_was_not_there_is_a_row_and_a_target_that_says_so(results: Results) -> None:
    results["overheads"]["rows"] = [row for row in results["overheads"]["rows"] if row["name"] != "otel"]
    assert "| `OpenTelemetry`, SDK, spans exported into memory | not installed |" in report.render(results)
    assert "not measured: otel is not installed" in _verdicts(results).values()


def test_failures_and_noise_are_shown(results: Results) -> None:
    results["calls"]["clients"][2]["levels"]["32"].update(failures=7, first_failure="TimeoutError: late")
    results["calls"]["noise"] = samples.noise(quiet=False)
    page = report.render(results)
    assert "7 (TimeoutError: late)" in page
    assert "no: others used 40%" in page


def test_a_round_without_success_is_said(results: Results) -> None:
    results["calls"]["clients"][3]["levels"]["32"].update(
        per_second=[200.0, None, 200.0], failures=3, first_failure="X: y"
    )
    assert "no success" in report.render(results)
    assert "not measured: litellm router failed: X: y" in _verdicts(results).values()


def test_charts_are_well_formed_and_name_what_they_show(results: Results) -> None:
    pictures = charts(results)
    assert set(pictures) == {
        "calls.svg", "cpu.svg", "latency.svg", "streams.svg", "imports.svg", "waiting_line.svg", "growth.svg",
        "batching.svg", "caching.svg", "overheads.svg",
        "semantic_cache_minilm.svg",
        "adaptive_goodput.svg", "adaptive_latency.svg", "adaptive_waste.svg",
    }  # fmt: skip
    for name, picture in pictures.items():
        root = ElementTree.fromstring(picture)
        words = [element.text for element in root.iter() if element.text]
        assert root.attrib["aria-label"], name
        assert "prefers-color-scheme:dark" in picture, name
        assert "nan" not in picture, name
        assert any(
            "our" in word or "whole" in word or "adaptive" in word or "push" in word or "backends" in word
            for word in words
        ), name


def test_an_embedder_that_was_not_measured_is_said(results: Results) -> None:
    page = report.render(results)
    assert "Failed: why" in page
    assert "| 0.8 | 80.0%, 50.00% | 80.0%, 0.00% |" in page
    results["semantic_cache"]["embedders"][0].update(status="not installed", remark="pip install it", rates=[])
    assert "not measured: an encoder of ours not installed: pip install it" in _verdicts(results).values()


def test_markup_in_a_title_is_text(results: Results) -> None:
    results["calls"]["clients"][0]["title"] = "<b>&"
    assert "&lt;b&gt;&amp;" in charts(results)["calls.svg"]


def test_results_come_back_as_written_and_old_charts_go(tmp_path: Path, results: Results) -> None:
    for part, result in results.items():
        result_files.write(tmp_path / "results", part, result, date="2026-01-02", quick=False)
    read = result_files.read(tmp_path / "results")
    assert list(read) == list(result_files.PARTS)
    written = read["calls"]["clients"][0]["levels"]["32"]
    assert written["per_second"] == [9000.0, 8000.0, 10000.0]
    assert written["cpu_per_unit"] == [0.000111111, 0.000125, 0.0001], "six digits"
    (tmp_path / "reports" / "benchmarks").mkdir(parents=True)
    old = tmp_path / "reports" / "benchmarks" / "gone.svg"
    old.write_text("<svg/>", "utf-8")
    report.write(tmp_path / "reports", read)
    assert not old.exists()
    assert (tmp_path / "reports" / "BENCHMARKS.md").read_text("utf-8") == report.render(read)


@pytest.mark.parametrize("content", ["{", "[]", '{"schema": 1, "part": "streams"}', '{"schema": 99, "part": "calls"}'])
def test_a_damaged_file_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "calls.json").write_text(content, "utf-8")
    with pytest.raises(result_files.DamagedError, match=r"calls\.json"):
        result_files.read(tmp_path)
