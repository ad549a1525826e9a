"""The verdicts as a file: one letter a mutant, and the change of each that no test noticed.

A mutant is named after the function it is made in and its number there: ``backends.resilience.breaker.Breaker.wait#3``.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

__all__ = ["FILE", "ROOT", "Change", "DamagedError", "Module", "Run", "read", "write"]

ROOT: Final = Path(__file__).resolve().parents[2]
FILE: Final = ROOT / "benchmarks" / "mutation" / "verdicts.json"
SCHEMA: Final = 1

KILLED: Final = "k"
SURVIVED: Final = "s"
TIMED_OUT: Final = "t"
UNTESTED: Final = "u"
"""No test of the selection reaches the function."""
NOT_RUN: Final = "."
UNNOTICED: Final = SURVIVED + UNTESTED
LETTERS: Final = KILLED + SURVIVED + TIMED_OUT + UNTESTED + NOT_RUN


class DamagedError(ValueError):
    """A file is not what this package writes or asks for; the message names it."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a mutant is: the lines it takes away and the lines it puts there, stripped and joined by a space."""

    was: str
    now: str


@dataclass(frozen=True, slots=True)
class Module:
    """The mutants of one module.

    Attributes:
        source: the beginning of the SHA-256 of the file they were made from.
        functions: by function, in the order of the file, one letter a mutant, the first being number 1.
    """

    source: str
    functions: Mapping[str, str]

    def counts(self) -> Counter[str]:
        """Return how many mutants there are of each verdict."""
        return Counter("".join(self.functions.values()))


@dataclass(frozen=True, slots=True)
class Run:
    """All verdicts.

    Attributes:
        tool: the tool and its release.
        python: the release of the interpreter.
        sample: which mutants were run, in words; empty where all were.
        modules: by dotted name.
        changes: by mutant, for those that were run and not killed.
    """

    tool: str
    python: str
    sample: str
    modules: Mapping[str, Module]
    changes: Mapping[str, Change]

    def verdicts(self) -> Iterator[tuple[str, str]]:
        """Yield each mutant's name and letter."""
        for name, module in self.modules.items():
            for function, letters in module.functions.items():
                for number, letter in enumerate(letters, start=1):
                    yield f"{name}.{function}#{number}", letter


def write(run: Run, path: Path = FILE) -> None:
    """Write the file."""
    path.write_text(json.dumps({"schema": SCHEMA, **asdict(run)}, indent=1, ensure_ascii=False) + "\n", "utf-8")


def read(path: Path = FILE) -> Run:
    """Read the file.

    Raises:
        DamagedError: it is absent, unreadable or of another schema.
    """
    content = load(path)
    if content.get("schema") != SCHEMA:
        raise DamagedError(f"{path.name} is not of schema {SCHEMA}; take the verdicts over again")
    try:
        run = Run(
            content["tool"],
            content["python"],
            content["sample"],
            {name: Module(**module) for name, module in content["modules"].items()},
            {name: Change(**change) for name, change in content["changes"].items()},
        )
        strange = {letter for _, letter in run.verdicts()} - set(LETTERS)
    except (KeyError, TypeError, AttributeError) as problem:
        raise DamagedError(f"{path.name} lacks or misplaces {problem}") from None
    if strange:
        raise DamagedError(f"{path.name} has verdicts that do not exist: {', '.join(sorted(strange))}")
    return run


def load(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file.

    Raises:
        DamagedError: there is none.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as problem:
        raise DamagedError(f"{path.name} cannot be read: {problem}") from None
    if not isinstance(content, dict):
        raise DamagedError(f"{path.name} holds no object")
    return content
