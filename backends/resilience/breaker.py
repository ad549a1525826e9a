"""The circuit breaker: stops sending to an endpoint that is down, and lets one probe find out when it is back.

    CLOSED ──threshold failures in a row──▶ OPEN ──reset timeout, at the next call──▶ HALF_OPEN
       ▲                                      ▲                                          │
       └──────────── probe succeeded ─────────┼──────────────────────────────────────────┤
                                              └───────────────── probe failed ───────────┘

Rules this file obeys:

- Exactly one probe is out in HALF_OPEN. It is a lease that expires, so a caller that vanished cannot wedge the breaker.
- Every lease carries the generation in which it was taken. Each change of state, and each new probe, starts a new
  generation; outcomes of an older one change nothing. An old success cannot close a breaker that has tripped since.
- What counts as a failure is the caller's decision; the breaker never sees a status or an exception.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

__all__ = ["Breaker", "Lease", "Refusal", "State", "Transition"]

_KEPT: Final = 64
# A sleeper that was told "0.3 s" may wake a rounding error early; a microsecond is nothing to a server.
_SLACK: Final = 1e-6


class State(StrEnum):
    """What the breaker lets through: everything, nothing, or one probe."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class Lease:
    """Permission for one call; hand it back with its outcome.

    Attributes:
        generation: when it was taken, in the breaker's own count.
        probe: true for the one call let through in HALF_OPEN.
    """

    generation: int
    probe: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """No permission.

    Attributes:
        retry_after: seconds after which asking again makes sense; more than 0.
    """

    retry_after: float


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of state, by both clocks.

    Attributes:
        before: the state that ended.
        after: the state that began.
        monotonic: seconds of the monotonic clock.
        wall: unix seconds.
        reason: why, for people.
    """

    before: State
    after: State
    monotonic: float
    wall: float
    reason: str


class Breaker:
    """One endpoint's circuit breaker. ``now`` is monotonic seconds, ``wall`` unix seconds.

    Args:
        failure_threshold: failures in a row that open it, 1 or more.
        reset_timeout: seconds it stays open before a probe is let through, more than 0.
        probe_timeout: seconds after which a probe without outcome no longer blocks the next; None for ten times
            ``reset_timeout``.

    Raises:
        ValueError: an argument is out of its range; the message names it.
    """

    __slots__ = (
        "_generation",
        "_lease",
        "_probe_expires",
        "_probing",
        "_ready_at",
        "_transitions",
        "failure_threshold",
        "failures",
        "opened",
        "probe_timeout",
        "reset_timeout",
        "state",
    )

    def __init__(
        self, failure_threshold: int = 5, reset_timeout: float = 30.0, probe_timeout: float | None = None
    ) -> None:
        if isinstance(failure_threshold, bool) or not isinstance(failure_threshold, int) or failure_threshold < 1:
            raise ValueError("failure_threshold must be a whole number, 1 or more")
        if not (reset_timeout > 0 and math.isfinite(reset_timeout)):
            raise ValueError("reset_timeout must be more than 0 seconds, and finite")
        if probe_timeout is None:
            probe_timeout = 10 * reset_timeout
        if not (probe_timeout > 0 and math.isfinite(probe_timeout)):
            raise ValueError("probe_timeout must be more than 0 seconds, and finite")
        self.failure_threshold = failure_threshold
        self.reset_timeout = float(reset_timeout)
        self.probe_timeout = float(probe_timeout)
        self.state = State.CLOSED
        """The present state; OPEN until somebody asks after the reset timeout. Read only."""
        self.failures = 0
        """Failures in a row since the last success. Read only."""
        self.opened = 0
        """How often it opened. Read only."""
        self._generation = 0
        self._lease = Lease(0, probe=False)
        self._ready_at = 0.0
        self._probing = False
        self._probe_expires = 0.0
        self._transitions: deque[Transition] = deque(maxlen=_KEPT)

    @property
    def transitions(self) -> tuple[Transition, ...]:
        """The last 64 changes of state, newest last."""
        return tuple(self._transitions)

    def acquire(self, now: float, wall: float) -> Lease | Refusal:
        """Ask to make one call.

        Every lease must come back through exactly one of :meth:`success`, :meth:`failure` and :meth:`release`.
        """
        if self.state is State.CLOSED:
            return self._lease
        wait = self.wait(now)
        if wait > 0.0:
            return Refusal(wait)
        if self.state is State.OPEN:
            self._move(State.HALF_OPEN, now, wall, "the reset timeout passed")
        # A new generation for each probe: the outcome of one that expired must not speak for its successor.
        self._generation += 1
        self._probing = True
        self._probe_expires = now + self.probe_timeout
        return Lease(self._generation, probe=True)

    def wait(self, now: float) -> float:
        """Return 0.0 when :meth:`acquire` would admit a call, else seconds after which to ask again; changes nothing.

        While a probe is out nobody knows when it ends; the answer is then at most one reset timeout.
        """
        if self.state is State.CLOSED:
            return 0.0
        if self.state is State.OPEN:
            remaining = self._ready_at - now
        elif self._probing:
            remaining = self._probe_expires - now
        else:
            return 0.0
        return min(remaining, self.reset_timeout) if remaining > _SLACK else 0.0

    def success(self, lease: Lease, now: float, wall: float) -> None:
        """Say that the endpoint answered; a probe closes the breaker, a normal call resets the count."""
        if lease.generation != self._generation:
            return
        if not lease.probe:
            self.failures = 0
        elif self._probing:
            self.failures = 0
            self._move(State.CLOSED, now, wall, "the probe succeeded")
            self._lease = Lease(self._generation, probe=False)

    def failure(self, lease: Lease, now: float, wall: float) -> None:
        """Say that the call failed the way an outage fails; a failed probe reopens the breaker with a fresh timer."""
        if lease.generation != self._generation:
            return
        if not lease.probe:
            self.failures += 1
            if self.failures >= self.failure_threshold:
                self._open(now, wall, f"{self.failures} failures in a row")
        elif self._probing:
            self.failures += 1
            self._open(now, wall, "the probe failed")

    def release(self, lease: Lease, now: float, wall: float) -> None:  # noqa: ARG002 - one shape for all outcomes
        """Hand a lease back without a verdict (cancelled, or an error that says nothing about the endpoint).

        A probe handed back leaves the breaker in HALF_OPEN, and the next call becomes the probe.
        """
        if lease.probe and lease.generation == self._generation:
            self._probing = False

    def _open(self, now: float, wall: float, reason: str) -> None:
        self._move(State.OPEN, now, wall, reason)
        self._ready_at = now + self.reset_timeout
        self.opened += 1

    def _move(self, after: State, now: float, wall: float, reason: str) -> None:
        self._transitions.append(Transition(self.state, after, now, wall, reason))
        self.state = after
        self._generation += 1
        self._probing = False
