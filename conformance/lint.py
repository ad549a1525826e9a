"""The lint of the catalogue: what of requirements, checks, saboteurs and declarations does not fit together. It judges
no backend and runs no check."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from importlib import import_module

from conformance import catalogue, check, frozen, saboteurs, subject
from conformance.baseline.known import known_failures
from conformance.blackbox import question
from conformance.check import Check
from conformance.expectations import expectations_of
from conformance.faults.cells import unknown_names
from conformance.rows import ROWS

__all__ = ["lint"]


def lint() -> list[str]:
    """Return what is wrong, one line each; an empty list for a sound catalogue.

    Every id is unique and in its place; every requirement has a check or says why it has none, and a question if it is
    black-box; every check says its clause; every check, saboteur, excuse and known failure is of a requirement that
    exists; and nothing that the latest contract version froze has gone or changed.

    Raises:
        ValueError: there is no frozen version, or one is damaged.
    """
    seen = {requirement.id for requirement in catalogue.load()}
    return [
        *_places(),
        *_checks(seen),
        *_questions(),
        *_saboteurs(seen),
        *_declarations(seen),
        *frozen.contract().departures(catalogue.load()),
    ]


def _places() -> Iterator[str]:
    seen: set[str] = set()
    for chapter, module in catalogue.MODULES.items():
        previous = ""
        for requirement in import_module(f"conformance.requirements.{module}").REQUIREMENTS:
            if requirement.id in seen:
                yield f"{requirement.id} is defined twice"
            if requirement.chapter != chapter:
                yield f"{requirement.id} stands in requirements/{module}.py"
            if requirement.id <= previous:
                yield f"{requirement.id} stands after {previous}"
            seen.add(requirement.id)
            previous = requirement.id


def _checks(seen: set[str]) -> Iterator[str]:
    registered: dict[str, list[Check]] = {}
    for lane in check.lanes():
        for name, found in check.checks(lane).items():
            registered.setdefault(name, []).append(found)
    for requirement in catalogue.load():
        if requirement.id not in registered and not requirement.unchecked:
            yield f"{requirement.id} has no check and does not say why"
        if requirement.id in registered and requirement.unchecked:
            yield f"{requirement.id} has a check and says that it has none"
    for name, found_for in registered.items():
        if name not in seen:
            yield f"{name} has a check but no requirement"
        for body in dict.fromkeys(found.body for found in found_for):
            if not (inspect.getdoc(body) or "").rstrip().endswith("."):
                yield f"{name}: the docstring of {body.__module__}.{body.__qualname__} is no sentence that says its clause"


def _questions() -> Iterator[str]:
    asked = question.load()
    for requirement in catalogue.load():
        if requirement.black_box and requirement.id not in asked:
            yield (
                f"{requirement.id} is a black-box requirement without a question; write one, or say in `unasked` why there is none"
            )


def _saboteurs(seen: set[str]) -> Iterator[str]:
    rows = {row.name for row in ROWS}
    for entry in saboteurs.load().values():
        if entry.requirement not in seen:
            yield f"saboteur {entry.name} breaks {entry.requirement}, which is no requirement"
        if not entry.sin.strip():
            yield f"saboteur {entry.name} does not say what it does wrong"
        for name in entry.subjects:
            if name not in rows:
                yield f"saboteur {entry.name}: no subject is called {name!r}"


def _declarations(seen: set[str]) -> Iterator[str]:
    for name in subject.built():
        for other in subject.load(name).not_applicable:
            if other not in seen:
                yield f"subject {name} excuses itself from {other}, which is no requirement"
        for problem in unknown_names(expectations_of(subject.load(name))):
            yield f"subject {name} {problem}"
    rows = {row.name for row in ROWS}
    for known in known_failures().values():
        if known.requirement not in seen or known.subject not in rows:
            yield f"known failure {known.subject} {known.requirement}: there is no such backend or requirement"
