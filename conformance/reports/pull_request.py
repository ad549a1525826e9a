"""Writes the gate's summary for a pull request: a page of Markdown that names what is worse first and stays short."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from conformance.baseline.gate import Change, Comparison
from conformance.reports.marks import escaped

__all__ = ["render"]

Document: TypeAlias = Mapping[str, Any]
_ROWS: Final = 12
"""How many backends, and how many things that are worse, are shown; the terminal names all."""
_NAMES: Final = 6
"""How many names stand in a list within a line."""


def render(baseline: Document, today: Document, found: Comparison, advice: str) -> str:
    """Return the whole page, 40 lines at most.

    Args:
        baseline, today: the two documents that were compared.
        found: what differs between them.
        advice: what to do next, in one line of Markdown.
    """
    mark = "❌" if found.worse else "✅"
    lines = [
        f"### {mark} Conformance: {len(found.worse)} worse, {len(found.better)} better",
        "",
        f"Contract {today['contract']}. {_totals(baseline, today)}",
        "",
        *_rows(baseline, today, found),
        *_worse(found.worse),
    ]
    if found.noted:
        lines += [f"Decides nothing: {_named([f'{change.backend} {change.what}' for change in found.noted])}.", ""]
    return "\n".join([*lines, advice, ""])


def _totals(baseline: Document, today: Document) -> str:
    parts = []
    for what, (proven, of), (was, was_of) in zip(
        ("Backends green", "requirements proven", "endpoints proven", "saboteurs caught"),
        _counts(today),
        _counts(baseline),
        strict=True,
    ):
        before = "" if (was, was_of) == (proven, of) else f" (was {was} of {was_of})"
        parts.append(f"{what}: {proven} of {of}{before}")
    return "; ".join(parts) + "."


def _counts(status: Document) -> list[tuple[int, int]]:
    backends = status["backends"].values()
    unscored = set(status.get("not_scored", ()))
    verdicts = [
        verdict
        for about in backends
        if about["implementation"] != "absent"
        for name, verdict in about["requirements"].items()
        if name not in unscored and verdict != "not_applicable"
    ]
    endpoints = [endpoint["proven"] for about in backends for endpoint in about["endpoints"].values()]
    kills = [about["killed"] for about in status["saboteurs"].values() if about["requirement"] not in unscored]
    green = [_overall(about)["green"] for about in backends if _overall(about)]
    return [
        (sum(green), len(status["backends"])),
        (verdicts.count("pass"), len(verdicts)),
        (sum(endpoints), len(endpoints)),
        (sum(kills), len(kills)),
    ]


def _overall(backend: Document) -> Mapping[str, Any]:
    overall: Mapping[str, Any] = backend.get("columns", {}).get("overall", {})
    return overall


def _rows(baseline: Document, today: Document, found: Comparison) -> list[str]:
    changed = list(dict.fromkeys(change.backend for change in (*found.worse, *found.better)))
    if not changed:
        return []
    lines = ["| backend | proven before | proven now | worse | better |", "|---|---|---|---|---|"]
    for name in changed[:_ROWS]:
        old, new = (_proven(document["backends"].get(name, {})) for document in (baseline, today))
        worse = sum(change.backend == name for change in found.worse)
        better = [change.what for change in found.better if change.backend == name]
        lines.append(f"| {escaped(name)} | {old} | {new} | {worse} | {_named(better) or '-'} |")
    return [*lines, *_rest(changed), ""]


def _proven(backend: Document) -> str:
    """The MUSTs that are proven of those that concern a backend."""
    overall = _overall(backend)
    return f"{overall['proven']}/{overall['concerned']}" if overall.get("concerned") else "-"


def _worse(worse: Sequence[Change]) -> list[str]:
    lines = [f"- **{escaped(change.backend)} {escaped(change.what)}**: {_told(change)}" for change in worse[:_ROWS]]
    return [*lines, *_rest(worse), ""] if lines else []


def _told(change: Change) -> str:
    text = escaped(str(change).partition(": ")[2])
    return text if len(text) <= 200 else text[:200] + "..."


def _rest(things: Sequence[object]) -> list[str]:
    """One line for what was left out; it may stand after a table or a list."""
    return [f"\n… and {len(things) - _ROWS} more."] if len(things) > _ROWS else []


def _named(names: Sequence[str]) -> str:
    left = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return escaped(", ".join(names[:_NAMES])) + left
