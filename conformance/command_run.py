"""The command ``conformance run``: the contract over backends, evidence written line by line, and what came of it.

Exit status: 0 all is well; 1 the contract is broken; 2 the request makes no sense or a file cannot be written.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from conformance import catalogue, check, subject
from conformance.command_blackbox import run_subjects
from conformance.command_line import REPORTS, UsageError, one_of
from conformance.console import named, say, writable_file
from conformance.evidence import Evidence, EvidenceError, read
from conformance.evidence_writer import Writer
from conformance.fingerprints import Fingerprints
from conformance.frozen import contract
from conformance.kill_lines import kill_lines
from conformance.machines.profiles import PROFILES
from conformance.progress import Progress
from conformance.report_files import machine_readable, writable_folder, write_machine_readable, write_reports
from conformance.reuse import Stamped
from conformance.rows import ROWS
from conformance.runner import Selection, plan, run
from conformance.summary import Summary, summarise

__all__ = ["command_run"]

_MOST_NAMED: Final = 5


def command_run(asked: argparse.Namespace) -> int:
    """Run the contract, write evidence and reports, and say what failed and where to look."""
    if asked.subject:
        return run_subjects(asked)
    if asked.provider:
        raise UsageError("--provider says what a subject is asked about; name one with --subject")
    selection = _selection(asked)
    jobs = plan(selection)
    if not jobs:
        raise UsageError(_nothing_to_run(selection))
    folder: Path | None = asked.reports or (REPORTS if selection.complete and selection.lane == "simulated" else None)
    if folder is not None:
        writable_folder(folder)
    for option, path in machine_readable(asked):
        writable_file(path, option)
    stamps = _stamps(asked, selection)
    with _writer(asked, selection, stamps) as writer, Progress(len(jobs)) as progress:
        machines: list[dict[str, Any]] | None = None
        for record in run(jobs, processes=asked.processes, ended=progress.ended, stamps=stamps):
            writer.add(record)
            if machines is None:
                machines = list(_machines(selection))  # now, while the other processes are at work
        for record in machines or ():
            writer.add(record)
    summary = summarise(read(asked.evidence))
    write_machine_readable(summary, asked)
    return _conclude(summary, selection, asked.evidence, folder)


def _stamps(asked: argparse.Namespace, selection: Selection) -> Stamped | None:
    """Return what says which findings are taken over; None for a run that takes none over and whose own no later run may."""
    if asked.changed and selection.lane != "simulated":
        raise UsageError(f"--changed takes over what was simulated; leave it out for --lane {selection.lane}")
    if not asked.changed and (not selection.complete or selection.lane != "simulated"):
        return None
    previous = _previous(asked.evidence) if asked.changed else None
    return Stamped(Fingerprints(), previous)


def _previous(path: Path) -> Evidence | None:
    """Return the evidence of the earlier run, or say why there is nothing to take over."""
    try:
        found = read(path)
    except EvidenceError as error:
        say(f"Nothing is taken over, everything runs: {error}")
        return None
    if "run" not in found.header:
        say(
            f"Nothing is taken over, everything runs: {path} is not of a whole simulated run, nor of one with --changed"
        )
        return None
    return found


def _writer(asked: argparse.Namespace, selection: Selection, stamps: Stamped | None) -> Writer:
    surroundings = stamps.surroundings if stamps is not None else None
    try:
        return Writer(
            asked.evidence,
            lane=selection.lane,
            seed=selection.seed,
            complete=selection.complete,
            surroundings=surroundings,
            profile=selection.profile,
        )
    except OSError as error:
        raise UsageError(
            f"evidence cannot be written to {asked.evidence} ({error.strerror}); name another --evidence FILE"
        ) from None


def _selection(asked: argparse.Namespace) -> Selection:
    rows = [row.name for row in ROWS]
    backends = tuple(dict.fromkeys(one_of("backend", name, rows) for name in asked.backend))
    absent = [name for name in backends if name not in subject.built()]
    if absent:
        raise UsageError(f"backend {absent[0]} is not built yet; built: {', '.join(subject.built()) or 'none'}")
    ids = [requirement.id for requirement in catalogue.load()]
    requirements = tuple(dict.fromkeys(one_of("requirement", name, ids) for name in asked.requirement))
    return Selection(backends, requirements, asked.lane, asked.seed, not asked.no_saboteurs, asked.profile)


def _machines(selection: Selection) -> Iterator[dict[str, Any]]:
    """Drive the machines by themselves, as long as the profile says."""
    if selection.lane == "simulated":
        from conformance.machines.campaign import campaign

        yield from campaign(PROFILES[selection.profile], selection.seed, selection.requirements)


def _nothing_to_run(selection: Selection) -> str:
    if not subject.built():
        return "no backend is built yet, so there is nothing to run"
    lanes = check.lanes()
    if selection.lane == "live" and _skipped(selection):
        return "; ".join(reason.removeprefix("SKIPPED").strip() for reason in _skipped(selection))
    if selection.lane not in lanes:
        return f"no check runs in the lane {selection.lane} yet; lanes with checks: {', '.join(lanes)}"
    asked = ", ".join(selection.requirements) or "the selection"
    return f"no check judges {asked} in the lane {selection.lane} yet; see `conformance list`"


def _conclude(summary: Summary, selection: Selection, evidence: Path, folder: Path | None) -> int:
    failures, survivors, mended = summary.failures(), summary.survivors(), summary.mended()
    for name, cell in failures:
        cases = [f"[{case}] {detail}" for case, verdict, detail in cell.cases if verdict in ("fail", "vacuous")]
        say(f"{cell.verdict.value.upper():<8} {name} {cell.requirement.id}: {cell.requirement.clause}")
        for case in cases:
            say(f"         {case}")
    for kill in survivors:
        say(f"SURVIVED {kill['saboteur']} ({kill['sin']}): {kill['detail']}")
    for known in mended:
        say(
            f"MENDED   {known.subject} {known.requirement} no longer fails: take it out of baseline/known_failures.json"
        )
    for name, cell in summary.failures(scored=False):
        say(f"UNSCORED {name} {cell.requirement.id}, added since contract {contract().version}: {cell.detail}")
    for kill in summary.survivors(scored=False):
        say(f"UNSCORED {kill['saboteur']} survived ({kill['sin']}): {kill['detail']}")
    for reason in _skipped(selection):
        say(reason)
    broken = [entry for entry in summary.evidence.machines if entry["verdict"] == "fail"]
    for entry in broken:
        say(f"FAIL     machine {entry['machine']}: {entry['detail']}")
    if (driven := summary.driven()).steps:
        say(
            f"State machines took {driven.steps} steps in {driven.examples} examples"
            f" (again: --profile {selection.profile} --seed {selection.seed})."
        )
    told = summary.evidence.cases
    passed = sum(case["verdict"] == "pass" for case in told)
    kills = summary.evidence.kills
    say(
        f"{passed} of {len(told)} cases passed, {len(failures)} requirements broken, "
        f"{sum(kill['killed'] for kill in kills)} of {len(kills)} saboteurs caught."
    )
    if selection.complete and selection.lane == "simulated":
        for line in kill_lines(summary):
            say(line)
    if "run" in summary.evidence.header:
        over = summary.evidence.taken_over
        say(f"{len(told) + len(kills) - over} run, {over} reused.")
        if summary.evidence.others_taken_over:
            say(
                f"{summary.evidence.others_taken_over} saboteurs were shown to their own check alone: what the others notice is"
                " of an earlier run; `conformance run` asks them again."
            )
    if folder is not None:
        write_reports(summary, folder)
        say(f"Look at {folder / 'index.html'} or {folder / 'API_IMPLEMENTATION_STATUS.md'}; evidence: {evidence}")
    else:
        say(
            f"Look at the evidence: {evidence} (a partial run leaves {REPORTS}/ as it is; --reports DIR writes reports)"
        )
    red = {
        "requirements broken": [f"{name} {cell.requirement.id}" for name, cell in failures],
        "saboteurs survived": [kill["saboteur"] for kill in survivors],
        "known failures mended": [f"{known.subject} {known.requirement}" for known in mended],
        "machines failed": [entry["machine"] for entry in broken],
    }
    if any(red.values()):
        say(f"RED, status 1, each told above: {'; '.join(_few(what, names) for what, names in red.items() if names)}.")
        return 1
    return 0


def _few(what: str, names: Sequence[str]) -> str:
    return f"{what}: {named(names, _MOST_NAMED)}"


def _skipped(selection: Selection) -> list[str]:
    if selection.lane != "live":
        return []
    from conformance.live import missing_variables

    names = [name for name in subject.built() if not selection.backends or name in selection.backends]
    missing = ((name, missing_variables(subject.load(name))) for name in names)
    return [f"SKIPPED  {name}: {reason}" for name, reason in missing if reason]
