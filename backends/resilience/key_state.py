"""What is known of one key: its state, its totals, its row in a report, and the lease by which it is used.

Which key goes next is decided in :mod:`backends.resilience.keys`. Nothing here shows a key's text.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, final

from backends.resilience.allowance import Allowance, Demand, Draw, Rates
from backends.secret import Key

__all__ = ["SLACK", "Entry", "KeyLease", "KeyStatus", "Totals", "checked_limit"]

SLACK: Final = 1e-6
"""Seconds: who was told to come back at a moment may come a rounding error early."""


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """One key in a report.

    Attributes:
        name: its label.
        fingerprint: tells keys apart without showing them; empty for the sum of keys removed long ago.
        state: ``ready``, ``cooling``, ``retired``, or ``removed`` (no longer in the pool; its totals remain).
        in_flight: leases out now.
        requests: outcomes recorded.
        failures: those that failed.
        input_tokens: sum of what the provider reported.
        output_tokens: sum of what the provider reported.
        cost: what is known to have been charged, in US dollars.
        unknown_costs: requests that were charged nobody knows what.
        cooling_for: seconds until it is offered again; 0.0 unless cooling.
        reason: why it was retired; None unless retired.
        weight: its share of the calls where the strategy is ``weighted``.
        headroom: the share of its scarcest rate limit that is left, from 0 to 1; None where no limit is known.
        rates: its rate limits; see :meth:`backends.resilience.allowance.Allowance.status`.
    """

    name: str
    fingerprint: str
    state: Literal["ready", "cooling", "retired", "removed"]
    in_flight: int
    requests: int
    failures: int
    input_tokens: int
    output_tokens: int
    cooling_for: float = 0.0
    reason: str | None = None
    cost: float = 0.0
    unknown_costs: int = 0
    weight: float = 1.0
    headroom: float | None = None
    rates: Sequence[dict[str, Any]] = field(default_factory=list)


class Totals:
    """What a key has done, since it came into the pool."""

    __slots__ = ("cost", "failures", "input_tokens", "output_tokens", "requests", "unknown_costs")

    def __init__(self) -> None:
        self.requests = self.failures = self.input_tokens = self.output_tokens = self.unknown_costs = 0
        self.cost = 0.0

    def absorb(self, other: Totals) -> None:
        """Add what another key has done."""
        self.requests += other.requests
        self.failures += other.failures
        self.input_tokens += other.input_tokens
        self.output_tokens += other.output_tokens
        self.cost += other.cost
        self.unknown_costs += other.unknown_costs


def checked_limit(limit: int | None) -> int | None:
    """Return a limit of leases per key as it is.

    Raises:
        ValueError: it is below 1 or no whole number.
    """
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
        raise ValueError("the limit of a key must be a whole number, 1 or more, or None")
    return limit


class Entry:
    """One key in the pool, and what is known of it."""

    __slots__ = (
        "allowance",
        "cooling_until",
        "credit",
        "fingerprint",
        "in_flight",
        "key",
        "limit",
        "reason",
        "retired",
        "retirements",
        "totals",
        "weight",
    )

    def __init__(self, key: Key, limit: int | None, weight: float = 1.0, rates: Rates | None = None) -> None:
        if not (weight > 0 and math.isfinite(weight)):
            raise ValueError("the weight of a key must be a number above 0, and finite")
        self.key = key
        self.fingerprint = key.fingerprint
        self.limit = checked_limit(limit)
        self.in_flight = 0
        self.cooling_until = 0.0
        self.retired = 0
        """Place in the order of retirement, 0 when not retired."""
        self.retirements = 0
        self.reason: str | None = None
        self.totals = Totals()
        self.weight = weight
        self.credit = 0.0
        """What it has earned and not used yet where keys are weighted."""
        self.allowance: Allowance | None = rates.allowance() if rates is not None else None

    def cools(self, now: float) -> bool:
        """Tell whether it must not be offered yet."""
        return self.cooling_until - now > SLACK

    def ready_at(self, demand: Demand | None, now: float) -> float:
        """Return when it may be offered: ``now`` or before, or a later moment when it has cooled and its budgets have room
        for the demand (None needs none)."""
        ready = self.cooling_until if self.cools(now) else now
        if demand is None or self.allowance is None:
            return ready
        later = self.allowance.ready_at(demand, now)
        return max(ready, later) if later - now > SLACK else ready

    def headroom(self, now: float) -> float:
        """Return the share of its scarcest rate limit that is left, 1.0 where none is known."""
        share = self.allowance.headroom(now) if self.allowance is not None else None
        return 1.0 if share is None else share

    def answers_to(self, which: str) -> bool:
        """Tell whether this is its fingerprint or its name."""
        return which == self.fingerprint or which == self.key.name

    def has_room(self) -> bool:
        """Tell whether one more lease may be out."""
        return self.limit is None or self.in_flight < self.limit

    def status(self, now: float, *, removed: bool = False) -> KeyStatus:
        """Return its row in a report."""
        cools = self.cools(now) and not self.retired and not removed
        return KeyStatus(
            self.key.name,
            self.fingerprint,
            "removed" if removed else "retired" if self.retired else "cooling" if cools else "ready",
            self.in_flight,
            self.totals.requests,
            self.totals.failures,
            self.totals.input_tokens,
            self.totals.output_tokens,
            self.cooling_until - now if cools else 0.0,
            self.reason if self.retired and not removed else None,
            self.totals.cost,
            self.totals.unknown_costs,
            self.weight,
            self.allowance.headroom(now) if self.allowance is not None else None,
            self.allowance.status(now) if self.allowance is not None else [],
        )


@final
class KeyLease:
    """The use of one key for one attempt; give it back with :meth:`KeyPool.release`.

    Attributes:
        key: what to send.
        entry: the key's place in the pool, the pool's own to change.
        held: true until it is given back.
        retirements: how often the key had been retired when this lease was taken, to tell old news from new.
        draw: what was taken of the key's budgets; None where it has none.
    """

    __slots__ = ("draw", "entry", "held", "key", "retirements")

    def __init__(self, entry: Entry, draw: Draw | None = None) -> None:
        self.key = entry.key
        self.entry = entry
        self.held = True
        self.retirements = entry.retirements
        self.draw = draw

    def __repr__(self) -> str:
        return f"KeyLease({self.key!r})"
