"""What is said of a subject beside its cases: what it declares and excuses, and what static analysis says of its source."""

from __future__ import annotations

from conformance import subject
from conformance.jobs import Record
from conformance.reality import analyse_modules

__all__ = ["subject_record"]


def subject_record(name: str) -> Record:
    """Return the evidence record of a subject."""
    tried = subject.load(name)
    analysis = analyse_modules(tried.sources)
    return {
        "kind": "subject",
        "subject": tried.name,
        "reality": analysis.kind if analysis.kind != "absent" else "mock",
        "reasons": list(analysis.reasons[:50]),
        "declared": {name: case.route for name, case in sorted(tried.declared.items())},
        "excused": dict(sorted(tried.not_applicable.items())),
    }
