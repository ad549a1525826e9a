"""Takes over the verdicts of mutmut from its working folder; the only place that knows the tool."""

from __future__ import annotations

import contextlib
import hashlib
import json
import platform
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from benchmarks.mutation.verdicts import (
    KILLED,
    NOT_RUN,
    ROOT,
    SURVIVED,
    TIMED_OUT,
    UNTESTED,
    Change,
    DamagedError,
    Module,
    Run,
)

__all__ = ["Tool", "mutmut", "take"]

_FOLDER: Final = "mutants"
_LETTERS: Final[dict[int | None, str]] = {
    None: NOT_RUN,
    2: NOT_RUN,  # interrupted
    0: SURVIVED,
    1: KILLED,
    3: KILLED,  # an error inside pytest
    5: UNTESTED,
    33: UNTESTED,
    -24: TIMED_OUT,
    24: TIMED_OUT,
    36: TIMED_OUT,
    152: TIMED_OUT,
}


@dataclass(frozen=True, slots=True)
class Tool:
    """What made the mutants.

    Attributes:
        title: its name and release.
        difference: returns the unified difference of a mutant, by the tool's name of it and the path of its module.
    """

    title: str
    difference: Callable[[str, Path], str]


def mutmut() -> Tool:
    """Return the tool as it is installed.

    Raises:
        DamagedError: it is not.
    """
    try:
        from mutmut.mutation.diff_apply import get_diff_for_mutant
    except ImportError:
        raise DamagedError("mutmut is not installed here; run this by `tox -e mutation`") from None

    def difference(mutant: str, path: Path) -> str:
        with contextlib.chdir(ROOT):  # the tool looks for its folder where it is called
            return str(get_diff_for_mutant(mutant, path=path))

    return Tool(f"mutmut {version('mutmut')}", difference)


def take(tool: Tool, root: Path = ROOT, *, sample: str = "") -> Run:
    """Return the verdicts that stand in the tool's folder under ``root``, the root of the repository; ``sample`` says in words
    which mutants were run, empty for all.

    Raises:
        DamagedError: there are none, or one is of a kind that this package does not know.
    """
    modules, changes = {}, {}
    for meta in sorted((root / _FOLDER).rglob("*.py.meta")):
        path = meta.relative_to(root / _FOLDER).with_suffix("")
        name = ".".join(path.with_suffix("").parts)
        functions: defaultdict[str, str] = defaultdict(str)
        for mutant, code in json.loads(meta.read_text("utf-8"))["exit_code_by_key"].items():
            if code not in _LETTERS:
                raise DamagedError(f"{mutant} ended with {code}, which is neither killed nor survived; run it alone")
            function = _readable(mutant)
            functions[function] += _LETTERS[code]
            if _LETTERS[code] not in (KILLED, NOT_RUN):
                changes[f"{name}.{function}#{len(functions[function])}"] = _change(tool.difference(mutant, path))
        if functions:
            modules[name] = Module(hashlib.sha256((root / path).read_bytes()).hexdigest()[:16], dict(functions))
    if not modules:
        raise DamagedError(f"there is nothing in {_FOLDER}/; run mutmut first")
    return Run(tool.title, platform.python_version(), sample, modules, changes)


def _readable(mutant: str) -> str:
    """Return the function that the tool's name of a mutant speaks of, as ``Class.method`` or ``function``."""
    mangled = mutant.rpartition(".")[2].partition("__mutmut_")[0]
    return mangled.removeprefix("xǁ").replace("ǁ", ".") if mangled.startswith("xǁ") else mangled.removeprefix("x_")


def _change(difference: str) -> Change:
    lines = [line for line in difference.splitlines() if line[:3] not in ("---", "+++")]
    was, now = (" ".join(line[1:].strip() for line in lines if line[:1] == sign) for sign in "-+")
    return Change(was, now)
