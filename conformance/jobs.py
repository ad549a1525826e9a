"""One unit of work of a run: what it finds, as evidence records. It knows no other job."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from conformance import catalogue, check, saboteurs, subject
from conformance.conduct import CATCHES, Outcome, conduct
from conformance.live import conduct_live
from conformance.machines.profiles import PROFILES, QUICK
from conformance.requirement import Requirement, chapter_of
from conformance.verdict import Verdict

__all__ = ["Job", "Record", "concerns", "neighbours", "not_applicable", "run_job"]

Record: TypeAlias = dict[str, Any]
_PASSED: Final[dict[tuple[str, str, str, int], tuple[subject.Subject, bool]]] = {}
"""Row, requirement, case and seed -> the subject that was tried in this process, and whether it passed."""


@dataclass(frozen=True, slots=True)
class Job:
    """One unit of work: every case of one requirement on one subject, or one saboteur on one subject.

    Attributes:
        subject, requirement, lane, seed: what is judged, by what, where, and the seed of every trial's random source.
        saboteur: the name of the saboteur that the requirement is shown; empty for the good backend.
        profile: how long machines are driven.
        others: a saboteur is shown to the other checks of its chapter as well, where it is to be.
    """

    subject: str
    requirement: str
    lane: str = "simulated"
    seed: int = 0
    saboteur: str = ""
    profile: str = QUICK.name
    others: bool = True

    @property
    def title(self) -> str:
        """For progress and for test ids."""
        return f"{self.subject} {self.saboteur or self.requirement}"


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
    records = []
    for case in cases:
        outcome = conduct(tried, requirement, found, case=case, seed=job.seed, profile=profile)
        if profile is QUICK:
            _PASSED[job.subject, job.requirement, case, job.seed] = tried, outcome.verdict is Verdict.PASS
        records.append({**base, "case": case, **_told(outcome)})
    return records


def concerns(name: str, requirement_id: str) -> bool:
    """Say whether a requirement concerns a subject."""
    return not_applicable(subject.load(name), catalogue.find(requirement_id)) is None


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
    if job.others and entry.asks_others(job.subject):
        also = [
            other
            for other in neighbours(job.requirement, registered)
            if concerns(job.subject, other) and _caught(tried, other, entry, job.seed, threads=False)[0] is not None
        ]
    record: Record = {
        "kind": "kill",
        "saboteur": entry.name,
        "subject": job.subject,
        "requirement": job.requirement,
        "sin": entry.sin,
    }
    return [{**record, "killed": caught is not None, "by": caught or "", "detail": detail, "also": also}]


def neighbours(requirement_id: str, registered: Iterable[str]) -> list[str]:
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
        outcome = conduct(tried, requirement, found, case=case, seed=seed, make=entry.wrap(tried.make))
        if outcome.kind not in CATCHES:
            detail = outcome.detail or "the check passed"
        elif outcome.threaded and not threads:
            detail = "noticed among threads"
        elif _passes(tried, requirement_id, case, seed):
            return outcome.kind, outcome.detail
        else:
            detail = f"the good backend fails as well: {outcome.detail}"
    return None, detail


def _shown_cases(cases: Sequence[str], requirement_id: str, entry: saboteurs.Saboteur) -> Sequence[str]:
    if entry.requirement != requirement_id or not entry.case:
        return cases
    return [case for case in cases if case == entry.case]


def _passes(tried: subject.Subject, requirement_id: str, case: str, seed: int) -> bool:
    """Say whether the good backend passes a case; it is tried once in each process, by whoever comes first."""
    key = (tried.name, requirement_id, case, seed)
    known = _PASSED.get(key)
    if known is None or known[0] is not tried:
        outcome = conduct(tried, catalogue.find(requirement_id), check.checks()[requirement_id], case=case, seed=seed)
        known = _PASSED[key] = tried, outcome.verdict is Verdict.PASS
    return known[1]
