"""The budgets of a key beside a model that keeps every request, and the promise: no minute sees more than was declared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from backends.resilience.allowance import Allowance, Demand, Draw, Rates
from backends.resilience.rate_headers import Kind, Told
from backends.types import Usage
from conformance.machines import strategies as own
from conformance.machines.bench import Bench, Rules, run_rules

__all__ = ["AllowanceBench", "AllowanceRules", "run"]

_MINUTE: Final = 60.0
_LIMIT: Final = 10


@dataclass
class _Sent:
    """One request: when, what it counts for now, and its place in the order of all."""

    at: float
    tokens: int
    draw: Draw
    order: int
    extra: list[tuple[float, int]] = field(default_factory=list)
    settled: bool = False


class AllowanceBench(Bench):
    """Steps: new, advance, send, settle, learn, refuse."""

    machine = "allowance"

    def do_new(self, requests: int | None, tokens: int | None, obeyed: bool) -> None:
        """Make the budgets of one key."""
        self.requests, self.tokens, self.obeyed = requests, tokens, obeyed
        self.allowance: Allowance = self.subject(Rates(requests, tokens, told=True, obeyed=obeyed))
        self.sent: list[_Sent] = []
        self.told: tuple[int, int, float] | None = None
        self.now = 1000.0
        self.disturbed = self.refused = False

    def do_advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    def do_send(self, tokens: int) -> None:
        """Wait until there is room, then send a request with so many tokens."""
        demand = Demand(tokens, 0)
        ready = self.allowance.ready_at(demand, self.now)
        self.require(self.now <= ready, "it is ready in the past")
        if self.told is None or not self.obeyed:
            self.require(
                ready <= self.now + _MINUTE + 1, f"it has to wait for {ready - self.now} s, more than a minute"
            )
        if self._has_room(tokens):
            self.agree("when it is ready, with room enough", self.now, ready)
        if ready > self.now:
            self._early(demand, ready)
        self.now = ready
        self._renew()
        self.agree("when it is ready, asked again then", ready, self.allowance.ready_at(demand, ready))
        draw = self.allowance.take(demand, self.now)
        self.sent.append(_Sent(self.now, tokens, draw, len(self.sent)))
        self._hold(tokens)

    def _has_room(self, tokens: int) -> bool:
        """Say whether there is room for certain: by plain sums, over the second longer that is counted."""
        if self.disturbed or self.refused or self.obeyed:
            return False
        recent = [one for one in self.sent if one.at > self.now - _MINUTE - 1]
        few = self.requests is None or len(recent) < self.requests
        return few and (self.tokens is None or sum(one.tokens for one in recent) + tokens <= self.tokens)

    def _renew(self) -> None:
        """After its reset the whole is there again, for a minute."""
        if self.told is not None and self.now >= self.told[2]:
            self.told = (_LIMIT, len(self.sent) - 1, self.now + _MINUTE)

    def _early(self, demand: Demand, ready: float) -> None:
        """Waiting was needed: just before, there is no room yet."""
        before = (self.now + ready) / 2
        if before < ready:
            self.require(self.allowance.ready_at(demand, before) > before, "it waits although there is room")
            self.now = before

    def _hold(self, tokens: int) -> None:
        recent = [one for one in self.sent if one.at > self.now - _MINUTE]
        if self.requests is not None:
            self.require(len(recent) <= self.requests, f"{len(recent)} requests within a minute")
        if self.tokens is not None and not self.disturbed:
            others = sum(one.tokens for one in recent) - tokens
            self.require(others + tokens <= self.tokens or others == 0, f"{others + tokens} tokens within a minute")
        if self.obeyed and self.told is not None:
            left, order, _ = self.told
            after = sum(one.order > order for one in self.sent)
            self.require(after <= left, f"{after} were sent, and {left} were left")

    def do_settle(self, index: int, tokens: int | None) -> None:
        """A request is over, and used so many tokens, or nobody knows how many."""
        one = self.sent[index]
        used = None if tokens is None else Usage(input_tokens=tokens, output_tokens=0)
        self.allowance.settle(one.draw, used, self.now)
        if self.tokens is None or one.settled:
            return
        one.settled = True
        if tokens is not None:
            # What turns out to be more after its minute is over counts from now on, which the plain sum does not know.
            self.disturbed = self.disturbed or (tokens > one.tokens and one.at <= self.now - _MINUTE + 1)
            one.tokens = tokens

    def do_learn(self, index: int, remaining: int, reset: float) -> None:
        """The answer to a request says what is left."""
        one = self.sent[index]
        if self.told is None or self.told[1] <= one.order:
            self.told = (remaining, one.order, self.now + reset)
        self.allowance.learn(one.draw, {Kind.REQUESTS: Told(remaining, _LIMIT, reset)}, self.now)

    def do_refuse(self, index: int) -> None:
        """The server said 429: for a minute there is less, never more."""
        self.refused = True
        before = self.allowance.headroom(self.now)
        self.allowance.refuse(self.sent[index].draw, self.now)
        after = self.allowance.headroom(self.now)
        self.require(before is None or (after is not None and after <= before), "a refusal made room")

    def check(self) -> None:
        """What is shown lies within its bounds."""
        self._renew()
        share = self.allowance.headroom(self.now)
        self.require(share is None or 0 <= share <= 1, f"a share of {share} is left")
        for row in self.allowance.status(self.now):
            self.require(0 <= row["left"] <= row["limit"], f"{row['left']} of {row['limit']} are left")
        seconds = self.allowance._declared.get(Kind.REQUESTS)
        self.require(seconds is None or len(seconds._sums) <= _MINUTE + 2, "the window grows with the traffic")


class AllowanceRules(Rules):
    """Random requests, usages, headers and refusals."""

    bench_class = AllowanceBench
    subject = Allowance
    bench: AllowanceBench

    @initialize(
        requests=st.none() | st.integers(1, 5),
        tokens=st.none() | st.integers(5, 50),
        obeyed=st.booleans(),
    )
    def new(self, requests: int | None, tokens: int | None, obeyed: bool) -> None:
        """Begin."""
        self.do("new", requests=requests, tokens=tokens, obeyed=obeyed)

    @rule(times=st.integers(1, 6), tokens=st.integers(0, 30))
    def send(self, times: int, tokens: int) -> None:
        """Several requests running."""
        for _ in range(times):
            self.do("send", tokens=tokens)

    @rule(seconds=own.durations(90))
    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.do("advance", seconds=seconds)

    @precondition(lambda self: self.bench.sent)
    @rule(index=own.indices(), tokens=st.none() | st.integers(0, 60))
    def settle(self, index: int, tokens: int | None) -> None:
        """One ends."""
        self.do("settle", index=index % len(self.bench.sent), tokens=tokens)

    @precondition(lambda self: self.bench.sent)
    @rule(index=own.indices(), remaining=st.integers(0, 10), reset=own.durations(90))
    def learn(self, index: int, remaining: int, reset: float) -> None:
        """An answer comes in, perhaps late."""
        self.do("learn", index=index % len(self.bench.sent), remaining=remaining, reset=reset)

    @precondition(lambda self: self.bench.sent)
    @rule(index=own.indices())
    def refuse(self, index: int) -> None:
        """A 429."""
        self.do("refuse", index=index % len(self.bench.sent))


def run(settings: hypothesis.settings | None = None, machine_class: Callable[..., Any] = Allowance) -> None:
    """Check an allowance class; raises Disagreement when it is wrong (LIM-03, LIM-04)."""
    run_rules(AllowanceRules, machine_class, settings)
