"""The page's sections on batching, the cache, what watching and chains add, and adaptive limits; pure, as the page is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks import caching as cache_part
from benchmarks import overheads as overheads_part
from benchmarks.figures import ratios, summary
from benchmarks.formats import duration, number, span
from benchmarks.markdown import picture, table

__all__ = ["adaptive", "batching", "caching", "overheads"]

Result = Mapping[str, Any]


def batching(result: Result) -> list[str]:
    """Return the section on shared requests."""
    alone = {row["callers"]: row["per_second"] for row in result["rows"] if row["size"] == 1}
    rows = [
        (
            str(row["callers"]),
            str(row["size"]) if row["size"] > 1 else "off",
            span(summary(row["per_second"])),
            f"{span(summary(ratios(row['per_second'], alone[row['callers']])))} times",
            number(summary(row["inputs_per_request"]).median),
            duration(summary(row["p50"]).median),
        )
        for row in result["rows"]
    ]
    settings = result["settings"]
    server = settings["server"]
    return [
        f"Small texts, one a call. The simulated server takes {duration(server['per_request'])} a request and "
        f"{duration(server['per_input'])} more an input, {server['workers']} requests at once; a batch waits at most "
        f"{duration(settings['batch_timeout'])}. With one caller nobody shares, and that wait is the price.",
        picture("batching.svg", "Texts embedded per second by callers, with and without shared requests"),
        table(("Callers", "`max_batch_size`", "texts per second", "beside off", "inputs a request", "p50"), rows),
        f"{settings['rounds']} rounds, windows of {number(settings['seconds'])} s, the network in memory.",
    ]


def caching(result: Result) -> list[str]:
    """Return the section on the cache."""
    rows = [
        (cache_part.TITLES[row["name"]], *(_microseconds(row[figure]) for figure in ("p50", "p99")))
        for row in result["rows"]
    ]
    settings = result["settings"]
    return [
        f"{settings['entries']:,} answers of one scope are kept, vectors of {settings['dimensions']}; one call at a time. "
        "The loopback server answers at once: a real miss takes as long as its model.",
        picture("caching.svg", "Latency of hits and misses"),
        table(("Call", "p50", "p99"), rows),
        f"{settings['rounds']} rounds of {settings['calls']} calls of each kind, in turns; {_packages(settings)}."
        + _missed(settings),
    ]


def _missed(settings: Mapping[str, Any]) -> str:
    asked = settings.get("asked")
    return f" Of {asked:,} reworded questions {settings['missed']:,} were not found." if asked else ""


def overheads(result: Result) -> list[str]:
    """Return the section on what is added to a call."""
    seconds = {row["name"]: row["seconds"] for row in result["rows"]}
    rows = []
    for name, title in overheads_part.TITLES.items():
        if name not in seconds:
            rows.append((title, overheads_part.why_missing(name), ""))
            continue
        added = [one - other for one, other in zip(seconds[name], seconds["plain"], strict=True)]
        rows.append((title, _microseconds(seconds[name]), "" if name == "plain" else _microseconds(added)))
    settings = result["settings"]
    return [
        "Processor time of one call with the network in memory, and what it is over the call without an observer.",
        picture("overheads.svg", "Processor time added to a call"),
        table(("Call", "whole", "added"), rows),
        *_beyond_the_floor(seconds),
        f"{settings['rounds']} rounds of {settings['calls']:,} calls of each kind, in turns; {_packages(settings)}.",
    ]


def _beyond_the_floor(seconds: Mapping[str, list[float]]) -> list[str]:
    """Return how much of two observers is not the package's that they feed."""
    told = []
    for name, title in (("otel", "OpenTelemetry with its SDK"), ("logs", "`CallLog`")):
        if name in seconds and f"{name}_floor" in seconds:
            over = [one - floor for one, floor in zip(seconds[name], seconds[f"{name}_floor"], strict=True)]
            told.append(f"{title} {_microseconds(over)}")
    return [f"Beyond what the same span, measurements and record cost by hand: {'; '.join(told)}."] if told else []


def adaptive(result: Result) -> list[str]:
    """Return the section on limits that follow the provider."""
    settings = result["settings"]
    rows = []
    for row in result["clients"]:
        buckets = [bucket for run in row["runs"] for bucket in run]
        came, served, wasted = (sum(bucket[name] for bucket in buckets) for name in ("came", "served", "wasted"))
        rows.append((row["title"], f"{served / came:.0%}", f"{wasted / came:.2f}", *_by_phase(row["runs"], settings)))
    names = [phase["name"] for phase in settings["phases"]]
    return [
        f"A simulated provider in virtual time, {len(result['clients'][0]['runs'])} seeds: "
        f"{number(settings['calls_per_second'])} calls a second come, each caller waits {number(settings['patience'])} s, limits are "
        f"at most {settings['ceiling']}. It answers well (16 at a time, a second each), slowly (6 at a time, 1.5 s), well again, "
        "throttles (5 a second), is dead, and recovers. Share of the calls answered in time, requests for nothing a call, and "
        "the share answered in each phase:",
        table(("Client", "answered", "for nothing", *names), rows),
        picture("adaptive_goodput.svg", "Calls answered in time, over time"),
        picture("adaptive_latency.svg", "Time to the answer, over time"),
        picture("adaptive_waste.svg", "Requests for nothing, over time"),
        _about_the_router(
            result.get("router", {"status": "not measured", "remark": "run `python -m benchmarks adaptive`"})
        ),
    ]


def _about_the_router(told: Mapping[str, Any]) -> str:
    """Return in what way LiteLLM's Router is in the table, or why it is not."""
    if told["status"] != "measured":
        return f"LiteLLM's Router is not in this table: {told['status']}: {told['remark']}"
    return (
        f"LiteLLM {told['version']}: its Router keeps its own time, so its run, of the first seed alone, took as long as it says, in "
        "real time, before the same provider and the same arrivals; its figures vary a little from run to run. It took "
        f"{told['processor']:.0%} of a processor, and no caller came more than {duration(told['late'])} late. One deployment, "
        "reached through `CustomLLM`, with `max_parallel_requests`, `num_retries=5` and `timeout` set to what the others have; all "
        "else, cooldowns among it, is its default."
    )


def _by_phase(runs: Sequence[Sequence[Mapping[str, Any]]], settings: Mapping[str, Any]) -> list[str]:
    found, at = [], 0
    for phase in settings["phases"]:
        until = at + round(phase["seconds"] / settings["bucket"])
        buckets = [bucket for run in runs for bucket in run[at:until]]
        found.append(f"{sum(bucket['served'] for bucket in buckets) / sum(bucket['came'] for bucket in buckets):.0%}")
        at = until
    return found


def _microseconds(values: list[float]) -> str:
    """Return a span of seconds in microseconds."""
    return f"{span(summary([value * 1e6 for value in values]))} µs"


def _packages(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {version}" for name, version in settings["packages"].items()) or "no further package"
