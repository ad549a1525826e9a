"""What an earlier run has found and would be found again: its clean verdicts under the same fingerprint.

A case that is taken over says so, and from which run it is, however often it is taken over again. A failure, a survivor and
whatever has no fingerprint are never taken over. Where a saboteur must be tried again though neither it nor any check of its
chapter has changed, only its own check is shown it again: what the others noticed is taken over, with a note of its own. It
reads no file and runs nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from conformance.evidence import Evidence, Record
from conformance.fingerprints import Fingerprints
from conformance.jobs import Job

__all__ = ["Stamped"]

_CLEAN: Final = frozenset({"pass", "not_applicable"})


class Stamped:
    """Puts fingerprints on findings, and takes findings over from an earlier run.

    Args:
        prints: tells the fingerprints.
        previous: the earlier run; None takes nothing over.
    """

    def __init__(self, prints: Fingerprints, previous: Evidence | None = None) -> None:
        self._prints = prints
        self._from = str(previous.header.get("run", "")) if previous is not None else ""
        self._known: dict[tuple[str, ...], list[Record]] = {}
        self._claims = dict(previous.subjects) if previous is not None else {}
        for record in (*previous.cases, *previous.kills) if previous is not None and self._from else ():
            self._known.setdefault(_of(record), []).append(record)

    @property
    def surroundings(self) -> str:
        """See :attr:`conformance.fingerprints.Fingerprints.surroundings`."""
        return self._prints.surroundings

    def taken(self, job: Job) -> list[Record] | None:
        """Return what the earlier run has found of a job; None when it must run."""
        known = self._known.get(_of_whom(job), [])
        if not known or not all(map(_is_clean, known)):
            return None
        if any(record.get("fingerprint") != self._prints.of_job(job) for record in known):
            return None
        return [{**record, "from": record.get("from", self._from)} for record in known]

    def needed(self, job: Job) -> Job:
        """Return what must run of a job that is not taken over."""
        return replace(job, others=False) if self._earlier_others(job) else job

    def stamped(self, job: Job, records: list[Record]) -> list[Record]:
        """Return findings with the fingerprint of their job, and with what need not run of it."""
        return [
            {**record, **self._others_of(job, record), "fingerprint": self._prints.of_job(job)} for record in records
        ]

    def taken_claim(self, name: str) -> Record | None:
        """Return the earlier run's record of a subject; None when it must be made anew."""
        known = self._claims.get(name)
        if not self._from or known is None or known.get("fingerprint") != self._prints.of_subject(name):
            return None
        return {**known, "from": known.get("from", self._from)} if known["reality"] == "real" else None

    def stamped_claim(self, record: Record) -> Record:
        """Return the record of a subject with its fingerprint."""
        return {**record, "fingerprint": self._prints.of_subject(record["subject"])}

    def _others_of(self, job: Job, record: Record) -> Record:
        """Return what is to be told of the other checks that were shown a saboteur."""
        earlier = self._earlier_others(job)
        if earlier is not None:
            return earlier
        return {"also_fingerprint": self._prints.of_others(job)} if record.get("also") is not None else {}

    def _earlier_others(self, job: Job) -> Record | None:
        """Return what the other checks noticed in the earlier run; None when they must be shown the saboteur again."""
        if not job.saboteur:
            return None
        for known in self._known.get(_of_whom(job), []):
            if (
                _is_clean(known)
                and known["also"] is not None
                and known.get("also_fingerprint") == self._prints.of_others(job)
            ):
                asked_by = known.get("also_from", known.get("from", self._from))
                return {"also": known["also"], "also_fingerprint": known["also_fingerprint"], "also_from": asked_by}
        return None


def _of_whom(job: Job) -> tuple[str, ...]:
    return job.subject, job.requirement, job.lane, job.saboteur


def _of(record: Record) -> tuple[str, ...]:
    lane = record.get("lane", "simulated")  # saboteurs are tried in that lane only
    return record["subject"], record["requirement"], lane, record.get("saboteur", "")


def _is_clean(record: Record) -> bool:
    return bool(record["killed"]) if record["kind"] == "kill" else record["verdict"] in _CLEAN
