"""The gate: compares today's verdicts with a committed ``status.json``, and says what is worse, what is better, and what
is new. It writes nothing.

Everything that can get worse or better has a rank in both documents, so that one comparison serves requirements,
endpoints, implementations and saboteurs alike. What the latest contract version does not score is told and decides
nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, TypeAlias

from conformance.frozen import contract
from conformance.reports.status_json import document
from conformance.summary import ABSENT, Summary
from conformance.verdict import Verdict

__all__ = ["BaselineError", "Change", "Comparison", "MissingBaselineError", "compare", "read_baseline"]

Document: TypeAlias = Mapping[str, Any]
_LARGEST: Final = 64 * 1024 * 1024
_VERDICTS: Final = {
    Verdict.PASS: 6,
    Verdict.NOT_APPLICABLE: 5,
    Verdict.UNPROVEN: 4,
    Verdict.KNOWN_FAILURE: 3,
    Verdict.VACUOUS: 2,
    Verdict.UNKNOWN: 1,
    Verdict.FAIL: 0,
}
"""A pass that becomes "not applicable" is worse: an excuse took the place of a proof."""
_REALITIES: Final = {"real": 3, "partial": 2, "mock": 1, ABSENT: 0}
_GOOD: Final = frozenset(["pass", "proven", "caught", "real"])
"""What is better when the baseline does not know it."""
_BAD: Final = frozenset(["fail", "vacuous", "not caught"])
"""What is worth telling when the baseline does not know it."""
_NOTHING: Final = frozenset(["unknown", "not proven", "not caught", ABSENT])
"""What is no loss when it is gone."""


class BaselineError(ValueError):
    """The baseline cannot be used; the message is one line and says what to do."""


class MissingBaselineError(BaselineError):
    """There is no file of that name."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How one thing stands: the word for it, and a rank that is higher for better."""

    word: str
    rank: int


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that stands otherwise than in the baseline.

    Attributes:
        backend: row name.
        what: a requirement id, ``endpoint NAME``, ``saboteur NAME`` or ``implementation``.
        before, after: words for how it stood and stands; empty where it was not there.
        why: what today's evidence says about it; may be empty.
    """

    backend: str
    what: str
    before: str
    after: str
    why: str = ""

    def __str__(self) -> str:
        before = f"was {self.before}" if self.before else "was not there"
        after = f"is {self.after}" if self.after else "is gone"
        return f"{self.backend} {self.what}: {before}, {after}" + (f" ({self.why})" if self.why else "")


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs from the baseline.

    Attributes:
        worse: any of these fails the gate.
        better: the baseline can be raised to these.
        noted: told, and decides nothing: not scored, retired by a new contract version, or new and bad.
    """

    worse: tuple[Change, ...] = ()
    better: tuple[Change, ...] = ()
    noted: tuple[Change, ...] = ()


def read_baseline(path: Path) -> dict[str, Any]:
    """Read and validate a ``status.json``.

    Raises:
        MissingBaselineError: it is absent.
        BaselineError: it is damaged or of another shape.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise BaselineError(f"{path} is too large to be a status.json; name another file with --baseline")
        read: Any = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise MissingBaselineError(
            f"{path} does not exist; name a committed status.json with --baseline, or write the first with --raise"
        ) from None
    except OSError as error:
        raise BaselineError(f"{path} cannot be read ({error.strerror}); name another file with --baseline") from None
    except (ValueError, RecursionError):
        raise BaselineError(
            f"{path} is not valid JSON; restore it from version control or name another with --baseline"
        ) from None
    from jsonschema import Draft202012Validator

    schema = json.loads(files("conformance").joinpath("schemas/status.schema.json").read_text(encoding="utf-8"))
    wrong = next(iter(Draft202012Validator(schema).iter_errors(read)), None)
    if wrong is not None:
        where = ".".join(str(part) for part in wrong.absolute_path) or "the document"
        raise BaselineError(
            f"{path} is not a status.json: {where}: {wrong.message[:120]}; restore it from version control"
        )
    checked: dict[str, Any] = read
    return checked


def compare(baseline: Document, summary: Summary) -> Comparison:
    """Return what of a summary is worse and better than a baseline, in the order of the documents."""
    today = document(summary)
    before, after = _standings(baseline), _standings(today)
    why = _reasons(summary)
    found: dict[str, list[Change]] = {"worse": [], "better": [], "noted": []}
    for key in dict.fromkeys([*before, *after]):
        backend, what = key
        if backend not in today["backends"] and what != "implementation":
            continue  # one line says that the whole backend is gone
        old, new = before.get(key), after.get(key)
        kind = _kind(old, new)
        if kind is not None:
            words = (old.word if old else "", new.word if new else "")
            change = Change(backend, what, *words, why.get(key, "") if new else "")
            found[kind if _decides(key, baseline, today) else "noted"].append(change)
    return Comparison(**{kind: tuple(changes) for kind, changes in found.items()})


def _reasons(summary: Summary) -> dict[tuple[str, str], str]:
    """Return what today's evidence says, by backend and thing."""
    found = {(entry.row.name, cell.requirement.id): cell.detail for entry in summary.rows for cell in entry.cells}
    for kill in summary.evidence.kills:
        found[kill["subject"], f"saboteur {kill['saboteur']}"] = "" if kill["killed"] else kill["detail"]
    return found


def _kind(old: Standing | None, new: Standing | None) -> str | None:
    """Return which list of a comparison a change belongs to; None when there is nothing to tell."""
    if old is not None and new is not None:
        return None if old.rank == new.rank else "better" if new.rank > old.rank else "worse"
    if new is None:
        return "worse" if old is not None and old.word not in _NOTHING else None
    return "better" if new.word in _GOOD else "noted" if new.word in _BAD else None


def _decides(key: tuple[str, str], baseline: Document, today: Document) -> bool:
    """Say whether a change of a thing may fail the gate, or is only told."""
    backend, what = key
    kind, _, name = what.partition(" ")
    if kind == "saboteur":
        entry = f"{name} on {backend}"
        about = today["saboteurs"].get(entry) or baseline["saboteurs"][entry]
        return contract().scores(about["requirement"])
    if name or what == "implementation" or contract().scores(what):
        return True
    # What is scored no more was retired by a newer version of the contract; within one version it must not go.
    retired = baseline.get("contract", today["contract"]) != today["contract"]
    return not (retired or what in today["not_scored"] or what in baseline.get("not_scored", ()))


def _standings(status: Document) -> dict[tuple[str, str], Standing]:
    """Return how everything in a document stands, by backend and thing."""
    found = {(name, what): standing for name, about in status["backends"].items() for what, standing in _of(about)}
    for entry, about in status["saboteurs"].items():
        saboteur, _, backend = entry.rpartition(" on ")
        word = "caught" if about["killed"] else "not caught"
        found[backend, f"saboteur {saboteur}"] = Standing(word, int(about["killed"]))
    return found


def _of(backend: Document) -> Iterator[tuple[str, Standing]]:
    reality = backend["implementation"]
    yield "implementation", Standing(reality, _REALITIES[reality])
    for name, verdict in backend["requirements"].items():
        yield name, Standing(verdict.replace("_", " "), _VERDICTS[Verdict(verdict)])
    for name, about in backend["endpoints"].items():
        yield f"endpoint {name}", Standing("proven" if about["proven"] else "not proven", int(about["proven"]))
