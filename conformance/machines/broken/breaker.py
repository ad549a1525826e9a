"""Broken circuit breakers."""

from __future__ import annotations

from backends.resilience.breaker import Breaker, Lease, Refusal, State
from conformance.machines.broken.broken import Broken

__all__ = ["BROKEN"]


class CountsForEver(Breaker):
    """A success in CLOSED does not reset the count: five failures in a year open it."""

    def success(self, lease: Lease, now: float, wall: float) -> None:
        """Listen to probes only."""
        if lease.probe:
            super().success(lease, now, wall)


class OpensLate(Breaker):
    """Takes one failure more than was asked for."""

    def failure(self, lease: Lease, now: float, wall: float) -> None:
        """Compare with more-than instead of at-least."""
        self.failure_threshold += 1
        super().failure(lease, now, wall)
        self.failure_threshold -= 1


class HearsTheDead(Breaker):
    """Outcomes of calls from before the trip still count."""

    def success(self, lease: Lease, now: float, wall: float) -> None:
        """Close on any success."""
        if self.state is State.CLOSED:
            super().success(lease, now, wall)
        else:
            self._probing = True
            super().success(Lease(self._generation, probe=True), now, wall)


class OldFailuresCount(Breaker):
    """A failure of a call that was sent before the breaker closed again counts against the recovered endpoint."""

    def failure(self, lease: Lease, now: float, wall: float) -> None:
        """Forget the generation."""
        super().failure(Lease(self._generation, lease.probe), now, wall)


class Stampede(Breaker):
    """HALF_OPEN lets everybody through."""

    def acquire(self, now: float, wall: float) -> Lease | Refusal:
        """Forget that a probe is out."""
        self._probing = False
        return super().acquire(now, wall)


class WedgedProbe(Breaker):
    """A cancelled probe is never given back: HALF_OPEN for ever."""

    def release(self, lease: Lease, now: float, wall: float) -> None:
        """Do nothing."""


class CancelledIsFailure(Breaker):
    """A caller who hangs up counts as an outage."""

    def release(self, lease: Lease, now: float, wall: float) -> None:
        """Blame the endpoint."""
        self.failure(lease, now, wall)


class EternalProbe(Breaker):
    """A probe whose caller vanished blocks for ever."""

    def acquire(self, now: float, wall: float) -> Lease | Refusal:
        """Push the expiry away."""
        self._probe_expires = float("inf")
        return super().acquire(now, wall)


class StaleTimer(Breaker):
    """A failed probe reopens with the old timer, so that the next probe goes out at once."""

    def _open(self, now: float, wall: float, reason: str) -> None:
        ready_at = self._ready_at
        super()._open(now, wall, reason)
        if self.opened > 1:
            self._ready_at = ready_at


class WallClock(Breaker):
    """Measures with the wall clock: an administrator who sets it opens or wedges the breaker."""

    def _open(self, now: float, wall: float, reason: str) -> None:
        super()._open(now, wall, reason)
        self._ready_at = wall + self.reset_timeout

    def acquire(self, now: float, wall: float) -> Lease | Refusal:
        """Ask the wrong clock."""
        return super().acquire(wall if self.state is State.OPEN else now, wall)


class LateProbeSpeaks(Breaker):
    """The outcome of an expired probe counts as that of its successor."""

    def success(self, lease: Lease, now: float, wall: float) -> None:
        """Take any probe for the present one."""
        super().success(Lease(self._generation, probe=True) if lease.probe else lease, now, wall)


class SilentTransitions(Breaker):
    """Keeps no record of its openings."""

    def _open(self, now: float, wall: float, reason: str) -> None:
        super()._open(now, wall, reason)
        self._transitions.pop()


BROKEN = (
    Broken("breaker", "BRK-01", CountsForEver),
    Broken("breaker", "BRK-01", OpensLate),
    Broken("breaker", "BRK-07", HearsTheDead),
    Broken("breaker", "BRK-07", OldFailuresCount),
    Broken("breaker", "BRK-03", Stampede),
    Broken("breaker", "BRK-06", WedgedProbe),
    Broken("breaker", "BRK-08", CancelledIsFailure),
    Broken("breaker", "BRK-06", EternalProbe),
    Broken("breaker", "BRK-04", StaleTimer),
    Broken("breaker", "BRK-02", WallClock),
    Broken("breaker", "BRK-06", LateProbeSpeaks),
    Broken("breaker", "BRK-10", SilentTransitions),
)
