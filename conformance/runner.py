"""Plans what is tried and has it run, or takes it over from an earlier run; the evidence comes in plan order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from conformance import catalogue, check, saboteurs, subject
from conformance.claims import subject_record
from conformance.jobs import Job, Record, not_applicable
from conformance.live import missing_variables
from conformance.machines.profiles import QUICK
from conformance.requirement import chapter_of
from conformance.workers import begun

__all__ = ["Selection", "Stamps", "plan", "run"]


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


class Stamps(Protocol):
    """Knows what an earlier run has found that would be found again."""

    def taken(self, job: Job) -> list[Record] | None:
        """Return what was found of a job; None when it must run."""
        ...

    def needed(self, job: Job) -> Job:
        """Return what must run of a job that is not taken over."""
        ...

    def stamped(self, job: Job, records: list[Record]) -> list[Record]:
        """Return what a job has found with what a later run must know of it."""
        ...

    def taken_claim(self, name: str) -> Record | None:
        """Return the record of a subject; None when it must be made anew."""
        ...

    def stamped_claim(self, record: Record) -> Record:
        """Return the record of a subject with what a later run must know of it."""
        ...


def plan(selection: Selection) -> tuple[Job, ...]:
    """Return the jobs of a selection in a fixed order: subjects by name, requirements in catalogue order, each with its
    saboteurs."""
    names = [name for name in subject.built() if not selection.backends or name in selection.backends]
    if selection.lane == "live":
        names = [name for name in names if missing_variables(subject.load(name)) is None]
    if selection.lane == "real":
        names = [name for name in names if subject.load(name).real is not None]
    wanted = [
        requirement.id
        for requirement in catalogue.load()
        if not selection.requirements or requirement.id in selection.requirements
    ]
    chapters = {chapter_of(requirement_id) for requirement_id in wanted}
    registered = check.load(chapters, selection.lane)
    kills = selection.kills and selection.lane == "simulated"
    entries = saboteurs.load(chapters).values() if kills else ()
    jobs: list[Job] = []
    for name in names:
        tried = subject.load(name)
        for requirement_id in wanted:
            excused = not_applicable(tried, catalogue.find(requirement_id)) is not None
            if requirement_id in registered or (excused and selection.lane == "simulated"):
                jobs.append(Job(name, requirement_id, selection.lane, selection.seed, profile=selection.profile))
            if not excused:
                jobs.extend(
                    Job(name, requirement_id, selection.lane, selection.seed, entry.name)
                    for entry in entries
                    if entry.requirement == requirement_id and name in entry.subjects
                )
    return tuple(jobs)


def run(
    jobs: Sequence[Job],
    *,
    processes: int = 1,
    ended: Callable[[Job, list[Record]], None] | None = None,
    stamps: Stamps | None = None,
) -> Iterator[Record]:
    """Run jobs and yield the records of their subjects, then their own in plan order, each as soon as it is there.

    Args:
        processes: 1 runs here; more run in fresh processes, but for what is judged together: that runs here.
        ended: told of every job as it ends.
        stamps: knows what need not be run again, and puts its stamp on what was run; None runs everything.
    """
    taken: dict[Job, list[Record]] = {}

    def left() -> Iterator[Job]:
        for job in jobs:
            if stamps is None:
                yield job
            elif (known := stamps.taken(job)) is not None:
                taken[job] = known
            else:
                yield stamps.needed(job)

    with begun(left(), processes) as outcomes:
        for name in sorted({job.subject for job in jobs}):
            known_claim = stamps.taken_claim(name) if stamps is not None else None
            if known_claim is None:
                record = subject_record(name)
                known_claim = stamps.stamped_claim(record) if stamps is not None else record
            yield known_claim
        for job in jobs:
            records = taken.get(job)
            if records is None:
                records = next(outcomes)
                records = stamps.stamped(job, records) if stamps is not None else records
            if ended is not None:
                ended(job, records)
            yield from records
