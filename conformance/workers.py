"""Runs jobs, here or in fresh processes, and hands out what they find in the order of the jobs; it writes nothing down."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from functools import cache
from itertools import chain, groupby, islice
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import Final, TypeAlias, cast

from conformance import check, subject
from conformance.jobs import Job, Record, run_job

__all__ = ["begun"]

Share: TypeAlias = tuple[Job, ...]

_log = logging.getLogger("conformance")
_AT_ONCE: Final = 6
"""Jobs that a process takes at once, at most."""
_PATIENCE: Final = 15.0
"""Seconds that the processes have to end."""


@contextmanager
def begun(jobs: Iterable[Job], processes: int) -> Iterator[Iterator[list[Record]]]:
    """Begin to run jobs; what each of them finds comes in their order.

    Args:
        jobs: drained before anything comes; processes are at work on the first while the others are still being made.
        processes: 1 runs here; more run in fresh processes, but for what is judged together: that runs here.
    """
    shares = _shares(jobs)
    first = list(islice(shares, max(processes, 1)))
    if len(first) <= 1 or processes <= 1:
        yield map(run_job, list(chain.from_iterable(chain(first, shares))))
        return
    older = set(multiprocessing.active_children())
    # Fresh processes: a fork would copy the state of whatever ran here before, and locks that are held at that moment.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(len(first), mp_context=context)
    try:
        outcomes = [
            share if share[0].requirement in check.TOGETHER else pool.submit(_run_settled, share)
            for share in chain(first, shares)
        ]
        yield chain.from_iterable(map(_found, outcomes))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        _end([process for process in multiprocessing.active_children() if process not in older])


def _shares(jobs: Iterable[Job]) -> Iterator[Share]:
    """Split jobs into what one process takes at once.

    A saboteur is caught by a case that the good backend passes: the process that has just tried that need not try it again.
    """
    for _, alike in groupby(jobs, key=lambda job: (job.subject, job.requirement)):
        while share := tuple(islice(alike, _AT_ONCE)):
            yield share


def _found(outcome: Share | Future[list[list[Record]]]) -> Iterable[list[Record]]:
    return outcome.result() if isinstance(outcome, Future) else map(run_job, outcome)


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


def _run_settled(share: Share) -> list[list[Record]]:
    """Run jobs on one subject in a process that does nothing else."""
    _settle(share[0].subject)
    return [run_job(job) for job in share]


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
