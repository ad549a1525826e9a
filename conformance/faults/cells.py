"""The matrix: mishaps x subjects x modes, each cell with its one right end, or with the reason why it is not one.

A cell follows from the catalogue and from what the subject declares: its tags, its tables of errors, where its content and
its counts stand, the ends that are right for it alone, and what its wire cannot have.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from backends import errors
from conformance.expectations import BY_STATUS, REPEATED, ErrorCase, Expectations, expectations_of
from conformance.faults import connection, content, events, framing, head, hints, reuse, statuses
from conformance.faults.fault import End, Mishap, Mode, Stage, once, repeated
from conformance.simulators.faults import Action, Drop, Literal, Replace, Twice
from conformance.simulators.registry import load
from conformance.subject import Subject

__all__ = ["MISHAPS", "Cell", "cells_of", "excuse_of", "spared_by", "unknown_names"]

MISHAPS: Final[tuple[Mishap, ...]] = tuple(
    mishap
    for module in (connection, statuses, hints, head, framing, content, events, reuse)
    for mishap in module.MISHAPS
)
"""The whole catalogue, stage by stage."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One mishap in one mode on one subject, with its right end and the actions that make it."""

    mishap: Mishap
    mode: Mode
    end: End
    actions: tuple[Action, ...]


def cells_of(subject: Subject, stage: Stage, mode: Mode) -> Iterator[Cell]:
    """Yield the cells of a subject in one stage and mode, in the order of the catalogue."""
    known = expectations_of(subject)
    for mishap in MISHAPS:
        if mishap.stage is stage and excuse_of(mishap, mode, subject) is None:
            yield Cell(mishap, mode, _end_of(mishap, mode, subject, known), _aimed(mishap, mode, subject, known))


def spared_by(subject: Subject, stage: Stage, mode: Mode) -> dict[str, str]:
    """Return the mishaps that exist in a stage and mode and are no cells of a subject, by name, each with the reason."""
    reasons = {
        mishap.name: excuse_of(mishap, mode, subject)
        for mishap in MISHAPS
        if mishap.stage is stage and mishap.exists(mode)
    }
    return {name: reason for name, reason in reasons.items() if reason is not None}


def excuse_of(mishap: Mishap, mode: Mode, subject: Subject) -> str | None:
    """Return why a mishap is no cell of a subject in a mode, None where it is one."""
    if mishap.stage.requirement in subject.not_applicable:
        return subject.not_applicable[mishap.stage.requirement]
    if mode is Mode.STREAM and subject.stream is None:
        return f"{subject.title} has no streams"
    if not mishap.exists(mode):
        return f"it does not exist in a {mode} call"
    known = expectations_of(subject)
    for name in _names(mishap, mode):
        if name in known.spared:
            return known.spared[name]
    missing = sorted(mishap.needs - subject.tags)
    if missing:
        return f"{subject.title} has no {', '.join(missing)}"
    if known.content is None and mishap.family == "fields":
        return "its answer is not a JSON object with a field for its content"
    return None


def unknown_names(known: Expectations) -> Iterator[str]:
    """Yield what a subject says of mishaps that the catalogue does not have: a name that was changed excuses nothing."""
    names = {name for mishap in MISHAPS for mode in Mode for name in _names(mishap, mode)}
    for table, verb in ((known.ends, "tells the end of"), (known.spared, "is spared")):
        yield from (f"{verb} {name!r}, which is no mishap" for name in table if name not in names)


def _names(mishap: Mishap, mode: Mode) -> tuple[str, ...]:
    """Return the names by which a subject may speak of a cell, the narrowest first."""
    return f"{mishap.name} {mode}", mishap.name, mishap.family, mishap.stage


def _end_of(mishap: Mishap, mode: Mode, subject: Subject, known: Expectations) -> End:
    own = next((known.ends[name] for name in _names(mishap, mode) if name in known.ends), None)
    if own is not None:
        return own
    if mishap.status is not None:
        return _end_of_status(mishap.status, subject, known)
    end = mishap.end(mode)
    assert end is not None
    return end


def _end_of_status(status: int, subject: Subject, known: Expectations) -> End:
    """Return what a status comes to: the provider's tables first, by the words that its own body has; then the general one."""
    assert subject.provider is not None
    said = _body_of(subject.provider, status)
    speaking = (case for case in known.errors if case.status == status and _says(said, case))
    plain = (case for case in (*known.statuses, *BY_STATUS) if case.status == status)
    case = next(iter((*speaking, *plain, ErrorCase(status, errors.ServerError))))
    again = status in REPEATED and case not in known.lasting
    return (repeated if again or case in known.passing else once)(case.expected)


def _says(said: bytes, case: ErrorCase) -> bool:
    words = [text for text in (case.code, case.message) if text is not None]
    return bool(words) and all(word.encode() in said for word in words)


@cache
def _body_of(provider: str, status: int) -> bytes:
    return load([provider])[0].error(status, None, None).bytes_of_body()


def _aimed(mishap: Mishap, mode: Mode, subject: Subject, known: Expectations) -> tuple[Action, ...]:
    """Return the actions with the subject's own fields in their paths."""
    place = "" if known.content is None else known.content[mode is Mode.STREAM]
    facts = {
        "content": place,
        "holder": next(iter(re.findall(r"\[\d+\]|[^.\[]+", place)), ""),
        "count": (mode is Mode.STREAM and known.stream_count) or subject.usage_fields[1],
    }
    return tuple(_filled(action, facts) for action in mishap.actions)


def _filled(action: Action, facts: dict[str, str]) -> Action:
    if not isinstance(action, Drop | Literal | Replace | Twice):
        return action
    return replace(action, path=action.path.format(**facts))
