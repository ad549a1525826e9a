"""What can be said of a requirement, and how the verdicts of its cases become one. Only a pass is green."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

__all__ = ["Verdict", "combined"]


class Verdict(StrEnum):
    """What is known of one requirement on one subject."""

    PASS = "pass"
    """The check ran, exchanged traffic, asserted something, and is known to reject a broken backend."""
    FAIL = "fail"
    """The check found the clause broken."""
    KNOWN_FAILURE = "known_failure"
    """It fails, and the baseline says so with a reason and an issue."""
    NOT_APPLICABLE = "not_applicable"
    """The clause does not concern this subject; the reason is declared."""
    UNPROVEN = "unproven"
    """The check passed, but no saboteur is known to be caught by it."""
    VACUOUS = "vacuous"
    """The check proved nothing: no assertion, no traffic, or a fault that never fired."""
    UNKNOWN = "unknown"
    """There is no current evidence."""


_WORST_FIRST: Final = (
    Verdict.FAIL,
    Verdict.KNOWN_FAILURE,
    Verdict.VACUOUS,
    Verdict.UNKNOWN,
    Verdict.UNPROVEN,
    Verdict.PASS,
    Verdict.NOT_APPLICABLE,
)


def combined(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst of the cases' verdicts; unknown when there are none."""
    present = set(verdicts)
    return next((verdict for verdict in _WORST_FIRST if verdict in present), Verdict.UNKNOWN)
