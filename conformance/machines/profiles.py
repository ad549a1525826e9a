"""How long machines are driven, and from which seed: the only place that says so.

``quick`` is what every run and the tests do: the same steps each time for the same seed. ``deep`` is for whoever has minutes:
it goes on where ``quick`` ends, and makes what it finds as short as it can be. Both are repeated by giving the seed again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import hypothesis
from hypothesis import HealthCheck, Phase

__all__ = ["DEEP", "PROFILES", "QUICK", "Profile", "Tally"]


@dataclass(frozen=True, slots=True)
class Profile:
    """How long one machine is driven.

    Attributes:
        name: as given to ``--profile``.
        examples: sequences of steps that Hypothesis draws.
        steps: the longest of them.
        walks: walks with dice over the whole path of a call, of one backend.
        walks_of_a_row: the same in a run of the contract, where every row is walked with dice of its own.
        shrinks: whether what is found is made as short as it can be.
        examples_of_a_run: sequences for each machine that a run of the contract drives by itself; the tests draw ``examples``.
        walks_alone: whether such a run walks by itself as well, beside the walks of its rows.
        patience: real seconds that a thread may keep a trial waiting; a walk is such a thread.
    """

    name: str
    examples: int
    steps: int
    walks: int
    walks_of_a_row: int
    shrinks: bool
    examples_of_a_run: int
    walks_alone: bool
    patience: float

    def settings(self, seed: int = 0, examples: int | None = None) -> hypothesis.settings:
        """Return the settings of Hypothesis; seed 0 draws the same everywhere, another one only for :func:`hypothesis.seed`.

        Nothing is left on disk, and no example is held to a time.
        """
        return hypothesis.settings(
            max_examples=self.examples if examples is None else examples,
            stateful_step_count=self.steps,
            derandomize=seed == 0,
            database=None,
            deadline=None,
            print_blob=False,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink] if self.shrinks else [Phase.generate],
        )


@dataclass(slots=True)
class Tally:
    """What was run: ``examples`` sequences, ``steps`` in all."""

    examples: int = 0
    steps: int = 0

    def told(self, machine: str, profile: Profile, seed: int) -> dict[str, Any]:
        """Return it as it stands in the evidence."""
        return {
            "machine": machine,
            "profile": profile.name,
            "seed": seed,
            "examples": self.examples,
            "steps": self.steps,
        }


QUICK: Final = Profile(
    "quick",
    80,
    40,
    walks=40,
    walks_of_a_row=6,
    shrinks=False,
    examples_of_a_run=5,
    walks_alone=False,
    patience=60.0,
)
DEEP: Final = Profile(
    "deep",
    1_000,
    40,
    walks=2_000,
    walks_of_a_row=400,
    shrinks=True,
    examples_of_a_run=1_000,
    walks_alone=True,
    patience=3_600.0,
)
PROFILES: Final[Mapping[str, Profile]] = MappingProxyType({profile.name: profile for profile in (QUICK, DEEP)})
"""All of them by name."""
