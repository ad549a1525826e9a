"""QUE-15: the whole path of a call, walked at random over a server in memory."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from conformance.check import check
from conformance.machines.bench import Disagreement
from conformance.machines.profiles import Tally
from conformance.machines.walk import walk
from conformance.trial import Trial


@check("QUE-15")
async def que_15(trial: Trial) -> None:
    """Whatever callers, operator, provider and clock do, and in whatever order: each request ends exactly once, the limits of
    concurrency and of keys hold, the counters add up, and an idle or closed backend holds nothing."""
    tally, profile = Tally(), trial.profile

    def walked() -> int:
        return walk(
            lambda _, site, **settings: trial.factory(site, **settings),
            trial.subject.name,
            profile.walks_of_a_row,
            profile.steps,
            seed=trial.seed,
            shrinks=profile.shrinks,
            tally=tally,
        )

    try:
        # In a thread: a walk has an event loop of its own.
        trial.count_traffic(await asyncio.get_running_loop().run_in_executor(None, walked))
    except Disagreement as found:
        trial.expect(False, f"{found.message}; {_steps(found)}")
    finally:
        trial.machines.append(tally.told("walk", profile, trial.seed))
    trial.equal(tally.examples, profile.walks_of_a_row, "walks")


def _steps(found: Disagreement) -> str:
    """Return the steps in as few words as can be replayed."""
    steps: list[Any] = [list(step.values()) for step in found.steps]
    return f"after {len(steps)} steps, the last of them {json.dumps(steps[-6:])}"
