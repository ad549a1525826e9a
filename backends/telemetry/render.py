"""A report for people: tables for a terminal, and one self-contained HTML page with charts.

Both are pure functions of ``report()``, so a report that was saved as JSON renders as well as a fresh one. They fetch
nothing, and show no more than the report holds: keys are fingerprints there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from importlib.resources import files
from typing import Any, Final

__all__ = ["page", "text"]

Report = Mapping[str, Any]
Row = Sequence[str]

_OUTCOMES: Final = ("successes", "failures", "cancelled")
_PHASES: Final = {"total": "total", "queued": "in the queue", "first_token": "to first token"}
_FIGURES: Final = ("mean", "p50", "p90", "p95", "p99", "max")
_PRIORITIES: Final = ("high", "normal", "low")


class _Table:
    """A heading, the names of the columns and the rows; the first column is text, the others are figures."""

    def __init__(self, heading: str, columns: Row, rows: Iterable[Row]) -> None:
        self.heading = heading
        self.columns = columns
        self.rows = [tuple(row) for row in rows]


# -- in the terminal ---------------------------------------------------------------------------------------------------


def text(*reports: Report) -> str:
    """Return reports as plain text, at most as wide as their names need."""
    return "\n".join(part for report in reports for part in _text_of(report)) + "\n"


def _text_of(report: Report) -> Iterable[str]:
    yield f"{report['api_name']}  {_summary(report)}"
    yield ""
    for table in _tables(report):
        if table.rows:
            yield from _lines(table)
            yield ""


def _lines(table: _Table) -> Iterable[str]:
    widths = [max(map(len, column)) for column in zip(table.columns, *table.rows, strict=True)]
    yield f"  {table.heading}"
    for row in (table.columns, tuple("-" * width for width in widths), *table.rows):
        first, *rest = (
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(("   ", first, *rest)).rstrip()


# -- what is shown -----------------------------------------------------------------------------------------------------


def _summary(report: Report) -> str:
    rate = report["success_rate"]
    succeeded = "nothing finished yet" if rate is None else f"{rate:.1%} succeeded"
    return (
        f"{report['total_requests']:,} requests in {_seconds(report['uptime_seconds'])}, {succeeded}, "
        f"{report['active_requests']:,} active, {report['attempts']:,} attempts, until {_moment(report['timestamp'])}"
    )


def _tables(report: Report) -> list[_Table]:
    latency, tokens = report["latency"], report["tokens"]
    return [
        _Table("Requests", ("outcome", "count"), [(name, f"{report[name]:,}") for name in _OUTCOMES]),
        _Table(
            "Latency",
            ("phase", "count", *_FIGURES),
            [
                (title, f"{latency[phase]['count']:,}", *(_seconds(latency[phase][figure]) for figure in _FIGURES))
                for phase, title in _PHASES.items()
                if latency[phase]["count"]
            ],
        ),
        _Table("Errors", ("class", "count"), _counts(report["errors"])),
        _Table("Repeats", ("reason", "count"), _counts(report["retries"])),
        _Table("Tokens", ("kind", "count"), [(name.replace("_", " "), f"{tokens[name]:,}") for name in tokens]),
        _Table("Models", ("model", *_ROW_COLUMNS), [(name, *_row(row)) for name, row in report["models"].items()]),
        _Table("Tenants", ("tenant", *_ROW_COLUMNS), [(name, *_row(row)) for name, row in report["tenants"].items()]),
        _Table(
            "Endpoints",
            ("endpoint", *_ROW_COLUMNS),
            [(name, *_row(one["counters"])) for name, one in report["endpoints"].items() if one["counters"]],
        ),
        _Table(
            "Queues",
            ("endpoint", "active", "slots", *_PRIORITIES, "refused", "breaker", "opened"),
            [(name, *_queue(one)) for name, one in report["endpoints"].items()],
        ),
        _Table(
            "Keys",
            ("fingerprint", "endpoint", "state", "in flight", "requests", "failures", "tokens"),
            [
                (key["fingerprint"] or "(removed)", name, *_key(key))
                for name, one in report["endpoints"].items()
                for key in one["keys"]
            ],
        ),
        _Table(
            "Observers",
            ("observer", "failures"),
            [(one["observer"], f"{one['failures']:,}") for one in report.get("observers", ())],
        ),
    ]


_ROW_COLUMNS: Final = ("requests", "succeeded", "failed", "cancelled", "tokens in", "tokens out", "cost", "mean")


def _row(row: Mapping[str, Any]) -> Row:
    counts = ("requests", *_OUTCOMES, "input_tokens", "output_tokens")
    cost = f"${row['cost']:,.4f}" + (f" and {row['unknown_costs']:,} unknown" if row["unknown_costs"] else "")
    return (*(f"{row[name]:,}" for name in counts), cost, _seconds(row["mean_seconds"]))


def _queue(described: Mapping[str, Any]) -> Row:
    queue, breaker = described["queue"], described["circuit_breaker"]
    waiting = (f"{queue['waiting'][priority]:,}" for priority in _PRIORITIES)
    refused = f"{queue['rejected'] + queue['dropped']:,}"
    slots = f"{queue['max_concurrent_requests']:,}"
    return (
        f"{queue['active']:,}",
        slots,
        *waiting,
        refused,
        breaker["state"].replace("_", " "),
        f"{breaker['opened']:,}",
    )


def _key(key: Mapping[str, Any]) -> Row:
    tokens = key["input_tokens"] + key["output_tokens"]
    return (key["state"], f"{key['in_flight']:,}", f"{key['requests']:,}", f"{key['failures']:,}", f"{tokens:,}")


def _counts(counts: Mapping[str, int]) -> list[Row]:
    return [(name, f"{count:,}") for name, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))]


def _seconds(value: float | None) -> str:
    if value is None:
        return "-"
    if value >= 3600:
        return f"{value / 3600:.1f} h"
    if value >= 60:
        return f"{value / 60:.1f} min"
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.3g} ms"


def _moment(unix: float) -> str:
    return datetime.fromtimestamp(unix, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


# -- as a page ---------------------------------------------------------------------------------------------------------


def page(*reports: Report) -> str:
    """Return reports as one HTML page; style and charts are part of it, so it can be mailed or archived as it is."""
    style = files("backends.telemetry").joinpath("page.css").read_text(encoding="utf-8")
    body = "".join(_section(report) for report in reports)
    return (
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>Backends</title>\n'
        f"<style>\n{style}</style></head>\n<body>\n<h1>Backends</h1>\n{body}</body>\n</html>\n"
    )


def _section(report: Report) -> str:
    latency, models = report["latency"], report["models"]
    phases = {title: latency[phase] for phase, title in _PHASES.items() if latency[phase]["count"]}
    charts = [
        _chart("Requests", {name: report[name] for name in _OUTCOMES}, _count),
        *(
            _chart(f"Latency {title}", {figure: told[figure] or 0.0 for figure in _FIGURES}, _seconds)
            for title, told in phases.items()
        ),
        _chart("Tokens", {name: report["tokens"][name] for name in ("input", "output", "cached", "reasoning")}, _count),
        _chart("Requests by model", _greatest({name: row["requests"] for name, row in models.items()}), _count),
        _chart("Errors by class", _greatest(report["errors"]), _count),
        _chart("Repeats by reason", _greatest(report["retries"]), _count),
    ]
    tables = "".join(_html_table(table) for table in _tables(report) if table.rows)
    return (
        f"<section>\n<h2>{escape(report['api_name'])}</h2>\n<p>{escape(_summary(report))}</p>\n"
        f'<div class="charts">\n{"".join(charts)}</div>\n<details><summary>All figures</summary>\n'
        f'<div class="tables">\n{tables}</div></details>\n</section>\n'
    )


def _count(value: float) -> str:
    return f"{value:,.0f}"


_MOST_BARS: Final = 8
_BAR, _GAP, _LABEL, _WIDTH, _FIGURE = 18, 8, 150, 190, 70
_LONGEST_LABEL: Final = 19


def _chart(heading: str, values: Mapping[str, float], shown: Callable[[float], str]) -> str:
    """Return one horizontal bar a value, in the order given; empty when all are zero."""
    greatest = max(values.values(), default=0)
    if not greatest:
        return ""
    bars = enumerate(values.items())
    drawn = "".join(_bar(place, name, value / greatest, shown(value)) for place, (name, value) in bars)
    width, height = _LABEL + _WIDTH + _FIGURE, len(values) * (_BAR + _GAP)
    return (
        f"<figure><figcaption>{escape(heading)}</figcaption>"
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(heading)}">{drawn}</svg></figure>\n'
    )


def _bar(place: int, name: str, share: float, figure: str) -> str:
    top = place * (_BAR + _GAP)
    middle = top + _BAR / 2
    short = name if len(name) <= _LONGEST_LABEL else name[: _LONGEST_LABEL - 1] + "\N{HORIZONTAL ELLIPSIS}"
    colour = f' class="{name}"' if name in _OUTCOMES else ""
    return (
        f'<text class="name" x="{_LABEL - 8}" y="{middle:g}">{escape(short)}<title>{escape(name)}</title></text>'
        f'<rect{colour} x="{_LABEL}" y="{top}" width="{share * _WIDTH:.1f}" height="{_BAR}" rx="2"/>'
        f'<text class="figure" x="{_LABEL + share * _WIDTH + 6:.1f}" y="{middle:g}">{escape(figure)}</text>'
    )


def _greatest(values: Mapping[str, float]) -> dict[str, float]:
    """Return as many as a chart can show, the greatest first."""
    return dict(sorted(values.items(), key=lambda pair: (-pair[1], pair[0]))[:_MOST_BARS])


def _html_table(table: _Table) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in table.columns)
    rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>\n" for row in table.rows)
    return (
        f"<div><h3>{escape(table.heading)}</h3>\n"
        f"<table><thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table></div>\n"
    )
