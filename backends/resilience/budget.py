"""The retry budget: over all requests together, repeats stay a fixed share of the traffic.

Without it a provider that is down sees every request ``1 + max_retries`` times, just when it can least bear it. This
module only counts; time plays no part, so an idle client neither gains nor loses.
"""

from __future__ import annotations

import math
from typing import Final

__all__ = ["RetryBudget"]

# Ten deposits of 0.1 add up to a little less than one.
_ROUNDING: Final = 1e-9


class RetryBudget:
    """A bounded account: each request pays ``ratio`` in, each repeat takes 1 out.

    Over any run of n requests at most ``reserve + ratio * n`` repeats are allowed.

    Args:
        ratio: repeats allowed for each request in the long run, 0 or more.
        reserve: what the account holds at the start and at most (but always enough room for one repeat), 0 or more.

    Raises:
        ValueError: an argument is out of its range; the message names it.
    """

    __slots__ = ("balance", "denied", "granted", "ratio", "reserve")

    def __init__(self, ratio: float = 0.2, reserve: float = 50.0) -> None:
        for name, value in (("ratio", ratio), ("reserve", reserve)):
            if not (value >= 0 and math.isfinite(value)):
                raise ValueError(f"{name} must be 0 or more, and finite")
        self.ratio = float(ratio)
        self.reserve = float(reserve)
        self.balance = self.reserve
        """What the account holds. Read only."""
        self.granted = 0
        """Repeats allowed so far. Read only."""
        self.denied = 0
        """Repeats refused so far. Read only."""

    def deposit(self) -> None:
        """Pay in for one new request (once per request, not per attempt)."""
        self.balance = min(self.balance + self.ratio, max(self.reserve, 1.0))

    def withdraw(self) -> bool:
        """Take out for one repeat; False when the account does not hold enough, and the repeat must not be made."""
        if self.balance < 1.0 - _ROUNDING:
            self.denied += 1
            return False
        self.balance = max(0.0, self.balance - 1.0)
        self.granted += 1
        return True
