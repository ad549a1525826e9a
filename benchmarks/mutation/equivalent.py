"""Mutants that no test can notice, listed by hand with the reason; a list that is wrong is an error.

A change belongs here only when it has no effect that a caller could observe. One that merely has no test does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from benchmarks.mutation.verdicts import KILLED, NOT_RUN, ROOT, Change, DamagedError, Run, load

__all__ = ["FILE", "errors", "read"]

FILE: Final = ROOT / "benchmarks" / "mutation" / "equivalent.json"


def read(path: Path = FILE) -> dict[str, tuple[Change, str]]:
    """Return the change and the reason, by mutant.

    Raises:
        DamagedError: the file cannot be read, or an entry is not ``{"was": …, "now": …, "why": …}``.
    """
    found = {}
    for name, entry in load(path).items():
        if not isinstance(entry, dict) or set(entry) != {"was", "now", "why"} or not entry["why"]:
            raise DamagedError(f"{path.name}: {name} is not {{was, now, why}}")
        found[name] = Change(entry["was"], entry["now"]), entry["why"]
    return found


def errors(run: Run, listed: Mapping[str, tuple[Change, str]]) -> list[str]:
    """Say what is wrong with the list: a mutant on it was killed, is gone, or is another one by now."""
    verdicts = dict(run.verdicts())
    found = []
    for name, (change, _) in listed.items():
        letter = verdicts.get(name)
        if letter is None:
            found.append(f"{name} is listed as equivalent and does not exist (any more)")
        elif letter == KILLED:
            found.append(f"{name} is listed as equivalent and was killed")
        elif letter != NOT_RUN and run.changes[name] != change:
            found.append(f"{name} is listed as equivalent and is another change by now: {run.changes[name].now}")
    return found
