"""From evidence to verdicts: one cell per subject and requirement, columns over cells, and what is counted from them.

Pure: the same evidence gives the same summary. Every report is written from a summary, so no two can disagree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from conformance import catalogue
from conformance.baseline.known import KnownFailure, known_failures
from conformance.columns import COLUMNS
from conformance.evidence import Evidence
from conformance.frozen import contract
from conformance.machines.profiles import Tally
from conformance.requirement import Level, Requirement
from conformance.rows import ROWS, Row
from conformance.verdict import Verdict, combined

__all__ = ["ABSENT", "Cell", "ColumnCell", "RowSummary", "Summary", "summarise"]

ABSENT: Final = "absent"
"""Reality of a backend that is not built."""
_LANES: Final = ("simulated", "mocked", "real", "live")
"""From the lowest to the highest."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One requirement on one subject.

    Attributes:
        requirement: which.
        verdict: what is known.
        detail: why, for anything but a pass.
        cases: case name -> (verdict, detail).
        saboteurs: names of those that the check caught, whatever they were made from.
        own: names of those among them that were made from this very subject.
        lanes: where its cases passed.
        machines: state machines that its check drove, as they stand in the evidence.
    """

    requirement: Requirement
    verdict: Verdict
    detail: str
    cases: tuple[tuple[str, str, str], ...] = ()
    saboteurs: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    lanes: tuple[str, ...] = ()
    machines: tuple[Mapping[str, Any], ...] = ()

    @property
    def scored(self) -> bool:
        """Whether it decides anything: False until a contract version freezes the requirement."""
        return contract().scores(self.requirement.id)


@dataclass(frozen=True, slots=True)
class ColumnCell:
    """One column on one row: ``green`` only when every scored MUST that applies is proven."""

    name: str
    green: bool
    text: str
    proven: int
    concerned: int


@dataclass(frozen=True, slots=True)
class RowSummary:
    """One backend in the reports.

    Attributes:
        row: name, title, priority, notes.
        reality: real, partial, mock or absent.
        reasons: why it is not real.
        cells: one per requirement, in catalogue order.
        columns: those of the status matrix, then ``overall``.
        endpoints: declared call -> (route, proven).
        lane: the highest lane in which something was proven; empty for none.
    """

    row: Row
    reality: str
    reasons: tuple[str, ...]
    cells: tuple[Cell, ...]
    columns: tuple[ColumnCell, ...]
    endpoints: tuple[tuple[str, str, bool], ...]
    lane: str

    @property
    def overall(self) -> ColumnCell:
        """The last column."""
        return self.columns[-1]


@dataclass(frozen=True, slots=True)
class Summary:
    """Everything that the reports say."""

    evidence: Evidence
    rows: tuple[RowSummary, ...]

    def failures(self, *, scored: bool = True) -> list[tuple[str, Cell]]:
        """Return the scored cells that break the contract, failed or vacuous; or those that are not scored."""
        return [
            (entry.row.name, cell)
            for entry in self.rows
            for cell in entry.cells
            if cell.verdict in (Verdict.FAIL, Verdict.VACUOUS) and cell.scored is scored
        ]

    def survivors(self, *, scored: bool = True) -> list[Mapping[str, Any]]:
        """Return the saboteurs of scored requirements that no check caught; or those of requirements not scored."""
        return [
            kill
            for kill in self.evidence.kills
            if not kill["killed"] and contract().scores(kill["requirement"]) is scored
        ]

    def driven(self) -> Tally:
        """Return what state machines were driven in all, in cases and by themselves."""
        runs = [run for entry in self.rows for cell in entry.cells for run in cell.machines]
        runs += self.evidence.machines
        return Tally(sum(run["examples"] for run in runs), sum(run["steps"] for run in runs))

    def mended(self) -> list[KnownFailure]:
        """Return known failures that no longer fail: they must leave the list."""
        verdicts = {(entry.row.name, cell.requirement.id): cell.verdict for entry in self.rows for cell in entry.cells}
        good = (Verdict.PASS, Verdict.UNPROVEN, Verdict.NOT_APPLICABLE)
        return [known for key, known in sorted(known_failures().items()) if verdicts.get(key) in good]


def summarise(evidence: Evidence, requirements: Iterable[Requirement] | None = None) -> Summary:
    """Return the summary of a stream of evidence; ``requirements`` are the catalogue's unless given."""
    wanted = tuple(catalogue.load() if requirements is None else requirements)
    caught: dict[str, dict[str, set[str]]] = {}
    for kill in evidence.kills:
        if kill["killed"]:
            caught.setdefault(kill["requirement"], {}).setdefault(kill["saboteur"], set()).add(kill["subject"])
    by_cell: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for case in evidence.cases:
        by_cell.setdefault((case["subject"], case["requirement"]), []).append(case)
    rows = tuple(_row(row, evidence, wanted, caught, by_cell) for row in ROWS)
    return Summary(evidence, rows)


def _row(
    row: Row,
    evidence: Evidence,
    requirements: tuple[Requirement, ...],
    caught: Mapping[str, Mapping[str, set[str]]],
    by_cell: Mapping[tuple[str, str], list[Mapping[str, Any]]],
) -> RowSummary:
    about = evidence.subjects.get(row.name)
    cells = tuple(
        _cell(row.name, requirement, by_cell.get((row.name, requirement.id), []), caught, built=about is not None)
        for requirement in requirements
    )
    columns = [*(_column(column.name, column.requirements, cells, about) for column in COLUMNS)]
    columns.append(_overall(cells, columns, about))
    declared = about["declared"] if about is not None else {}
    return RowSummary(
        row,
        about["reality"] if about is not None else ABSENT,
        tuple(about["reasons"]) if about is not None else (),
        cells,
        tuple(columns),
        tuple((name, route, _proven(name, cells)) for name, route in sorted(declared.items())),
        next((lane for lane in reversed(_LANES) if any(lane in cell.lanes for cell in cells)), ""),
    )


def _cell(
    subject: str,
    requirement: Requirement,
    cases: list[Mapping[str, Any]],
    caught: Mapping[str, Mapping[str, set[str]]],
    *,
    built: bool,
) -> Cell:
    made_from = caught.get(requirement.id, {})
    saboteurs = tuple(sorted(made_from))
    own = tuple(name for name in saboteurs if subject in made_from[name])
    listed = tuple(sorted((_case_name(case), case["verdict"], case["detail"]) for case in cases))
    lanes = tuple(lane for lane in _LANES if any(case["lane"] == lane and case["verdict"] == "pass" for case in cases))
    verdict = combined(Verdict(case["verdict"]) for case in cases)
    # An excuse in one lane says nothing about what another lane found.
    details = [detail for _, case_verdict, detail in listed if case_verdict == verdict.value and detail]
    detail = details[0] if details else ""
    if verdict is Verdict.UNKNOWN:
        detail = "no current evidence" if built else "not built yet"
    elif verdict is Verdict.PASS and not saboteurs:
        verdict, detail = Verdict.UNPROVEN, "no saboteur is caught by this check"
    elif verdict is Verdict.FAIL and (subject, requirement.id) in known_failures():
        known = known_failures()[subject, requirement.id]
        verdict, detail = Verdict.KNOWN_FAILURE, f"{known.reason} ({known.issue})"
    machines = tuple(driven for case in cases for driven in case.get("machines", ()))
    return Cell(requirement, verdict, detail, listed, saboteurs, own, lanes, machines)


def _case_name(case: Mapping[str, Any]) -> str:
    name: str = case["case"] or "whole"
    return name if case["lane"] == "simulated" else f"{name} ({case['lane']})"


def _column(name: str, ids: tuple[str, ...], cells: tuple[Cell, ...], about: Mapping[str, Any] | None) -> ColumnCell:
    if about is None:
        return ColumnCell(name, False, ABSENT, 0, 0)
    musts = [cell for cell in _musts(cells) if cell.requirement.id in ids]
    if not musts:
        return ColumnCell(name, False, "not built", 0, 0)
    return _judged(name, musts)


def _musts(cells: tuple[Cell, ...]) -> list[Cell]:
    """Return the cells that decide about green."""
    return [cell for cell in cells if cell.scored and cell.requirement.level is Level.MUST]


def _judged(name: str, musts: list[Cell]) -> ColumnCell:
    concerned = [cell for cell in musts if cell.verdict is not Verdict.NOT_APPLICABLE]
    proven = sum(cell.verdict is Verdict.PASS for cell in concerned)
    if not concerned:
        return ColumnCell(name, False, "n/a", 0, 0)
    if proven == len(concerned):
        return ColumnCell(name, True, "yes", proven, proven)
    worst = combined(cell.verdict for cell in concerned)
    return ColumnCell(name, False, worst.value.replace("_", " "), proven, len(concerned))


def _overall(cells: tuple[Cell, ...], columns: list[ColumnCell], about: Mapping[str, Any] | None) -> ColumnCell:
    """Green needs every scored MUST of the catalogue and every column that concerns the backend."""
    if about is None:
        return ColumnCell("overall", False, ABSENT, 0, 0)
    found = _judged("overall", _musts(cells))
    missing = [column.name for column in columns if column.text == "not built"]
    if found.green and missing:
        return ColumnCell("overall", False, "not built", found.proven, found.concerned)
    return found


def _proven(call: str, cells: tuple[Cell, ...]) -> bool:
    """Say whether a declared call is proven: its CAP-01 and CAP-02 cases passed, and saboteurs prove both checks."""
    for requirement_id in ("CAP-01", "CAP-02"):
        cell = next((cell for cell in cells if cell.requirement.id == requirement_id), None)
        if cell is None or not cell.saboteurs:
            return False
        if not any(_same_call(name, call) and verdict == "pass" for name, verdict, _ in cell.cases):
            return False
        if any(_same_call(name, call) and verdict != "pass" for name, verdict, _ in cell.cases):
            return False
    return True


def _same_call(case: str, call: str) -> bool:
    """Cases of a call are named after it, with an optional further word: ``chat``, ``chat stream``, ``chat (live)``."""
    return case == call or case.startswith(call + " ")
