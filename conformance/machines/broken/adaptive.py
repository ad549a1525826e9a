"""Broken adaptive limits."""

from __future__ import annotations

from backends.resilience.adaptive import AdaptiveLimit, Change
from conformance.machines.broken.broken import Broken

__all__ = ["BROKEN"]


class CutsForEach(AdaptiveLimit):
    """Every refusal of one crowd cuts the limit again."""

    def refused(self, number: int, now: float) -> None:
        """Take old news for new."""
        self._cut_at = 0
        super().refused(number, now)


class FallsThroughTheFloor(AdaptiveLimit):
    """Enough refusals, and nothing is ever sent again."""

    def _set(self, wanted: float, change: Change, now: float) -> None:
        super()._set(wanted, change, now)
        self._exact = min(self._exact, wanted)


class OutgrowsItsCeiling(AdaptiveLimit):
    """The ceiling that was set while calls fly is forgotten."""

    def resize(self, ceiling: int, now: float) -> None:
        """Do not remember it."""


class GrowsWhileIdle(AdaptiveLimit):
    """A limit that nobody uses grows, so that the next rush finds none."""

    def answered(self, kind: str, number: int, seconds: float, now: float, in_flight: int) -> None:
        """Say that the house was full."""
        super().answered(kind, number, seconds, now, max(in_flight, self.ceiling))


class HearsTheOldCrowd(AdaptiveLimit):
    """Answers to requests that were sent before its last decision decide the next one."""

    def answered(self, kind: str, number: int, seconds: float, now: float, in_flight: int) -> None:
        """Take every answer for a fresh one."""
        super().answered(kind, number + self._sent, seconds, now, in_flight)


class AveragesApplesAndPears(AdaptiveLimit):
    """A stream's first token and a whole answer have one usual time."""

    def answered(self, kind: str, number: int, seconds: float, now: float, in_flight: int) -> None:
        """Forget the kind."""
        super().answered("a", number, seconds, now, in_flight)


BROKEN = (
    Broken("adaptive", "LIM-01", CutsForEach),
    Broken("adaptive", "LIM-02", FallsThroughTheFloor),
    Broken("adaptive", "LIM-02", OutgrowsItsCeiling),
    Broken("adaptive", "LIM-02", GrowsWhileIdle),
    Broken("adaptive", "LIM-01", HearsTheOldCrowd),
    Broken("adaptive", "LIM-01", AveragesApplesAndPears),
)
