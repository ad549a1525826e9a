"""Plans and runs: order, selection, the kill matrix and what counts as caught."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from conformance import catalogue, jobs, saboteurs, subject
from conformance.claims import subject_record
from conformance.jobs import Job, run_job
from conformance.runner import Selection, plan, run
from conformance.saboteurs import Saboteur
from conformance.subject import Subject

from .parrot import PARROT


@pytest.fixture(autouse=True)
def alone(parrot: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    del parrot
    jobs._PASSED.clear()


def _saboteur(monkeypatch: pytest.MonkeyPatch, requirement: str, spoil: Any) -> Job:
    entry = Saboteur(f"{requirement}-made_up", requirement, "a sin", spoil)
    saboteurs.load([requirement.partition("-")[0]])
    monkeypatch.setitem(saboteurs._registry, entry.name, entry)
    return Job("openai", requirement, saboteur=entry.name)


def test_the_plan_follows_the_catalogue_and_each_requirement_its_saboteurs() -> None:
    jobs = plan(Selection(requirements=("REAL-04", "REAL-01")))
    assert [job.requirement for job in jobs if not job.saboteur] == ["REAL-01", "REAL-04"]
    order = [(job.requirement, job.saboteur) for job in jobs]
    assert order == sorted(order)
    assert {job.requirement for job in jobs if job.saboteur} == {"REAL-01", "REAL-04"}
    assert jobs == plan(Selection(requirements=("REAL-01", "REAL-04")))


def test_what_does_not_concern_a_subject_is_recorded_with_its_reason() -> None:
    (job,) = plan(Selection(requirements=("SEC-04",), kills=False))
    (record,) = run_job(job)
    assert (record["verdict"], record["detail"]) == ("not_applicable", "Parrot has no s3")


def test_an_excuse_wins_over_a_check(monkeypatch: pytest.MonkeyPatch) -> None:
    excused = replace(PARROT, not_applicable={"REAL-01": "it only repeats"})
    monkeypatch.setattr(subject, "load", lambda name: excused)
    (record,) = run_job(Job("openai", "REAL-01"))
    assert (record["verdict"], record["detail"]) == ("not_applicable", "it only repeats")


def test_every_case_is_a_record_of_its_own() -> None:
    records = run_job(Job("openai", "REAL-04"))
    assert [record["case"] for record in records] == ["answer", "error", "usage"]
    assert {record["verdict"] for record in records} == {"pass"}


def test_a_subject_without_cases_is_vacuous(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "load", lambda name: replace(PARROT, declared={}))
    (record,) = run_job(Job("openai", "REAL-02"))
    assert record["verdict"] == "vacuous"


def test_a_saboteur_is_caught_by_its_check(monkeypatch: pytest.MonkeyPatch) -> None:
    def mute(backend: Any) -> None:
        read_error = backend.read_error

        def spoilt(*arguments: Any) -> Any:
            error = read_error(*arguments)
            error.message = "no"
            return error

        backend.read_error = spoilt

    (record,) = run_job(_saboteur(monkeypatch, "REAL-04", mute))
    assert (record["killed"], record["by"], record["also"]) == (True, "assertion", [])


def test_a_harmless_saboteur_survives(monkeypatch: pytest.MonkeyPatch) -> None:
    (record,) = run_job(_saboteur(monkeypatch, "REAL-04", lambda backend: None))
    assert (record["killed"], record["by"], record["detail"]) == (False, "", "the check passed")


def test_a_case_that_the_good_backend_fails_catches_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A saboteur made from a broken backend is not caught by what was broken before."""

    def deaf(backend: Any) -> None:
        backend.read_error = None

    monkeypatch.setattr(subject, "load", lambda name: replace(PARROT, make=_spoilt(deaf)))
    (record,) = run_job(_saboteur(monkeypatch, "REAL-04", lambda backend: None))
    assert not record["killed"]


def test_what_else_notices_is_asked_of_the_first_subject_only(monkeypatch: pytest.MonkeyPatch) -> None:
    job = _saboteur(monkeypatch, "REAL-04", lambda backend: None)
    asked: list[str] = []
    monkeypatch.setattr(jobs, "_caught", lambda tried, other, *_, **__: (asked.append(other), (None, ""))[1])
    assert run_job(job)[0]["also"] == []
    assert asked == ["REAL-04", "REAL-01", "REAL-02"]
    entry = saboteurs.saboteurs()[job.saboteur]
    for changed in (replace(entry, subjects=("groq", "openai")), replace(entry, alone=True)):
        monkeypatch.setitem(saboteurs._registry, entry.name, changed)
        assert run_job(job)[0]["also"] is None
    assert asked[3:] == ["REAL-04", "REAL-04"]
    monkeypatch.setitem(saboteurs._registry, entry.name, entry)
    assert run_job(replace(job, others=False))[0]["also"] is None
    assert asked[5:] == ["REAL-04"]


def test_a_saboteur_is_made_from_the_rows_that_its_requirement_concerns(monkeypatch: pytest.MonkeyPatch) -> None:
    job = _saboteur(monkeypatch, "REAL-04", lambda backend: None)
    entry = replace(saboteurs.saboteurs()[job.saboteur], subjects=saboteurs.EVERY_ROW)
    monkeypatch.setitem(saboteurs._registry, entry.name, entry)
    excused = replace(PARROT, not_applicable={"REAL-04": "it only repeats"})
    monkeypatch.setattr(subject, "built", lambda: ("groq", "openai"))
    monkeypatch.setattr(subject, "load", lambda name: PARROT if name == "openai" else excused)
    jobs = plan(Selection(requirements=("REAL-04",)))
    assert [planned.subject for planned in jobs if planned.saboteur == job.saboteur] == ["openai"]


def test_a_saboteur_can_name_the_case_that_must_catch_it(monkeypatch: pytest.MonkeyPatch) -> None:
    job = _saboteur(monkeypatch, "REAL-04", lambda backend: setattr(backend, "read_error", None))
    named = replace(saboteurs.saboteurs()[job.saboteur], case="answer", alone=True)
    monkeypatch.setitem(saboteurs._registry, named.name, named)
    assert run_job(job)[0]["killed"] is False
    monkeypatch.setitem(saboteurs._registry, named.name, replace(named, case="error"))
    assert run_job(job)[0]["killed"] is True


def _spoilt(spoil: Any) -> Any:
    def make(site: Any, **settings: Any) -> Any:
        backend = PARROT.make(site, **settings)
        spoil(backend)
        return backend

    return make


def test_records_come_in_plan_order_and_progress_is_told() -> None:
    jobs = plan(Selection(requirements=("REAL-01", "REAL-04"), kills=False))
    told: list[str] = []
    records = list(run(jobs, ended=lambda job, found: told.append(job.requirement)))
    assert told == ["REAL-01", "REAL-04"]
    subjects, cases = records[:1], records[1:]
    assert [record["kind"] for record in subjects] == ["subject"]
    assert [record["requirement"] for record in cases] == ["REAL-01"] * 3 + ["REAL-04"] * 3


def test_the_subject_record_holds_claims_and_reality() -> None:
    record = subject_record("openai")
    assert (record["reality"], record["declared"]) == ("real", {"chat": "POST */chat/completions"})


def test_every_planned_requirement_is_known() -> None:
    assert {job.requirement for job in plan(Selection())} <= {requirement.id for requirement in catalogue.load()}
