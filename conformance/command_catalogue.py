"""The commands about the catalogue: ``list``, ``explain`` and ``freeze``. They run no check."""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from conformance import catalogue, check, frozen, saboteurs
from conformance.command_line import UsageError, one_of
from conformance.console import evidence_of, is_stale, say
from conformance.reports.marks import driven
from conformance.requirement import Requirement
from conformance.saboteurs import Saboteur
from conformance.summary import ABSENT, Summary, summarise

__all__ = ["command_explain", "command_freeze", "command_list"]


def command_list(asked: argparse.Namespace) -> int:
    """Print the catalogue, chapter by chapter; with ``--lint`` what is wrong with it, and status 1 if anything is."""
    with _versions():
        contract = frozen.contract()
    if asked.lint:
        return _lint(contract.version)
    requirements = catalogue.load()
    added = [requirement for requirement in requirements if not contract.scores(requirement.id)]
    say(f"Contract {contract.version}: {len(contract.clauses)} requirements scored, {len(added)} added since.")
    for requirement in requirements:
        marks = (
            ("B" if requirement.black_box else " ")
            + ("-" if requirement.unchecked else " ")
            + ("+" if requirement in added else " ")
        )
        say(f"{requirement.id:<8}{requirement.level.value:<7}{marks} {requirement.clause}")
    say("B: judged at the wire alone.  -: no check yet.  +: added since this version: run and shown, not scored.")
    return 0


@contextmanager
def _versions() -> Iterator[None]:
    """Answer a version that is damaged, or none at all, as a mistake that somebody can mend."""
    try:
        yield
    except ValueError as error:
        raise UsageError(str(error)) from None


def _lint(version: str) -> int:
    from conformance.lint import lint

    problems = lint()
    for problem in problems:
        say(f"LINT     {problem}")
    say(
        f"{len(problems)} problems in the catalogue of contract {version}."
        if problems
        else f"The catalogue of contract {version} is sound."
    )
    return 1 if problems else 0


def command_freeze(asked: argparse.Namespace) -> int:
    """Write today's catalogue down as a new version of the contract; from then on all of it is scored."""
    with _versions():
        before = {entry for version in frozen.versions()[-1:] for entry in version.clauses}
    try:
        path = frozen.freeze(asked.version, catalogue.load())
    except frozen.FreezeError as error:
        raise UsageError(str(error)) from None
    except OSError as error:
        raise UsageError(f"{asked.version} cannot be written ({error.strerror}); freeze in a checkout") from None
    now = {requirement.id for requirement in catalogue.load()}
    say(f"Contract {asked.version}: {len(now)} requirements, {len(now - before)} added, {len(before - now)} retired.")
    say(f"Commit {path} and the reports that `conformance run` writes.")
    return 0


def command_explain(asked: argparse.Namespace) -> int:
    """Print everything known about one requirement, the last evidence included."""
    requirement = catalogue.find(one_of("requirement", asked.id.upper(), [entry.id for entry in catalogue.load()]))
    evidence_path: Path = asked.evidence
    summary = summarise(evidence_of(evidence_path)) if evidence_path.exists() else None
    say(f"{requirement.id} ({requirement.level.value}{', black box' if requirement.black_box else ''})")
    say(f"  {requirement.clause}")
    say(f"  source:     {requirement.source}")
    say(f"  applies to: {', '.join(sorted(requirement.applies_to)) or 'every backend'}")
    with _versions():
        since = frozen.first_version(requirement.id)
    say(f"  contract:   {f'scored since {since}' if since else 'added since the last version, not scored yet'}")
    if requirement.unasked:
        say(f"  clients:    not asked: {requirement.unasked}")
    for line in (*_checks(requirement), *_saboteurs(requirement, summary), *_verdicts(requirement, summary, asked)):
        say(f"  {line}")
    return 0


def _checks(requirement: Requirement) -> Iterator[str]:
    found = [(lane, check.checks(lane).get(requirement.id)) for lane in check.lanes()]
    judged = [(lane, one) for lane, one in found if one is not None]
    for lane, one in judged:
        yield f"check:      {one.body.__module__}.{one.body.__name__} (lane {lane})"
        yield from (f"            {line}".rstrip() for line in (inspect.getdoc(one.body) or "").splitlines())
    if not judged:
        yield f"check:      none yet: {requirement.unchecked}"


def _saboteurs(requirement: Requirement, summary: Summary | None) -> Iterator[str]:
    broken_by = [entry for entry in saboteurs.load().values() if entry.requirement == requirement.id]
    for entry in broken_by:
        yield f"saboteur:   {entry.name}: {entry.sin}"
        if summary is not None:
            yield f"            {_fate(entry, summary)}"
    if not broken_by:
        yield "saboteur:   none yet, so a pass stays unproven"


def _fate(entry: Saboteur, summary: Summary) -> str:
    """Say what became of a saboteur in the evidence, for each backend that it was made from."""
    told = [
        f"caught on {kill['subject']} by {kill['by']}" if kill["killed"] else f"survived on {kill['subject']}"
        for kill in summary.evidence.kills
        if kill["saboteur"] == entry.name
    ]
    return ", ".join(told) or "not in the evidence"


def _verdicts(requirement: Requirement, summary: Summary | None, asked: argparse.Namespace) -> Iterator[str]:
    if summary is None:
        yield f"evidence:   none; `conformance run --requirement {requirement.id}` writes {asked.evidence}"
        return
    stale = ", of other code than today's" if is_stale(summary.evidence) else ""
    yield f"evidence:   {asked.evidence} (lane {summary.evidence.header['lane']}{stale})"
    for entry in summary.rows:
        cell = next(cell for cell in entry.cells if cell.requirement.id == requirement.id)
        says = f"{cell.verdict.value.replace('_', ' ')}{': ' if cell.detail else ''}{cell.detail}"
        yield f"            {entry.row.name:<9}{'not in the evidence' if entry.reality == ABSENT else says}"
        yield from (f"            {'':<9}{driven(run)}" for run in cell.machines)
    for run in summary.evidence.machines:
        if requirement.id in run["requirements"]:
            yield f"            {run['verdict']}: {driven(run)}"
