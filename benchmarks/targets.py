"""What was promised and whether it was reached: one row a target, a pure function of the results.

A target that was not measured is a row that says why; none is left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from benchmarks import overheads
from benchmarks.figures import ratios, summary
from benchmarks.formats import number, span

__all__ = ["TARGETS", "Row", "rows", "series"]

Figure: TypeAlias = Callable[[Mapping[str, Any]], Sequence[float]]
"""Takes a figure from the result of a part, a value for each round; raises NotMeasuredError where there is none."""


class NotMeasuredError(Exception):
    """There is no figure; the message says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """One promise.

    Attributes:
        part: where it is measured.
        what: the figure in words.
        goal: the bound.
        most: True when the figure must not exceed the bound, False when it must reach it.
        unit: of figure and bound.
        figure: how it is taken from the part's result.
    """

    part: str
    what: str
    goal: float
    most: bool
    unit: str
    figure: Figure


@dataclass(frozen=True, slots=True)
class Row:
    """A target beside its figure; ``verdict`` begins with ``reached``, ``not reached`` or ``not measured``."""

    part: str
    what: str
    figure: str
    goal: str
    verdict: str


def series(result: Mapping[str, Any], client: str, level: str, figure: str) -> list[float]:
    """Return one figure of one client, a value for each round.

    Raises:
        NotMeasuredError: the client was not measured, or had a round without any success.
    """
    for row in result["clients"]:
        if row["name"] == client:
            if row["status"] != "measured":
                raise NotMeasuredError(f"{row['title']} {row['status']}: {row['remark']}")
            values: list[float] = row["levels"][level][figure]
            if not values or None in values:
                raise NotMeasuredError(f"{row['title']} failed: {row['levels'][level]['first_failure']}")
            return values
    raise NotMeasuredError(f"{client} is not in the results")


def _ratio(above: str, below: str, level: str, figure: str) -> Figure:
    def take(result: Mapping[str, Any]) -> Sequence[float]:
        return ratios(series(result, above, level, figure), series(result, below, level, figure))

    return take


def _over_bare(name: str, figure: str, scale: float) -> Figure:
    def take(result: Mapping[str, Any]) -> Sequence[float]:
        by_name = {row["name"]: row for row in result["rows"]}
        row = by_name[name]
        if row["status"] != "measured" or None in row[figure]:
            raise NotMeasuredError(f"{row['title']} {row['status']}: {row['remark']}")
        return [(one - bare) * scale for one, bare in zip(row[figure], by_name["bare"][figure], strict=True)]

    return take


def _waiting(names: Sequence[str]) -> Figure:
    def take(result: Mapping[str, Any]) -> Sequence[float]:
        last = result["rows"][-1]
        if last["waiting"] < 1_000_000:
            raise NotMeasuredError(f"only {last['waiting']:,} waited")
        return [max(values) * 1e6 for values in zip(*(last[name] for name in names), strict=True)]

    return take


def _waiting_growth(result: Mapping[str, Any]) -> Sequence[float]:
    first, last = result["rows"][0], result["rows"][-1]
    expected = math.log(last["waiting"]) / math.log(first["waiting"])
    grown = [
        max(ratios(last[name], first[name])[at] for name in ("push", "pop")) / expected
        for at in range(len(first["push"]))
    ]
    if last["waiting"] < 1_000_000:
        raise NotMeasuredError(f"only {last['waiting']:,} waited")
    return grown


def _batching_gain(size: int) -> Figure:
    def take(result: Mapping[str, Any]) -> Sequence[float]:
        by_size = {row["size"]: row["per_second"] for row in result["rows"] if row["callers"] == 64}
        return ratios(by_size[size], by_size[1])

    return take


def _semantic_hit(result: Mapping[str, Any]) -> Sequence[float]:
    if result["settings"]["entries"] < 100_000:
        raise NotMeasuredError(f"only {result['settings']['entries']:,} entries")
    return [seconds * 1e3 for row in result["rows"] if row["name"] == "semantic" for seconds in row["p50"]]


def _added(name: str, to: str) -> Figure:
    def take(result: Mapping[str, Any]) -> Sequence[float]:
        seconds = {row["name"]: row["seconds"] for row in result["rows"]}
        if name not in seconds:
            raise NotMeasuredError(f"{name} is {overheads.why_missing(name)}")
        return [(one - other) * 1e6 for one, other in zip(seconds[name], seconds[to], strict=True)]

    return take


def _growth(result: Mapping[str, Any]) -> Sequence[float]:
    if result["status"] != "measured":
        raise NotMeasuredError(result["remark"])
    samples = result["samples"]
    if samples[-1]["requests"] < 1_000_000:
        raise NotMeasuredError(f"only {samples[-1]['requests']:,} requests")
    return [(samples[-1]["resident_bytes"] - samples[0]["resident_bytes"]) / 2**20]


def _cache_rate(figure: str, pairs: str = "rates") -> Figure:
    """Return how a rate of the semantic cache is taken, in percent: as it is set up in the quickstart, with an encoder.

    Args:
        figure: ``hits`` or ``false_hits``.
        pairs: ``rates``, of the pairs that the gate was made with, or ``held_out``.
    """

    def take(result: Mapping[str, Any]) -> Sequence[float]:
        encoder = next(row for row in result["embedders"] if row["name"] == "minilm")
        if encoder["status"] != "measured":
            raise NotMeasuredError(f"{encoder['title']} {encoder['status']}: {encoder['remark']}")
        if not encoder.get(pairs):
            raise NotMeasuredError("these results know no held-out pairs")
        return [100 * row[figure] for row in encoder[pairs] if (row["gate"], row["threshold"]) == ("content", 0.8)]

    return take


def _contract(step: str) -> Figure:
    def figure(result: Mapping[str, Any]) -> Sequence[float]:
        if result["status"] != "measured":
            raise NotMeasuredError(result["remark"])
        return [result["steps"][step]["seconds"]]

    return figure


TARGETS: Final = (
    Target(
        "calls",
        "our whole path, calls per second beside raw aiohttp, 32 in flight",
        0.5,
        False,
        "times",
        _ratio("whole_path", "aiohttp_raw", "32", "per_second"),
    ),
    Target(
        "calls",
        "our whole path beside the OpenAI SDK, 32 in flight",
        6,
        False,
        "times",
        _ratio("whole_path", "openai_sdk", "32", "per_second"),
    ),
    Target(
        "calls",
        "our whole path beside LiteLLM's Router, 32 in flight",
        20,
        False,
        "times",
        _ratio("whole_path", "litellm_router", "32", "per_second"),
    ),
    Target(
        "streams",
        "streamed tokens per second beside the OpenAI SDK, 8 in flight",
        4,
        False,
        "times",
        _ratio("whole_path", "openai_sdk", "8", "per_second"),
    ),
    Target(
        "imports", "`import backends`, over a bare interpreter", 60, True, "ms", _over_bare("backends", "wall", 1e3)
    ),
    Target(
        "imports",
        "`from backends import OpenAI`, over a bare interpreter",
        60,
        True,
        "ms",
        _over_bare("backends_openai", "wall", 1e3),
    ),
    Target(
        "imports",
        "memory of `from backends import OpenAI`, over a bare interpreter",
        30,
        True,
        "MB",
        _over_bare("backends_openai", "peak", 1 / 2**20),
    ),
    Target(
        "imports",
        "import and first call, over a bare interpreter",
        300,
        True,
        "ms",
        _over_bare("whole_path_call", "wall", 1e3),
    ),
    Target(
        "waiting_line",
        "push and pop with a million waiting, the slower",
        10,
        True,
        "µs",
        _waiting(("push", "pop")),
    ),
    Target(
        "waiting_line",
        "admission with a million waiting, in and out, the slower",
        10,
        True,
        "µs",
        _waiting(("submit", "release")),
    ),
    Target(
        "waiting_line",
        "growth of the slower from a thousand to a million, beside log n",
        1,
        True,
        "times",
        _waiting_growth,
    ),
    Target(
        "batching", "embeddings from 64 callers, max_batch_size 32 beside none", 5, False, "times", _batching_gain(32)
    ),
    Target("batching", "the same with max_batch_size 64", 5, False, "times", _batching_gain(64)),
    Target("caching", "a semantic hit among 100,000 entries, beyond the embedding, p50", 1, True, "ms", _semantic_hit),
    Target("overheads", "counting without an observer, added to a call", 15, True, "µs", _added("plain", "uncounted")),
    Target("overheads", "CallLog, added to a call", 60, True, "µs", _added("logs", "plain")),
    Target("overheads", "AuditLog, added to a call", 60, True, "µs", _added("audit", "plain")),
    Target(
        "overheads",
        "AuditLog with a flush_interval, added to a call",
        60,
        True,
        "µs",
        _added("audit_buffered", "plain"),
    ),
    Target("overheads", "OpenTelemetry without an SDK, added to a call", 60, True, "µs", _added("otel_api", "plain")),
    Target("overheads", "OpenTelemetry with its SDK, added to a call", 60, True, "µs", _added("otel", "plain")),
    Target("growth", "memory gained over a million finished requests", 5, True, "MB", _growth),
    Target(
        "sync_twin",
        "CPU of a synchronous call beside an asynchronous one, 1 at a time",
        2,
        True,
        "times",
        _ratio("whole_path_sync", "whole_path", "1", "cpu_per_unit"),
    ),
    Target(
        "sync_twin",
        "the same with 32 threads beside 32 in flight",
        2,
        True,
        "times",
        _ratio("whole_path_sync", "whole_path", "32", "cpu_per_unit"),
    ),
    Target(
        "semantic_cache",
        "hits among paraphrases: all-MiniLM-L6-v2, threshold 0.8, gate `content`",
        60,
        False,
        "%",
        _cache_rate("hits"),
    ),
    Target("semantic_cache", "false hits among look-alikes, the same", 0.1, True, "%", _cache_rate("false_hits")),
    Target("semantic_cache", "hits among paraphrases, pairs held out", 60, False, "%", _cache_rate("hits", "held_out")),
    Target(
        "semantic_cache",
        "false hits among look-alikes, pairs held out",
        0.1,
        True,
        "%",
        _cache_rate("false_hits", "held_out"),
    ),
    Target(
        "contract_time", "the whole contract with its kill matrix, all backends", 360, True, "s", _contract("whole")
    ),
    Target("contract_time", "the contract after a change of the runtime", 120, True, "s", _contract("changed")),
)


def rows(results: Mapping[str, Mapping[str, Any]]) -> list[Row]:
    """Return a row for every target."""
    return [_row(target, results.get(target.part)) for target in TARGETS]


def _row(target: Target, result: Mapping[str, Any] | None) -> Row:
    goal = f"at {'most' if target.most else 'least'} {number(target.goal)} {target.unit}"
    if result is None or result["quick"]:
        why = "a quick run says nothing about speed" if result else f"run `python -m benchmarks {target.part}`"
        return Row(target.part, target.what, "", goal, f"not measured: {why}")
    try:
        values = list(target.figure(result))
    except NotMeasuredError as why:
        return Row(target.part, target.what, "", goal, f"not measured: {why}")
    return Row(target.part, target.what, f"{span(summary(values))} {target.unit}", goal, _verdict(target, values))


def _verdict(target: Target, values: Sequence[float]) -> str:
    """Judge the median as it was measured, never as it is rounded, and say when the rounds disagree."""
    median = summary(values).median
    kept = sum(_reached(target, value) for value in values)
    rounds = f"{kept} of {len(values)} rounds"
    if _reached(target, median):
        return "reached" if kept == len(values) else f"reached: in the median, and in {rounds}"
    words = f"not reached: {number(median) if not _looks_reached(target, median) else repr(median)} instead of "
    return words + number(target.goal) + (f", reached in {rounds}" if kept else "")


def _reached(target: Target, value: float) -> bool:
    return value <= target.goal if target.most else value >= target.goal


def _looks_reached(target: Target, value: float) -> bool:
    """Say whether rounding for display would hide that a bound was missed."""
    return _reached(target, float(number(value).replace(",", "")))
