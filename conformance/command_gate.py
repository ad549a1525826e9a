"""The command ``conformance gate``: nothing may get worse than the baseline, and what got better raises it.

Exit status: 0 nothing got worse; 1 something did, each thing on a line of its own, and the baseline is left as it is;
2 the baseline or the evidence is absent or damaged, or the evidence takes over findings of earlier runs, or a file cannot be
written.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from conformance.baseline.gate import BaselineError, Change, Comparison, MissingBaselineError, compare, read_baseline
from conformance.command_line import EVIDENCE, UsageError
from conformance.console import evidence_of, named, say, warn_if_stale, write
from conformance.evidence import Evidence
from conformance.reports import pull_request, status_json
from conformance.summary import Summary, summarise

__all__ = ["command_gate"]

_NAMES: Final = 8
"""How many better things of one backend are named on its line."""


def command_gate(asked: argparse.Namespace) -> int:
    """Compare the evidence with the baseline; raise the baseline when that is asked and nothing got worse."""
    baseline = _baseline(asked)
    evidence = evidence_of(asked.evidence)
    _refuse_taken_over(evidence, asked.evidence)
    warn_if_stale(evidence)
    summary = summarise(evidence)
    if baseline is None:
        _raise(asked.baseline, summary)
        say(f"There was no baseline; {asked.baseline} is the first.")
        return 0
    found = compare(baseline, summary)
    if asked.markdown is not None:
        advice = f"`{_raising(asked)}` raises the baseline." if found.better and not found.worse else _judged(found)
        page = pull_request.render(baseline, status_json.document(summary), found, advice)
        if asked.markdown == Path("-"):
            sys.stdout.write(page)
        else:
            write(asked.markdown, page, "--markdown")
    if asked.lift and not found.worse:
        _raise(asked.baseline, summary)
    for line in _told(found, asked):
        # A page on standard output is for another program; people then read the other stream.
        print(line, file=sys.stderr if asked.markdown == Path("-") else sys.stdout)
    return 1 if found.worse else 0


def _refuse_taken_over(evidence: Evidence, path: Path) -> None:
    """A gate rests on what was run, not on what a file says of an earlier run."""
    over = evidence.taken_over + evidence.others_taken_over
    if over:
        raise UsageError(f"{path} takes over {over} findings of earlier runs; make it whole with `conformance run`")


def _baseline(asked: argparse.Namespace) -> dict[str, Any] | None:
    """Return the baseline; None when there is none and the first is to be written."""
    try:
        return read_baseline(asked.baseline)
    except MissingBaselineError as error:
        if asked.lift:
            return None
        raise UsageError(str(error)) from None
    except BaselineError as error:
        raise UsageError(str(error)) from None


def _raise(path: Path, summary: Summary) -> None:
    write(path, status_json.render(summary), "--baseline")


def _told(found: Comparison, asked: argparse.Namespace) -> Iterator[str]:
    yield from (f"WORSE    {change}" for change in found.worse)
    yield from (f"NOTED    {change}; it decides nothing" for change in found.noted)
    for backend in dict.fromkeys(change.backend for change in found.better):
        yield f"BETTER   {backend}: {_named([change for change in found.better if change.backend == backend])}"
    yield f"{_judged(found)} Baseline: {asked.baseline}."
    if found.worse and asked.lift:
        yield "The baseline is left as it is: it is raised only when nothing got worse."
    elif asked.lift:
        yield f"{asked.baseline} now says what the evidence says."
    elif found.better and not found.worse:
        yield f"Raise the baseline: {_raising(asked)}"


def _judged(found: Comparison) -> str:
    worse = f"{len(found.worse)} got worse" if found.worse else "Nothing got worse"
    return f"{worse}, {len(found.better)} got better."


def _named(changes: list[Change]) -> str:
    return named([f"{change.what} {change.after}" for change in changes], _NAMES)


def _raising(asked: argparse.Namespace) -> str:
    """Return the command that raises this baseline to this evidence."""
    words = ["conformance", "gate", "--raise", "--baseline", str(asked.baseline)]
    if asked.evidence != EVIDENCE:
        words += ["--evidence", str(asked.evidence)]
    return shlex.join(words)
