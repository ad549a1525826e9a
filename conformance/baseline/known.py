"""The list of known failures: data beside this module, each with a reason and an issue, so that none is silent."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

__all__ = ["KnownFailure", "known_failures"]


@dataclass(frozen=True, slots=True)
class KnownFailure:
    """One failure that is accepted for now.

    Attributes:
        subject, requirement: where.
        reason: why it is accepted.
        issue: where its mending is followed.
    """

    subject: str
    requirement: str
    reason: str
    issue: str

    def __post_init__(self) -> None:
        for name in ("subject", "requirement", "reason", "issue"):
            if not getattr(self, name).strip():
                raise ValueError(f"known_failures.json: an entry has no {name}")


@cache
def known_failures() -> dict[tuple[str, str], KnownFailure]:
    """Return the known failures by subject and requirement.

    Raises:
        ValueError: an entry lacks a field or has an empty one.
    """
    text = files("conformance").joinpath("baseline/known_failures.json").read_text(encoding="utf-8")
    try:
        entries = [KnownFailure(**entry) for entry in json.loads(text)]
    except TypeError as error:
        raise ValueError(f"known_failures.json: {error}") from None
    return {(entry.subject, entry.requirement): entry for entry in entries}
