"""Counterexamples as data: the shortest steps that once showed a machine to be wrong, kept and replayed by name.

A file holds machine, requirement, sin and steps. Replaying one needs no random search: the genuine class
must pass it, the class it was found with must not. This module never writes unless asked to.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from conformance.machines.bench import Step, counterexample, default_settings
from conformance.machines.broken import BROKEN, Broken
from conformance.machines.catalogue import MACHINES

__all__ = ["FOLDER", "Counterexample", "load", "names", "record", "record_all", "replay"]

FOLDER: Final = Path(__file__).resolve().parents[2] / "fixtures" / "counterexamples"
"""Where the repository keeps them; an installation without the repository passes a folder of its own."""


@dataclass(frozen=True, slots=True)
class Counterexample:
    """Steps after which a wrong machine was found out.

    Attributes:
        name: of the file, without suffix.
        machine: name of the machine.
        requirement: id of the requirement that was violated.
        sin: what the wrong machine did, in one sentence.
        found: what was expected and what happened, when it was found.
        steps: from the beginning to the one that failed.
    """

    name: str
    machine: str
    requirement: str
    sin: str
    found: str
    steps: tuple[Step, ...]


def names(folder: Path = FOLDER) -> tuple[str, ...]:
    """Return the names of all counterexamples in a folder, sorted."""
    return tuple(sorted(path.stem for path in folder.glob("*.json")))


def load(name: str, folder: Path = FOLDER) -> Counterexample:
    """Read one.

    Raises:
        LookupError: there is none of that name, or it is about a machine that does not exist.
        ValueError: the file is damaged.
    """
    path = folder / f"{name}.json"
    if name not in names(folder):
        raise LookupError(f"no counterexample {name!r} in {folder.name}; known: {', '.join(names(folder)) or 'none'}")
    data = json.loads(path.read_text(encoding="utf-8"))
    fields = {field: data.get(field) for field in ("machine", "requirement", "sin", "found", "steps")}
    if not isinstance(fields["steps"], list) or not all(isinstance(step, dict) for step in fields["steps"]):
        raise ValueError(f"counterexample {name!r} has no list of steps")
    if fields["machine"] not in MACHINES:
        raise LookupError(f"counterexample {name!r} is about {fields['machine']!r}, which is no machine")
    return Counterexample(name, **{**fields, "steps": tuple(fields["steps"])})


def replay(name: str, machine_class: Callable[..., Any] | None = None, folder: Path = FOLDER) -> None:
    """Take the recorded steps with a class, the genuine one when None.

    Raises:
        Disagreement: the class does not do what its model does.
        LookupError: there is no such counterexample.
    """
    kept = load(name, folder)
    machine = MACHINES[kept.machine]
    machine.bench(machine_class or machine.genuine).replay(kept.steps)


def record(broken: Broken, folder: Path = FOLDER, *, examples: int = 500) -> Path | None:
    """Search so many examples for a counterexample to a broken machine, shrink it and write it; None when there was none."""
    found = counterexample(MACHINES[broken.machine].run, broken.subject, default_settings(examples, 50))
    if found is None:
        return None
    path = folder / f"{broken.name}.json"
    kept = Counterexample(
        broken.name, broken.machine, broken.requirement, broken.sin, found.message, tuple(found.steps)
    )
    path.write_text(_written(kept), encoding="utf-8")
    return path


def _written(kept: Counterexample) -> str:
    """Return the file's text, one step a line."""

    def text(value: object) -> str:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)

    fields = [f'  "{name}": {text(getattr(kept, name))},' for name in ("machine", "requirement", "sin", "found")]
    steps = ",\n".join(f"    {text(step)}" for step in kept.steps)
    return "\n".join(["{", *fields, '  "steps": [', steps, "  ]", "}", ""])


def record_all(folder: Path = FOLDER) -> tuple[str, ...]:
    """Write one for every broken machine; return the names of those for which none was found."""
    folder.mkdir(parents=True, exist_ok=True)
    return tuple(broken.name for broken in BROKEN if record(broken, folder) is None)
