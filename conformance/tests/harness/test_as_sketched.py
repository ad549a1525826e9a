"""The backend as the plan sketched it fails exactly what its defects break, and nothing else."""

from __future__ import annotations

from typing import Any

from backends.discretion import discreet
from conformance import catalogue, check
from conformance.conduct import conduct
from conformance.jobs import not_applicable
from conformance.saboteurs.as_sketched import DEFECTS, as_sketched
from conformance.subjects.openai import SUBJECT
from conformance.verdict import Verdict


@discreet  # the harness's own frames show no settings; what a backend's show is judged
def _sketched(site: Any, **settings: Any) -> Any:
    backend = SUBJECT.make(site, **settings)
    as_sketched(backend)
    return backend


def _fails(requirement_id: str) -> bool:
    requirement = catalogue.find(requirement_id)
    judged = check.load()[requirement_id]
    for case in judged.cases_for(SUBJECT):
        outcome = conduct(SUBJECT, requirement, judged, case=case, make=_sketched, guard=3.0)
        # A leak is what the harness notices after any check; that nothing is left behind is judged by KEY-07 itself.
        if outcome.verdict is Verdict.FAIL and outcome.kind != "leak":
            return True
    return False


def test_the_sketch_fails_exactly_the_requirements_of_its_defects() -> None:
    """Every defect is caught where it belongs, and no check rejects the sketch for what it does right."""
    expected = {requirement for requirements in DEFECTS.values() for requirement in requirements} - check.COSTLY
    concerned = [
        requirement_id
        for requirement_id in check.load()
        if not_applicable(SUBJECT, catalogue.find(requirement_id)) is None
        and requirement_id not in check.COSTLY  # the kill matrix shows the sketch to these
    ]
    assert expected <= set(concerned)
    assert {requirement_id for requirement_id in concerned if _fails(requirement_id)} == expected
