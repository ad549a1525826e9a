"""Writes SARIF 2.1.0: the requirements as rules, and as results every cell of a built backend that is not green and
every saboteur that survived, for programs that show findings beside code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from conformance.frozen import contract
from conformance.requirement import Level, Requirement
from conformance.rows import Row
from conformance.summary import ABSENT, Cell, Summary
from conformance.verdict import Verdict

__all__ = ["SCHEMA", "render"]

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_BROKEN: Final = (Verdict.FAIL, Verdict.VACUOUS, Verdict.KNOWN_FAILURE)
_SHOWN: Final = (*_BROKEN, Verdict.UNPROVEN, Verdict.UNKNOWN)


def render(summary: Summary) -> str:
    """Return the whole document."""
    requirements = [cell.requirement for cell in summary.rows[0].cells]
    places = {requirement.id: index for index, requirement in enumerate(requirements)}
    header = summary.evidence.header
    results = [
        _result(entry.row, cell, places)
        for entry in summary.rows
        if entry.reality != ABSENT
        for cell in entry.cells
        if cell.verdict in _SHOWN
    ]
    rows = {entry.row.name: entry.row for entry in summary.rows}
    survivors = [*summary.survivors(), *summary.survivors(scored=False)]
    results += [
        _survivor(rows[kill["subject"]], kill, places)
        for kill in sorted(survivors, key=lambda kill: (kill["subject"], kill["saboteur"]))
        if kill["subject"] in rows and kill["requirement"] in places
    ]
    driver = {
        "name": "conformance",
        "version": contract().version,
        "rules": [_rule(requirement) for requirement in requirements],
    }
    run = {
        "tool": {"driver": driver},
        "results": results,
        "properties": {"lane": header["lane"], "seed": header["seed"], "complete": header["complete"]},
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1, ensure_ascii=False) + "\n"


def _rule(requirement: Requirement) -> dict[str, Any]:
    applies_to = ", ".join(sorted(requirement.applies_to)) or "every backend"
    return {
        "id": requirement.id,
        "shortDescription": {"text": requirement.clause},
        "fullDescription": {"text": requirement.clause},
        "help": {"text": f"{requirement.level.value}. Source: {requirement.source}. Applies to: {applies_to}."},
        "defaultConfiguration": {"level": "error" if requirement.level is Level.MUST else "warning"},
        "properties": {
            "tags": [requirement.chapter, requirement.level.value],
            "scored": contract().scores(requirement.id),
            "blackBox": requirement.black_box,
        },
    }


def _level(cell: Cell) -> str:
    """A broken MUST is an error, a broken SHOULD or an unproven MUST a warning, everything else a note."""
    if not cell.scored or cell.verdict is Verdict.UNKNOWN:
        return "note"
    must = cell.requirement.level is Level.MUST
    if cell.verdict in _BROKEN:
        return "error" if must else "warning"
    return "warning" if must else "note"


def _result(row: Row, cell: Cell, places: Mapping[str, int]) -> dict[str, Any]:
    requirement, word = cell.requirement, cell.verdict.value.replace("_", " ")
    cases = [f"[{name}] {detail}" for name, verdict, detail in cell.cases if verdict in ("fail", "vacuous")]
    lines = [f"{row.title}, {word}: {requirement.clause}", *(cases or [cell.detail])]
    result = {
        "ruleId": requirement.id,
        "ruleIndex": places[requirement.id],
        "level": _level(cell),
        "message": _message(lines),
        "locations": [_location(row)],
        "partialFingerprints": {"conformanceCell/v1": f"{row.name} {requirement.id}"},
        "properties": {"verdict": cell.verdict.value, "scored": cell.scored},
    }
    if cell.verdict is Verdict.KNOWN_FAILURE:
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": cell.detail}]
    return result


def _survivor(row: Row, kill: Mapping[str, Any], places: Mapping[str, int]) -> dict[str, Any]:
    scored = contract().scores(kill["requirement"])
    lines = [f"The saboteur {kill['saboteur']}, made from {row.title}, survived: {kill['sin']}", kill["detail"]]
    return {
        "ruleId": kill["requirement"],
        "ruleIndex": places[kill["requirement"]],
        "level": "error" if scored else "note",
        "message": _message(lines),
        "locations": [_location(row)],
        "partialFingerprints": {"conformanceSaboteur/v1": f"{row.name} {kill['saboteur']}"},
        "properties": {"verdict": "survived", "scored": scored},
    }


def _message(lines: list[str]) -> dict[str, str]:
    """What evidence quotes from a broken backend need not be text: a lone surrogate is written as ``\\ud800``."""
    return {"text": "\n".join(lines).encode("utf-8", "backslashreplace").decode("utf-8")}


def _location(row: Row) -> dict[str, Any]:
    """The row, and the module that puts it under the contract: some readers show nothing that lies in no file."""
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": f"conformance/subjects/{row.name}.py"},
            "region": {"startLine": 1},
        },
        "logicalLocations": [{"name": row.name, "fullyQualifiedName": f"backends/{row.name}", "kind": "module"}],
    }
