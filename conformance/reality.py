"""Real, partial or mock? Static analysis of a backend's source, ours or anyone's. Nothing is imported or run.

Every public method is followed through the methods and functions it calls, as far as the analysed files go. It is

- *real* when it reaches the wire and shows no sign of pretence,
- *partial* when it reaches the wire, but also swallows errors, answers with constants, or has branches that cannot run,
- *mock* when it is a stub, answers with constants, or should reach the wire by its name and does not,
- *local* when it does honest work that needs no wire (reports, settings, closing); it counts neither way.

The analysis is a judgement of source text: it can be fooled by intent, which is why the wire has the last word in
    REAL-01,
REAL-02 and REAL-04.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from conformance.functions import Function, collect
from conformance.signs import Signs, read_signs

__all__ = ["Analysis", "Method", "analyse", "analyse_modules", "analyse_paths", "as_json", "as_text"]

_CALL_WORDS: Final = frozenset(
    [
        "chat",
        "complete",
        "completion",
        "completions",
        "embed",
        "embedding",
        "embeddings",
        "generate",
        "generation",
        "rerank",
        "rank",
        "transcribe",
        "translate",
        "translation",
        "speech",
        "image",
        "images",
        "moderate",
        "moderation",
        "classify",
        "upload",
        "download",
        "infer",
        "predict",
        "score",
        "tokenize",
        "summarize",
        "converse",
        "invoke",
        "query",
        "ask",
        "respond",
        "inference",
    ]
)
"""A method with one of these words in its name answers with what a server made."""
_LARGEST: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Method:
    """One public method and what it is.

    Attributes:
        name: ``Class.method``.
        file, line: where.
        kind: ``real``, ``partial``, ``mock`` or ``local``.
        reasons: why it is not real; empty for real and local.
    """

    name: str
    file: str
    line: int
    kind: str
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Analysis:
    """What was found in a file, folder or list of files."""

    methods: tuple[Method, ...]
    problems: tuple[str, ...] = field(default=())
    """Files that could not be read or parsed."""

    @property
    def kind(self) -> str:
        """real, partial, mock, or absent when there is no method that should reach a server."""
        kinds = {method.kind for method in self.methods} - {"local"}
        if not kinds:
            return "absent"
        if kinds == {"real"} and not self.problems:
            return "real"
        return "mock" if kinds == {"mock"} else "partial"

    @property
    def reasons(self) -> tuple[str, ...]:
        """One line for each reason that keeps it from being real."""
        found = [f"{method.name}: {reason}" for method in self.methods for reason in method.reasons]
        return (*found, *self.problems)


def analyse(path: Path) -> Analysis:
    """Analyse a Python file or every Python file of a folder.

    Raises:
        FileNotFoundError: there is nothing of that name.
        ValueError: there is no Python source in it.
    """
    if not path.exists():
        raise FileNotFoundError(path)
    paths = [path] if path.is_file() else sorted(p for p in path.rglob("*.py") if "__pycache__" not in p.parts)
    if not paths or (path.is_file() and path.suffix != ".py"):
        raise ValueError(f"{path} holds no Python source")
    return analyse_paths(paths, path if path.is_dir() else path.parent)


def analyse_paths(paths: Iterable[Path], root: Path | None = None, classes: frozenset[str] | None = None) -> Analysis:
    """Analyse files together, so that calls between them are followed.

    Args:
        root: file names are shown relative to it.
        classes: judge only the methods of these classes; None judges all.
    """
    trees: list[tuple[str, ast.Module]] = []
    problems: list[str] = []
    for path in paths:
        name = path.relative_to(root).as_posix() if root is not None and path.is_relative_to(root) else path.name
        try:
            with path.open("rb") as file:
                trees.append((name, ast.parse(file.read(_LARGEST), filename=name)))
        except (OSError, SyntaxError, ValueError, RecursionError, MemoryError) as error:
            problems.append(f"{name}: cannot be parsed ({type(error).__name__})")
    functions = collect(trees)
    signs = {function: read_signs(function) for function in functions}
    wired = _reaching(signs)
    methods = [_judged(function, signs, wired) for function in _subjects(functions, wired, classes)]
    return Analysis(tuple(sorted(methods, key=lambda method: (method.file, method.line, method.name))), tuple(problems))


def _subjects(functions: list[Function], wired: set[Function], classes: frozenset[str] | None) -> list[Function]:
    """Return what is to be judged: public methods of classes that talk to a server or claim to, else such functions."""
    claiming = [
        function for function in functions if function.public and (function in wired or _should_reach(function.name))
    ]
    owners = {(function.file, function.owner) for function in claiming if function.owner}
    if not owners:
        return claiming
    return [
        function
        for function in functions
        if function.public
        and function.owner
        and (function.file, function.owner) in owners
        and (classes is None or function.owner in classes)
    ]


def analyse_modules(names: Iterable[str], classes: frozenset[str] | None = None) -> Analysis:
    """Analyse modules and packages by their import names, without importing them.

    Raises:
        ValueError: there is no such module.
    """
    return _analysed(tuple(names), classes)


@cache
def _analysed(names: tuple[str, ...], classes: frozenset[str] | None) -> Analysis:
    """The source of installed modules does not change while a run lasts."""
    paths: list[Path] = []
    for name in names:
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            raise ValueError(f"there is no module {name}")
        origin = Path(spec.origin)
        found = [origin] if spec.submodule_search_locations is None else sorted(origin.parent.rglob("*.py"))
        paths.extend(path for path in found if "__pycache__" not in path.parts)
    return analyse_paths(paths, _root(paths), classes)


def _root(paths: list[Path]) -> Path | None:
    """The folder that holds the top-level package, so that file names read ``backends/openai/chat.py``."""
    for parent in paths[0].parents if paths else ():
        if not (parent / "__init__.py").exists():
            return parent
    return None


def _reaching(signs: dict[Function, Signs]) -> set[Function]:
    """Return the functions from which the wire is reached, directly or through others."""
    by_name: dict[str, list[Function]] = {}
    for function in signs:
        by_name.setdefault(function.name, []).append(function)
    wired = {function for function, sign in signs.items() if sign.wire}
    while True:
        more = {
            function
            for function, sign in signs.items()
            if function not in wired and any(callee in wired for callee in _callees(function, sign, by_name))
        }
        if not more:
            return wired
        wired |= more


def _callees(function: Function, sign: Signs, by_name: dict[str, list[Function]]) -> set[Function]:
    """Return what a function may call: its own class's methods first, then functions of the same name anywhere."""
    found: set[Function] = set()
    for name in sign.calls:
        candidates = by_name.get(name, [])
        own = [one for one in candidates if one.owner == function.owner and one.file == function.file]
        found.update(own or candidates)
    found.discard(function)
    return found


def _judged(function: Function, signs: dict[Function, Signs], wired: set[Function]) -> Method:
    source = function
    twin = signs[function].twin
    if twin is not None:
        source = next((one for one in signs if one.name == twin and one.owner == function.owner), function)
    kind, reasons = _verdict(source, signs, wired)
    return Method(function.title, function.file, function.line, kind, reasons)


def _verdict(function: Function, signs: dict[Function, Signs], wired: set[Function]) -> tuple[str, tuple[str, ...]]:
    sign = signs[function]
    if function in wired:
        return ("partial", sign.pretence) if sign.pretence else ("real", ())
    if sign.refuses:
        return "local", ()
    if _should_reach(function.name):
        return "mock", (*sign.pretence, *(() if sign.stub or sign.constant else ("no path to the wire",)))
    if sign.stub or sign.mocks:
        return "mock", sign.pretence
    return "local", ()


def _should_reach(name: str) -> bool:
    words = name.lower().strip("_").split("_")
    first = words[0].removeprefix("a")
    return any(word in _CALL_WORDS for word in (*words, first))


def as_text(analysis: Analysis) -> str:
    """Return the analysis for people: one line per method, then the whole."""
    lines = [
        f"{method.kind:<8} {method.name}  ({method.file}:{method.line})"
        + "".join(f"\n         - {why}" for why in method.reasons)
        for method in analysis.methods
    ]
    lines.extend(f"problem  {problem}" for problem in analysis.problems)
    counts = {
        kind: sum(method.kind == kind for method in analysis.methods) for kind in ("real", "partial", "mock", "local")
    }
    lines.append(f"{analysis.kind.upper()}: " + ", ".join(f"{count} {kind}" for kind, count in counts.items()))
    return "\n".join(lines) + "\n"


def as_json(analysis: Analysis) -> str:
    """Return the analysis as JSON text."""
    methods: list[dict[str, Any]] = [
        {"name": m.name, "file": m.file, "line": m.line, "kind": m.kind, "reasons": list(m.reasons)}
        for m in analysis.methods
    ]
    return json.dumps({"kind": analysis.kind, "methods": methods, "problems": list(analysis.problems)}, indent=2) + "\n"
