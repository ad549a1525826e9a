"""What a verdict depends on, as one digest: as long as that is the same, running again would find the same.

It covers the check, the saboteur, the subject with its backend and simulator, the harness around them, each with everything they
may run (:mod:`conformance.imports`); the requirement; the seed; recordings and every other file that is no module; the
interpreter and everything that is installed. What cannot be told belongs to everybody. Times of files play no part.
"""

from __future__ import annotations

import hashlib
import platform
import sys
from collections.abc import Iterable
from dataclasses import fields
from functools import cache, cached_property
from importlib.metadata import distributions
from pathlib import Path
from typing import Final

import backends
import conformance
from conformance import catalogue, check, saboteurs, subject
from conformance.imports import Modules
from conformance.jobs import Job, neighbours
from conformance.requirement import Requirement

__all__ = ["Fingerprints", "clause_of"]

_DOORS: Final = (
    "backends",  # names that are loaded when first used: who names them needs them
    "conformance.catalogue",  # the requirement of the job
    "conformance.check",  # the checks of its chapter
    "conformance.expectations",  # the tables of its subject
    "conformance.reality",  # reads the sources that the subject names, and runs nothing
    "conformance.simulators.registry",  # the provider of its subject
    "conformance.subject",  # its subject
)
_READERS: Final = {
    "backends.registry": "backends",  # loads any of them by its name
    "conformance.checks.life": "backends",  # imports all of it in a fresh process
    "conformance.checks.sec_code": "backends",  # reads the source of what all share, and of the subject's classes
}
_LEFT_OUT: Final = ("tests", "reports", "__pycache__")
_HARNESS: Final = "conformance.jobs"
_RECORDINGS: Final = "conformance.recordings"
"""Who needs it needs the recordings; every other file that is no module belongs to everybody."""
_SHOWN: Final = ("conformance.checks", "conformance.saboteurs", "conformance.subjects")
"""Where checks, saboteurs and subjects are written."""
_LENGTH: Final = 16


class Fingerprints:
    """Tells the fingerprints of jobs and of subjects, for the code as it is when this is made.

    Args:
        packages: the folders of both packages; those that are imported unless given.
        data: folders of further files that checks read, with those of recordings among them.
    """

    def __init__(self, packages: Iterable[Path] | None = None, data: Iterable[Path] | None = None) -> None:
        self._packages = tuple(packages if packages is not None else map(_folder, (backends, conformance)))
        self._data = tuple(data if data is not None else (self._packages[-1].parent / "fixtures",))
        self._modules = Modules(self._packages, _LEFT_OUT, _DOORS, _READERS)
        self._checks = {lane: check.load(lane=lane) for lane in check.lanes()}
        self._saboteurs = saboteurs.load()
        self._digests: dict[frozenset[str], str] = {}

    @cache  # noqa: B019 - asked several times of each job; there is one of these a run, and the process ends with it
    def of_job(self, job: Job) -> str:
        """Return the fingerprint of everything that a job finds."""
        clauses = [clause_of(catalogue.find(requirement)) for requirement in self._asked(job)]
        return self._digest(self._roots(job), [job.title, job.lane, str(job.seed), job.profile, *clauses])

    @cache  # noqa: B019 - as above
    def of_others(self, job: Job) -> str:
        """Return the fingerprint of what is shown to whom where a saboteur meets the other checks of its chapter.

        It covers where checks, saboteur and subject are written, their clauses and the interpreter, and nothing that these
        use: how many others notice tells how sharp the checks are, and proves or excuses no backend.
        """
        shown = [root for root in sorted(self._roots(job)) if root.startswith(_SHOWN)]
        lines = [f"{name} {self._modules.own_digest(name)}" for name in shown]
        clauses = [clause_of(catalogue.find(requirement)) for requirement in self._asked(job)]
        return _hashed([*self._installed, job.title, str(job.seed), *clauses, *lines])[:_LENGTH]

    def modules_of(self, job: Job) -> frozenset[str]:
        """Return the modules that a job may run."""
        return frozenset().union(*map(self._modules.closure, self._roots(job)))

    def of_subject(self, name: str) -> str:
        """Return the fingerprint of what is said of a subject beside its cases."""
        return self._digest({"conformance.claims", *self._of_subject(name)}, [name])

    @cached_property
    def surroundings(self) -> str:
        """Digest of the interpreter, of everything installed, and of the files that belong to everybody."""
        return _hashed([*self._installed, *self._files(recorded=False)])

    @cached_property
    def _installed(self) -> tuple[str, ...]:
        installed = sorted({f"{one.metadata['Name']} {one.version}" for one in distributions()})
        return (sys.version, sys.implementation.name, platform.platform(), *installed)

    @cached_property
    def _recordings(self) -> str:
        return _hashed(self._files(recorded=True))

    def _roots(self, job: Job) -> set[str]:
        roots = {_HARNESS, *self._of_subject(job.subject)}
        if job.saboteur:
            roots |= self._of_saboteur(self._saboteurs[job.saboteur])
        for requirement in self._asked(job):
            roots |= self._of_check(requirement, job.lane)
        return roots

    def _asked(self, job: Job) -> tuple[str, ...]:
        """Return the requirements whose checks a job runs: its own, and those of its chapter that are shown a saboteur."""
        if not job.saboteur or not self._saboteurs[job.saboteur].asks_others(job.subject):
            return (job.requirement,)
        return (job.requirement, *neighbours(job.requirement, self._checks[job.lane]))

    def _of_subject(self, name: str) -> set[str]:
        tried = subject.load(name)
        provider = "conformance.simulators" + (f".{tried.provider}" if tried.provider is not None else "")
        return {
            f"conformance.subjects.{name}",
            *(module for module in (f"conformance.subjects.{name}_expected",) if module in self._modules),
            *self._modules.beneath(provider),
            *(module for source in tried.sources for module in self._modules.beneath(source)),
        }

    def _of_check(self, requirement: str, lane: str) -> set[str]:
        found = self._checks.get(lane, {}).get(requirement)
        bodies = {found.body.__module__} if found is not None else set()
        return {*bodies, *self._modules.mentioning("conformance.checks", f'"{requirement}"')}

    def _of_saboteur(self, entry: saboteurs.Saboteur) -> set[str]:
        home = str(getattr(entry.maker or entry.spoil, "__module__", ""))
        return {home} if home in self._modules else set(self._modules.beneath("conformance.saboteurs"))

    def _digest(self, roots: set[str], others: Iterable[str]) -> str:
        key = frozenset(roots)
        if key not in self._digests:
            lines = [f"{root} {self._modules.digest(root)}" for root in sorted(roots)]
            if any(_RECORDINGS in self._modules.closure(root) for root in roots):
                lines.append(self._recordings)
            self._digests[key] = _hashed([self.surroundings, *lines])
        return _hashed([self._digests[key], *others])[:_LENGTH]

    def _files(self, *, recorded: bool) -> list[str]:
        """Return a line for every file that is no module: recordings, or all but them."""
        found: list[str] = []
        for folder in (*self._packages, *self._data):
            for path in sorted(folder.rglob("*")):
                parts = path.relative_to(folder).parts
                is_recorded = bool({"recordings", "recorded"} & {*parts[:-1]})
                is_other = path.suffix not in (".py", ".pyc") or folder in self._data
                if is_other and is_recorded is recorded and not {*parts} & {*_LEFT_OUT} and path.is_file():
                    inside = f"{folder.name}/{'/'.join(parts)}"
                    found.append(f"{inside} {hashlib.sha256(path.read_bytes()).hexdigest()}")
        return found


def clause_of(requirement: Requirement) -> str:
    """Return all of a requirement as text, the same in every process."""
    values = (getattr(requirement, each.name) for each in fields(requirement))
    return repr([sorted(value) if isinstance(value, frozenset) else value for value in values])


def _folder(package: object) -> Path:
    return Path(next(iter(package.__path__)))  # type: ignore[attr-defined]  # a package has one


def _hashed(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
