"""The versions of the contract: which requirements each has frozen, and what departs from the latest.

A requirement is scored from the version that froze it on: until then it is run and shown, but decides no green cell, no
overall, no exit status and no gate, so that adding one breaks nobody's build. A version that is out is never rewritten.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from conformance.requirement import Requirement

__all__ = ["Contract", "FreezeError", "FrozenClause", "contract", "first_version", "freeze", "versions"]

_VERSION: Final = re.compile(r"\d{4}\.\d{2}(\.\d{1,3})?")
_FOLDER: Final = "requirements/frozen"


class FreezeError(ValueError):
    """A version cannot be frozen; the message is one line and says what to do."""


@dataclass(frozen=True, slots=True)
class FrozenClause:
    """What may not change of a requirement within a version.

    Attributes:
        level: MUST or SHOULD.
        clause: digest of the clause's words; line breaks and spaces do not count.
    """

    level: str
    clause: str

    @classmethod
    def of(cls, requirement: Requirement) -> FrozenClause:
        """Return what of a requirement is frozen."""
        words = " ".join(requirement.clause.split())
        return cls(requirement.level.value, hashlib.sha256(words.encode()).hexdigest()[:16])


@dataclass(frozen=True, slots=True)
class Contract:
    """One version of the contract.

    Attributes:
        version: year and month, with a third number when there is more than one a month: ``2026.11``, ``2026.11.2``.
        clauses: requirement id -> what it froze.
    """

    version: str
    clauses: Mapping[str, FrozenClause]

    def scores(self, requirement_id: str) -> bool:
        """Say whether a requirement decides anything in this version."""
        return requirement_id in self.clauses

    def departures(self, requirements: Iterable[Requirement]) -> list[str]:
        """Return one line for each frozen requirement that is gone or has another level or clause."""
        now = {requirement.id: FrozenClause.of(requirement) for requirement in requirements}
        found: list[str] = []
        for requirement_id, frozen in self.clauses.items():
            today = now.get(requirement_id)
            if today is None:
                changes = ["is gone"]
            else:
                changes = [f"is {today.level}, was {frozen.level}"] if today.level != frozen.level else []
                changes += ["has another clause"] if today.clause != frozen.clause else []
            found += [f"{requirement_id} {change}, but the contract is still {self.version}" for change in changes]
        return found


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _read(name: str, text: str) -> Contract:
    try:
        document: dict[str, Any] = json.loads(text)
        clauses = {key: FrozenClause(**value) for key, value in document["requirements"].items()}
        version = document["version"]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{_FOLDER}/{name} is damaged ({error}); restore it from version control") from None
    if f"{version}.json" != name or _VERSION.fullmatch(version) is None:
        raise ValueError(f"{_FOLDER}/{name} says that it is version {version!r}; restore it from version control")
    return Contract(version, clauses)


@cache
def versions() -> tuple[Contract, ...]:
    """Return every frozen version, oldest first.

    Raises:
        ValueError: a file is damaged.
    """
    folder = files("conformance").joinpath(_FOLDER)
    found = [
        _read(entry.name, entry.read_text(encoding="utf-8"))
        for entry in folder.iterdir()
        if entry.name.endswith(".json")
    ]
    return tuple(sorted(found, key=lambda entry: _number(entry.version)))


def contract() -> Contract:
    """Return the latest version: the one that scores.

    Raises:
        ValueError: there is none, or a file is damaged.
    """
    if not versions():
        raise ValueError(f"{_FOLDER} holds no version; run `conformance freeze VERSION`")
    return versions()[-1]


def first_version(requirement_id: str) -> str | None:
    """Return the version that froze a requirement first; None for one that is not scored yet."""
    return next((entry.version for entry in versions() if entry.scores(requirement_id)), None)


def freeze(version: str, requirements: Iterable[Requirement], folder: Path | None = None) -> Path:
    """Write a new version that holds all of ``requirements``, and return its file.

    Args:
        version: later than every version that is in the folder.
        folder: where versions are kept; this package's own unless given.

    Raises:
        FreezeError: the version has another form, is not later than the latest, or freezes nothing new.
        OSError: the file cannot be written.
    """
    if _VERSION.fullmatch(version) is None:
        raise FreezeError(f"{version!r} is no contract version; it looks like 2026.11 or 2026.11.2")
    place = folder or Path(str(files("conformance").joinpath(_FOLDER)))
    known = [_read(path.name, path.read_text(encoding="utf-8")) for path in place.glob("*.json")]
    latest = max(known, key=lambda entry: _number(entry.version), default=None)
    clauses = {requirement.id: FrozenClause.of(requirement) for requirement in requirements}
    if latest is not None and _number(version) <= _number(latest.version):
        raise FreezeError(f"version {version} is not later than {latest.version}, which is out and stays as it is")
    if latest is not None and clauses == latest.clauses:
        raise FreezeError(f"the catalogue is that of {latest.version}; there is nothing to freeze")
    document = {
        "version": version,
        "requirements": {key: {"level": value.level, "clause": value.clause} for key, value in clauses.items()},
    }
    path = place / f"{version}.json"
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8", newline="\n")
    versions.cache_clear()
    return path
