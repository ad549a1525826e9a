"""Figures as text: three significant digits, thousands apart, units that keep them short."""

from __future__ import annotations

import math

from benchmarks.figures import Summary

__all__ = ["duration", "number", "span"]


def number(value: float) -> str:
    """Return three significant digits, more where they stand before the point."""
    if value == 0 or not math.isfinite(value):
        return f"{value:.0f}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def span(taken: Summary) -> str:
    """Return the median and, where they differ, the extremes."""
    if taken.low == taken.high:
        return number(taken.median)
    return f"{number(taken.median)} ({number(taken.low)} to {number(taken.high)})"


def duration(seconds: float) -> str:
    """Return seconds in the unit that keeps the number short."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= scale:
            return f"{number(seconds / scale)} {unit}"
    return f"{number(seconds * 1e9)} ns"
