"""``reports/MUTATION.md``: a pure function of the verdicts and of the list of equivalent mutants."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.mutation.verdicts import KILLED, LETTERS, NOT_RUN, TIMED_OUT, UNNOTICED, Change, Run

__all__ = ["TARGET", "Score", "render", "scores"]

TARGET: Final = 0.85
"""The share to be killed, of the mutants that were run and are not equivalent."""
_SHOWN: Final = 160


@dataclass(frozen=True, slots=True)
class Score:
    """The mutants of one module, or of all."""

    made: int
    killed: int
    timed_out: int
    unnoticed: int
    equivalent: int

    @property
    def run(self) -> int:
        """How many were run."""
        return self.killed + self.timed_out + self.unnoticed + self.equivalent

    @property
    def share(self) -> float | None:
        """The killed of those that were run and are not equivalent; None where there are none. A timeout is no kill."""
        most = self.run - self.equivalent
        return self.killed / most if most else None

    @property
    def percent(self) -> str:
        """The share in per cent; empty where there is none."""
        return "" if self.share is None else _percent(self.share)


def _percent(share: float) -> str:
    """Return a share cut off after one digit, never rounded up."""
    return f"{int(share * 1000) / 10:.1f} %"


def scores(run: Run, equivalent: Iterable[str]) -> dict[str, Score]:
    """Return the scores by module."""
    listed = set(equivalent)
    counted: dict[str, Counter[str]] = {name: Counter() for name in run.modules}
    for mutant, letter in run.verdicts():
        kind = "equivalent" if mutant in listed and letter != NOT_RUN else letter
        counted[_module(mutant, run)][kind] += 1
    return {name: _score(count) for name, count in counted.items()}


def _score(count: Counter[str]) -> Score:
    made = sum(count[kind] for kind in (*LETTERS, "equivalent"))
    unnoticed = sum(count[letter] for letter in UNNOTICED)
    return Score(made, count[KILLED], count[TIMED_OUT], unnoticed, count["equivalent"])


def total(found: Iterable[Score]) -> Score:
    """Return the sum."""
    rows = [(one.made, one.killed, one.timed_out, one.unnoticed, one.equivalent) for one in found]
    return Score(*(sum(column) for column in zip(*rows, strict=True)))


def _module(mutant: str, run: Run) -> str:
    return next(name for name in run.modules if mutant.startswith(f"{name}."))


def render(run: Run, equivalent: Mapping[str, tuple[Change, str]]) -> str:
    """Return the page."""
    by_module = scores(run, equivalent)
    whole = total(by_module.values())
    reached = "reached" if whole.share is not None and whole.share >= TARGET else "not reached"
    left = {name: change for name, change in run.changes.items() if name not in equivalent}
    slow = {name for name, letter in run.verdicts() if letter == TIMED_OUT}
    blocks = [
        "# Mutation",
        "Written by `python -m benchmarks.mutation` from `verdicts.json` and `equivalent.json` beside it; not edited by "
        f"hand. {run.tool} under Python {run.python} changes `backends/resilience` and `backends/wire`, one small change at "
        "a time, and runs the tests that reach it (`tox -e mutation`, on demand and not in CI).",
        f"**{whole.percent} of the mutants that were run and are not equivalent were killed** (target: "
        f"{TARGET:.0%}, {reached}). {_extent(whole, run.sample)} {_timeouts(whole)} The tool leaves alone what stands outside functions, "
        "and decorated functions (properties among them).",
        "## By module",
        _table(
            ("Module", "Mutants", "Run", "Killed", "Timed out", "Not noticed", "Equivalent", "Score"),
            [*(_row(f"`{name}`", score) for name, score in by_module.items()), _row("**all**", whole)],
        ),
        "## Not noticed",
        "A gap in the tests, or not yet looked at: most change the wording of a message.",
        _table(
            ("Mutant", "Was", "Is"),
            [(f"`{name}`", *_lines(change)) for name, change in left.items() if name not in slow],
        ),
    ]
    if timed := [(f"`{name}`", *_lines(change)) for name, change in left.items() if name in slow]:
        blocks += ["## Timed out", _table(("Mutant", "Was", "Is"), timed)]
    blocks += [
        "## Equivalent",
        "Listed by hand, each with its reason. One that is killed, gone or another change by now is an error.",
        _table(
            ("Mutant", "Was", "Is", "Why nothing can tell"),
            [(f"`{name}`", *_lines(change), why) for name, (change, why) in equivalent.items()],
        ),
    ]
    return "\n\n".join(blocks) + "\n"


def _extent(whole: Score, sample: str) -> str:
    if whole.run == whole.made:
        return f"All {whole.made} mutants were run."
    which = f" ({sample})" if sample else ""
    return f"Of {whole.made} mutants {whole.run} were run{which}; the others count neither way."


def _timeouts(whole: Score) -> str:
    """Say what the score would be if a test run that does not end were taken for one that fails."""
    if not whole.timed_out:
        return "None ran into its time limit."
    share = (whole.killed + whole.timed_out) / (whole.run - whole.equivalent)
    return f"{whole.timed_out} ran into their time limit and count as not killed; counted as killed they make it {_percent(share)}."


def _row(title: str, score: Score) -> tuple[str, ...]:
    figures = (score.made, score.run, score.killed, score.timed_out, score.unnoticed, score.equivalent)
    return title, *(str(figure) for figure in figures), score.percent


def _lines(change: Change) -> tuple[str, str]:
    """Return both lines cut to what differs, with a little before it."""
    same = next((at for at, pair in enumerate(zip(change.was, change.now, strict=False)) if pair[0] != pair[1]), 0)
    start = max(0, same - _SHOWN // 2)
    return _code(change.was, start), _code(change.now, start)


def _code(text: str, start: int) -> str:
    shown = ("…" if start else "") + text[start : start + _SHOWN] + ("…" if len(text) > start + _SHOWN else "")
    # A run of backticks inside would end the code.
    return f"``{' ' if '`' in shown else ''}{shown}{' ' if '`' in shown else ''}``" if shown else "nothing"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines.extend("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)
    return "\n".join(lines)
