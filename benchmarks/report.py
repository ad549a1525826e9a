"""``reports/BENCHMARKS.md`` and its charts: a pure function of the results, without clock or measurement."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from benchmarks import report_features, targets
from benchmarks.charts import charts
from benchmarks.figures import ratios, summary
from benchmarks.formats import duration, number, span
from benchmarks.markdown import CHARTS, picture, table
from benchmarks.semantic_report import semantic_cache

__all__ = ["render", "write"]

Result = Mapping[str, Any]


def write(reports: Path, results: Mapping[str, Result]) -> None:
    """Write page and charts, and take away charts that are no longer made."""
    pictures = charts(results)
    folder = reports / CHARTS
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.svg"):
        if path.name not in pictures:
            path.unlink()
    for name, drawing in pictures.items():
        (folder / name).write_text(drawing, "utf-8")
    (reports / "BENCHMARKS.md").write_text(render(results), "utf-8")


def render(results: Mapping[str, Result]) -> str:
    """Return the page."""
    blocks = [
        "# Benchmarks",
        "Written by `python -m benchmarks` from the files in `benchmarks/results/`; not edited by hand. Figures are "
        "medians over interleaved rounds, the extremes in parentheses; ratios are taken within rounds. How they are "
        "measured and how to read them: [benchmarks/README.md](../benchmarks/README.md).",
        "## Targets",
        table(
            ("What", "Figure", "Target", "Verdict", "Machine quiet"),
            (
                (row.what, row.figure, row.goal, row.verdict, _quiet(results.get(row.part)))
                for row in targets.rows(results)
            ),
        ),
    ]
    blocks.extend(_conditions(results))
    for part, (title, body) in _SECTIONS.items():
        if part in results:
            blocks.append(f"## {title}")
            if results[part]["quick"]:
                blocks.append("**A quick run: it shows that the part works; its figures say nothing about speed.**")
            blocks.extend(body(results[part]))
    return "\n\n".join(blocks) + "\n"


def _quiet(result: Result | None) -> str:
    if result is None:
        return ""
    noise = result["noise"]
    if noise["others_share"] is None:
        return "not known"
    return "yes" if noise["quiet"] else f"no: others used {noise['others_share']:.0%}"


def _conditions(results: Mapping[str, Result]) -> list[str]:
    """Say where and in what noise each part was measured."""
    if not results:
        return []
    rows = []
    for part, result in results.items():
        machine, noise = result["machine"], result["noise"]
        rows.append(
            (
                part,
                result.get("date", ""),
                f"{machine['processor']}, {machine['cpus']} CPUs, {machine['memory_gib']} GiB",
                f"{machine['system']}, {machine['python']}",
                ", ".join(f"{name} {version}" for name, version in result["versions"].items()),
                f"others {noise['others_share']:.1%}" if noise["others_share"] is not None else "others not known",
                f"{noise['spin_spread']:.0%}",
                f"{noise['load_before'][0]:g}, {noise['load_after'][0]:g}",
            )
        )
    head = (
        "Part",
        "Date",
        "Machine",
        "System",
        "Versions",
        "CPU used by others",
        "Spread of a fixed loop",
        "Load before, after",
    )
    return ["## Conditions", table(head, rows)]


def _client_tables(result: Result, unit: str, per: str) -> list[str]:
    """Return a table for each level, then what was not measured, failures and the server's share."""
    blocks = []
    settings = result["settings"]
    for level in settings["orders"]:
        rows = []
        for row in result["clients"]:
            if row["status"] != "measured":
                rows.append((row["title"], f"{row['status']}: {row['remark']}", "", "", "", "", ""))
                continue
            rows.append((row["title"], *_cells(result, row, level)))
        blocks.append(f"### {level} in flight" if level.isdigit() else f"### {level}")
        blocks.append(
            table(
                (
                    "Client",
                    f"{unit} per second",
                    f"beside {result['clients'][0]['title']}",
                    f"CPU per {per}",
                    "p50",
                    "p99",
                    "failures",
                ),
                rows,
            )
        )
    return [*blocks, *_footing(result)]


def _cells(result: Result, row: Mapping[str, Any], level: str) -> tuple[str, ...]:
    figures = row["levels"][level]
    failures = str(figures["failures"])
    if figures["failures"]:
        failures += f" ({figures['first_failure']})"
    if not figures["per_second"] or None in figures["per_second"]:
        return ("no success", "", "", "", "", failures)
    first = result["clients"][0]["levels"].get(level, {}).get("per_second", [])
    beside = span(summary(ratios(figures["per_second"], first))) if first and None not in first else ""
    cells = [
        duration(summary(figures[name]).median) if None not in figures[name] else "none finished in a window"
        for name in ("cpu_per_unit", "p50", "p99")
    ]
    return (span(summary(figures["per_second"])), beside, *cells, failures)


def _footing(result: Result) -> list[str]:
    """Say how each client was set up, and that neither the server nor a hidden repetition made the figures."""
    shares, repeated, rows = [0.0], [1.0], []
    for row in result["clients"]:
        for figures in row["levels"].values():
            shares.extend(figures["server_share"])
            repeated.extend(figures["requests_per_call"])
        peaks = [figures["peak_bytes"] for figures in row["levels"].values() if figures["peak_bytes"]]
        peak = f"{max(peaks) / 2**20:.0f} MB" if peaks else ""
        versions = ", ".join(f"{name} {version}" for name, version in row["versions"].items())
        rows.append((row["title"], versions, row["note"], peak))
    settings = result["settings"]
    return [
        f"{settings['rounds']} rounds, windows of {number(settings['seconds'])} s. {_server_share(max(shares))} It saw "
        f"{number(min(repeated))} to {number(max(repeated))} requests for each call.",
        table(("Client", "Versions", "Set up as", "Peak memory"), rows),
    ]


def _server_share(share: float) -> str:
    if share < 0.8:
        return f"The server used at most {share:.0%} of its CPU: it bounds no figure."
    return f"**The server used up to {share:.0%} of its CPU and may bound the fastest client.**"


def _calls(result: Result) -> list[str]:
    return [
        picture("calls.svg", "Calls per second at 32 in flight"),
        picture("cpu.svg", "Processor time of a call at 32 in flight"),
        picture("latency.svg", "Median and 99th percentile of latency at 32 in flight"),
        *_client_tables(result, "calls", "call"),
    ]


def _arrivals(result: Result) -> list[str]:
    return [
        "Latency counts from the scheduled time of each call, at a rate that every client can keep.",
        *_client_tables(result, "calls", "call"),
    ]


def _streams(result: Result) -> list[str]:
    return [
        "Latency is that of a whole stream of 400 tokens.",
        picture("streams.svg", "Streamed tokens per second, 8 in flight"),
        *_client_tables(result, "tokens", "token"),
    ]


def _sync_twin(result: Result) -> list[str]:
    return _client_tables(result, "calls", "call")


def _imports(result: Result) -> list[str]:
    bare = next(row for row in result["rows"] if row["name"] == "bare")
    rows = []
    for row in result["rows"]:
        if row["status"] != "measured":
            rows.append((row["title"], f"{row['status']}: {row['remark']}", "", "", ""))
            continue
        wall = summary([one - other for one, other in zip(row["wall"], bare["wall"], strict=True)])
        cells = [duration(summary(row["wall"]).median), span_of(wall)]
        if None not in row["peak"]:
            memory = summary([(one - other) / 2**20 for one, other in zip(row["peak"], bare["peak"], strict=True)])
            cells += [f"{number(summary(row['peak']).median / 2**20)} MB", f"{number(memory.median)} MB"]
        else:
            cells += ["not known", "not known"]
        rows.append((row["title"], *cells))
    return [
        picture("imports.svg", "Time of imports and first calls"),
        table(("What", "Wall time", "over bare", "Peak memory", "over bare"), rows),
        f"Fresh interpreters, {result['settings']['rounds']} rounds.",
    ]


def span_of(taken: Any) -> str:
    """Return a span of seconds in milliseconds."""
    return f"{number(taken.median * 1e3)} ms ({number(taken.low * 1e3)} to {number(taken.high * 1e3)})"


def _waiting_line(result: Result) -> list[str]:
    names = ("push", "pop", "submit", "release")
    rows = [
        (f"{row['waiting']:,}", *(f"{span(summary([value * 1e6 for value in row[name]]))} µs" for name in names))
        for row in result["rows"]
    ]
    return [
        picture("waiting_line.svg", "Cost of waiting"),
        table(("Waiting", "push", "pop", "admission in", "admission out"), rows),
    ]


def _growth(result: Result) -> list[str]:
    if result["status"] != "measured":
        return [f"Not measured: {result['remark']}"]
    samples = result["samples"]
    first = samples[0]["resident_bytes"]
    rows = [
        (
            f"{sample['requests']:,}",
            f"{sample['resident_bytes'] / 2**20:.1f} MB",
            f"{(sample['resident_bytes'] - first) / 2**20:+.2f} MB",
        )
        for sample in samples
    ]
    took = samples[-1]["seconds"] / max(1, samples[-1]["requests"])
    return [
        picture("growth.svg", "Memory over finished requests"),
        table(("Requests", "Resident", "gained"), rows),
        f"A request through the whole path without a network took {duration(took)}.",
    ]


def _contract_time(result: Result) -> list[str]:
    if result["status"] != "measured":
        return [f"Not measured: {result['remark']}"]
    rows = [
        (f"`{step['command']}`", duration(step["seconds"]), str(step["exit_status"]), " ".join(step["told"]))
        for step in result["steps"].values()
    ]
    return [
        f"Once each, one after the other; in between `{result['settings']['changed']}` was changed, which concerns every check.",
        table(("Command", "took", "exit status", "told"), rows),
    ]


_SECTIONS: Final = {
    "calls": ("Calls", _calls),
    "arrivals": ("Calls that arrive at their own times", _arrivals),
    "streams": ("Streams", _streams),
    "sync_twin": ("The synchronous twin", _sync_twin),
    "imports": ("Imports and first calls", _imports),
    "waiting_line": ("The waiting line", _waiting_line),
    "batching": ("Shared requests", report_features.batching),
    "caching": ("The cache", report_features.caching),
    "overheads": ("What watching and chains add", report_features.overheads),
    "growth": ("A million finished requests", _growth),
    "semantic_cache": ("The semantic cache", semantic_cache),
    "adaptive": ("Limits that follow the provider", report_features.adaptive),
    "contract_time": ("The contract", _contract_time),
}
