"""A report for people: tables for a terminal, and one self-contained HTML page with charts.

Both are pure functions of ``report()``, so a report that was saved as JSON renders as well as a fresh one. They fetch
nothing, and show no more than the report holds: keys are fingerprints there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from html import escape
from importlib.resources import files
from typing import Final

from backends.telemetry.render_tables import FIGURES, OUTCOMES, PHASES, Report, Table, seconds, summary, tables

__all__ = ["page", "text"]

# -- in the terminal ---------------------------------------------------------------------------------------------------


def text(*reports: Report) -> str:
    """Return reports as plain text, at most as wide as their names need."""
    return "\n".join(part for report in reports for part in _text_of(report)) + "\n"


def _text_of(report: Report) -> Iterable[str]:
    yield f"{report['api_name']}  {summary(report)}"
    yield ""
    for table in tables(report):
        if table.rows:
            yield from _lines(table)
            yield ""


def _lines(table: Table) -> Iterable[str]:
    widths = [max(map(len, column)) for column in zip(table.columns, *table.rows, strict=True)]
    yield f"  {table.heading}"
    for row in (table.columns, tuple("-" * width for width in widths), *table.rows):
        first, *rest = (
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(("   ", first, *rest)).rstrip()


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
    latency, models, tenants = report["latency"], report["models"], report["tenants"]
    phases = {title: latency[phase] for phase, title in PHASES.items() if latency[phase]["count"]}
    charts = [
        _chart("Requests", {name: report[name] for name in OUTCOMES}, _count),
        *(
            _chart(f"Latency {title}", {figure: told[figure] or 0.0 for figure in FIGURES}, seconds)
            for title, told in phases.items()
        ),
        _chart("Tokens", {name: report["tokens"][name] for name in ("input", "output", "cached", "reasoning")}, _count),
        _chart("Requests by model", _greatest({name: row["requests"] for name, row in models.items()}), _count),
        _chart("Requests by tenant", _greatest({name: row["requests"] for name, row in tenants.items()}), _count),
        _chart("Requests by key", _greatest(_by_key(report)), _count),
        _chart("Errors by class", _greatest(report["errors"]), _count),
        _chart("Repeats by reason", _greatest(report["retries"]), _count),
        _chart("Cache", {name: report["cache"][name] for name in _CACHE}, _count),
        *(_chart(f"Slots of {name}", _slots(one["queue"]), _count) for name, one in report["endpoints"].items()),
        _chart("Used of the budgets of a minute", _greatest(_used(report)), _percent, whole=1.0),
    ]
    told = "".join(_html_table(table) for table in tables(report) if table.rows)
    return (
        f"<section>\n<h2>{escape(report['api_name'])}</h2>\n<p>{escape(summary(report))}</p>\n"
        f'<div class="charts">\n{"".join(charts)}</div>\n<details><summary>All figures</summary>\n'
        f'<div class="tables">\n{told}</div></details>\n</section>\n'
    )


_CACHE: Final = ("exact", "similar", "joined", "misses", "guarded", "bypassed")


def _by_key(report: Report) -> dict[str, float]:
    """Return how many requests each key had, over all endpoints."""
    found: dict[str, float] = {}
    for one in report["endpoints"].values():
        for key in one["keys"]:
            name = key["fingerprint"] or "(removed)"
            found[name] = found.get(name, 0) + key["requests"]
    return found


def _slots(queue: Report) -> dict[str, float]:
    adaptive = queue["adaptive"]
    told = {"in use": queue["active"], "most in use": queue["peak_active"], "limit": queue["max_concurrent_requests"]}
    return {**told, "limit at most": adaptive["ceiling"]} if adaptive is not None else told


def _used(report: Report) -> dict[str, float]:
    """Return the share of each budget of a minute that is used; where the settings and the provider say what it is, the
    greater."""
    found: dict[str, float] = {}
    for endpoint, one in report["endpoints"].items():
        for rate in one["queue"]["rates"]:
            if rate["limit"] is not None:
                name = f"{rate['key'] or endpoint} {rate['kind'].replace('_', ' ')}"
                found[name] = max(found.get(name, 0.0), 1 - min(rate["left"] / rate["limit"], 1.0))
    return found


def _count(value: float) -> str:
    return f"{value:,.0f}"


def _percent(value: float) -> str:
    return f"{value:.0%}"


_MOST_BARS: Final = 8
_BAR, _GAP, _LABEL, _WIDTH, _FIGURE = 18, 8, 150, 190, 70
_LONGEST_LABEL: Final = 19


def _chart(
    heading: str, values: Mapping[str, float], shown: Callable[[float], str], *, whole: float | None = None
) -> str:
    """Return one horizontal bar a value, in the order given; empty when all are zero. ``whole`` is what a full bar stands for."""
    greatest = max(values.values(), default=0)
    if not greatest:
        return ""
    greatest = whole or greatest
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
    colour = f' class="{name}"' if name in OUTCOMES else ""
    return (
        f'<text class="name" x="{_LABEL - 8}" y="{middle:g}">{escape(short)}<title>{escape(name)}</title></text>'
        f'<rect{colour} x="{_LABEL}" y="{top}" width="{share * _WIDTH:.1f}" height="{_BAR}" rx="2"/>'
        f'<text class="figure" x="{_LABEL + share * _WIDTH + 6:.1f}" y="{middle:g}">{escape(figure)}</text>'
    )


def _greatest(values: Mapping[str, float]) -> dict[str, float]:
    """Return as many as a chart can show, the greatest first."""
    return dict(sorted(values.items(), key=lambda pair: (-pair[1], pair[0]))[:_MOST_BARS])


def _html_table(table: Table) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in table.columns)
    rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>\n" for row in table.rows)
    return (
        f"<div><h3>{escape(table.heading)}</h3>\n"
        f"<table><thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table></div>\n"
    )
