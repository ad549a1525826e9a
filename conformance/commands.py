"""What the commands do: ``report``, ``serve`` and ``reality`` here, the others in modules of their own. Each
takes parsed arguments and returns an exit status; what cannot be done is a ``UsageError``."""

from __future__ import annotations

import argparse
import asyncio
import sys

from conformance.command_blackbox import foreign_evidence, write_scoreboard
from conformance.command_catalogue import command_explain, command_freeze, command_list
from conformance.command_gate import command_gate
from conformance.command_line import UsageError, one_of
from conformance.command_run import command_run
from conformance.command_subjects import command_subjects
from conformance.console import evidence_of, is_stale, say, warn_if_stale
from conformance.report_files import (
    differing_lines,
    machine_readable,
    same,
    writable_folder,
    write_machine_readable,
    write_reports,
)
from conformance.summary import summarise

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


# -- report
# -------------------------------------------------------------------------------------------------------


def command_report(asked: argparse.Namespace) -> int:
    """Rewrite the reports, or with ``--check`` say whether they are those of the evidence and of today's code."""
    if asked.check and machine_readable(asked):
        raise UsageError("--check writes nothing; leave it out to write --junit or --sarif")
    evidence = evidence_of(asked.evidence)
    summary = summarise(evidence)
    if not asked.check:
        writable_folder(asked.reports)
        write_reports(summary, asked.reports)
        write_scoreboard(asked.reports)
        write_machine_readable(summary, asked)
        warn_if_stale(evidence)
        say(f"Look at {asked.reports / 'index.html'} or {asked.reports / 'API_IMPLEMENTATION_STATUS.md'}")
        return 0
    from conformance.reports import render, scoreboard

    due = render(summary) | scoreboard.render(asked.reports, foreign_evidence)
    old = [name for name, text in due.items() if not same(asked.reports / name, text)]
    if is_stale(evidence):
        say("Out of date: the evidence is of other code than today's; run `conformance run` and commit the reports.")
        return 1
    if old:
        names = ", ".join(str(asked.reports / name) for name in old)
        say(f"Out of date: {names}; run `conformance run` and commit the reports.")
        for name in old:
            for line in differing_lines(asked.reports / name, due[name]):
                say(line)
        return 1
    say(f"{asked.reports} is up to date with {asked.evidence}.")
    return 0


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
    """Judge source text; status 1 unless all of it is real. With ``--corpus`` judge a labelled corpus; status 1 when the
    analysis errs too often."""
    from conformance.reality import SourceError, analyse, as_json, as_text

    if asked.corpus:
        return _corpus(asked)
    if asked.path is None:
        raise UsageError("reality needs a PATH; name a Python file or a folder, or ask for --corpus")
    try:
        analysis = analyse(asked.path)
    except SourceError as error:
        raise UsageError(str(error)) from None
    except OSError as error:
        raise UsageError(f"{asked.path} cannot be read ({error.strerror})") from None
    _show(as_json(analysis) if asked.json else as_text(analysis))
    return 0 if analysis.kind == "real" else 1


def _corpus(asked: argparse.Namespace) -> int:
    from conformance.reality.corpus import FOLDER, CorpusError, figures, judgements
    from conformance.reports import reality

    if asked.json:
        raise UsageError("--corpus is written as Markdown only; leave --json out")
    try:
        text = reality.render(asked.path or FOLDER)
        found = judgements(asked.path or FOLDER)
    except CorpusError as error:
        raise UsageError(str(error)) from None
    _show(text)
    parts = (figures(one for one in found if bool(one.method) is methods) for methods in (True, False))
    return 0 if all(part.suffices for part in parts) else 1


def _show(text: str) -> None:
    """Write text to standard output, whatever characters that can take."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
