"""The command ``python -m benchmarks``: which parts, how thorough, where the results go."""

from __future__ import annotations

import argparse
import datetime
import importlib
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from benchmarks import report, result_files, targets
from benchmarks.context import Context
from benchmarks.processes import ROOT
from benchmarks.progress import Progress

__all__ = ["main"]


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"benchmarks: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m benchmarks", description="Measure what the library costs and write reports/BENCHMARKS.md."
    )
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"what to measure, default all: {', '.join(result_files.PARTS)}"
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="a smoke run of a minute or two: does everything work? writes to a temporary folder unless told where",
    )
    parser.add_argument(
        "--report", action="store_true", help="measure nothing, write the report from the results that are there"
    )
    parser.add_argument("--rounds", type=_positive(int), help="interleaved rounds (5)")
    parser.add_argument("--seconds", type=_positive(float), help="length of one window (2)")
    parser.add_argument("--date", type=_date, help="a date to record with the results, YYYY-MM-DD")
    parser.add_argument(
        "--python",
        action="append",
        default=[],
        type=_interpreter,
        metavar="PACKAGE=PATH",
        help="measure a package in an environment of its own, e.g. litellm=/path/to/venv/bin/python",
    )
    parser.add_argument("--results", type=Path, help="folder of the results (benchmarks/results)")
    parser.add_argument("--reports", type=Path, help="folder of the report (reports)")
    return parser


def _positive(kind: type[int] | type[float]) -> Callable[[str], float]:
    def convert(text: str) -> float:
        value = kind(text)
        if not 0 < value < 100_000:
            raise argparse.ArgumentTypeError(f"{text} is not a positive number")
        return value

    convert.__name__ = "number"
    return convert


def _date(text: str) -> str:
    try:
        return datetime.date.fromisoformat(text).isoformat()
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date like 2026-11-21") from None


def _interpreter(text: str) -> tuple[str, str]:
    package, equals, path = text.partition("=")
    if not package or not equals or shutil.which(path) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not PACKAGE=PATH of an interpreter")
    return package, path


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0, or 2 for wrong options or damaged results.

    A target that is not reached is no failure of the run; the report says so.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    for part in options.parts:
        if part not in result_files.PARTS:
            parser.error(f"unknown part {part!r}; there are {', '.join(result_files.PARTS)}")
    if options.report and (options.parts or options.quick):
        parser.error("--report measures nothing: it goes with neither parts nor --quick")
    results, reports = _folders(options)
    context = _context(options)
    if not options.report:
        with context.progress:
            for part in options.parts or result_files.PARTS:
                found = importlib.import_module(f"benchmarks.{part}").measure(context)
                result_files.write(results, part, found, date=options.date, quick=options.quick)
    try:
        found = result_files.read(results)
    except result_files.DamagedError as problem:
        parser.error(str(problem))
    report.write(reports, found)
    for row in targets.rows(found):
        verdict, _, why = row.verdict.partition(": ")
        print(f"{verdict:<13} {row.what}: {row.figure or why} ({row.goal})")
    print(f"results in {results}, report in {reports / 'BENCHMARKS.md'}")
    return 0


def _folders(options: argparse.Namespace) -> tuple[Path, Path]:
    """Return where results and report go; a quick run never replaces measured figures by itself."""
    if options.quick and (options.results is None or options.reports is None):
        place = Path(tempfile.mkdtemp(prefix="benchmarks-"))
        return options.results or place / "results", options.reports or place / "reports"
    return options.results or result_files.FOLDER, options.reports or ROOT / "reports"


def _context(options: argparse.Namespace) -> Context:
    return Context(
        rounds=options.rounds or (1 if options.quick else 5),
        seconds=options.seconds or (0.2 if options.quick else 2.0),
        quick=options.quick,
        interpreters=dict(options.python),
        progress=Progress(shown=sys.stderr.isatty()),
    )
