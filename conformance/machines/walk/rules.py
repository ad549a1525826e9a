"""Two ways to walk: with dice, which is quick and covers much; and with Hypothesis, which searches on and shrinks its finds."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from conformance.machines.bench import Disagreement, Rules, default_settings, run_rules
from conformance.machines.profiles import Tally
from conformance.machines.walk.bench import WalkBench, build
from conformance.machines.walk.moves import beginning, move
from conformance.machines.walk.shortening import shortened

__all__ = ["WalkRules", "run", "stroll", "walk"]


class WalkRules(Rules):
    """Calls, streams, cancellations, changed limits and keys, answers good and bad, time, and the end of it all."""

    bench_class = WalkBench
    subject = staticmethod(build)
    bench: WalkBench
    row: ClassVar[str] = "openai"

    def do(self, step: str, **arguments: Any) -> None:
        """Take one step; after a disagreement nothing more is done, and the loop is closed."""
        try:
            super().do(step, **arguments)
        except Disagreement:
            self.bench.end()
            raise

    @initialize(data=st.data())
    def new(self, data: st.DataObject) -> None:
        """Begin."""
        self.do("new", **beginning(self.row, _picking(data)))

    @rule(data=st.data())
    def move(self, data: st.DataObject) -> None:
        """Let something happen."""
        move(self.bench, self.do, _picking(data))

    def teardown(self) -> None:
        """End every example alike, unless it failed."""
        if not self.bench.loop.is_closed():
            self.do("finish")


def _picking(data: st.DataObject) -> Callable[[Sequence[Any]], Any]:
    return lambda values: data.draw(st.sampled_from(values))


def run(
    settings: hypothesis.settings | None = None, machine_class: Callable[..., Any] = build, row: str = "openai"
) -> None:
    """Walk a backend of a row, made by ``machine_class(row, site, **settings)``: with dice, then with Hypothesis.

    Raises:
        Disagreement: it is wrong; after the fewest steps where the settings ask for shrinking.
    """
    chosen = settings or default_settings()
    shrinks = hypothesis.Phase.shrink in chosen.phases
    walk(machine_class, row, chosen.max_examples, chosen.stateful_step_count, shrinks=shrinks)
    run_rules(WalkRules, machine_class, chosen, row=row)


def walk(
    machine_class: Callable[..., Any],
    row: str,
    walks: int,
    steps: int,
    *,
    seed: int = 0,
    shrinks: bool = False,
    tally: Tally | None = None,
) -> int:
    """Take so many walks with dice; ``tally`` counts them.

    Returns:
        how many requests arrived at the server.

    Raises:
        Disagreement: the backend is wrong.
    """
    counted = tally or Tally()
    requests = 0
    for number in range(walks):
        try:
            bench = stroll(machine_class, row, steps, f"{seed}/{row}/{number}")
        except Disagreement as found:
            raise (shortened(machine_class, found) if shrinks else found) from None
        counted.examples += 1
        counted.steps += len(bench.steps)
        requests += len(bench.server.arrivals)
    return requests


def stroll(machine_class: Callable[..., Any], row: str, steps: int, seed: str) -> WalkBench:
    """Take one walk of so many steps with dice; the same seed takes the same walk.

    Returns:
        the bench at the end.

    Raises:
        Disagreement: the backend is wrong; its steps are those of the whole walk.
    """
    dice = random.Random(seed)  # noqa: S311 - reproducible on purpose
    bench = WalkBench(machine_class)
    try:
        bench.do("new", **beginning(row, dice.choice))
        for _ in range(steps):
            move(bench, bench.do, dice.choice)
        bench.do("finish")
    finally:
        bench.end()
    return bench
