"""What the commands do: ``run``, ``report``, ``serve`` and ``reality`` here, the others in modules of their own. Each
takes parsed arguments and returns an exit status; what cannot be done is a ``UsageError``."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from conformance import catalogue, check, subject
from conformance.command_blackbox import foreign_evidence, run_subjects, write_scoreboard
from conformance.command_catalogue import command_explain, command_freeze, command_list
from conformance.command_gate import command_gate
from conformance.command_line import REPORTS, UsageError, one_of
from conformance.command_subjects import command_subjects
from conformance.console import evidence_of, is_stale, say, warn_if_stale, writable_file, write
from conformance.evidence import Writer, read
from conformance.frozen import contract
from conformance.machines.profiles import PROFILES
from conformance.progress import Progress
from conformance.rows import ROWS
from conformance.runner import Selection, plan, run, subject_records
from conformance.summary import Summary, summarise

__all__ = [
    "command_explain",
    "command_freeze",
    "command_gate",
    "command_list",
    "command_reality",
    "command_report",
    "command_run",
    "command_serve",
    "command_subjects",
]


# -- run
# -------------------------------------------------------------------------------------------------------------------


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
        _writable(folder)
    for option, path in _machine_readable(asked):
        writable_file(path, option)
    try:
        writer = Writer(
            asked.evidence,
            lane=selection.lane,
            seed=selection.seed,
            complete=selection.complete,
            profile=selection.profile,
        )
    except OSError as error:
        raise UsageError(
            f"evidence cannot be written to {asked.evidence} ({error.strerror}); name another --evidence FILE"
        ) from None
    with writer, Progress(len(jobs)) as progress:
        for record in subject_records({job.subject for job in jobs}):
            writer.add(record)
        for record in run(jobs, processes=asked.processes, ended=progress.ended):
            writer.add(record)
        for record in _machines(selection):
            writer.add(record)
    summary = summarise(read(asked.evidence))
    _write_machine_readable(summary, asked)
    return _conclude(summary, selection, asked.evidence, folder)


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
    """Drive the machines by themselves where the profile has the time for it."""
    profile = PROFILES[selection.profile]
    if profile.machines and selection.lane == "simulated":
        from conformance.machines.campaign import campaign

        yield from campaign(profile, selection.seed, selection.requirements)


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
    if folder is not None:
        _write(summary, folder)
        say(f"Look at {folder / 'index.html'} or {folder / 'API_IMPLEMENTATION_STATUS.md'}; evidence: {evidence}")
    else:
        say(
            f"Look at the evidence: {evidence} (a partial run leaves {REPORTS}/ as it is; --reports DIR writes reports)"
        )
    return 1 if failures or survivors or mended or broken else 0


def _skipped(selection: Selection) -> list[str]:
    if selection.lane != "live":
        return []
    from conformance.live import missing_variables

    names = [name for name in subject.built() if not selection.backends or name in selection.backends]
    missing = ((name, missing_variables(subject.load(name))) for name in names)
    return [f"SKIPPED  {name}: {reason}" for name, reason in missing if reason]


def _writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise UsageError(
            f"reports cannot be written to {folder} ({error.strerror}); name another folder with --reports DIR"
        ) from None


# -- report
# -------------------------------------------------------------------------------------------------------


def _write(summary: Summary, folder: Path) -> None:
    from conformance.reports import render

    try:
        for name, text in render(summary).items():
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise UsageError(
            f"reports cannot be written to {folder} ({error.strerror}); name another folder with --reports DIR"
        ) from None


def _machine_readable(asked: argparse.Namespace) -> list[tuple[str, Path]]:
    """Return the files for other programs that were asked for, by option."""
    return [(f"--{name}", getattr(asked, name)) for name in ("junit", "sarif") if getattr(asked, name) is not None]


def _write_machine_readable(summary: Summary, asked: argparse.Namespace) -> None:
    from conformance.reports import junit, sarif

    writers = {"--junit": junit.render, "--sarif": sarif.render}
    for option, path in _machine_readable(asked):
        write(path, writers[option](summary), option)


def command_report(asked: argparse.Namespace) -> int:
    """Rewrite the reports, or with ``--check`` say whether they are those of the evidence and of today's code."""
    if asked.check and _machine_readable(asked):
        raise UsageError("--check writes nothing; leave it out to write --junit or --sarif")
    evidence = evidence_of(asked.evidence)
    summary = summarise(evidence)
    if not asked.check:
        _writable(asked.reports)
        _write(summary, asked.reports)
        write_scoreboard(asked.reports)
        _write_machine_readable(summary, asked)
        warn_if_stale(evidence)
        say(f"Look at {asked.reports / 'index.html'} or {asked.reports / 'API_IMPLEMENTATION_STATUS.md'}")
        return 0
    from conformance.reports import render, scoreboard

    due = render(summary) | scoreboard.render(asked.reports, foreign_evidence)
    old = [name for name, text in due.items() if not _same(asked.reports / name, text)]
    if is_stale(evidence):
        say("Out of date: the evidence is of other code than today's; run `conformance run` and commit the reports.")
        return 1
    if old:
        names = ", ".join(str(asked.reports / name) for name in old)
        say(f"Out of date: {names}; run `conformance run` and commit the reports.")
        return 1
    say(f"{asked.reports} is up to date with {asked.evidence}.")
    return 0


def _same(path: Path, text: str) -> bool:
    try:
        return path.read_bytes() == text.encode("utf-8")
    except FileNotFoundError:
        return False
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror})") from None


# -- the others
# ------------------------------------------------------------------------------------------------------------


def command_serve(asked: argparse.Namespace) -> int:
    """Serve the simulated providers until interrupted."""
    try:
        from conformance.simulators.serve import serve
    except ImportError as error:
        raise UsageError(
            f"serving needs {error.name or error}; run `pip install backends-conformance[conformance]`"
        ) from None
    from conformance.simulators.registry import NAMES

    providers = tuple(one_of("simulated provider", name, (*NAMES, "s3_kit")) for name in asked.provider)
    try:
        asyncio.run(serve(asked.port, providers or None))
    except RuntimeError as error:
        raise UsageError(str(error)) from None
    except OSError as error:
        raise UsageError(
            f"port {asked.port} cannot be used ({error.strerror}); choose another, or 0 for a free one"
        ) from None
    return 0


def command_reality(asked: argparse.Namespace) -> int:
    """Judge source text; status 1 unless all of it is real."""
    from conformance.reality import analyse, as_json, as_text

    try:
        analysis = analyse(asked.path)
    except FileNotFoundError:
        raise UsageError(f"{asked.path} does not exist; name a Python file or a folder") from None
    except ValueError as error:
        raise UsageError(f"{error}; name a Python file or a folder") from None
    except OSError as error:
        raise UsageError(f"{asked.path} cannot be read ({error.strerror})") from None
    sys.stdout.write(as_json(analysis) if asked.json else as_text(analysis))
    return 0 if analysis.kind == "real" else 1
