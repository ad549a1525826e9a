"""How often the analysis errs: a folder of classes with labels, and the figures of judging them.

The corpus of this repository is ``fixtures/reality``; any folder with Python files and a ``labels.json`` of the same shape will
do. *Not real* (partial or mock) is what is looked for: precision is the share of what was called not real that is not, recall
the share of what is not real that was found. The analysed files are read, never imported.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from conformance.reality import ClassVerdict, SourceError, analyse

__all__ = ["FOLDER", "LEAST", "Case", "CorpusError", "Figures", "Judgement", "figures", "judgements", "labels"]

FOLDER: Final = Path(__file__).resolve().parents[2] / "fixtures" / "reality"
"""The corpus of this repository; an installed package has none."""
LEAST: Final = 0.95
"""What precision and recall must be."""
_VERSION: Final = 1
_METHOD_KINDS: Final = frozenset({"real", "partial", "mock", "refusal", "local"})
_CLASS_KINDS: Final = frozenset({"real", "partial", "mock"})
_NOT_REAL: Final = frozenset({"partial", "mock"})


class CorpusError(ValueError):
    """The folder is no corpus; the message is one line."""


@dataclass(frozen=True, slots=True)
class Case:
    """One labelled class.

    Attributes:
        file: beside the labels.
        name: of the class.
        verdict: what it is: real, partial or mock.
        methods: what each public method is; methods that are not labelled are not judged.
        held_out: nothing was adjusted to it.
    """

    file: str
    name: str
    verdict: str
    methods: dict[str, str]
    held_out: bool


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found where a label stands.

    Attributes:
        case: the class.
        method: empty for the class itself.
        label, found: what it is and what the analysis says; ``absent`` when it says nothing.
        reason: the first one given, if any.
    """

    case: Case
    method: str
    label: str
    found: str
    reason: str = ""

    @property
    def title(self) -> str:
        """``Class.method``, or the class."""
        return f"{self.case.name}.{self.method}" if self.method else self.case.name

    @property
    def is_right(self) -> bool:
        """Real or not real, as labelled."""
        return (self.label in _NOT_REAL) == (self.found in _NOT_REAL)


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of judgements, with *not real* as what is looked for.

    Attributes:
        judged: how many labels.
        not_real: how many of them say partial or mock.
        accused: how many were called partial or mock.
        rightly: how many of those are.
        exact: how many are exactly what the label says.
    """

    judged: int
    not_real: int
    accused: int
    rightly: int
    exact: int

    @property
    def precision(self) -> float:
        """Share of the accused that are rightly accused; 1 when nobody is."""
        return self.rightly / self.accused if self.accused else 1.0

    @property
    def recall(self) -> float:
        """Share of what is not real that is accused; 1 when everything is real."""
        return self.rightly / self.not_real if self.not_real else 1.0

    @property
    def suffices(self) -> bool:
        """Precision and recall are at least :data:`LEAST`."""
        return min(self.precision, self.recall) >= LEAST


def labels(folder: Path) -> tuple[Case, ...]:
    """Return the labelled classes of a corpus.

    Raises:
        CorpusError: there is no ``labels.json``, or it is not what it should be.
    """
    path = folder / "labels.json"
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise CorpusError(f"{folder} holds no labels.json; name a folder with a labelled corpus") from None
    except OSError as error:
        raise CorpusError(f"{path} cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError):
        raise CorpusError(f"{path} is not valid JSON") from None
    if not isinstance(document, dict) or document.get("version") != _VERSION:
        raise CorpusError(f"{path} is not of version {_VERSION}")
    try:
        return tuple(_case(entry, folder) for entry in document["classes"])
    except (KeyError, TypeError, AttributeError):
        raise CorpusError(f"{path} has an entry without file, class, verdict or methods") from None


def _case(entry: Any, folder: Path) -> Case:
    case = Case(
        str(entry["file"]), str(entry["class"]), entry["verdict"], dict(entry["methods"]), entry.get("held_out") is True
    )
    if Path(case.file).name != case.file or not (folder / case.file).is_file():
        raise CorpusError(f"{folder / 'labels.json'} names {case.file}, which is not there")
    if case.verdict not in _CLASS_KINDS or not _METHOD_KINDS.issuperset(case.methods.values()):
        raise CorpusError(f"{folder / 'labels.json'} has an unknown label for {case.name} in {case.file}")
    return case


def judgements(folder: Path) -> tuple[Judgement, ...]:
    """Judge every labelled class, each file by itself, and return the classes and their methods in order.

    Raises:
        CorpusError: the folder is no corpus.
    """
    return tuple(judgement for case in labels(folder) for judgement in _judged(case, folder))


def _judged(case: Case, folder: Path) -> Iterable[Judgement]:
    try:
        classes = analyse(folder / case.file).classes
    except SourceError as error:
        raise CorpusError(str(error)) from None
    verdict = next((one for one in classes if one.name == case.name), None)
    yield Judgement(case, "", case.verdict, verdict.kind if verdict is not None else "absent")
    for name, label in case.methods.items():
        yield _method(case, name, label, verdict)


def _method(case: Case, name: str, label: str, verdict: ClassVerdict | None) -> Judgement:
    method = verdict.method(name) if verdict is not None else None
    if method is None:
        return Judgement(case, name, label, "absent")
    return Judgement(case, name, label, method.kind, next((sign.text for sign in method.signs), ""))


def figures(found: Iterable[Judgement]) -> Figures:
    """Count judgements."""
    counted = list(found)
    accused = [judgement for judgement in counted if judgement.found in _NOT_REAL]
    return Figures(
        judged=len(counted),
        not_real=sum(judgement.label in _NOT_REAL for judgement in counted),
        accused=len(accused),
        rightly=sum(judgement.label in _NOT_REAL for judgement in accused),
        exact=sum(judgement.label == judgement.found for judgement in counted),
    )
