"""The charts of the report, each a pure function of one part's result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from benchmarks import svg
from benchmarks.figures import summary
from benchmarks.formats import duration, number

__all__ = ["charts"]

_CACHE_WAYS: Final = {"past": "past our cache", "miss": "a miss", "exact": "an exact hit", "semantic": "a semantic hit"}
_ADDED: Final = {
    "empty": "our empty observer",
    "logs": "CallLog",
    "audit": "AuditLog",
    "audit_buffered": "AuditLog, buffered",
    "otel_api": "OpenTelemetry, no SDK",
    "otel": "OpenTelemetry, SDK",
    "otel_floor": "its SDK alone, by hand",
    "chain": "a chain, one hop",
}


def charts(results: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return file name -> SVG for every chart that the results allow."""
    found: dict[str, str] = {}
    if "calls" in results:
        calls = results["calls"]
        found["calls.svg"] = _bars(
            calls, "32", "Calls per second", "32 in flight on one core; median, least and most of the rounds"
        )
        found["cpu.svg"] = _bars(
            calls,
            "32",
            "Processor time of a call",
            "32 in flight; median, least and most of the rounds",
            "cpu_per_unit",
            duration,
        )
        found["latency.svg"] = _latency(calls, "32", "Latency, median and 99th percentile", "32 in flight; logarithmic")
    if "streams" in results:
        found["streams.svg"] = _bars(
            results["streams"],
            "8",
            "Streamed tokens per second",
            "8 streams in flight on one core; median, least and most",
        )
    if "imports" in results:
        found["imports.svg"] = _imports(results["imports"])
    if "waiting_line" in results:
        found["waiting_line.svg"] = _waiting_line(results["waiting_line"])
    if "batching" in results:
        found["batching.svg"] = _batching(results["batching"])
    if "caching" in results:
        found["caching.svg"] = _caching(results["caching"])
    if "overheads" in results:
        found["overheads.svg"] = _overheads(results["overheads"])
    if "growth" in results and results["growth"]["status"] == "measured":
        found["growth.svg"] = _growth(results["growth"])
    for row in results.get("semantic_cache", {}).get("embedders", ()):
        found[f"semantic_cache_{row['name']}.svg"] = _semantic_cache(row)

    if "adaptive" in results:
        adaptive = results["adaptive"]
        for name, title, subtitle, figure in (
            ("goodput", "Calls answered in time", "a second, of 10 that come", "served"),
            ("latency", "Time to the answer", "seconds, 95th percentile of those that were answered", "p95"),
            (
                "waste",
                "Requests for nothing",
                "a second: refused, unreachable, or worked on for a caller who had left",
                "wasted",
            ),
        ):
            found[f"adaptive_{name}.svg"] = _adaptive(adaptive, title, subtitle, figure)
    return {name: chart for name, chart in found.items() if chart}


def _measured(result: Mapping[str, Any], level: str, figure: str) -> list[tuple[Mapping[str, Any], list[float]]]:
    found = []
    for row in result["clients"]:
        values = row["levels"].get(level, {}).get(figure, [])
        if values and None not in values:
            found.append((row, values))
    return found


def _bars(
    result: Mapping[str, Any], level: str, title: str, subtitle: str, figure: str = "per_second", text: Any = number
) -> str:
    rows = []
    for row, values in _measured(result, level, figure):
        taken = summary(values)
        rows.append(svg.Bar(row["title"], taken.median, taken.low, taken.high, row["ours"]))
    return svg.bars(title, subtitle, rows, text) if rows else ""


def _latency(result: Mapping[str, Any], level: str, title: str, subtitle: str) -> str:
    rows = []
    for row, p50 in _measured(result, level, "p50"):
        p99 = row["levels"][level]["p99"]
        half, late = summary(p50).median, summary(p99).median
        rows.append(svg.Bar(row["title"], half, half, late, row["ours"]))
    return svg.ranges(title, subtitle, rows, duration) if rows else ""


def _imports(result: Mapping[str, Any]) -> str:
    bare = next(row for row in result["rows"] if row["name"] == "bare")["wall"]
    rows = []
    for row in result["rows"]:
        if row["status"] != "measured" or row["name"] == "bare":
            continue
        taken = summary([max(0.0, one - other) for one, other in zip(row["wall"], bare, strict=True)])
        ours = row["name"].startswith(("backends", "whole_path"))
        rows.append(svg.Bar(row["title"].replace("`", ""), taken.median, taken.low, taken.high, ours))
    return svg.bars(
        "Time of an import, and of a first call", "over a bare interpreter; median, least and most", rows, duration
    )


def _waiting_line(result: Mapping[str, Any]) -> str:
    names = {"push": "push", "pop": "pop", "submit": "admission in", "release": "admission out"}
    series = [
        svg.Line(label, [(row["waiting"], summary(row[name]).median * 1e6) for row in result["rows"]])
        for name, label in names.items()
    ]
    return svg.lines(
        "The waiting line",
        "µs for one operation, by how many wait; median of the rounds",
        series,
        lambda x: f"{x:,.0f}",
        lambda y: number(y),
        goal=(10.0, "target: at most 10 µs"),
        log_x=True,
    )


def _batching(result: Mapping[str, Any]) -> str:
    sizes = sorted({row["size"] for row in result["rows"]})
    series = [
        svg.Line(
            f"our batches of {size}" if size > 1 else "one request each",
            [(row["callers"], summary(row["per_second"]).median) for row in result["rows"] if row["size"] == size],
        )
        for size in sizes
    ]
    return svg.lines(
        "Shared requests",
        "texts embedded per second, by callers; simulated server",
        series,
        lambda x: f"{x:,.0f}",
        number,
        log_x=True,
    )


def _caching(result: Mapping[str, Any]) -> str:
    rows = []
    for row in result["rows"]:
        half, late = summary(row["p50"]).median, summary(row["p99"]).median
        rows.append(svg.Bar(_CACHE_WAYS[row["name"]], half, half, late, ours=True))
    kept = f"{result['settings']['entries']:,} answers kept; logarithmic"
    return svg.ranges("The cache: median and 99th percentile", kept, rows, duration)


def _overheads(result: Mapping[str, Any]) -> str:
    seconds = {row["name"]: row["seconds"] for row in result["rows"]}
    rows = []
    for name, label in _ADDED.items():
        if name in seconds:
            taken = summary([max(0.0, one - other) for one, other in zip(seconds[name], seconds["plain"], strict=True)])
            rows.append(svg.Bar(label, taken.median, taken.low, taken.high, ours=name != "otel_floor"))
    return svg.bars(
        "Added to a call", "processor time over a call without observer; median, least, most", rows, duration
    )


def _growth(result: Mapping[str, Any]) -> str:
    samples = result["samples"]
    start = samples[0]["resident_bytes"]
    points = [(sample["requests"] / 1000, (sample["resident_bytes"] - start) / 2**20) for sample in samples]
    return svg.lines(
        "Memory over finished requests",
        "MB gained since the first sample, by thousands of requests",
        [svg.Line("our whole path", points)],
        number,
        number,
        goal=(5.0, "target: at most 5 MB"),
    )


def _semantic_cache(row: Mapping[str, Any]) -> str:
    if row["status"] != "measured":
        return ""
    shown = {
        ("hits", "no gate"): "right, no gate",
        ("hits", "content"): "right, gate",
        ("false_hits", "no gate"): "wrong, no gate",
        ("false_hits", "content"): "wrong, gate",
    }
    series = [
        svg.Line(label, [(one["threshold"], 100 * one[figure]) for one in row["rates"] if one["gate"] == gate])
        for (figure, gate), label in shown.items()
    ]
    return svg.lines(
        f"The semantic cache with {row['title']}",
        "% of the pairs that hit, by threshold: paraphrases (right) and look-alikes (wrong)",
        series,
        number,
        number,
        goal=(60.0, "target: at least 60 % right"),
    )


def _adaptive(result: Mapping[str, Any], title: str, subtitle: str, figure: str) -> str:
    """Lines over the timetable: the median of the runs in each span of time; a span without any figure is left out."""
    settings = result["settings"]
    length = settings["bucket"]
    scale = 1.0 if figure == "p95" else length
    series = []
    for row in result["clients"]:
        points = []
        for at, spans in enumerate(zip(*row["runs"], strict=True)):
            values = [span[figure] for span in spans if span[figure] is not None]
            if values:
                points.append(((at + 0.5) * length, summary(values).median / scale))
        series.append(svg.Line(row["short"], points))
    begins, bands = 0.0, []
    for phase in settings["phases"]:
        bands.append((begins, phase["name"]))
        begins += phase["seconds"]
    return svg.timeline(title, f"{subtitle}; by seconds since the beginning", series, bands, begins, number)
