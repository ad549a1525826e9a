"""Broken backoff."""

from __future__ import annotations

from collections.abc import Callable

from backends.resilience.backoff import Backoff
from conformance.machines.broken.broken import Broken

__all__ = ["BROKEN"]


class CapsLast(Backoff):
    """Caps after the jitter: every late wait is exactly the cap, and all clients wake together."""

    def delay(self, retry: int, random: Callable[[], float]) -> float:
        """Jitter first."""
        return min(super().delay(retry, random), self.maximum)


class Overflows(Backoff):
    """Computes the power before it compares."""

    def delay(self, retry: int, random: Callable[[], float]) -> float:
        """Trust the float."""
        return min(self.initial * self.factor**retry, self.maximum) * (1 + self.jitter * (2 * random() - 1))


class Uncapped(Backoff):
    """Grows for ever."""

    def delay(self, retry: int, random: Callable[[], float]) -> float:
        """Forget the cap."""
        return self.initial * self.factor ** min(retry, 60) * (1 + self.jitter * (2 * random() - 1))


class Synchronised(Backoff):
    """Obeys the hint exactly: all clients told the same come back in the same moment."""

    def floored(self, retry: int, hint: float | None, random: Callable[[], float]) -> float:
        """Add nothing."""
        return max(self.delay(retry, random), hint or 0.0)


class BelowTheFloor(Backoff):
    """Jitters the hint both ways, so that half of the clients come too early."""

    def floored(self, retry: int, hint: float | None, random: Callable[[], float]) -> float:
        """Take the hint for a middle."""
        return max(self.delay(retry, random), (hint or 0.0) * (1 + self.jitter * (2 * random() - 1)))


class DeafToHints(Backoff):
    """Waits as if nothing had been said."""

    def floored(self, retry: int, hint: float | None, random: Callable[[], float]) -> float:
        """Do not listen."""
        return self.delay(retry, random)


BROKEN = (
    Broken("backoff", "BAK-02", CapsLast),
    Broken("backoff", "BAK-02", Overflows),
    Broken("backoff", "BAK-02", Uncapped),
    Broken("backoff", "BAK-04", Synchronised),
    Broken("backoff", "BAK-04", BelowTheFloor),
    Broken("backoff", "BAK-04", DeafToHints),
)
