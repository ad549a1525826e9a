"""Real, partial or mock? Static analysis of source, ours or anyone's. Nothing that is analysed is imported or run.

**Kinds.** Every public method of a class that talks to a server, or by its names claims to, is

- *real*: it asks a server (or a worker process), what it answers comes from there, and no sign speaks against it;
- *partial*: it asks, and a sign speaks against it: a failure that is hidden, an answer that is made up on some path;
- *mock*: it should ask and does not, it asks and answers something else, or it is a stub;
- *refusal*: all it does is to say that the provider has no such call;
- *local*: honest work that needs no server (settings, reports, closing).

A class is real or mock when all its methods are, inherited ones too; anything between is partial. Refusals and local methods
count neither way. So it is with a folder.

**Rules.** Names say what should ask (:mod:`.names`: ``chat``, ``aembed``, ``generate_image``, ``upload``), and names say what
can: libraries, vendors' clients, objects handed in as ``client`` or ``transport`` (:mod:`.wire`). Between the two the program
is followed as it is written, never run (:mod:`.engine`, :mod:`.looks`): through calls, classes and their overriding (:mod:`.calls`,
:mod:`.callees`), branch by branch (:mod:`.branches`), and with it where each value comes from (:mod:`.values`): the server, the
source text, the arguments, chance, a digest, a file, an error, or nobody knows. What follows from that:

1. A function reaches a server when it calls a wire function, a method of a client, or a function that reaches one; also when it
   hands such a function to something that calls it, puts work into a queue from which such a method takes it, or is wrapped by
   a decorator that does. A client that is only built, configured or closed reaches nothing.
2. A client is no better than its transport: test doubles, transports of the program that answer by themselves, and functions of
   a library that the program exchanges for its own reach nothing. Nor does a process that says what it was told (``echo``).
3. What cannot run is not looked at: statements behind a ``return``, branches under a constant that is set once.
4. The answer of a method must come from the server on every path. What cannot be told is never held against it: values of
   unknown libraries, one of several functions of which one answers with the server's. What comes of
   asking for nothing (``if not texts``) may be made here; so may the acknowledgement of an upload or a deletion.
5. A handler around a request must raise, keep the error, or answer the question whether somebody is there (``is_available``).
   Signs of a helper speak against everything that answers through it.

What speaks against a method is a :class:`Sign`; the kinds of signs stand in :data:`.facts.SIGNS`. The analysis is a judgement
of source text and can be fooled by intent, which is why the wire has the last word in REAL-01, REAL-02 and REAL-04. How often
it errs is measured on a labelled corpus (:mod:`.corpus`).
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from conformance.reality.engine import Engine
from conformance.reality.facts import Sign
from conformance.reality.judge import ClassVerdict, Judge, Method, whole
from conformance.reality.library import Library, Shelf, reach
from conformance.reality.present import as_json, as_text
from conformance.reality.program import Program
from conformance.reality.source import Problem, Source, SourceError, python_files, read, shown

__all__ = [
    "Analysis",
    "ClassVerdict",
    "Method",
    "Problem",
    "Sign",
    "SourceError",
    "analyse",
    "analyse_modules",
    "analyse_paths",
    "as_json",
    "as_text",
]

_RECURSION: Final = 3_000
_SHELF: Final = Shelf()
"""Of installed modules: most of what one of our backends does is written once for all of them."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """What was found in a file, folder or list of files.

    Attributes:
        classes: in the order of their files.
        problems: files that could not be read or parsed, in whole or in part.
        left_out: number of test files that were not looked at.
    """

    classes: tuple[ClassVerdict, ...]
    problems: tuple[Problem, ...] = ()
    left_out: int = 0

    @property
    def methods(self) -> tuple[Method, ...]:
        """The methods of all classes."""
        return tuple(method for verdict in self.classes for method in verdict.methods)

    @property
    def kind(self) -> str:
        """real, partial, mock, or absent when there is no method that should reach a server."""
        found = whole(verdict.kind for verdict in self.classes)
        return "partial" if found == "real" and self.problems else found

    @property
    def reasons(self) -> tuple[str, ...]:
        """One line for each reason that keeps it from being real."""
        found = [
            f"{method.title}: {sign.text}"
            if sign.line == method.line
            else f"{method.title}: line {sign.line}: {sign.text}"
            for method in self.methods
            for sign in method.signs
        ]
        return (*found, *map(str, self.problems))


def analyse(path: Path) -> Analysis:
    """Analyse a Python file or every Python file of a folder.

    Raises:
        SourceError: there is no Python source in it, or none that can be read.
        OSError: it cannot be looked at.
    """
    there = python_files(path)
    found = analyse_paths(there.files, path if path.is_dir() else path.parent)
    unread = [problem for problem in found.problems if problem.fatal]
    if len(unread) == len(there.files):
        one = unread[0]
        where = f"none of the {len(unread)} Python files of {path} can be read: {one.file}"
        line = "" if one.line is None else f", line {one.line}"
        raise SourceError(f"{path if path.is_file() else where}{line}: {one.text}")
    return Analysis(found.classes, (*there.problems, *found.problems), there.tests)


def analyse_paths(paths: Iterable[Path], root: Path | None = None, classes: frozenset[str] | None = None) -> Analysis:
    """Analyse files together, so that calls between them are followed.

    Args:
        root: file names are shown relative to it.
        classes: judge only the methods of these classes; None judges all.
    """
    sources: list[Source] = []
    problems: list[Problem] = []
    with _no_collecting():
        for path in paths:
            inside = root is not None and path.is_relative_to(root)
            found = read(path, shown(path.relative_to(root) if inside and root is not None else Path(path.name)))
            (sources if isinstance(found, Source) else problems).append(found)  # type: ignore[arg-type]
        return _judged(Library(*reach(sources)), sources, problems, classes)


def _judged(
    library: Library, sources: Sequence[Source], problems: Iterable[Problem], classes: frozenset[str] | None
) -> Analysis:
    with _room():
        program = Program(library, sources)
        verdicts = Judge(Engine(program)).verdicts(classes)
    every = sorted((*problems, *program.problems), key=lambda one: (one.file, one.line or 0))
    return Analysis(tuple(verdicts), tuple(every))


@contextmanager
def _room() -> Iterator[None]:
    """Let functions be followed into one another further than Python's usual limit."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, _RECURSION))
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


@contextmanager
def _no_collecting() -> Iterator[None]:
    """Put the collector of garbage aside: what an analysis makes lives to its end, and what is kept for others after it."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def analyse_modules(names: Iterable[str], classes: frozenset[str] | None = None) -> Analysis:
    """Analyse modules and packages by their import names, without importing them.

    Raises:
        ValueError: there is no such module.
    """
    return _analysed(tuple(names), classes)


@cache
def _analysed(names: tuple[str, ...], classes: frozenset[str] | None) -> Analysis:
    """The source of installed modules does not change while a run lasts."""
    sources: list[Source] = []
    problems: list[Problem] = []
    with _no_collecting():
        for path, folder, module in (each for name in names for each in _files_of(name)):
            source = read(path, path.relative_to(folder).as_posix(), _SHELF.trees)
            if isinstance(source, Source):
                # A package may be spread over folders; what it is called there its own folder cannot tell.
                sources.append(replace(source, module=module, base=folder))
            else:
                problems.append(source)
        own = frozenset(name.partition(".")[0] for name in names)
        found = _judged(_SHELF.library(_bases(own), own), sources, problems, classes)
        gc.freeze()  # what stands on the shelf stays there: no collection need walk over it
    return found


def _files_of(name: str) -> Iterator[tuple[Path, Path, str]]:
    """Return the files of a module or package, each with the folder of its top-level package and its dotted name."""
    first, *rest = name.split(".")
    for folder in _folders(first):
        place = folder.joinpath(*rest)
        inside = (place / "__init__.py").is_file()
        if not inside and not place.with_suffix(".py").is_file():
            continue
        paths = sorted(place.rglob("*.py")) if inside else [place.with_suffix(".py")]
        for path in paths:
            parts = path.relative_to(folder.parent).with_suffix("").parts
            yield path, folder.parent, ".".join(parts).removesuffix(".__init__")
        return
    spec = find_spec(first) if not rest else None
    if spec is None or spec.origin is None:
        raise ValueError(f"there is no module {name}")
    yield Path(spec.origin), Path(spec.origin).parent, first


def _folders(package: str) -> tuple[Path, ...]:
    """Return the folders of a top-level package, as it is loaded or would be."""
    loaded = sys.modules.get(package)
    if loaded is not None and hasattr(loaded, "__path__"):
        return tuple(map(Path, loaded.__path__))
    spec = find_spec(package)
    return tuple(map(Path, (spec.submodule_search_locations or ()) if spec is not None else ()))


def _bases(packages: Iterable[str]) -> tuple[Path, ...]:
    return tuple(dict.fromkeys(folder.parent for package in sorted(packages) for folder in _folders(package)))
