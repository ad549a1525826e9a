"""Writes ``status.json``: the verdicts for programs, and the baseline of the gate. Its schema is
``status.schema.json``."""

from __future__ import annotations

import json
from typing import Any

from conformance.frozen import contract
from conformance.summary import RowSummary, Summary

__all__ = ["document", "render"]


def document(summary: Summary) -> dict[str, Any]:
    """Return the document as JSON values."""
    header = summary.evidence.header
    return {
        "version": 1,
        "contract": contract().version,
        "not_scored": [cell.requirement.id for cell in summary.rows[0].cells if not cell.scored],
        "lane": header["lane"],
        "complete": header["complete"],
        "backends": {entry.row.name: _backend(entry) for entry in summary.rows},
        "saboteurs": {
            f"{kill['saboteur']} on {kill['subject']}": {"requirement": kill["requirement"], "killed": kill["killed"]}
            for kill in sorted(summary.evidence.kills, key=lambda kill: (kill["saboteur"], kill["subject"]))
        },
    }


def _backend(entry: RowSummary) -> dict[str, Any]:
    return {
        "title": entry.row.title,
        "implementation": entry.reality,
        "priority": entry.row.priority,
        "highest_lane": entry.lane or None,
        "columns": {
            cell.name: {"green": cell.green, "says": cell.text, "proven": cell.proven, "concerned": cell.concerned}
            for cell in entry.columns
        },
        "endpoints": {name: {"route": route, "proven": proven} for name, route, proven in entry.endpoints},
        "requirements": {cell.requirement.id: cell.verdict.value for cell in entry.cells},
    }


def render(summary: Summary) -> str:
    """Return the document as text."""
    return json.dumps(document(summary), indent=1, ensure_ascii=False) + "\n"
