"""A broken retry budget and broken histograms."""

from __future__ import annotations

from backends.resilience.budget import RetryBudget
from backends.telemetry.histogram import Histogram
from conformance.machines.broken.broken import Broken

__all__ = ["BROKEN"]


class SavesForEver(RetryBudget):
    """A quiet day pays for a storm of repeats the next: the account has no upper bound."""

    def deposit(self) -> None:
        """Add without a bound."""
        self.balance += self.ratio


class AlwaysAllows(RetryBudget):
    """Counts, and never says no."""

    def withdraw(self) -> bool:
        """Say yes."""
        super().withdraw()
        return True


class LowerEdge(Histogram):
    """Reports the percentile before the one asked for."""

    def percentile(self, q: float) -> float | None:
        """Shift the rank."""
        return super().percentile(q * 0.9)


class ForgetsTheLeast(Histogram):
    """Takes the initial zero for the least value."""

    def record(self, seconds: float) -> None:
        """Compare with zero."""
        super().record(seconds)
        self.min = 0.0


BROKEN = (
    Broken("budget", "BAK-11", SavesForEver),
    Broken("budget", "BAK-11", AlwaysAllows),
    Broken("histogram", "TRK-05", LowerEdge),
    Broken("histogram", "TRK-05", ForgetsTheLeast),
)
