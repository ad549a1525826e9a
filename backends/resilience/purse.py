"""A spending limit as a pure machine: what was spent, what calls in flight may still cost, and who may start.

It holds no lock, reads no clock and knows no price; its owner guards it.
"""

from __future__ import annotations

__all__ = ["Purse"]


class Purse:
    """US dollars that may be spent.

    A call starts by reserving the most it can cost and ends by settling what it did cost. Where the most is known,
    ``spent + reserved`` never passes the limit, so what is spent never does. A call whose most is not known reserves
    nothing: it starts while anything is left, and may pass the limit by its own cost.

    Args:
        limit: 0 or more; None never refuses.
    """

    __slots__ = ("limit", "reserved", "spent")

    def __init__(self, limit: float | None) -> None:
        self.limit = limit
        self.spent = 0.0
        """What is known to have been spent."""
        self.reserved = 0.0
        """What calls in flight may still cost."""

    def admits(self, most: float | None) -> bool:
        """Tell whether a call may start that costs at most so much (None is not known)."""
        if self.limit is None:
            return True
        committed = self.spent + self.reserved
        return committed < self.limit and (most is None or committed + most <= self.limit)

    def reserve(self, most: float | None) -> None:
        """Set aside what a call that starts may cost."""
        self.reserved += most or 0.0

    def settle(self, most: float | None, cost: float | None) -> None:
        """Give back what was set aside for a call, and count what it did cost where that is known."""
        self.reserved = max(0.0, self.reserved - (most or 0.0))
        self.spent += cost or 0.0

    def renewed(self) -> Purse:
        """Return a purse with the same limit in which the spending remains and nothing is set aside (after a fork)."""
        purse = Purse(self.limit)
        purse.spent = self.spent
        return purse

    def status(self) -> dict[str, float | None]:
        """Return limit, spent and reserved for a report."""
        return {"max_cost": self.limit, "spent": self.spent, "reserved": self.reserved}
