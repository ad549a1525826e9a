"""Broken budgets."""

from __future__ import annotations

from collections.abc import Mapping

from backends.resilience.allowance import Allowance, Demand, Draw, Rates
from backends.resilience.rate_headers import Kind, Told
from backends.resilience.window import SlidingWindow
from backends.types import Usage
from conformance.machines.broken.broken import Broken

__all__ = ["BROKEN"]


class CalendarMinutes(Allowance):
    """Counts anew when a minute of the clock begins: twice the budget around each of them."""

    def __init__(self, rates: Rates) -> None:
        super().__init__(rates)
        self._declared = {kind: _Calendar(window.limit(0.0)) for kind, window in self._declared.items()}


class _Calendar(SlidingWindow):
    def _forget(self, now: float) -> None:
        while self._sums and self._sums[0][0] // 60 < int(now) // 60:
            self.used -= self._sums.popleft()[1]

    def ready_at(self, amount: int, now: float) -> float:
        self._forget(now)
        fits = self.used + min(amount, self.limit(now)) <= self.limit(now)
        return now if fits else 60.0 * (int(now) // 60 + 1)


class NeverSettles(Allowance):
    """An estimate stands for ever, whatever was used."""

    def settle(self, draw: Draw, used: Usage | None, now: float, *, refused: bool = False) -> None:
        """Do nothing."""


class CountsAtTheEnd(Allowance):
    """A request counts when it is over: those in flight do not see each other."""

    def take(self, demand: Demand, now: float) -> Draw:
        """Take nothing yet."""
        return super().take(Demand(), now)


class BelievesTheLatest(Allowance):
    """An answer that was overtaken by a later request's brings back what is spent."""

    def learn(self, draw: Draw, told: Mapping[Kind, Told], now: float) -> None:
        """Forget who said it."""
        self._told.clear()
        late = Draw(self, draw.demand, draw.second, dict(self._taken))
        super().learn(late, told, now)


class ForgetsTheMinute(Allowance):
    """A refused request leaves the count although the server has seen it."""

    def refuse(self, draw: Draw, now: float) -> None:
        """Give it back."""
        for kind, window in self._declared.items():
            window.correct(draw.second, -draw.demand.of(kind), now)


BROKEN = (
    Broken("allowance", "LIM-03", CalendarMinutes),
    Broken("allowance", "LIM-03", NeverSettles),
    Broken("allowance", "LIM-03", CountsAtTheEnd),
    Broken("allowance", "LIM-04", BelievesTheLatest),
    Broken("allowance", "LIM-03", ForgetsTheMinute),
)
