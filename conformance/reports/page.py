"""Writes ``index.html``: one self-contained page to look and drill down. The template beside this module asks for no
network."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any, Final

from conformance.columns import COLUMNS
from conformance.frozen import contract
from conformance.reports.marks import WORDS
from conformance.requirement import Level
from conformance.summary import Cell, RowSummary, Summary
from conformance.verdict import Verdict

__all__ = ["render"]

_KILL: Final = ("saboteur", "subject", "requirement", "sin", "killed", "by", "also")


def render(summary: Summary) -> str:
    """Return the whole page."""
    template = files("conformance").joinpath("reports/page.template.html").read_text(encoding="utf-8")
    data = json.dumps(_data(summary), ensure_ascii=False, separators=(",", ":"))
    # Inside a script element only "<" could end it or open a comment.
    return template.replace("{{data}}", data.replace("<", "\\u003c"))


def _data(summary: Summary) -> dict[str, Any]:
    header = summary.evidence.header
    cells = summary.rows[0].cells
    return {
        "contract": contract().version,
        "lane": header["lane"],
        "seed": header["seed"],
        "complete": header["complete"],
        "verdicts": {verdict.value: {"means": WORDS[verdict]} for verdict in Verdict},
        "columns": {column.name: list(column.requirements) for column in COLUMNS},
        "requirements": {
            cell.requirement.id: {
                "must": cell.requirement.level is Level.MUST,
                "scored": cell.scored,
                "clause": cell.requirement.clause,
                "source": cell.requirement.source,
                "blackBox": cell.requirement.black_box,
            }
            for cell in cells
        },
        "backends": [_backend(entry) for entry in summary.rows],
        "kills": [
            # How a caught saboteur was noticed may hold a number that differs between runs; that stays in the evidence.
            {name: kill[name] for name in _KILL} | {"detail": "" if kill["killed"] else kill["detail"]}
            for kill in sorted(summary.evidence.kills, key=lambda kill: (kill["saboteur"], kill["subject"]))
        ],
    }


def _backend(entry: RowSummary) -> dict[str, Any]:
    return {
        "name": entry.row.name,
        "title": entry.row.title,
        "priority": entry.row.priority,
        "notes": entry.row.notes,
        "reality": entry.reality,
        "reasons": list(entry.reasons),
        "lane": entry.lane,
        "columns": [
            {
                "name": cell.name,
                "green": cell.green,
                "says": cell.text,
                "proven": cell.proven,
                "concerned": cell.concerned,
            }
            for cell in entry.columns
        ],
        "endpoints": [{"name": name, "route": route, "proven": proven} for name, route, proven in entry.endpoints],
        "cells": {cell.requirement.id: _cell(cell) for cell in entry.cells} if entry.reality != "absent" else {},
    }


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "verdict": cell.verdict.value,
        "detail": cell.detail,
        "cases": [list(case) for case in cell.cases],
        "saboteurs": list(cell.saboteurs),
    }
