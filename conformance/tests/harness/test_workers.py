"""What shares a process, what runs here, in which order findings come, and how the processes end."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from conformance import jobs, saboteurs, workers
from conformance.conduct import conduct
from conformance.jobs import Job
from conformance.subject import Subject
from conformance.workers import begun

_FIRST = tuple(Job("openai", "QUE-01", saboteur=saboteur) for saboteur in ("", *"abcdefg"))
_SECOND = (Job("openai", "QUE-02"),)
_THIRD = tuple(Job("groq", "QUE-02", saboteur=saboteur) for saboteur in ("", "a"))
_TOGETHER = tuple(Job(name, "REAL-03") for name in ("groq", "openai"))


class _Pool:
    """Stands in for the processes: remembers what it was given, and runs it at once."""

    def __init__(self, processes: int, **settings: Any) -> None:
        del settings
        self.processes = processes
        self.shares: list[tuple[Job, ...]] = []

    def submit(self, run_settled: Any, share: tuple[Job, ...]) -> Future[Any]:
        del run_settled
        self.shares.append(share)
        outcome: Future[Any] = Future()
        outcome.set_result([_told(job) for job in share])
        return outcome

    def shutdown(self, **how: bool) -> None:
        assert how == {"wait": False, "cancel_futures": True}


def _told(job: Job) -> list[dict[str, Any]]:
    return [{"job": job}]


@pytest.fixture
def pools(monkeypatch: pytest.MonkeyPatch) -> list[_Pool]:
    made: list[_Pool] = []

    def pool(processes: int, **settings: Any) -> _Pool:
        made.append(_Pool(processes, **settings))
        return made[-1]

    monkeypatch.setattr(workers, "ProcessPoolExecutor", pool)
    monkeypatch.setattr(workers, "run_job", _told)
    return made


def test_jobs_on_one_subject_and_requirement_share_a_process_up_to_six(pools: list[_Pool]) -> None:
    with begun((*_FIRST, *_SECOND, *_THIRD), 3) as outcomes:
        assert list(outcomes) == [_told(job) for job in (*_FIRST, *_SECOND, *_THIRD)]
    (pool,) = pools
    assert pool.shares == [_FIRST[:6], _FIRST[6:], _SECOND, _THIRD]
    assert pool.processes == 3


def test_what_is_judged_together_runs_here_and_keeps_its_place(pools: list[_Pool]) -> None:
    every = (*_SECOND, *_TOGETHER, *_THIRD)
    with begun(every, 2) as outcomes:
        assert list(outcomes) == [_told(job) for job in every]
    assert pools[0].shares == [_SECOND, _THIRD]


def test_no_more_processes_than_there_is_work_for(pools: list[_Pool]) -> None:
    with begun((*_SECOND, *_THIRD), 9) as outcomes:
        assert len(list(outcomes)) == 3
    assert pools[0].processes == 2


@pytest.mark.parametrize(("every", "processes"), [((*_SECOND, *_THIRD), 1), (_THIRD, 9), ((), 9)])
def test_one_process_or_one_share_runs_here(every: tuple[Job, ...], processes: int, pools: list[_Pool]) -> None:
    with begun(every, processes) as outcomes:
        assert list(outcomes) == [_told(job) for job in every]
    assert pools == []


def test_processes_are_at_work_while_jobs_are_still_being_made(pools: list[_Pool]) -> None:
    at_work = []

    def made() -> Iterator[Job]:
        for number in range(5):
            at_work.append(sum(map(len, pools[0].shares)) if pools else 0)
            yield Job("openai", f"QUE-{number:02}")

    with begun(made(), 2) as outcomes:
        assert len(list(outcomes)) == 5
    assert at_work == [0, 0, 0, 2, 3]


@pytest.mark.parametrize("processes", [1, 2])
def test_all_jobs_are_asked_for_before_the_first_finding(processes: int, pools: list[_Pool]) -> None:
    del pools
    asked: list[Job] = []
    every = (*_SECOND, *_THIRD)
    with begun((asked.append(job) or job for job in every), processes):  # type: ignore[func-returns-value]
        assert asked == [*every]


def test_the_good_backend_is_tried_once_for_all_saboteurs_of_a_share(
    parrot: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    del parrot
    jobs._PASSED.clear()
    good: list[str] = []

    def counted(*arguments: Any, case: str, **settings: Any) -> Any:
        if "make" not in settings:
            good.append(case)
        return conduct(*arguments, case=case, **settings)

    monkeypatch.setattr(jobs, "conduct", counted)
    share = [Job("openai", "REAL-04")]
    for name in ("deaf", "dumb"):
        entry = saboteurs.Saboteur(f"REAL-04-{name}", "REAL-04", "a sin", _deafen, alone=True)
        monkeypatch.setitem(saboteurs._registry, entry.name, entry)
        share.append(Job("openai", "REAL-04", saboteur=entry.name))
    _, *killed = workers._run_settled(tuple(share))
    assert [record["killed"] for (record,) in killed] == [True, True]
    assert good == ["answer", "error", "usage"]


def _deafen(backend: Any) -> None:
    backend.read_error = None


def test_a_process_that_cannot_end_is_ended(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A trial may leave a thread behind that waits for ever; the run has all records and must not wait with it."""
    monkeypatch.setattr(workers, "_PATIENCE", 0.0)
    worker = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(600,))
    worker.start()
    workers._end([worker])
    assert worker.exitcode == -signal.SIGKILL
    assert "did not end" in caplog.text


def test_a_process_that_somebody_else_joined_has_ended(caplog: pytest.LogCaptureFixture) -> None:
    """The pool's thread joins its processes, too; who comes second is told that there is no such process."""
    worker = multiprocessing.get_context("spawn").Process(target=int)
    worker.start()
    assert worker.pid is not None
    os.waitpid(worker.pid, 0)
    workers._end([worker])
    assert caplog.text == ""
