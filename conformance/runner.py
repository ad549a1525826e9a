"""Plans trials and runs their jobs, here or in several processes; the evidence comes in plan order."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import Final, Protocol, cast

from conformance import catalogue, check, saboteurs, subject
from conformance.claims import subject_record
from conformance.jobs import Job, Record, concerns, not_applicable, run_job
from conformance.live import missing_variables
from conformance.machines.profiles import QUICK
from conformance.requirement import chapter_of

__all__ = ["Selection", "Stamps", "plan", "run"]

_log = logging.getLogger("conformance")
_PATIENCE: Final = 15.0
"""Seconds that the processes of a run have to end."""


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
                    if name in names and concerns(name, entry.requirement)
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
    taken = {job: known for job in jobs if stamps is not None and (known := stamps.taken(job)) is not None}
    with _begun([job for job in jobs if job not in taken], processes) as outcomes:
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


@contextmanager
def _begun(jobs: Sequence[Job], processes: int) -> Iterator[Iterator[list[Record]]]:
    """Begin to run jobs; the records of each come in plan order."""
    apart = [job for job in jobs if job.requirement not in check.TOGETHER]
    if processes <= 1 or len(apart) <= 1:
        yield map(run_job, jobs)
        return
    older = set(multiprocessing.active_children())
    # Fresh processes: a fork would copy the state of whatever ran here before, and locks that are held at that moment.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(processes, len(apart)), mp_context=context)
    try:
        elsewhere = pool.map(_run_settled, apart, chunksize=4)
        yield (run_job(job) if job.requirement in check.TOGETHER else next(elsewhere) for job in jobs)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        _end([process for process in multiprocessing.active_children() if process not in older])


def _end(workers: Sequence[BaseProcess]) -> None:
    """Wait for processes to end; one that a trial left unable to is ended, as its records are all here.

    Their sentinels are watched, as the pool's own thread joins them at the same time: of two who do, one finds the process
    gone and reports it alive.
    """
    until = time.monotonic() + _PATIENCE
    left = {worker.sentinel: worker for worker in workers}
    while left and (ended := wait(list(left), max(0.0, until - time.monotonic()))):
        for sentinel in ended:
            del left[cast("int", sentinel)]
    for worker in left.values():
        _log.warning("A process of the run did not end within %g s of its last job, and was killed.", _PATIENCE)
        worker.kill()
        worker.join()


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
