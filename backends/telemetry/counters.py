"""Counts by name, bounded in number and in length of the names: what callers and servers name cannot fill the memory."""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias

__all__ = ["OTHER", "BoundedCounter", "Outcome", "Row", "bounded_name"]

Outcome: TypeAlias = Literal["success", "failure", "cancelled"]
"""How a request ended; ``cancelled`` when its caller gave it up."""

OTHER: Final = "(other)"
_LONGEST_NAME: Final = 128


class BoundedCounter:
    """Counts by name. The first ``names`` names get a count of their own, all later ones share ``(other)``.

    Raises:
        ValueError: ``names`` is below 1.
    """

    __slots__ = ("_counts", "_names", "total")

    def __init__(self, names: int = 64) -> None:
        if names < 1:
            raise ValueError("names must be 1 or more")
        self._counts: dict[str, int] = {}
        self._names = names
        self.total = 0
        """The sum over all names."""

    def add(self, name: str, amount: int = 1) -> None:
        """Count ``amount`` more for ``name``."""
        self.total += amount
        counts = self._counts
        if name not in counts:
            name = bounded_name(name, counts, self._names)
        counts[name] = counts.get(name, 0) + amount

    def get(self, name: str) -> int:
        """Return the count of ``name``, 0 when it has none of its own."""
        return self._counts.get(name, 0)

    def snapshot(self) -> dict[str, int]:
        """Return a copy of the counts."""
        return dict(self._counts)


class Row:
    """Totals of one model, endpoint or tenant."""

    __slots__ = (
        "cancelled",
        "cost",
        "failures",
        "input_tokens",
        "output_tokens",
        "requests",
        "seconds",
        "successes",
        "total_tokens",
        "unknown_costs",
    )

    def __init__(self) -> None:
        self.requests = self.successes = self.failures = self.cancelled = 0
        self.input_tokens = self.output_tokens = self.total_tokens = self.unknown_costs = 0
        self.seconds = self.cost = 0.0

    def add(
        self,
        outcome: Outcome,
        seconds: float | None,
        tokens: tuple[int, int, int],
        dollars: float,
        unknown: int,
    ) -> None:
        """Count one end; only how long a success took counts.

        Args:
            outcome: how it ended.
            seconds: how long it took.
            tokens: in, out, and together.
            dollars: what it is known to have cost.
            unknown: 1 where it was charged nobody knows what.
        """
        self.requests += 1
        if outcome == "success":
            self.successes += 1
            self.seconds += seconds or 0.0
        elif outcome == "failure":
            self.failures += 1
        else:
            self.cancelled += 1
        arriving, leaving, together = tokens
        self.input_tokens += arriving
        self.output_tokens += leaving
        self.total_tokens += together
        self.cost += dollars
        self.unknown_costs += unknown

    def snapshot(self) -> dict[str, Any]:
        """Return the totals as a report shows them."""
        return {
            "requests": self.requests,
            "successes": self.successes,
            "failures": self.failures,
            "cancelled": self.cancelled,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "total_tokens": self.total_tokens,
            "cost": self.cost,
            "unknown_costs": self.unknown_costs,
            "mean_seconds": self.seconds / self.successes if self.successes else None,
        }


def bounded_name(name: str, known: dict[str, Any], names: int) -> str:
    """Return the name under which to count what is not known under its own."""
    name = name[:_LONGEST_NAME]
    return name if name in known or len(known) - (OTHER in known) < names else OTHER
