"""The command ``python -m benchmarks.mutation``: take verdicts over, judge the list of equivalent mutants, write the report."""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.mutation import equivalent, report, taking, verdicts

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status.

    0 is well; 1 means that the list of equivalent mutants is wrong, that ``--check`` found another report, or that the
    target was missed; 2 means damaged files.
    """
    options = _parser().parse_args(arguments)
    try:
        if options.take:
            verdicts.write(taking.take(taking.mutmut(), sample=options.sample), options.verdicts)
        run, listed = verdicts.read(options.verdicts), equivalent.read(options.equivalent)
    except verdicts.DamagedError as problem:
        print(f"mutation: {problem}", file=sys.stderr)
        return 2
    wrong = equivalent.errors(run, listed)
    page, path = report.render(run, listed), options.reports / "MUTATION.md"
    if not options.check:
        path.write_text(page, "utf-8")
    elif not path.exists() or path.read_text("utf-8") != page:
        wrong.append(f"{path.name} is not what the verdicts say; run `python -m benchmarks.mutation`")
    whole = report.total(report.scores(run, listed).values())
    if whole.share is None or whole.share < report.TARGET:
        wrong.append(f"the target of {report.TARGET:.0%} is missed")
    for complaint in wrong:
        print(f"mutation: {complaint}", file=sys.stderr)
    print(f"{whole.killed} killed of {whole.run - whole.equivalent} run and not equivalent: {whole.percent}")
    if changed := _changed(run):
        print(f"changed since they were run: {', '.join(changed)}")
    return 1 if wrong else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.mutation",
        description="Write reports/MUTATION.md from the verdicts of a mutation run.",
    )
    parser.add_argument(
        "--take", action="store_true", help="first take the verdicts over from mutants/, mutmut's folder"
    )
    parser.add_argument("--sample", default="", metavar="WORDS", help="with --take: which mutants were run, if not all")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the report is another")
    parser.add_argument("--verdicts", type=Path, default=verdicts.FILE, help="file of the verdicts")
    parser.add_argument("--equivalent", type=Path, default=equivalent.FILE, help="file of the equivalent mutants")
    parser.add_argument("--reports", type=Path, default=verdicts.ROOT / "reports", help="folder of the report")
    return parser


def _changed(run: verdicts.Run) -> list[str]:
    """Return the modules that are no longer what they were when their mutants were run."""
    found = []
    for name, module in run.modules.items():
        path = verdicts.ROOT.joinpath(*name.split(".")).with_suffix(".py")
        now = hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""
        if not now.startswith(module.source):
            found.append(name)
    return found
