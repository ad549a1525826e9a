"""Charts as SVG text: horizontal bars, ranges and lines, readable on light and dark pages. Pure; no files.

A chart paints its own background and follows the reader's colour scheme, so it never stands on one it was not made for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import Final

__all__ = ["Bar", "Line", "bars", "lines", "ranges", "timeline"]

_WIDTH: Final = 760
_LABEL: Final = 220
_RIGHT: Final = 120
_ROW: Final = 26
_TOP: Final = 62
_STYLE: Final = """
.page{fill:#ffffff}.ink{fill:#1f2328}.muted{fill:#59636e}.grid{stroke:#d1d9e0}.ours{fill:#0b63c5;stroke:#0b63c5}
.other{fill:#8c959f;stroke:#8c959f}.whisker{stroke:#1f2328}.goal{stroke:#b35900}.goaltext{fill:#b35900}
.s0{stroke:#0b63c5;fill:#0b63c5}.s1{stroke:#1a7f37;fill:#1a7f37}.s2{stroke:#8250df;fill:#8250df}.s3{stroke:#59636e;fill:#59636e}
@media (prefers-color-scheme:dark){.page{fill:#0d1117}.ink{fill:#e6edf3}.muted{fill:#9198a1}.grid{stroke:#3d444d}
.ours{fill:#4c9aff;stroke:#4c9aff}.other{fill:#6e7681;stroke:#6e7681}.whisker{stroke:#e6edf3}.goal{stroke:#e0893c}
.goaltext{fill:#e0893c}.s0{stroke:#4c9aff;fill:#4c9aff}.s1{stroke:#3fb950;fill:#3fb950}.s2{stroke:#ab7df8;fill:#ab7df8}
.s3{stroke:#9198a1;fill:#9198a1}}
text{font:13px system-ui,-apple-system,'Segoe UI',sans-serif}.title{font-size:16px;font-weight:600}
"""


@dataclass(frozen=True, slots=True)
class Bar:
    """One row: its value and extremes."""

    label: str
    value: float
    low: float
    high: float
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One line of points (x, y)."""

    label: str
    points: Sequence[tuple[float, float]]


def _text(x: float, y: float, content: str, kind: str = "ink", anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(content)}</text>'


def _rule(x1: float, y1: float, x2: float, y2: float, kind: str, width: float = 1, dash: str = "") -> str:
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}" stroke-width="{width}"{dashed}/>'
    )


def _page(height: float, title: str, subtitle: str, parts: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:.0f}" width="{_WIDTH}" '
        f'height="{height:.0f}" role="img" aria-label="{escape(title)}"><style>{_STYLE}</style>'
        f'<rect class="page" width="{_WIDTH}" height="{height:.0f}"/>'
    )
    named = [_text(16, 26, title, "ink title"), _text(16, 46, subtitle, "muted")]
    return "\n".join([head, *named, *parts, "</svg>"]) + "\n"


def bars(
    title: str, subtitle: str, rows: Sequence[Bar], text: Callable[[float], str], goal: tuple[float, str] | None = None
) -> str:
    """Return horizontal bars from zero with the extremes as whiskers, each with its value as text.

    Args:
        title, subtitle: what is shown, and in which unit under which conditions.
        rows: from top to bottom; at least one.
        text: writes a value.
        goal: a bound and its name, drawn across.
    """
    most = max([row.high for row in rows] + ([goal[0]] if goal else [])) or 1.0
    room = _WIDTH - _LABEL - _RIGHT
    parts = []
    for at, row in enumerate(rows):
        y = _TOP + at * _ROW
        end = _LABEL + room * row.value / most
        low, high = (_LABEL + room * value / most for value in (row.low, row.high))
        parts.append(_text(_LABEL - 10, y + 15, row.label, anchor="end"))
        parts.append(
            f'<rect x="{_LABEL}" y="{y + 3}" width="{max(1.0, end - _LABEL):.1f}" height="{_ROW - 9}" '
            f'class="{"ours" if row.ours else "other"}"/>'
        )
        if row.high > row.low:
            parts.append(_rule(low, y + 11.5, high, y + 11.5, "whisker", 1.5))
        parts.append(_text(max(end, high) + 8, y + 15, text(row.value)))
    bottom = _TOP + len(rows) * _ROW
    parts.append(_rule(_LABEL, _TOP - 2, _LABEL, bottom, "grid"))
    if goal is not None:
        x = _LABEL + room * goal[0] / most
        parts.append(_rule(x, _TOP - 2, x, bottom + 4, "goal", 1.5, "5 4"))
        parts.append(_text(x, bottom + 18, goal[1], "goaltext", "middle"))
        bottom += 16
    return _page(bottom + 14, title, subtitle, parts)


def ranges(title: str, subtitle: str, rows: Sequence[Bar], text: Callable[[float], str]) -> str:
    """Return a range from ``low`` to ``high`` for each row on a logarithmic axis, both ends written out."""
    first = 10 ** math.floor(math.log10(min(row.low for row in rows)))
    last = 10 ** math.ceil(math.log10(max(row.high for row in rows)))
    room = _WIDTH - _LABEL - _RIGHT

    def place(value: float) -> float:
        return _LABEL + room * math.log(value / first) / math.log(last / first)

    bottom = _TOP + len(rows) * _ROW
    parts = []
    tick = first
    while tick <= last * 1.0001:
        parts.append(_rule(place(tick), _TOP - 2, place(tick), bottom, "grid"))
        parts.append(_text(place(tick), bottom + 16, text(tick), "muted", "middle"))
        tick *= 10
    for at, row in enumerate(rows):
        y = _TOP + at * _ROW + 11
        kind = "ours" if row.ours else "other"
        parts.append(_text(_LABEL - 10, y + 4, row.label, anchor="end"))
        parts.append(_rule(place(row.low), y, place(row.high), y, kind, 6))
        parts.extend(
            f'<circle cx="{place(value):.1f}" cy="{y}" r="5" class="{kind}"/>' for value in (row.low, row.high)
        )
        parts.append(_text(place(row.high) + 10, y + 4, f"{text(row.low)}, {text(row.high)}"))
    return _page(bottom + 26, title, subtitle, parts)


def lines(
    title: str,
    subtitle: str,
    series: Sequence[Line],
    x_text: Callable[[float], str],
    y_text: Callable[[float], str],
    *,
    goal: tuple[float, str] | None = None,
    log_x: bool = False,
) -> str:
    """Return lines over a common axis; each line is named at its end."""
    xs = [x for line in series for x, _ in line.points]
    ys = [y for line in series for _, y in line.points]
    left, right, top, bottom = 80, _WIDTH - _RIGHT - 10, _TOP + 6, 290
    least = min(0.0, *ys)
    step = _round_step((max([*ys, goal[0] if goal else 0.0]) - least) / 4)
    least = math.floor(least / step) * step
    steps = max(1, math.ceil((max([*ys, goal[0] * 1.05 if goal else 0.0]) - least) / step))
    most = least + steps * step
    scale = math.log if log_x else float
    low, high = scale(min(xs)), scale(max(xs))

    def across(x: float) -> float:
        return left + (right - left) * (scale(x) - low) / ((high - low) or 1.0)

    def down(y: float) -> float:
        return bottom - (bottom - top) * (y - least) / (most - least)

    parts = []
    for number in range(steps + 1):
        y = least + number * step
        parts.append(_rule(left, down(y), right, down(y), "grid"))
        parts.append(_text(left - 8, down(y) + 4, y_text(y), "muted", "end"))
    parts.extend(_text(across(x), bottom + 20, x_text(x), "muted", "middle") for x in dict.fromkeys(xs))
    if goal is not None:
        parts.append(_rule(left, down(goal[0]), right, down(goal[0]), "goal", 1.5, "5 4"))
        parts.append(_text(left + 6, down(goal[0]) - 6, goal[1], "goaltext"))
    named = _apart([down(line.points[-1][1]) + 4 for line in series], bottom)
    for at, line in enumerate(series):
        kind = f"s{at % 4}"
        path = " ".join(f"{across(x):.1f},{down(y):.1f}" for x, y in line.points)
        parts.append(f'<polyline points="{path}" class="{kind}" style="fill:none" stroke-width="2.5"/>')
        parts.extend(
            f'<circle cx="{across(x):.1f}" cy="{down(y):.1f}" r="3.5" class="{kind}"/>' for x, y in line.points
        )
        parts.append(f'<circle cx="{right + 14}" cy="{named[at] - 4:.1f}" r="4" class="{kind}"/>')
        parts.append(_text(right + 24, named[at], line.label))
    return _page(bottom + 36, title, subtitle, parts)


def timeline(
    title: str,
    subtitle: str,
    series: Sequence[Line],
    bands: Sequence[tuple[float, str]],
    end: float,
    y_text: Callable[[float], str],
) -> str:
    """Return lines from 0 to ``end`` over named stretches of time, each beginning where its band says."""
    left, right, top, bottom = 60, _WIDTH - _RIGHT - 10, _TOP + 22, 290
    highest = max((y for line in series for _, y in line.points), default=0.0)
    step = _round_step(highest / 4)
    most = step * max(1, math.ceil(highest / step))

    def across(x: float) -> float:
        return left + (right - left) * x / end

    def down(y: float) -> float:
        return bottom - (bottom - top) * y / most

    parts = []
    for number in range(round(most / step) + 1):
        parts.append(_rule(left, down(number * step), right, down(number * step), "grid"))
        parts.append(_text(left - 8, down(number * step) + 4, y_text(number * step), "muted", "end"))
    ends = [begins for begins, _ in bands[1:]] + [end]
    for (begins, name), until in zip(bands, ends, strict=True):
        parts.append(_rule(across(begins), top - 16, across(begins), bottom, "grid", 1, "3 3"))
        parts.append(_text(across((begins + until) / 2), top - 6, name, "muted", "middle"))
        parts.append(_text(across(begins), bottom + 20, y_text(begins), "muted", "middle"))
    named = _apart([down(line.points[-1][1]) + 4 for line in series], bottom)
    for at, line in enumerate(series):
        path = " ".join(f"{across(x):.1f},{down(y):.1f}" for x, y in line.points)
        parts.append(f'<polyline points="{path}" class="s{at % 4}" style="fill:none" stroke-width="2.5"/>')
        parts.append(f'<circle cx="{right + 14}" cy="{named[at] - 4:.1f}" r="4" class="s{at % 4}"/>')
        parts.append(_text(right + 24, named[at], line.label))
    return _page(bottom + 36, title, subtitle, parts)


def _round_step(about: float) -> float:
    """Return the least of 1, 2, 2.5, 5 and 10 times a power of ten that is not below ``about``."""
    if about <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(about))
    return next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= about * 0.999)


def _apart(places: Sequence[float], bottom: float, least: float = 17.0) -> list[float]:
    """Move names apart so that none covers another or the axis below."""
    found = list(places)
    order = sorted(range(len(found)), key=found.__getitem__)
    for above, below in pairwise(order):
        found[below] = max(found[below], found[above] + least)
    limit = bottom
    for at in reversed(order):
        found[at] = min(found[at], limit)
        limit = found[at] - least
    return found
