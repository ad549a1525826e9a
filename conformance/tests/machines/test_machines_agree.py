"""The genuine machines agree with their models, and every broken one is found wrong: by search and by replay."""

from __future__ import annotations

import copy

import pytest
from hypothesis import Phase, settings

from conformance.machines import counterexamples
from conformance.machines.bench import Disagreement, counterexample, default_settings
from conformance.machines.broken import BROKEN, Broken
from conformance.machines.catalogue import MACHINES
from conformance.machines.profiles import QUICK

UNSHRUNK = settings(default_settings(2_000), phases=[Phase.generate])
"""A search ends at its first find, so many examples cost nothing but where there is none."""
SOME = QUICK.settings(examples=30)
SEARCHED = {broken.machine: broken for broken in BROKEN if broken.machine != "walk"}
"""One of each machine, to show that the search can find; the others are rejected by their kept counterexamples, below."""
FEW = QUICK.settings(examples=4)
"""For the walk over the whole path of a call: what is quick for a machine takes long there, and the contract walks each row."""


@pytest.mark.parametrize("name", MACHINES)
def test_the_genuine_machine_agrees(name: str) -> None:
    """No sequence of steps was found in which it parts from its model."""
    machine = MACHINES[name]
    found = counterexample(machine.run, machine.genuine, FEW if name == "walk" else SOME)
    assert found is None, str(found)


@pytest.mark.parametrize("name", MACHINES)
def test_run_takes_its_defaults(name: str) -> None:
    """Without a class, the one that ships is checked, under the settings given."""
    chosen = settings(default_settings(3, 5), phases=[Phase.generate])
    MACHINES[name].run(chosen)  # type: ignore[call-arg]
    assert name in MACHINES[name].run.__module__ or MACHINES[name].bench.machine == name


@pytest.mark.parametrize("broken", [*SEARCHED.values()], ids=lambda broken: broken.name)
def test_a_broken_machine_is_found_wrong(broken: Broken) -> None:
    """The search finds it, and says after which steps; broken paths of a call are found with dice, in ``test_walk``."""
    machine = MACHINES[broken.machine]
    found = counterexample(machine.run, broken.subject, UNSHRUNK)
    assert found is not None, broken.sin
    assert found.machine == broken.machine
    assert found.steps[0]["do"] == "new"
    with pytest.raises(Disagreement):
        machine.bench(broken.subject).replay(found.steps)


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.name)
def test_its_counterexample_is_kept(broken: Broken) -> None:
    """Replayed by name: the broken class fails, with the last step, and the genuine one passes."""
    kept = counterexamples.load(broken.name)
    assert (kept.machine, kept.requirement, kept.sin) == (broken.machine, broken.requirement, broken.sin)
    with pytest.raises(Disagreement) as found:
        counterexamples.replay(broken.name, broken.subject)
    assert list(found.value.steps) == list(kept.steps)
    counterexamples.replay(broken.name)


def test_no_counterexample_is_an_orphan() -> None:
    """Each file belongs to a broken machine that still exists, and every machine has one."""
    assert set(counterexamples.names()) == {broken.name for broken in BROKEN}
    assert {broken.machine for broken in BROKEN} == set(MACHINES)


def test_every_broken_machine_says_what_it_did() -> None:
    """A sentence of its own, and the requirement it violates."""
    sins = [broken.sin for broken in BROKEN]
    assert len(set(sins)) == len(sins)
    assert all(sin.endswith(".") for sin in sins)
    assert all(len(broken.requirement.split("-")) == 2 for broken in BROKEN)


def test_replaying_leaves_the_steps_alone() -> None:
    """A bench takes a copy of each step."""
    kept = counterexamples.load("breaker-wedged-probe")
    before = copy.deepcopy(kept.steps)
    counterexamples.replay(kept.name)
    assert kept.steps == before
