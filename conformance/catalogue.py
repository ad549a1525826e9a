"""The whole catalogue of requirements, and a lint that keeps it honest. It judges no backend."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Final

from conformance.requirement import CHAPTERS, Requirement

__all__ = ["find", "lint", "load", "unchecked"]

_MODULES: Final = {chapter: "str_" if chapter == "STR" else chapter.lower() for chapter in CHAPTERS}


@cache
def load() -> tuple[Requirement, ...]:
    """Return every requirement, chapter by chapter."""
    found: list[Requirement] = []
    for module in _MODULES.values():
        found.extend(import_module(f"conformance.requirements.{module}").REQUIREMENTS)
    return tuple(found)


@cache
def _by_id() -> dict[str, Requirement]:
    return {requirement.id: requirement for requirement in load()}


def find(requirement_id: str) -> Requirement:
    """Return a requirement by its id.

    Raises:
        LookupError: there is none.
    """
    try:
        return _by_id()[requirement_id]
    except KeyError:
        raise LookupError(f"no requirement is called {requirement_id!r}") from None


def lint() -> list[str]:
    """Return what is wrong with the catalogue: ids used twice or out of place, checks and saboteurs of nothing."""
    from conformance import check, saboteurs, subject

    problems: list[str] = []
    seen: set[str] = set()
    for chapter, module in _MODULES.items():
        previous = ""
        for requirement in import_module(f"conformance.requirements.{module}").REQUIREMENTS:
            if requirement.id in seen:
                problems.append(f"{requirement.id} is defined twice")
            if requirement.chapter != chapter:
                problems.append(f"{requirement.id} stands in requirements/{module}.py")
            if requirement.id <= previous:
                problems.append(f"{requirement.id} stands after {previous}")
            seen.add(requirement.id)
            previous = requirement.id
    problems.extend(f"{name} has a check but no requirement" for name in check.load() if name not in seen)
    for entry in saboteurs.load().values():
        if entry.requirement not in seen:
            problems.append(f"saboteur {entry.name} breaks {entry.requirement}, which is no requirement")
        problems.extend(
            f"saboteur {entry.name}: no subject is called {name!r}" for name in _unknown_subjects(entry.subjects)
        )
    for name in subject.built():
        problems.extend(
            f"subject {name} excuses itself from {other}, which is no requirement"
            for other in subject.load(name).not_applicable
            if other not in seen
        )
    return problems


def _unknown_subjects(names: tuple[str, ...]) -> list[str]:
    from conformance.rows import ROWS

    return [name for name in names if name not in {row.name for row in ROWS}]


def unchecked() -> list[str]:
    """Return the ids that no check judges yet; their cells are unknown."""
    from conformance import check

    registered = check.load()
    return [requirement.id for requirement in load() if requirement.id not in registered]
