"""How long to wait before a repeat: exponential growth with a cap, then jitter that survives the cap.

The cap is applied *before* the jitter: clients that all sit at the cap must still wake at different times. This module
only computes; it never sleeps, reads a clock or draws a random number of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Backoff"]


@dataclass(frozen=True, slots=True)
class Backoff:
    """A waiting policy, as a value.

    Attributes:
        initial: seconds before the first repeat, 0 or more. More than ``maximum`` is capped, not refused.
        factor: growth from one repeat to the next, 1 or more.
        maximum: cap in seconds before jitter, 0 or more.
        jitter: share by which a wait may be shorter or longer, 0 to 1.

    Raises:
        ValueError: a field is out of its range or not finite; the message names it.
    """

    initial: float = 1.0
    factor: float = 2.0
    maximum: float = 16.0
    jitter: float = 0.2

    def __post_init__(self) -> None:
        for name, least, most in (
            ("initial", 0.0, math.inf),
            ("factor", 1.0, math.inf),
            ("maximum", 0.0, math.inf),
            ("jitter", 0.0, 1.0),
        ):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise ValueError(f"{name} must be a number, not {type(value).__name__}")  # noqa: TRY004 - one error type for settings
            try:
                number = float(value)
            except OverflowError:
                number = math.inf
            if not (math.isfinite(number) and least <= number <= most):
                wanted = f"from {least:g} to {most:g}" if most < math.inf else f"{least:g} or more, and finite"
                raise ValueError(f"{name} must be {wanted}")
            # An int factor would be raised to a power exactly, which takes for ever for a large retry number.
            object.__setattr__(self, name, number)

    def delay(self, retry: int, random: Callable[[], float]) -> float:
        """Return seconds to wait before repeat number ``retry``, the first being 0.

        ``random`` returns numbers from 0 to 1. The result lies within ``jitter`` of
        ``min(initial * factor ** retry, maximum)``, for any ``retry`` however large.

        Raises:
            ValueError: ``retry`` is negative.
        """
        return self._base(retry) * (1.0 + self.jitter * (2.0 * random() - 1.0))

    def floored(self, retry: int, hint: float | None, random: Callable[[], float]) -> float:
        """Return seconds to wait when the server asked for ``hint`` seconds; None means that it did not ask.

        The hint is a floor, never shortened. Up to ``jitter`` of it is added, so that clients told the same thing at
        the same time do not come back together.
        """
        delay = self.delay(retry, random)
        if hint is None:
            return delay
        return max(delay, hint * (1.0 + self.jitter * random()))

    def _base(self, retry: int) -> float:
        if retry < 0:
            raise ValueError("retry must be 0 or more")
        if not self.initial:
            return 0.0
        try:
            grown = self.initial * self.factor**retry
        except OverflowError:
            return self.maximum
        return min(grown, self.maximum)
