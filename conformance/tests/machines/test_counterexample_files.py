"""Counterexamples as files: written, read, refused when damaged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backends.resilience.breaker import Breaker
from conformance.machines import counterexamples
from conformance.machines.bench import Disagreement
from conformance.machines.broken import Broken
from conformance.machines.broken.breaker import HearsTheDead


def test_record_and_replay(tmp_path: Path) -> None:
    """What is found is shrunk, written one step a line, and shows the same fault when read back."""
    path = counterexamples.record(Broken("breaker", "BRK-07", HearsTheDead), tmp_path, examples=100)
    assert path == tmp_path / "breaker-hears-the-dead.json"
    text = path.read_text(encoding="utf-8")
    kept = counterexamples.load("breaker-hears-the-dead", tmp_path)
    assert list(kept.steps) == json.loads(text)["steps"]
    assert len(text.splitlines()) == len(kept.steps) + 8
    with pytest.raises(Disagreement, match="closed"):
        counterexamples.replay(kept.name, HearsTheDead, tmp_path)
    counterexamples.replay(kept.name, Breaker, tmp_path)


def test_a_class_that_is_right_leaves_no_file(tmp_path: Path) -> None:
    """The search ends empty-handed and says so."""
    assert counterexamples.record(Broken("budget", "BAK-11", _genuine("budget")), tmp_path, examples=20) is None
    assert counterexamples.names(tmp_path) == ()


def _genuine(name: str):
    from conformance.machines.catalogue import MACHINES

    return MACHINES[name].genuine


@pytest.mark.parametrize("name", ["nothing", "../breaker-wedged-probe", ""])
def test_an_unknown_name(name: str) -> None:
    """It is refused with the names there are, and leads nowhere else on the disk."""
    with pytest.raises(LookupError, match="breaker-wedged-probe"):
        counterexamples.load(name)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ({"machine": "breaker"}, ValueError),
        ({"machine": "breaker", "steps": ["new"]}, ValueError),
        ({"machine": "teapot", "steps": []}, LookupError),
    ],
)
def test_a_damaged_file(tmp_path: Path, data: dict[str, object], error: type[Exception]) -> None:
    """It is refused, not half believed."""
    (tmp_path / "damaged.json").write_text(json.dumps(data))
    with pytest.raises(error, match="damaged"):
        counterexamples.load("damaged", tmp_path)


def test_an_unknown_step(tmp_path: Path) -> None:
    """A bench knows its steps; a file cannot make it call anything else."""
    data = {
        "machine": "breaker",
        "steps": [{"do": "new", "threshold": 1, "reset": 1.0, "probe": None}, {"do": "check"}],
    }
    (tmp_path / "odd.json").write_text(json.dumps(data))
    with pytest.raises(LookupError, match="check"):
        counterexamples.replay("odd", folder=tmp_path)
