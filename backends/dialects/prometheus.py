"""The Prometheus text format (0.0.4), read: samples with their labels. Pure; it knows no family of any server.

Wire facts: prometheus.io/docs/instrumenting/exposition_formats. Comments, types and timestamps are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from backends.wire.values import FormatError

__all__ = ["Metric", "read_metrics"]

# No two neighbours of a pattern can take the same blanks: hostile lines must not be tried in every way.
_SAMPLE: Final = re.compile(r"([A-Za-z_:][A-Za-z0-9_:]*)(?:\s*\{(.*)\})?\s+(\S+)(?:\s+-?\d+)?")
_LABEL: Final = re.compile(r'\s*([A-Za-z_][A-Za-z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(,|$)')
_ESCAPE: Final = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Metric:
    """One sample: ``name{labels} value``; the buckets, sum and count of a histogram are samples of their own."""

    name: str
    labels: Mapping[str, str]
    value: float


def read_metrics(text: str) -> tuple[Metric, ...]:
    """Read the samples of an exposition, in their order.

    Raises:
        FormatError: a line is neither a sample nor a comment.
    """
    lines = (line.strip() for line in text.split("\n"))
    return tuple(_sample(line) for line in lines if line and not line.startswith("#"))


def _sample(line: str) -> Metric:
    found = _SAMPLE.fullmatch(line)
    if found is None:
        raise FormatError(f"a metric cannot be read: {line[:80]!r}")
    name, labels, value = found.groups()
    try:
        return Metric(name, _labels(labels or ""), float(value))
    except ValueError:
        raise FormatError(f"a metric has no number: {line[:80]!r}") from None


def _labels(text: str) -> dict[str, str]:
    labels: dict[str, str] = {}
    at = 0
    while at < len(text):
        found = _LABEL.match(text, at)
        if found is None:
            raise FormatError(f"the labels of a metric cannot be read: {text[:80]!r}")
        labels[found[1]] = _ESCAPE.sub(lambda escape: "\n" if escape[1] == "n" else escape[1], found[2])
        at = found.end()
    return labels
