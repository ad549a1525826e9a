"""What one key may still send: budgets of requests and tokens, declared by the caller or told by the provider's headers.

Window semantics:

- A *declared* budget is a sliding minute (:mod:`backends.resilience.window`): never more than the limit in any sixty seconds.
- A *told* budget is what the latest answer said. Until its reset nothing is assumed to come back by itself, from then on the
  whole limit is there again; each answer replaces what was known. A provider that refills continuously is thus taken for
  stricter than it is, for as long as nothing is asked of it.
- What was sent after the request whose answer told a budget is subtracted from it: the server may not have counted it yet.

A call takes its demand when it is sent, with its tokens estimated, and settles with what it really used. Nothing here waits,
chooses a key or reads a header.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from backends.resilience.rate_headers import Kind, Told
from backends.resilience.window import SECONDS, SlidingWindow
from backends.types import Usage

__all__ = ["ONE", "Allowance", "Demand", "Draw", "Rates"]

_LOWEST_SHARE: Final = 0.5


@dataclass(frozen=True, slots=True)
class Demand:
    """What a request is expected to use: itself, and so many tokens."""

    input_tokens: int = 0
    output_tokens: int = 0

    def of(self, kind: Kind) -> int:
        """Return how much of one kind it needs."""
        if kind is Kind.REQUESTS:
            return 1
        given = self.input_tokens if kind is not Kind.OUTPUT_TOKENS else 0
        return given + (self.output_tokens if kind is not Kind.INPUT_TOKENS else 0)


ONE: Final = Demand()
"""The demand of a request of which nothing is known but that it is one."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Which budgets the keys of an endpoint have.

    Attributes:
        requests_per_minute, tokens_per_minute: declared, for each key; None is none.
        told: budgets are read from the provider's headers.
        obeyed: a key that has nothing left by those headers rests; otherwise they only tell keys apart.
    """

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    told: bool = False
    obeyed: bool = False

    @property
    def counts_tokens(self) -> bool:
        """Whether the tokens of a request matter before it is sent."""
        return self.tokens_per_minute is not None or self.obeyed

    def allowance(self) -> Allowance | None:
        """Return the budgets of one key in which nothing is spent, None where there are none."""
        if self.requests_per_minute is None and self.tokens_per_minute is None and not self.told:
            return None
        return Allowance(self)


class Draw:
    """What one request took; :meth:`Allowance.settle` and :meth:`Allowance.learn` know it again."""

    __slots__ = ("allowance", "demand", "marks", "second", "settled")

    def __init__(self, allowance: Allowance, demand: Demand, second: int, marks: Mapping[Kind, int]) -> None:
        self.allowance = allowance
        self.demand = demand
        self.second = second
        self.marks = marks
        self.settled = False


class _Budget:
    """What the provider told of one kind, and up to which request."""

    __slots__ = ("limit", "mark", "remaining", "reset_at")

    def __init__(self, told: Told, mark: int, now: float) -> None:
        self.limit = told.limit
        self.remaining = told.remaining
        self.reset_at = None if told.reset is None else now + told.reset
        self.mark = mark


class Allowance:
    """The budgets of one key. ``now`` is monotonic seconds and must not go back."""

    __slots__ = ("_declared", "_obeyed", "_taken", "_told")

    def __init__(self, rates: Rates) -> None:
        declared = {Kind.REQUESTS: rates.requests_per_minute, Kind.TOKENS: rates.tokens_per_minute}
        self._declared = {kind: SlidingWindow(limit) for kind, limit in declared.items() if limit is not None}
        self._obeyed = rates.obeyed
        self._told: dict[Kind, _Budget] = {}
        self._taken: Counter[Kind] = Counter()

    def ready_at(self, demand: Demand, now: float) -> float:
        """Return when a request would be within every budget: ``now``, or a later moment."""
        ready = now
        for kind, window in self._declared.items():
            ready = max(ready, window.ready_at(demand.of(kind), now))
        if self._obeyed:
            for kind, budget, left in self._current(now):
                needed = demand.of(kind) if budget.limit is None else min(demand.of(kind), budget.limit)
                if left < needed and budget.reset_at is not None:
                    ready = max(ready, budget.reset_at)
        return ready

    def take(self, demand: Demand, now: float) -> Draw:
        """Take what a request is expected to use; it is sent now."""
        self._current(now)  # what a reset has made whole is whole before this is taken from it
        for kind in Kind:
            self._taken[kind] += demand.of(kind)
        for kind, window in self._declared.items():
            window.take(demand.of(kind), now)
        return Draw(self, demand, int(now), dict(self._taken))

    def settle(self, draw: Draw, used: Usage | None, now: float, *, refused: bool = False) -> None:
        """Replace the estimate of a request that is over by what it used; the second time nothing happens.

        Args:
            draw: what it took.
            used: as the provider counted; what is not known stays as it was estimated.
            now: the time.
            refused: the server would not do it: it counts as a request, its tokens were not used.
        """
        window = self._declared.get(Kind.TOKENS)
        if draw.settled or window is None:
            return
        draw.settled = True
        given, made = draw.demand.input_tokens, draw.demand.output_tokens
        if used is not None:
            given = given if used.input_tokens is None else used.input_tokens
            made = made if used.output_tokens is None else used.output_tokens
        elif refused:
            given = made = 0
        window.correct(draw.second, given + made - draw.demand.of(Kind.TOKENS), now)

    def learn(self, draw: Draw, told: Mapping[Kind, Told], now: float) -> None:
        """Take what the answer to a request says; what a later request has told before stands."""
        for kind, news in told.items():
            known = self._told.get(kind)
            if known is None or known.mark <= draw.marks[kind]:
                self._told[kind] = _Budget(news, draw.marks[kind], now)

    def refuse(self, draw: Draw, now: float) -> None:
        """The server answered 429 although the declared budgets had room: what it took of them is all that it gives for a
        minute, but not less than half of what was declared."""
        for kind, window in self._declared.items():
            least = int(window.limit(now) * _LOWEST_SHARE)
            window.lower(max(least, window.used - draw.demand.of(kind)), now)

    def headroom(self, now: float) -> float | None:
        """Return the share of the scarcest budget that is left, from 0 to 1; None where no budget is known."""
        shares = [window.left(now) / window.limit(now) for window in self._declared.values()]
        shares += [left / budget.limit for _, budget, left in self._current(now) if budget.limit is not None]
        return min(shares, default=None)

    def status(self, now: float) -> list[dict[str, Any]]:
        """Return each budget for a report: ``kind``, ``source``, ``limit``, ``left``, ``resets_in`` (seconds)."""
        declared = [
            _row(kind, "declared", window.limit(now), window.left(now), None) for kind, window in self._declared.items()
        ]
        told = [
            _row(kind, "provider", budget.limit, left, None if budget.reset_at is None else budget.reset_at - now)
            for kind, budget, left in self._current(now)
        ]
        return declared + told

    def _current(self, now: float) -> list[tuple[Kind, _Budget, int]]:
        """Return what was told, with what is left of each. After its reset a budget is whole again, for a minute unless an
        answer says otherwise first."""
        found = []
        for kind, budget in tuple(self._told.items()):
            if budget.reset_at is not None and now >= budget.reset_at:
                if budget.limit is None:
                    del self._told[kind]
                    continue
                budget.remaining, budget.mark = budget.limit, self._taken[kind]
                budget.reset_at = now + SECONDS
            found.append((kind, budget, max(0, budget.remaining - (self._taken[kind] - budget.mark))))
        return found


def _row(kind: Kind, source: str, limit: int | None, left: int, resets_in: float | None) -> dict[str, Any]:
    return {"kind": kind.value, "source": source, "limit": limit, "left": left, "resets_in": resets_in}
