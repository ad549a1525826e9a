"""The backend as the plan sketched it fails what its defects break, and nothing else.

That it fails what they break is shown by every run of the contract: it is one of the saboteurs of each of them.
"""

from __future__ import annotations

from typing import Any

from backends.discretion import discreet
from conformance import catalogue, check, saboteurs
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
        outcome = conduct(SUBJECT, requirement, judged, case=case, make=_sketched)
        # A leak is what the harness notices after any check; that nothing is left behind is judged by KEY-07 itself.
        if outcome.verdict is Verdict.FAIL and outcome.kind != "leak":
            return True
    return False


EXPECTED = {requirement for requirements in DEFECTS.values() for requirement in requirements}


def test_every_requirement_of_a_defect_is_shown_the_sketch() -> None:
    """So the kill matrix says of each whether it rejects the sketch."""
    shown = {found.requirement for found in saboteurs.load().values() if found.name.endswith("-as_sketched")}
    assert shown == EXPECTED
    assert {requirement for requirement in EXPECTED if not_applicable(SUBJECT, catalogue.find(requirement))} == set()


def test_no_other_check_rejects_the_sketch() -> None:
    """What the sketch does right is not held against it."""
    concerned = [
        requirement_id
        for requirement_id in check.load()
        if not_applicable(SUBJECT, catalogue.find(requirement_id)) is None
        and requirement_id not in check.COSTLY  # the kill matrix shows the sketch to these
        and requirement_id not in EXPECTED
    ]
    assert len(concerned) > len(EXPECTED)
    assert {requirement_id for requirement_id in concerned if _fails(requirement_id)} == set()
