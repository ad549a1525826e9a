"""The modules of a package, parsed and indexed once each, for one program or for several that share them.

A library says what is written; which part of it a program consists of stands in :mod:`.program`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from conformance.reality import wire
from conformance.reality.classes import Class
from conformance.reality.functions import External, Function
from conformance.reality.module import Meaning, Module
from conformance.reality.recall import Memory
from conformance.reality.source import Problem, Source, Trees, read

__all__ = ["Library", "Shelf"]

_MOST_MODULES: Final = 2_000
_MOST_HOPS: Final = 20


class Library:
    """Modules by name, and what leads from one to another.

    Args:
        bases: folders from which names of modules count.
        own: first names of the packages that are analysed.
        trees: what has been parsed already, by content.
        memory: what other programs of this library found out; None when there is only one.
    """

    def __init__(
        self, bases: Iterable[Path], own: frozenset[str], trees: Trees | None = None, memory: Memory | None = None
    ) -> None:
        self._bases = tuple(bases)
        self._own = own
        self._trees = trees
        self.memory = memory
        self.problems: list[Problem] = []
        self.nested: dict[int, Function] = {}
        """Nested functions and lambdas by the identity of their node, the same ones each time."""
        self.links = 0
        """How often a module turned out to need another one."""
        self._modules: dict[str, Module | None] = {}
        self._unlinked: list[Class] = []

    def add(self, source: Source) -> Module | None:
        """Return the module of a source; None when it cannot be indexed."""
        known = self._modules.get(source.module)
        if known is not None and known.source.tree is source.tree:
            return known
        module = self._indexed(source)
        if known is None:
            self._modules[source.module] = module
        return module

    def _indexed(self, source: Source) -> Module | None:
        try:
            return Module(self, source)
        except RecursionError:
            self.problems.append(Problem(source.file, None, "nested too deeply, not analysed"))
            return None

    def note(self, made: Class) -> None:
        """Remember a class until its bases can be looked up."""
        self._unlinked.append(made)

    def link(self) -> None:
        """Tell every class of its subclasses; classes of modules that were loaded meanwhile, too."""
        while self._unlinked:
            made = self._unlinked.pop()
            for base in made.bases:
                if isinstance(base, Class) and base is not made:
                    base.subclasses.append(made)

    def followed(self, meaning: Meaning, reader: Module) -> Meaning:
        """Return what an imported name leads to.

        Args:
            reader: the module that imports it.
        """
        for _ in range(_MOST_HOPS):
            if not isinstance(meaning, External):
                return meaning
            module = self.module(meaning.name, reader)
            if module is not None:
                return module
            start, _, last = meaning.name.rpartition(".")
            module = self.module(start, reader)
            if module is None or last not in module.names or module.names[last] == meaning:
                return meaning
            meaning = module.names[last]
        return meaning

    def module(self, name: str, reader: Module) -> Module | None:
        """Return a module of the analysed package, parsed now if need be; None for those of others.

        Args:
            reader: the module that needs it.
        """
        if name not in self._modules:
            self._modules[name] = None  # a module that needs itself
            self._modules[name] = self._found(name)
        found = self._modules[name]
        if found is not None and found not in reader.needs:
            reader.needs.add(found)
            self.links += 1
        return found

    def _found(self, name: str) -> Module | None:
        first, _, rest = name.partition(".")
        if not name or (first not in self._own and (rest or wire.is_wire_module(first))):
            return None
        if len(self._modules) > _MOST_MODULES:
            return None
        for base in self._bases:
            beneath = base.joinpath(*name.split("."))
            for path in (beneath.with_suffix(".py"), beneath / "__init__.py"):
                if path.is_file():
                    source = read(path, path.relative_to(base).as_posix(), self._trees)
                    return None if isinstance(source, Problem) else self._indexed(source)
        return None


class Shelf:
    """Libraries that several programs share, and everything that was parsed, by its content."""

    def __init__(self) -> None:
        self.trees: dict[bytes, ast.Module] = {}
        self._libraries: dict[tuple[tuple[Path, ...], frozenset[str]], Library] = {}

    def library(self, bases: tuple[Path, ...], own: frozenset[str]) -> Library:
        """Return the library of some packages; see :class:`Library`."""
        if (bases, own) not in self._libraries:
            self._libraries[bases, own] = Library(bases, own, self.trees, Memory())
        return self._libraries[bases, own]


def reach(sources: Iterable[Source]) -> tuple[tuple[Path, ...], frozenset[str]]:
    """Return the folders from which names of modules count, and the first names of the packages."""
    bases = dict.fromkeys(source.base for source in sources)
    return tuple(bases), frozenset(source.module.partition(".")[0] for source in sources)
