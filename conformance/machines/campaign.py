"""Drives the machines by themselves, as their classes ship, and tells of it as evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from conformance.machines.bench import Disagreement, run_rules
from conformance.machines.broken import BROKEN
from conformance.machines.catalogue import MACHINES, Machine
from conformance.machines.profiles import Profile, Tally

__all__ = ["campaign", "requirements_of"]

_BY_CHECKS: Final[Mapping[str, frozenset[str]]] = {"walk": frozenset({"QUE-15"})}
"""Requirements whose own check drives a machine."""


def requirements_of(machine: str) -> tuple[str, ...]:
    """Return the requirements that a machine judges: for each there is a broken one that it must find wrong, or a check that
    drives it."""
    found = {broken.requirement for broken in BROKEN if broken.machine == machine}
    return tuple(sorted(found | _BY_CHECKS.get(machine, frozenset())))


def campaign(profile: Profile, seed: int, requirements: tuple[str, ...] = ()) -> Iterator[dict[str, Any]]:
    """Drive each machine that judges one of the requirements (all of them when none is named); yield its evidence.

    A machine that is driven by a check already is left out where the profile has no time for it.
    """
    for machine in MACHINES.values():
        judged = requirements_of(machine.name)
        if machine.name in _BY_CHECKS and not profile.walks_alone:
            continue
        if not requirements or set(judged) & set(requirements):
            yield {"kind": "machine", **_driven(machine, profile, seed), "requirements": list(judged)}


def _driven(machine: Machine, profile: Profile, seed: int) -> dict[str, Any]:
    tally, wanted = Tally(), profile.examples_of_a_run
    verdict, detail = "pass", ""
    try:
        run_rules(machine.rules, machine.genuine, profile.settings(seed, wanted), seed=seed, tally=tally)
    except Disagreement as found:
        verdict, detail = "fail", str(found)[:4_000]
    else:
        if tally.examples < wanted:
            verdict, detail = "fail", f"only {tally.examples} of {wanted} examples were drawn"
    return {**tally.told(machine.name, profile, seed), "wanted": wanted, "verdict": verdict, "detail": detail}
