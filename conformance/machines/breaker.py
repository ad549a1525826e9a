"""The circuit breaker beside a model that knows, for each lease, whether its outcome still counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from backends.resilience.breaker import Breaker, Lease, Refusal, State, Transition
from conformance.machines import strategies as own
from conformance.machines.bench import Bench, Rules, run_rules

__all__ = ["BreakerBench", "BreakerRules", "run"]

_LEGAL = {("closed", "open"), ("open", "half_open"), ("half_open", "closed"), ("half_open", "open")}


class _Model:
    """A breaker as one would explain it: leases are numbered, and ``heard`` holds those whose outcome counts."""

    def __init__(self, threshold: int, reset: float, probe_timeout: float) -> None:
        self.threshold, self.reset, self.probe_timeout = threshold, reset, probe_timeout
        self.state = "closed"
        self.failures = self.opened = self.issued = 0
        self.opened_at = 0.0
        self.heard: set[int] = set()
        self.probe: int | None = None
        self.probe_since = 0.0
        self.history: list[tuple[str, str, float, float]] = []

    def wait(self, now: float) -> float:
        if self.state == "open":
            return max(0.0, self.opened_at + self.reset - now)
        if self.state == "half_open" and self.probe is not None:
            return max(0.0, min(self.reset, self.probe_since + self.probe_timeout - now))
        return 0.0

    def acquire(self, now: float, wall: float) -> int | None:
        if self.wait(now) > 0:
            return None
        self.issued += 1
        if self.state == "open":
            self.change("half_open", now, wall)
        if self.state == "half_open":
            self.heard = {self.issued}
            self.probe, self.probe_since = self.issued, now
        else:
            self.heard.add(self.issued)
        return self.issued

    def outcome(self, number: int, kind: str, now: float, wall: float) -> None:
        if number not in self.heard:
            return
        self.heard.remove(number)
        probing = number == self.probe
        if probing:
            self.probe = None
        if kind == "success":
            self.failures = 0
            if probing:
                self.change("closed", now, wall)
        elif kind == "failure":
            self.failures += 1
            if probing or self.failures == self.threshold:
                self.change("open", now, wall)
                self.opened += 1
                self.opened_at = now

    def change(self, state: str, now: float, wall: float) -> None:
        self.history.append((self.state, state, now, wall))
        self.state = state
        self.heard.clear()
        self.probe = None


class BreakerBench(Bench):
    """Steps: new, advance, set_wall, acquire, success, failure, release."""

    machine = "breaker"

    def do_new(self, threshold: int, reset: float, probe: float | None) -> None:
        """Make breaker and model; ``probe`` None stands for the documented ten reset timeouts."""
        self.breaker: Breaker = self.subject(failure_threshold=threshold, reset_timeout=reset, probe_timeout=probe)
        self.model = _Model(threshold, reset, 10 * reset if probe is None else probe)
        self.now, self.wall = 100.0, 1_700_000_000.0
        self.leases: list[tuple[int, Lease]] = []

    def do_advance(self, seconds: float) -> None:
        """Let time pass on both clocks."""
        self.now += seconds
        self.wall += seconds

    def do_set_wall(self, wall: float) -> None:
        """Set the wall clock, as an administrator may; nothing may depend on it."""
        self.wall = wall

    def do_acquire(self) -> None:
        """Ask for a lease."""
        wait = self.model.wait(self.now)
        number = self.model.acquire(self.now, self.wall)
        answer = self.breaker.acquire(self.now, self.wall)
        if number is None:
            self.require(isinstance(answer, Refusal), f"a call should be refused but got {answer!r}")
            assert isinstance(answer, Refusal)
            self.agree("retry_after", wait, answer.retry_after)
            return
        self.require(isinstance(answer, Lease), f"a call should be admitted but got {answer!r}")
        assert isinstance(answer, Lease)
        self.agree("whether it is the probe", number == self.model.probe, answer.probe)
        self.leases.append((number, answer))

    def do_success(self, lease: int) -> None:
        """Report a success for an outstanding lease."""
        self._outcome(lease, "success", self.breaker.success)

    def do_failure(self, lease: int) -> None:
        """Report a failure for an outstanding lease."""
        self._outcome(lease, "failure", self.breaker.failure)

    def do_release(self, lease: int) -> None:
        """Hand an outstanding lease back without a verdict."""
        self._outcome(lease, "release", self.breaker.release)

    def _outcome(self, index: int, kind: str, report: Callable[[Lease, float, float], None]) -> None:
        number, lease = self.leases.pop(index)
        self.model.outcome(number, kind, self.now, self.wall)
        report(lease, self.now, self.wall)

    def check(self) -> None:
        """Compare state, counts, waits and history."""
        breaker, model = self.breaker, self.model
        self.agree("state", State(model.state), breaker.state)
        self.agree("failures in a row", model.failures, breaker.failures)
        self.agree("times opened", model.opened, breaker.opened)
        self.agree("wait", model.wait(self.now), breaker.wait(self.now))
        kept: tuple[Transition, ...] = breaker.transitions
        seen = [(str(step.before), str(step.after), step.monotonic, step.wall) for step in kept]
        self.agree("transitions", model.history[-64:], seen)
        self.require(all(step[:2] in _LEGAL for step in seen), "an illegal transition was recorded")


class BreakerRules(Rules):
    """Random calls, outcomes in any order, cancelled and forgotten probes, time and clock changes."""

    bench_class = BreakerBench
    subject = Breaker
    bench: BreakerBench

    @initialize(
        threshold=st.integers(1, 3),
        reset=own.positive_durations(4),
        probe=st.none() | own.positive_durations(8),
    )
    def new(self, threshold: int, reset: float, probe: float | None) -> None:
        """Begin."""
        self.do("new", threshold=threshold, reset=reset, probe=probe)

    @rule()
    def acquire(self) -> None:
        """Ask."""
        self.do("acquire")

    @rule(seconds=own.durations(10))
    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.do("advance", seconds=seconds)

    @precondition(lambda self: self.bench.model.wait(self.bench.now) > 0)
    @rule()
    def wait_as_told(self) -> None:
        """Come back exactly when told to."""
        self.do("advance", seconds=self.bench.model.wait(self.bench.now))

    @precondition(lambda self: self.bench.model.state == "closed")
    @rule()
    def trip(self) -> None:
        """Fail until it opens."""
        while self.bench.model.state == "closed":
            self.do("acquire")
            self.do("failure", lease=len(self.bench.leases) - 1)

    @precondition(lambda self: self.bench.model.probe is not None)
    @rule()
    def overtake(self) -> None:
        """Let the probe expire and send another."""
        model = self.bench.model
        self.do("advance", seconds=max(0.0, model.probe_since + model.probe_timeout - self.bench.now))
        self.do("acquire")

    @rule(wall=own.walls())
    def set_wall(self, wall: float) -> None:
        """Change the wall clock."""
        self.do("set_wall", wall=wall)

    @precondition(lambda self: self.bench.leases)
    @rule(index=own.indices(), kind=st.sampled_from(["success", "failure", "failure", "release"]))
    def outcome(self, index: int, kind: str) -> None:
        """Finish some outstanding call."""
        self.do(kind, lease=index % len(self.bench.leases))


def run(settings: hypothesis.settings | None = None, machine_class: Callable[..., Any] = Breaker) -> None:
    """Check a breaker class; raises Disagreement when it is wrong (BRK-01, 03, 04, 06, 07, 10)."""
    run_rules(BreakerRules, machine_class, settings)
