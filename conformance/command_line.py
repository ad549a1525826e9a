"""The command ``conformance``: what may be asked and how mistakes are answered. The work is done in
:mod:`conformance.commands`.

Exit status, of every command: 0 all is well; 1 the contract is broken, the reports are out of date, something got worse,
or the catalogue is unsound; 2 the request makes no sense or a file it needs is absent or damaged, told in one line on
standard error that says what to do.
"""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

__all__ = ["EVIDENCE", "REPORTS", "UsageError", "main"]

EVIDENCE: Final = Path(".conformance/evidence.jsonl")
"""Where evidence is written and read unless told otherwise."""
REPORTS: Final = Path("reports")
_LANES: Final = ("simulated", "mocked", "real", "live")


class UsageError(Exception):
    """The caller asked for something that cannot be done; the message is one line and says what to do."""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, with the nearest option."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing a page of usage.

        Raises:
            UsageError: always.
        """
        known = [option for action in self._actions for option in action.option_strings]
        for word in message.replace("=", " ").replace(":", " ").split():
            near = (
                difflib.get_close_matches(word, known, n=1, cutoff=0.6)
                if word.startswith("--") and word not in known
                else []
            )
            if near:
                message += f"; did you mean {near[0]}?"
                break
        raise UsageError(f"{message} (see `{self.prog} --help`)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status: 0 well, 1 the contract is broken, 2 the request makes no sense."""
    try:
        parser = _parser()
        asked, left = parser.parse_known_args(arguments)
        if left:
            asked.parser.error(f"unrecognized arguments: {' '.join(left)}")
        from conformance import commands

        status: int = getattr(commands, f"command_{asked.command}")(asked)
    except UsageError as problem:
        print(f"conformance: {' '.join(str(problem).split())}", file=sys.stderr)  # noqa: T201 - this is a command line
        return 2
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except KeyboardInterrupt:
        return 130
    return status


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="conformance", description="Prove, by running, what each backend really does.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)

    def command(name: str, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
        made.set_defaults(parser=made)
        return made

    run = command("run", "run the contract and write evidence and reports")
    run.add_argument("--backend", action="append", default=[], metavar="NAME", help="only this backend (repeatable)")
    run.add_argument(
        "--subject",
        action="append",
        default=[],
        metavar="NAME|COMMAND",
        help="judge this client at the wire alone instead (repeatable); see `conformance subjects` and blackbox/PROTOCOL.md",
    )
    run.add_argument(
        "--provider", action="append", default=[], metavar="NAME", help="ask a subject about this provider (repeatable)"
    )
    run.add_argument(
        "--requirement", action="append", default=[], metavar="ID", help="only this requirement (repeatable)"
    )
    run.add_argument("--lane", default="simulated", choices=_LANES, help="where: %(choices)s")
    run.add_argument("--seed", default=0, type=_whole, metavar="N", help="of every trial's random source (default 0)")
    run.add_argument(
        "--profile",
        default="quick",
        choices=("quick", "deep"),
        help="how long state machines are driven: quick (default), or deep, which takes minutes and shortens its finds",
    )
    run.add_argument(
        "-n",
        "--processes",
        default=_as_many_as_pay(),
        type=_processes,
        metavar="N",
        help="run in N processes (default: cores plus one)",
    )
    run.add_argument(
        "--changed",
        action="store_true",
        help="run what changed since the run in the evidence file, and take the rest over from it",
    )
    run.add_argument(
        "--no-saboteurs", action="store_true", help="leave the kill matrix out; what passes stays unproven"
    )
    run.add_argument(
        "--reports", type=Path, metavar="DIR", help="where to write the reports (default reports/ for a whole run)"
    )
    _machine_readable(run)
    _evidence(run)
    serve = command("serve", "serve the simulated providers over HTTP")
    serve.add_argument("--port", default=0, type=_port, metavar="N", help="0 picks a free one (default)")
    serve.add_argument(
        "--provider", action="append", default=[], metavar="NAME", help="only this provider (repeatable)"
    )
    report = command("report", "rewrite the reports from evidence")
    report.add_argument("--check", action="store_true", help="write nothing; exit 1 when the reports are out of date")
    report.add_argument(
        "--reports", type=Path, default=REPORTS, metavar="DIR", help="folder of the reports (default reports/)"
    )
    _machine_readable(report)
    _evidence(report)
    gate = command("gate", "exit 1 when anything got worse than the baseline")
    gate.epilog = (
        "Exit status: 0 nothing got worse; 1 something did; 2 the baseline or the evidence is absent or damaged."
    )
    gate.add_argument(
        "--baseline", type=Path, default=REPORTS / "status.json", metavar="FILE", help="default reports/status.json"
    )
    gate.add_argument(
        "--raise",
        "--update",
        dest="lift",
        action="store_true",
        help="write today's verdicts as the baseline, unless anything got worse",
    )
    gate.add_argument(
        "--markdown", type=Path, metavar="FILE", help="write a short summary for a pull request; - is standard output"
    )
    _evidence(gate)
    reality = command("reality", "real, partial or mock? static analysis of a backend's source")
    reality.add_argument("path", type=Path, nargs="?", metavar="PATH", help="a Python file or a folder")
    reality.add_argument("--json", action="store_true", help="as JSON")
    reality.add_argument(
        "--corpus", action="store_true", help="how often the analysis errs on a labelled corpus (PATH, or our own)"
    )
    listed = command("list", "the catalogue of requirements")
    listed.add_argument(
        "--lint", action="store_true", help="say what is wrong with the catalogue; exit 1 if anything is"
    )
    explain = command("explain", "one requirement in full, with what the last evidence says of it")
    explain.add_argument("id", metavar="ID")
    _evidence(explain)
    subjects = command("subjects", "the foreign clients that can be judged, and what they need")
    subjects.add_argument(
        "--prepare", action="append", default=[], metavar="NAME", help="make the environment of this one (repeatable)"
    )
    freeze = command("freeze", "write the catalogue down as a new version of the contract: all of it is scored")
    freeze.add_argument("version", metavar="VERSION", help="year and month: 2026.11, or 2026.11.2")
    return parser


def _machine_readable(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write JUnit XML for other programs")
    parser.add_argument("--sarif", type=Path, metavar="FILE", help="write SARIF 2.1.0 for other programs")


def _evidence(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--evidence", type=Path, default=EVIDENCE, metavar="FILE", help=f"default {EVIDENCE}")


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None


def _processes(text: str) -> int:
    number = _whole(text)
    if not 0 <= number <= 256:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 256")
    return number or _as_many_as_pay()


def _as_many_as_pay() -> int:
    """Return one process more than cores: some trials wait for threads or child processes."""
    import os

    return (os.cpu_count() or 1) + 1


def _port(text: str) -> int:
    number = _whole(text)
    if not 0 <= number <= 65_535:
        raise argparse.ArgumentTypeError(f"{text} is not a port; ports are 0 to 65535")
    return number


def one_of(what: str, name: str, known: Iterable[str]) -> str:
    """Return ``name`` if it is known.

    Raises:
        UsageError: it is not; the message has the nearest name.
    """
    names = list(known)
    if name in names:
        return name
    folded = {entry.lower().replace("-", "").replace("_", ""): entry for entry in names}
    near: list[Any] = difflib.get_close_matches(
        name.lower().replace("-", "").replace("_", ""), list(folded), n=1, cutoff=0.5
    )
    hint = f"did you mean {folded[near[0]]}?" if near else f"known: {', '.join(names[:20])}"
    raise UsageError(f"there is no {what} {name!r}; {hint}")
