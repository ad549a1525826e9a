"""What of a report is shown to people: its summary and its tables, as text. How they are drawn is not known here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

__all__ = ["FIGURES", "OUTCOMES", "PHASES", "Report", "Table", "seconds", "summary", "tables"]

Report = Mapping[str, Any]
Row = Sequence[str]

OUTCOMES: Final = ("successes", "failures", "cancelled")
PHASES: Final = {"total": "total", "queued": "in the queue", "first_token": "to first token"}
FIGURES: Final = ("mean", "p50", "p90", "p95", "p99", "max")
_PRIORITIES: Final = ("high", "normal", "low")
_ROW_COLUMNS: Final = ("requests", "succeeded", "failed", "cancelled", "tokens in", "tokens out", "cost", "mean")


class Table:
    """A heading, the names of the columns and the rows; the first column is text, the others are figures."""

    def __init__(self, heading: str, columns: Row, rows: Iterable[Row]) -> None:
        self.heading = heading
        self.columns = columns
        self.rows = [tuple(row) for row in rows]


def summary(report: Report) -> str:
    """Return a report in one line."""
    rate = report["success_rate"]
    succeeded = "nothing finished yet" if rate is None else f"{rate:.1%} succeeded"
    return (
        f"{report['total_requests']:,} requests in {seconds(report['uptime_seconds'])}, {succeeded}, "
        f"{report['active_requests']:,} active, {report['attempts']:,} attempts, until {_moment(report['timestamp'])}"
    )


def tables(report: Report) -> list[Table]:
    """Return every table of a report; one with nothing to say has no rows."""
    latency, tokens, endpoints = report["latency"], report["tokens"], report["endpoints"]
    return [
        Table("Requests", ("outcome", "count"), [(name, f"{report[name]:,}") for name in OUTCOMES]),
        Table(
            "Latency",
            ("phase", "count", *FIGURES),
            [
                (title, f"{latency[phase]['count']:,}", *(seconds(latency[phase][figure]) for figure in FIGURES))
                for phase, title in PHASES.items()
                if latency[phase]["count"]
            ],
        ),
        Table("Errors", ("class", "count"), _counts(report["errors"])),
        Table("Repeats", ("reason", "count"), _counts(report["retries"])),
        Table("Tokens", ("kind", "count"), [(name.replace("_", " "), f"{tokens[name]:,}") for name in tokens]),
        Table("Cost", ("of", "spent", "reserved", "at most", "estimated", "unknown"), _costs(report)),
        Table("Cache", ("what it did", "calls"), _cache(report["cache"])),
        Table("Shared wire calls", ("wire calls", "requests", "on one, mean", "on one, most"), _batches(report)),
        Table("Models", ("model", *_ROW_COLUMNS), [(name, *_row(row)) for name, row in report["models"].items()]),
        Table("Tenants", ("tenant", *_ROW_COLUMNS), [(name, *_row(row)) for name, row in report["tenants"].items()]),
        Table(
            "Endpoints",
            ("endpoint", *_ROW_COLUMNS),
            [(name, *_row(one["counters"])) for name, one in endpoints.items() if one["counters"]],
        ),
        Table(
            "Queues",
            ("endpoint", "active", "slots", *_PRIORITIES, "refused", "breaker", "opened"),
            [(name, *_queue(one)) for name, one in endpoints.items()],
        ),
        Table(
            "Limits",
            (
                "endpoint",
                "slots",
                "at most",
                "changed by",
                "ago",
                "a slot is held",
                "oldest wait",
                "expected wait",
                "held back",
                "repeats left",
                "denied",
            ),
            [(name, *_limits(one["queue"])) for name, one in endpoints.items()],
        ),
        Table(
            "Budgets of a minute",
            ("fingerprint", "endpoint", "of", "says", "limit", "left", "whole in"),
            [row for name, one in endpoints.items() for row in _budgets(name, one["queue"])],
        ),
        Table(
            "Keys",
            (
                "fingerprint",
                "endpoint",
                "state",
                "rests",
                "in flight",
                "requests",
                "failures",
                "tokens",
                "cost",
                "left",
            ),
            [
                (key["fingerprint"] or "(removed)", name, *_key(key))
                for name, one in endpoints.items()
                for key in one["keys"]
            ],
        ),
        Table(
            "Observers",
            ("observer", "failures"),
            [(one["observer"], f"{one['failures']:,}") for one in report.get("observers", ())],
        ),
    ]


def _row(row: Mapping[str, Any]) -> Row:
    counts = ("requests", *OUTCOMES, "input_tokens", "output_tokens")
    return (
        *(f"{row[name]:,}" for name in counts),
        _dollars(row["cost"], row["unknown_costs"]),
        seconds(row["mean_seconds"]),
    )


def _costs(report: Report) -> Iterator[Row]:
    """Yield the backend's cost, where anything was charged or bounded, and the budgets of its endpoints."""
    cost = report["cost"]
    budget = cost["budget"]
    if cost["dollars"] or cost["unknown_requests"] or budget["max_cost"] is not None:
        estimated, unknown = _dollars(cost["estimated_dollars"]), f"{cost['unknown_requests']:,}"
        yield "the backend", _dollars(cost["dollars"]), _dollars(budget["reserved"]), _most(budget), estimated, unknown
    for name, one in report["endpoints"].items():
        if one["budget"] and one["budget"]["max_cost"] is not None:
            own = one["budget"]
            yield name, _dollars(own["spent"]), _dollars(own["reserved"]), _most(own), "-", "-"


def _most(budget: Mapping[str, Any]) -> str:
    return "-" if budget["max_cost"] is None else _dollars(budget["max_cost"])


def _cache(counts: Mapping[str, int]) -> list[Row]:
    return [(name.replace("_", " "), f"{count:,}") for name, count in counts.items()] if any(counts.values()) else []


def _batches(report: Report) -> Iterator[Row]:
    told = report["batching"]
    if told["wire_calls"]:
        mean = told["requests"] / told["wire_calls"]
        yield f"{told['wire_calls']:,}", f"{told['requests']:,}", f"{mean:.1f}", f"{told['largest']:,}"


def _queue(described: Mapping[str, Any]) -> Row:
    queue, breaker = described["queue"], described["circuit_breaker"]
    waiting = (f"{queue['waiting'][priority]:,}" for priority in _PRIORITIES)
    refused = f"{queue['rejected'] + queue['dropped']:,}"
    slots = f"{queue['max_concurrent_requests']:,}"
    state = breaker["state"].replace("_", " ")
    return (f"{queue['active']:,}", slots, *waiting, refused, state, f"{breaker['opened']:,}")


def _limits(queue: Mapping[str, Any]) -> Row:
    adaptive, budget = queue["adaptive"], queue["retry_budget"]
    slots = queue["max_concurrent_requests"]
    follows = (
        ("-", "-", "-")
        if adaptive is None
        else (f"{adaptive['ceiling']:,}", adaptive["change"], seconds(adaptive["changed_seconds_ago"]))
    )
    return (
        f"{slots:,}",
        *follows,
        seconds(queue["service_seconds"]),
        seconds(queue["oldest_wait_seconds"]),
        seconds(queue["expected_wait_seconds"]),
        seconds(queue["held_back_seconds"]),
        *(("-", "-") if budget is None else (f"{budget['left']:,.1f}", f"{budget['denied']:,}")),
    )


def _budgets(endpoint: str, queue: Mapping[str, Any]) -> Iterator[Row]:
    for rate in queue["rates"]:
        limit = "-" if rate["limit"] is None else f"{rate['limit']:,}"
        kind = rate["kind"].replace("_", " ")
        whole = seconds(rate["resets_in"])
        yield rate["key"] or "(no key)", endpoint, kind, rate["source"], limit, f"{rate['left']:,}", whole


def _key(key: Mapping[str, Any]) -> Row:
    tokens = key["input_tokens"] + key["output_tokens"]
    left = "-" if key["headroom"] is None else f"{key['headroom']:.0%}"
    rests = seconds(key["cooling_for"]) if key["state"] == "cooling" else "-"
    counts = (f"{key['in_flight']:,}", f"{key['requests']:,}", f"{key['failures']:,}", f"{tokens:,}")
    return (key["state"], rests, *counts, _dollars(key["cost"], key["unknown_costs"]), left)


def _counts(counts: Mapping[str, int]) -> list[Row]:
    return [(name, f"{count:,}") for name, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))]


def _dollars(value: float, unknown: int = 0) -> str:
    shown = f"{value:,.4f}" if value >= 0.01 or not value else f"{value:.3g}"  # a little is not nothing
    return f"${shown}" + (f" and {unknown:,} unknown" if unknown else "")


def seconds(value: float | None) -> str:
    """Return a span of time with a unit that suits it."""
    if value is None:
        return "-"
    if value >= 3600:
        return f"{value / 3600:.1f} h"
    if value >= 60:
        return f"{value / 60:.1f} min"
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.3g} ms"


def _moment(unix: float) -> str:
    return datetime.fromtimestamp(unix, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
