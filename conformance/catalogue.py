"""The whole catalogue of requirements. It judges no backend; :mod:`conformance.lint` judges it."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Final

from conformance.requirement import CHAPTERS, Requirement

__all__ = ["MODULES", "find", "load"]

MODULES: Final = {chapter: "str_" if chapter == "STR" else chapter.lower() for chapter in CHAPTERS}
"""Chapter -> module of :mod:`conformance.requirements` that holds it."""


@cache
def load() -> tuple[Requirement, ...]:
    """Return every requirement, chapter by chapter."""
    found: list[Requirement] = []
    for module in MODULES.values():
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
