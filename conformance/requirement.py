"""What a requirement is: one clause of the contract with its id, level and source. It judges nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

__all__ = ["CHAPTERS", "Level", "Requirement", "chapter_of", "everyone"]

CHAPTERS: Final = (
    "KEY",
    "QUE",
    "LIM",
    "BAK",
    "BRK",
    "TRK",
    "BAT",
    "CAC",
    "STR",
    "ERR",
    "FLT",
    "SEC",
    "EDG",
    "CAP",
    "REAL",
    "LIFE",
)
"""The judged chapters, in the order in which reports show them."""

_ID: Final = re.compile(r"[A-Z]{3,4}-\d\d")
everyone: Final[frozenset[str]] = frozenset()
"""``applies_to`` of a requirement that every subject must meet."""


class Level(StrEnum):
    """How binding a requirement is."""

    MUST = "MUST"
    SHOULD = "SHOULD"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One clause of the contract.

    Attributes:
        id: chapter and number (``KEY-04``); stable, never given to another clause.
        level: a MUST decides about green cells, a SHOULD is shown only.
        clause: what must hold, in our own words.
        source: where the clause comes from: a specification, a provider's documentation, an issue, a rule of the
            design.
        applies_to: tags that a subject must all have for the clause to concern it; empty concerns every subject.
        black_box: judged at the wire alone, so it can be asked of any client in any language.
        unasked: why it is not asked of other clients although the wire alone would show it; empty for every other.
        traffic: a trial without a request at the server is vacuous.
        unchecked: why no check judges it yet; empty for every requirement that has one.

    Raises:
        ValueError: the id has another form, a text is empty, or it is asked and says that it is not.
    """

    id: str
    level: Level
    clause: str
    source: str
    applies_to: frozenset[str] = everyone
    black_box: bool = False
    unasked: str = ""
    traffic: bool = True
    unchecked: str = ""

    def __post_init__(self) -> None:
        if _ID.fullmatch(self.id) is None:
            raise ValueError(f"{self.id!r} is no requirement id; it looks like KEY-04")
        for name in ("clause", "source"):
            if not getattr(self, name).strip():
                raise ValueError(f"requirement {self.id} has no {name}")
        if self.black_box and self.unasked:
            raise ValueError(f"requirement {self.id} is black-box and says why it is not asked")

    @property
    def chapter(self) -> str:
        """The letters before the number."""
        return chapter_of(self.id)

    def concerns(self, tags: frozenset[str]) -> bool:
        """Say whether a subject with these tags must meet it."""
        return self.applies_to <= tags


def chapter_of(requirement_id: str) -> str:
    """Return the letters before the number of an id."""
    return requirement_id.partition("-")[0]
