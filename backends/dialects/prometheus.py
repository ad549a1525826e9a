"""Metrics in the text that Prometheus scrapes, as several model servers offer at ``GET /metrics``. Pure; no I/O.

Wire facts: text exposition format 0.0.4, and what OpenMetrics 1.0 adds to a sample (an exemplar, ``# EOF``). A line is
``name{label="value",...} number``, perhaps with a time stamp behind; comments say nothing that is needed here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from backends.wire.values import FormatError

__all__ = ["Metric", "read_metrics"]

_MOST_METRICS: Final = 200_000
_LONGEST_LINE: Final = 65_536
_MOST_LABELS: Final = 128

# Every piece ends where the next one cannot begin, so there is one way to read a line and nothing to backtrack over.
_NAME: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL: Final = re.compile(r'[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"((?:[^"\\\n]|\\.)*)"[ \t]*')
_VALUE: Final = re.compile(
    r"[ \t]+([+-]?(?:[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?|[iI]nf|NaN))"
    r"(?:[ \t]+-?[0-9]+(?:\.[0-9]*)?)?[ \t]*(?:#.*)?"
)
_OPENED: Final = re.compile(r"[ \t]*\{")
_CLOSED: Final = re.compile(r"[ \t]*\}")
_ESCAPED: Final = re.compile(r"\\(.)")
_UNESCAPED: Final = {"n": "\n", '"': '"', "\\": "\\"}


@dataclass(frozen=True, slots=True)
class Metric:
    """One sample. ``value`` may be infinite or not a number, where the server has measured nothing yet."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    value: float = 0.0


def read_metrics(text: str) -> tuple[Metric, ...]:
    """Return every sample in the order of the text.

    Raises:
        FormatError: a line is not a sample, or there is more of anything than a server has reason to send; the message
            says which line.
    """
    metrics: list[Metric] = []
    for number, line in enumerate(text.split("\n"), 1):
        line = line.removesuffix("\r")
        if not line or line[0] == "#" or not line.strip():
            continue
        if len(line) > _LONGEST_LINE or len(metrics) >= _MOST_METRICS:
            raise FormatError(f"the metrics are too large at line {number}")
        metrics.append(_sample(line, number))
    return tuple(metrics)


def _sample(line: str, number: int) -> Metric:
    name = _NAME.match(line)
    if name is None:
        raise FormatError(f"line {number} of the metrics has no name")
    labels, at = _labels(line, name.end(), number)
    value = _VALUE.fullmatch(line, at)
    if value is None:
        raise FormatError(f"line {number} of the metrics has no number")
    return Metric(name[0], labels, float(value[1]))


def _labels(line: str, at: int, number: int) -> tuple[dict[str, str], int]:
    """Return the labels that begin at ``at``, none where there is no brace, and where they end."""
    labels: dict[str, str] = {}
    opened = _OPENED.match(line, at)
    if opened is None:
        return labels, at
    at = opened.end()
    while (found := _LABEL.match(line, at)) is not None:
        if len(labels) >= _MOST_LABELS:
            raise FormatError(f"line {number} of the metrics has too many labels")
        labels[found[1]] = _ESCAPED.sub(lambda pair: _UNESCAPED.get(pair[1], pair[0]), found[2])
        at = found.end()
        if line[at : at + 1] != ",":
            break
        at += 1
    end = _CLOSED.match(line, at)
    if end is None:
        raise FormatError(f"line {number} of the metrics has broken labels")
    return labels, end.end()
