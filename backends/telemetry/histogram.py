"""Durations counted in logarithmic buckets: percentiles of any number of values in fixed memory.

This module never keeps a value, reads a clock or locks.
"""

from __future__ import annotations

import math
from array import array
from typing import Final

__all__ = ["Histogram"]

_LEAST: Final = 1e-6
_STEPS: Final = 16
"""Buckets for each doubling: neighbours differ by 4.4 %, so a percentile is off by half of that."""
_DOUBLINGS: Final = 40
_BUCKETS: Final = _STEPS * _DOUBLINGS + 2
_MOST: Final = _LEAST * 2.0**_DOUBLINGS


class Histogram:
    """Durations in seconds, from a microsecond to twelve days, in about 5 KB.

    Values are counted in buckets that grow by a fixed factor, so a percentile is within 2.3 % of the true one; count,
    mean, min and max are exact. Shorter values count as a microsecond, longer ones as twelve days.
    """

    __slots__ = ("_buckets", "count", "max", "min", "total")

    def __init__(self) -> None:
        self._buckets = array("Q", bytes(8 * _BUCKETS))
        self.count = 0
        """How many values were recorded."""
        self.total = 0.0
        """Their sum in seconds."""
        self.min = 0.0
        """The least, 0.0 when there is none."""
        self.max = 0.0
        """The greatest, 0.0 when there is none."""

    def record(self, seconds: float) -> None:
        """Count one duration; below zero, or not a number, counts as zero: a clock was set back."""
        if seconds > _LEAST:
            if seconds >= _MOST:
                seconds = _MOST
                self._buckets[-1] += 1
            else:
                self._buckets[int(math.log2(seconds / _LEAST) * _STEPS) + 1] += 1
        else:
            seconds = seconds if seconds > 0.0 else 0.0
            self._buckets[0] += 1
        if seconds > self.max:
            self.max = seconds
        if seconds < self.min or not self.count:
            self.min = seconds
        self.count += 1
        self.total += seconds

    @property
    def mean(self) -> float | None:
        """The mean in seconds, None when nothing was recorded."""
        return self.total / self.count if self.count else None

    def percentile(self, q: float) -> float | None:
        """Return the value that ``q`` percent (0 to 100) of the recorded ones do not exceed; None when there are none.

        Raises:
            ValueError: ``q`` is not from 0 to 100.
        """
        if not 0.0 <= q <= 100.0:
            raise ValueError("q must be from 0 to 100")
        if not self.count:
            return None
        rank = max(1, math.ceil(self.count * q / 100.0))
        if rank == self.count:
            return self.max
        seen = 0
        for index, amount in enumerate(self._buckets):
            seen += amount
            if seen >= rank:
                middle = _LEAST * 2.0 ** ((index - 0.5) / _STEPS) if index else 0.0
                return min(max(middle, self.min), self.max)
        return self.max

    def snapshot(self) -> dict[str, float | int | None]:
        """Return count, mean, min, max and the usual percentiles; None where there is nothing to say."""
        some = self.count > 0
        return {
            "count": self.count,
            "mean": self.mean,
            "min": self.min if some else None,
            "max": self.max if some else None,
            "p50": self.percentile(50.0),
            "p90": self.percentile(90.0),
            "p95": self.percentile(95.0),
            "p99": self.percentile(99.0),
        }
