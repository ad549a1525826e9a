"""Figures over rounds: median and spread, percentiles, ratios within rounds. Pure arithmetic."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Summary", "percentile", "ratios", "summary"]


@dataclass(frozen=True, slots=True)
class Summary:
    """Median, least and greatest of one figure over the rounds."""

    median: float
    low: float
    high: float

    @property
    def spread(self) -> float:
        """Half the distance between the extremes as a share of the median."""
        return (self.high - self.low) / 2 / self.median if self.median else 0.0


def summary(values: Sequence[float]) -> Summary:
    """Return the summary of at least one value."""
    return Summary(statistics.median(values), min(values), max(values))


def percentile(ordered: Sequence[float], q: float) -> float:
    """Return the nearest-rank percentile of sorted values.

    Raises:
        ValueError: there are none.
    """
    if not ordered:
        raise ValueError("no values")
    return ordered[max(0, math.ceil(len(ordered) * q / 100) - 1)]


def ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """Return the ratio of each round: both figures of a round saw the same noise."""
    return [one / other for one, other in zip(above, below, strict=True) if other]
