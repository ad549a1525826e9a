"""How verdicts look: one mark and one word each, the same in every report. Only a pass is green."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from conformance.summary import ColumnCell
from conformance.verdict import Verdict

__all__ = ["MARKS", "WORDS", "column_text", "driven", "escaped"]

MARKS: Final = {
    Verdict.PASS: "✅",
    Verdict.FAIL: "❌",
    Verdict.KNOWN_FAILURE: "🟠",
    Verdict.NOT_APPLICABLE: "n/a",
    Verdict.UNPROVEN: "🔸",
    Verdict.VACUOUS: "⭕",
    Verdict.UNKNOWN: "❔",
}
WORDS: Final = {
    Verdict.PASS: "the check ran, exchanged traffic, asserted something, and is known to reject a broken backend",
    Verdict.FAIL: "the check found the clause broken",
    Verdict.KNOWN_FAILURE: "it fails, and the baseline says so with a reason and an issue",
    Verdict.NOT_APPLICABLE: "does not concern this backend, for a declared reason",
    Verdict.UNPROVEN: "the check passed, but no saboteur is known to be caught by it",
    Verdict.VACUOUS: "the check proved nothing: no assertion, no traffic, or a fault that never fired",
    Verdict.UNKNOWN: "there is no current evidence",
}


def column_text(cell: ColumnCell) -> str:
    """Return what a cell of the status matrix says."""
    if cell.green:
        return "✅"
    if cell.text == "n/a":
        return "n/a"
    if cell.concerned and cell.text == "not built":
        return f"{cell.proven}/{cell.concerned}, other columns not built"
    if cell.concerned:
        verdict = Verdict(cell.text.replace(" ", "_"))
        return f"{MARKS[verdict]} {cell.proven}/{cell.concerned}"
    return cell.text


def driven(run: Mapping[str, Any]) -> str:
    """Return how long a state machine was driven."""
    return (
        f"machine {run['machine']}: {run['steps']} steps in {run['examples']} examples"
        f" ({run['profile']}, seed {run['seed']})"
    )


def escaped(text: str) -> str:
    """Return text that cannot break a Markdown table."""
    return " ".join(text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "'").split())
