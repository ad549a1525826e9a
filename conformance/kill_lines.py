"""The kill matrix in a few lines, for the end of a whole run: what is proven, and which checks catch how many saboteurs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from conformance.requirement import CHAPTERS, chapter_of
from conformance.summary import Summary

__all__ = ["kill_lines"]

_MOST_OTHERS: Final = 3
"""How many other checks may notice a saboteur on average; more, and the checks do not tell one fault from another."""


def kill_lines(summary: Summary) -> Iterator[str]:
    """Return a line for each chapter, requirements that nothing proves, and how sharp the checks are."""
    kills = summary.evidence.kills
    caught = Counter(kill["requirement"] for kill in kills if kill["killed"])
    ids = [cell.requirement.id for cell in summary.rows[0].cells]
    yield "Saboteurs caught, by the check that caught them:"
    for chapter in CHAPTERS:
        found = [f"{name} {caught[name]}" for name in ids if chapter_of(name) == chapter and caught[name]]
        if found:
            yield f"  {', '.join(found)}"
    unproven = [name for name in ids if not caught[name]]
    named = f": {', '.join(unproven)}" if unproven else ""
    yield f"{len(ids) - len(unproven)} requirements proven, {len(unproven)} unproven{named}."
    others = [len(kill["also"]) for kill in kills if kill["also"] is not None]
    if others:
        average = sum(others) / len(others)
        yield (
            f"A saboteur is noticed by {average:.1f} other checks on average (at most {_MOST_OTHERS} wanted); "
            "each with its checks: kill_matrix.md."
        )
