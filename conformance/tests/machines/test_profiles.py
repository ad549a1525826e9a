"""How long machines are driven, and that a seed repeats it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import Phase

from conformance.machines.bench import run_rules
from conformance.machines.breaker import BreakerRules
from conformance.machines.campaign import campaign, requirements_of
from conformance.machines.catalogue import MACHINES
from conformance.machines.profiles import DEEP, PROFILES, QUICK, Tally


def test_deep_goes_on_where_quick_ends() -> None:
    """More of everything with the same steps in a walk, so that a find of quick is found again; only deep shrinks."""
    assert set(PROFILES) == {"quick", "deep"}
    assert QUICK.steps == DEEP.steps
    assert (QUICK.examples, QUICK.walks) < (DEEP.examples, DEEP.walks)
    assert Phase.shrink not in QUICK.settings().phases
    assert Phase.shrink in DEEP.settings().phases


def test_nothing_is_left_to_chance_without_a_seed() -> None:
    """Seed 0 is the same everywhere; another one draws for itself; neither leaves a file."""
    assert QUICK.settings().derandomize
    assert not QUICK.settings(7).derandomize
    assert QUICK.settings().database is None
    assert QUICK.settings(examples=3).max_examples == 3


@pytest.mark.parametrize("seed", [0, 7])
def test_a_seed_repeats_the_run(seed: int) -> None:
    """The same steps are counted each time."""
    told = []
    for _ in range(2):
        tally, steps = Tally(), []

        class Noted(BreakerRules):
            def do(self, step: str, _steps: list[object] = steps, **arguments: object) -> None:
                _steps.append((step, arguments))
                super().do(step, **arguments)

        chosen = QUICK.settings(seed, examples=3)
        run_rules(Noted, MACHINES["breaker"].genuine, chosen, seed=seed, tally=tally)
        told.append((tally, steps))
    assert told[0] == told[1]
    assert told[0][0].steps == len(told[0][1]) > 0


def test_a_campaign_tells_of_each_machine_that_judges_a_requirement() -> None:
    """Of those asked for; each record says how long it was driven and that nothing was found."""
    few = replace(DEEP, examples_of_a_run=2)
    records = list(campaign(few, 3, ("BRK-06",)))
    assert [record["machine"] for record in records] == ["breaker", "walk"]
    for record in records:
        assert record["verdict"] == "pass"
        assert (record["profile"], record["seed"]) == ("deep", 3)
        assert record["steps"] > record["examples"] >= record["wanted"] == 2
        assert "BRK-06" in record["requirements"]


def test_every_run_drives_the_machines_for_a_moment() -> None:
    """Each that judges something asked for, but the walk, which every row takes itself."""
    records = list(campaign(QUICK, 0, ("BRK-06", "CAC-05", "QUE-15")))
    assert [record["machine"] for record in records] == ["breaker", "cache"]
    for record in records:
        assert (record["verdict"], record["profile"], record["seed"]) == ("pass", "quick", 0)
        assert record["examples"] >= record["wanted"] == QUICK.examples_of_a_run


def test_a_machine_that_was_hardly_driven_has_shown_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.machines.campaign.run_rules", lambda *_, tally, **__: None)
    (record,) = campaign(QUICK, 0, ("CAC-05",))
    assert (record["verdict"], record["detail"]) == ("fail", "only 0 of 5 examples were drawn")


def test_every_machine_judges_something() -> None:
    """There is a broken one for each."""
    assert all(requirements_of(name) for name in MACHINES)
