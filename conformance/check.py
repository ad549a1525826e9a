"""The registry of checks: which function judges which requirement, in which lanes and for which cases.

A check is a plain coroutine function that takes a :class:`conformance.trial.Trial`; how to write one is told in
:mod:`conformance.checks`. This module runs none.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from conformance.requirement import CHAPTERS

if TYPE_CHECKING:
    from conformance.subject import Subject

__all__ = ["COSTLY", "TOGETHER", "Check", "check", "checks", "import_chapters", "lanes", "load"]

Body: TypeAlias = Callable[[Any], Awaitable[None]]
"""Takes a :class:`conformance.trial.Trial`, or a :class:`conformance.live.LiveTrial` in the lane live."""
Cases: TypeAlias = "Callable[[Subject], Iterable[str]]"

COSTLY: Final = frozenset(
    {
        "BAK-11",
        "ERR-03",
        "LIFE-05",
        "QUE-14",
        "QUE-15",
        "REAL-03",
        "SEC-08",
        "SEC-09",
        "SEC-10",
        "STR-02",
        "STR-09",
        "TRK-06",
    }
)
"""Requirements whose check takes a third of a second or more, or a good part of it in a large chapter: it is shown the
saboteurs of its own requirement, and those of others only where somebody asks for it. Together they took a third of the
kill matrix's time."""
TOGETHER: Final = frozenset({"REAL-03"})
"""Requirements whose trials share what they work out: one process judges them all, so that it is worked out once."""


@dataclass(frozen=True, slots=True)
class Check:
    """One registered check.

    Attributes:
        requirement: the id it judges.
        body: the coroutine function.
        cases: names the cases of a subject; every case is a trial of its own. One unnamed case when there is none.
        lanes: where it may run.
    """

    requirement: str
    body: Body
    cases: Cases | None = None
    lanes: frozenset[str] = frozenset({"simulated"})

    def cases_for(self, subject: Subject) -> tuple[str, ...]:
        """Return the cases of a subject, in order; ``("",)`` for a check without cases."""
        return ("",) if self.cases is None else tuple(self.cases(subject))


_registry: dict[tuple[str, str], Check] = {}


def check(
    requirement: str, *, cases: Cases | None = None, lanes: Iterable[str] = ("simulated",)
) -> Callable[[Any], Any]:
    """Register a coroutine function as the check of a requirement; another lane may have a check of its own.

    Raises:
        ValueError: the requirement has a check in this lane already.
    """

    def register(body: Any) -> Any:
        made = Check(requirement, body, cases, frozenset(lanes))
        for lane in made.lanes:
            known = _registry.setdefault((requirement, lane), made)
            if _name(known.body) != _name(body):
                raise ValueError(
                    f"{requirement} is judged twice in the lane {lane}: {_name(known.body)} and {_name(body)}"
                )
            _registry[requirement, lane] = made
        return body

    return register


def _name(body: Any) -> str:
    return f"{body.__module__}.{body.__qualname__}"


def checks(lane: str = "simulated") -> dict[str, Check]:
    """Return the checks of a lane registered so far, by requirement id."""
    return {requirement: found for (requirement, known), found in sorted(_registry.items()) if known == lane}


def lanes() -> tuple[str, ...]:
    """Return the lanes that have any check."""
    load()
    return tuple(sorted({lane for _, lane in _registry}))


def load(chapters: Iterable[str] | None = None, lane: str = "simulated") -> dict[str, Check]:
    """Import the modules of :mod:`conformance.checks` and return the checks of a lane by requirement id.

    Args:
        chapters: only these (``BRK``); a module belongs to the chapter that its name begins with (``brk``,
            ``brk_timing``).
    """
    import_chapters("conformance.checks", chapters)
    return checks(lane)


def import_chapters(package_name: str, chapters: Iterable[str] | None) -> None:
    """Import every module of a package, or those of some chapters and of no single one, in the order of their names."""
    left_out = set() if chapters is None else {chapter.lower() for chapter in set(CHAPTERS) - set(chapters)}
    package = import_module(package_name)
    for module in sorted(iter_modules(package.__path__), key=lambda entry: entry.name):
        if module.name.partition("_")[0] not in left_out:
            import_module(f"{package_name}.{module.name}")
