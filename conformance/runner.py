"""Plans trials and runs them, here or in several processes, and turns their outcomes into evidence records in plan
order."""

from __future__ import annotations

import gc
import logging
import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

from conformance import catalogue, check, saboteurs, subject
from conformance.conduct import CATCHES, Outcome, conduct
from conformance.live import conduct_live, missing_variables
from conformance.machines.profiles import PROFILES, QUICK
from conformance.reality import analyse_modules
from conformance.requirement import Requirement, chapter_of
from conformance.verdict import Verdict

__all__ = ["Job", "Selection", "not_applicable", "plan", "run", "run_job", "subject_records"]

Record: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Selection:
    """What is to run; empty tuples mean everything.

    Attributes:
        backends: row names.
        requirements: ids.
        lane: where.
        seed: of every trial's random source.
        kills: whether the saboteurs run as well.
        profile: name of how long machines are driven; saboteurs are always met by ``quick``.
    """

    backends: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    lane: str = "simulated"
    seed: int = 0
    kills: bool = True
    profile: str = QUICK.name

    @property
    def complete(self) -> bool:
        """True when nothing was left out."""
        return not self.backends and not self.requirements and self.kills


@dataclass(frozen=True, slots=True)
class Job:
    """One unit of work: every case of one requirement on one subject, or one saboteur on one subject."""

    subject: str
    requirement: str
    lane: str = "simulated"
    seed: int = 0
    saboteur: str = ""
    profile: str = QUICK.name

    @property
    def title(self) -> str:
        """For progress and for test ids."""
        return f"{self.subject} {self.saboteur or self.requirement}"


def plan(selection: Selection) -> tuple[Job, ...]:
    """Return the jobs of a selection in a fixed order: subjects by name, requirements in catalogue order, then
    saboteurs."""
    names = [name for name in subject.built() if not selection.backends or name in selection.backends]
    if selection.lane == "live":
        names = [name for name in names if missing_variables(subject.load(name)) is None]
    if selection.lane == "real":
        names = [name for name in names if subject.load(name).real is not None]
    jobs: list[Job] = []
    wanted = [
        requirement.id
        for requirement in catalogue.load()
        if not selection.requirements or requirement.id in selection.requirements
    ]
    chapters = {chapter_of(requirement_id) for requirement_id in wanted}
    registered = check.load(chapters, selection.lane)
    for name in names:
        tried = subject.load(name)
        for requirement_id in wanted:
            excused = (
                selection.lane == "simulated" and not_applicable(tried, catalogue.find(requirement_id)) is not None
            )
            if excused or requirement_id in registered:
                jobs.append(Job(name, requirement_id, selection.lane, selection.seed, profile=selection.profile))
    if selection.kills and selection.lane == "simulated":
        for entry in saboteurs.load(chapters).values():
            if entry.requirement in wanted:
                jobs.extend(
                    Job(name, entry.requirement, selection.lane, selection.seed, entry.name)
                    for name in entry.subjects
                    if name in names and _concerns(name, entry.requirement)
                )
    return tuple(jobs)


def _concerns(name: str, requirement_id: str) -> bool:
    return not_applicable(subject.load(name), catalogue.find(requirement_id)) is None


def subject_records(names: Iterable[str]) -> list[Record]:
    """Return one record per subject: what it declares, excuses, and what static analysis says of its source."""
    return [_subject_record(subject.load(name)) for name in sorted(names)]


def _subject_record(tried: subject.Subject) -> Record:
    analysis = analyse_modules(tried.sources)
    return {
        "kind": "subject",
        "subject": tried.name,
        "reality": analysis.kind if analysis.kind != "absent" else "mock",
        "reasons": list(analysis.reasons[:50]),
        "declared": {name: case.route for name, case in sorted(tried.declared.items())},
        "excused": dict(sorted(tried.not_applicable.items())),
    }


def run(
    jobs: Sequence[Job], *, processes: int = 1, ended: Callable[[Job, list[Record]], None] | None = None
) -> Iterator[Record]:
    """Run jobs and yield their records in plan order, each as soon as it is there.

    Args:
        processes: 1 runs here; more run in fresh processes.
        ended: told of every job as it ends.
    """
    for job, records in zip(jobs, _each(jobs, processes), strict=True):
        if ended is not None:
            ended(job, records)
        yield from records


def _each(jobs: Sequence[Job], processes: int) -> Iterator[list[Record]]:
    if processes <= 1 or len(jobs) <= 1:
        yield from map(run_job, jobs)
        return
    # Fresh processes: a fork would copy the state of whatever ran here before.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(processes, len(jobs)), mp_context=context) as pool:
        yield from pool.map(_run_settled, jobs, chunksize=4)


def _run_settled(job: Job) -> list[Record]:
    """Run one job in a process that does nothing else."""
    _settle(job.subject)
    return run_job(job)


@cache
def _settle(name: str) -> None:
    """Load what a subject's trials need and take it out of the garbage collector's sight.

    Trials that look for leaks collect garbage often; modules, tables and models are not what they look for, and walking
    over them took most of their time.
    """
    subject.load(name)
    check.load()
    gc.collect()
    gc.freeze()


def run_job(job: Job) -> list[Record]:
    """Run one job and return its evidence records."""
    asyncio_log = logging.getLogger("asyncio")
    if not asyncio_log.handlers:
        # What a spoilt backend leaves behind is judged in its trial; on the terminal it would look like a fault of ours.
        asyncio_log.addHandler(logging.NullHandler())
    return _kill(job) if job.saboteur else _cases(job)


def _cases(job: Job) -> list[Record]:
    tried = subject.load(job.subject)
    requirement = catalogue.find(job.requirement)
    base: Record = {"kind": "case", "subject": job.subject, "requirement": job.requirement, "lane": job.lane}
    reason = not_applicable(tried, requirement)
    if reason is not None:
        return [{**base, "case": "", **_told(Outcome(Verdict.NOT_APPLICABLE, reason))}]
    found = check.load([requirement.chapter], job.lane)[job.requirement]
    if job.lane == "live":
        return [
            {**base, "case": case, **_told(conduct_live(tried, requirement, found, case))}
            for case in found.cases_for(tried)
        ]
    cases = found.cases_for(tried)
    if not cases:
        return [{**base, "case": "", **_told(Outcome(Verdict.VACUOUS, "the subject declares no case"))}]
    profile = PROFILES[job.profile]
    outcomes = ((case, conduct(tried, requirement, found, case=case, seed=job.seed, profile=profile)) for case in cases)
    return [{**base, "case": case, **_told(outcome)} for case, outcome in outcomes]


def not_applicable(tried: subject.Subject, requirement: Requirement) -> str | None:
    """Return why a requirement does not concern a subject, None when it does."""
    if requirement.id in tried.not_applicable:
        return tried.not_applicable[requirement.id]
    missing = sorted(requirement.applies_to - tried.tags)
    if "batch" in missing:
        return "the provider batches nothing"
    return f"{tried.title} has no {', '.join(missing)}" if missing else None


def _told(outcome: Outcome) -> Record:
    machines = {"machines": list(outcome.machines)} if outcome.machines else {}
    return {
        **machines,
        "verdict": outcome.verdict.value,
        "detail": outcome.detail,
        "failure": outcome.kind,
        "assertions": outcome.assertions,
        "requests": outcome.requests,
        **({"parts": dict(outcome.parts), "spared": dict(outcome.spared)} if outcome.parts else {}),
    }


def _kill(job: Job) -> list[Record]:
    tried = subject.load(job.subject)
    chapter = chapter_of(job.requirement)
    entry = saboteurs.load([chapter])[job.saboteur]
    registered = check.load([chapter])
    caught, detail = None, "the requirement has no check"
    if job.requirement in registered:
        caught, detail = _caught(tried, job.requirement, entry, job.seed)
    also = None
    if entry.asks_others(job.subject):
        also = [
            other
            for other in _neighbours(job.requirement, registered)
            if _concerns(job.subject, other) and _caught(tried, other, entry, job.seed, threads=False)[0] is not None
        ]
    record: Record = {
        "kind": "kill",
        "saboteur": entry.name,
        "subject": job.subject,
        "requirement": job.requirement,
        "sin": entry.sin,
    }
    return [{**record, "killed": caught is not None, "by": caught or "", "detail": detail, "also": also}]


def _neighbours(requirement_id: str, registered: Iterable[str]) -> list[str]:
    """Return the other requirements of the same chapter, which should not notice; the costly ones are spared."""
    same = chapter_of(requirement_id)
    others = set(registered) - {requirement_id} - check.COSTLY
    return sorted(other for other in others if chapter_of(other) == same)


def _caught(
    tried: subject.Subject, requirement_id: str, entry: saboteurs.Saboteur, seed: int, *, threads: bool = True
) -> tuple[str | None, str]:
    """Return by what kind of failure a requirement's check caught a saboteur (None: it did not), and the detail.

    A case that the good backend fails as well proves nothing about the saboteur. Without ``threads`` what real threads
    noticed is left out: it may differ between runs.
    """
    requirement, found = catalogue.find(requirement_id), check.checks()[requirement_id]
    detail = "the subject declares no case"
    for case in _shown_cases(found.cases_for(tried), requirement_id, entry):
        outcome = conduct(tried, requirement, found, case=case, seed=seed, make=entry.wrap(tried.make), guard=5.0)
        if outcome.kind not in CATCHES:
            detail = outcome.detail or "the check passed"
        elif outcome.threaded and not threads:
            detail = "noticed among threads"
        elif _passes(tried.name, requirement_id, case, seed):
            return outcome.kind, outcome.detail
        else:
            detail = f"the good backend fails as well: {outcome.detail}"
    return None, detail


def _shown_cases(cases: Sequence[str], requirement_id: str, entry: saboteurs.Saboteur) -> Sequence[str]:
    if entry.requirement != requirement_id or not entry.case:
        return cases
    return [case for case in cases if case == entry.case]


@cache
def _passes(name: str, requirement_id: str, case: str, seed: int) -> bool:
    """Say whether the good backend passes a case."""
    found = check.checks()[requirement_id]
    return (
        conduct(subject.load(name), catalogue.find(requirement_id), found, case=case, seed=seed).verdict is Verdict.PASS
    )
