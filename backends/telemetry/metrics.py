"""Counters and histograms of what was done: the same size after a million requests as after one.

Nothing here reads a clock, locks, or keeps anything per request. Names that come from callers or servers (models,
endpoints, error classes) are bounded in number and in length.
"""

from __future__ import annotations

from typing import Any, Final

from backends.telemetry.cache_counters import CacheCounters
from backends.telemetry.counters import BoundedCounter, Outcome, Row, bounded_name
from backends.telemetry.histogram import Histogram
from backends.telemetry.prices import Charge
from backends.types import Usage

__all__ = ["BoundedCounter", "Histogram", "Metrics", "Outcome"]

_NO_TOKENS: Final = (0, 0, 0)


class Metrics:
    """What one backend, or one endpoint of it, has done since the last reset.

    Args:
        now: monotonic seconds.
        wall: unix seconds.
        names: how many models, endpoints, tenants, error classes and retry reasons are told apart, each.

    Raises:
        ValueError: ``names`` is below 1.
    """

    def __init__(self, now: float, wall: float, *, names: int = 64) -> None:
        if names < 1:
            raise ValueError("names must be 1 or more")
        self._names = names
        self.active = 0
        """Requests started and not finished."""
        self.reset(now, wall)

    def reset(self, now: float, wall: float) -> None:
        """Forget everything but the requests still active: they count as started now, so that the sums stay true."""
        self._since = now
        self._since_wall = wall
        self.requests = self.active
        """Requests started; equals successes + failures + cancelled when none is active."""
        self.successes = self.failures = self.cancelled = 0
        self.attempts = 0
        """Times a request was put on the wire, over all finished requests."""
        self.cache = CacheCounters()
        """Calls that met a cache; those that were found there are no requests and count nowhere else."""
        self._total = Histogram()
        self._queued = Histogram()
        self._first_token = Histogram()
        self._errors = BoundedCounter(self._names)
        self._retries = BoundedCounter(self._names)
        self._models: dict[str, Row] = {}
        self._endpoints: dict[str, Row] = {}
        self._tenants: dict[str, Row] = {}
        self._input = self._output = self._all_tokens = 0
        self._cached = self._cache_write = self._reasoning = self._audio = 0
        self._estimated = self._unreported = self._unknown_costs = 0
        self._cost = self._estimated_cost = 0.0
        self._shared_calls = self._shared_requests = self._largest_batch = 0

    def started(self) -> None:
        """Count one request that was accepted from a caller."""
        self.requests += 1
        self.active += 1

    def shared(self, requests: int) -> None:
        """Count one wire call that carries so many requests; each of these is counted by itself as well."""
        self._shared_calls += 1
        self._shared_requests += requests
        self._largest_batch = max(self._largest_batch, requests)

    def retried(self, reason: str) -> None:
        """Count one repeat, by what made it necessary."""
        self._retries.add(reason)

    def finished(
        self,
        outcome: Outcome,
        *,
        model: str | None = None,
        endpoint: str | None = None,
        error: str | None = None,
        queued: float | None = None,
        first_token: float | None = None,
        total: float | None = None,
        usage: Usage | None = None,
        attempts: int = 0,
        charge: Charge | None = None,
        tenant: str | None = None,
    ) -> None:
        """Count the end of a request that was started.

        Args:
            outcome: how it ended.
            model: the model asked for.
            endpoint: the name of the endpoint.
            error: name of the error class; only counted for a failure.
            queued: seconds spent waiting for a place.
            first_token: seconds from the start to the first content of a stream.
            total: seconds from the start to the end; goes into the latencies of successes only, because a fast refusal
                would make a broken provider look quick.
            usage: tokens, as the provider counted them; those of a failed or cancelled request count too.
            attempts: how often it was put on the wire.
            charge: what it is charged; None for what is not charged.
            tenant: on whose behalf; None where nobody was named, which is counted for no tenant.
        """
        self.active -= 1
        self.attempts += attempts
        if outcome == "success":
            self.successes += 1
            if total is not None:
                self._total.record(total)
        elif outcome == "failure":
            self.failures += 1
            self._errors.add(error or "(unnamed)")
        else:
            self.cancelled += 1
        if queued is not None:
            self._queued.record(queued)
        if first_token is not None:
            self._first_token.record(first_token)
        tokens = _NO_TOKENS
        if usage is not None:
            tokens = self._count(usage)
        elif outcome == "success":
            self._unreported += 1
        dollars, unknown = (0.0, 0) if charge is None else self._take_charge(charge)
        self._row(self._models, model or "(none)").add(outcome, total, tokens, dollars, unknown)
        self._row(self._endpoints, endpoint or "(default)").add(outcome, total, tokens, dollars, unknown)
        if tenant is not None:
            self._row(self._tenants, tenant).add(outcome, total, tokens, dollars, unknown)

    def snapshot(self, now: float, wall: float) -> dict[str, Any]:
        """Return everything as plain data that JSON can hold; None where there is nothing to say."""
        uptime = max(0.0, now - self._since)
        ended = self.successes + self.failures
        return {
            "timestamp": wall,
            "since": self._since_wall,
            "uptime_seconds": uptime,
            "total_requests": self.requests,
            "active_requests": self.active,
            "successes": self.successes,
            "failures": self.failures,
            "cancelled": self.cancelled,
            "success_rate": self.successes / ended if ended else None,
            "attempts": self.attempts,
            "retries": self._retries.snapshot(),
            "errors": self._errors.snapshot(),
            "cache": self.cache.snapshot(),
            "latency": {
                "total": self._total.snapshot(),
                "queued": self._queued.snapshot(),
                "first_token": self._first_token.snapshot(),
            },
            "tokens": {
                "input": self._input,
                "output": self._output,
                "total": self._all_tokens,
                "cached": self._cached,
                "cache_write": self._cache_write,
                "reasoning": self._reasoning,
                "audio": self._audio,
                "estimated_requests": self._estimated,
                "unreported_requests": self._unreported,
            },
            "batching": {
                "wire_calls": self._shared_calls,
                "requests": self._shared_requests,
                "largest": self._largest_batch,
            },
            "cost": {
                "dollars": self._cost,
                "estimated_dollars": self._estimated_cost,
                "unknown_requests": self._unknown_costs,
            },
            "throughput": {
                "requests_per_second": (ended + self.cancelled) / uptime if uptime else None,
                "output_tokens_per_second": self._output / uptime if uptime else None,
            },
            "models": {name: row.snapshot() for name, row in self._models.items()},
            "endpoints": {name: row.snapshot() for name, row in self._endpoints.items()},
            "tenants": {name: row.snapshot() for name, row in self._tenants.items()},
        }

    def _row(self, rows: dict[str, Row], name: str) -> Row:
        return rows.get(name) or rows.setdefault(bounded_name(name, rows, self._names), Row())

    def _count(self, usage: Usage) -> tuple[int, int, int]:
        """Count tokens, and return those in, out and together."""
        arriving = usage.input_tokens or 0
        leaving = usage.output_tokens or 0
        together = arriving + leaving if usage.total_tokens is None else usage.total_tokens
        self._input += arriving
        self._output += leaving
        self._all_tokens += together
        self._cached += usage.cached_tokens or 0
        self._cache_write += usage.cache_write_tokens or 0
        self._reasoning += usage.reasoning_tokens or 0
        self._audio += usage.audio_tokens or 0
        if usage.estimated:
            self._estimated += 1
        return arriving, leaving, together

    def _take_charge(self, charge: Charge) -> tuple[float, int]:
        """Add what is known; what is not known is counted, so that nobody takes the sum for the bill. Return both."""
        unknown = int(charge.cost is None)
        dollars = charge.cost or 0.0
        self._cost += dollars
        self._estimated_cost += dollars if charge.estimated else 0.0
        self._unknown_costs += unknown
        return dollars, unknown
