"""What is analysed: the modules that are judged, and those of their library that they need."""

from __future__ import annotations

from collections.abc import Iterable

from conformance.reality.classes import Class
from conformance.reality.functions import Function
from conformance.reality.library import Library
from conformance.reality.module import Module
from conformance.reality.source import Problem, Source

__all__ = ["Program"]


class Program:
    """A part of a library.

    Args:
        library: knows the modules.
        sources: what is judged.
    """

    def __init__(self, library: Library, sources: Iterable[Source]) -> None:
        self.library = library
        self.modules = [module for module in map(library.add, sources) if module is not None]
        self._judged = frozenset(self.modules)
        self._own_problems: list[Problem] = []
        self._inside: frozenset[Module] = frozenset()
        self._links = -1
        self._by_method: dict[str, list[Function]] = {}
        for module in self.modules:
            for one in module.classes:
                for method in one.methods.values():
                    self._by_method.setdefault(method.name, []).append(method)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What could not be followed to its end."""
        return (*self.library.problems, *self._own_problems)

    def too_deep(self, file: str, line: int | None) -> None:
        """Note that something could not be followed to its end."""
        problem = Problem(file, line, "nested too deeply, not analysed")
        if problem not in self._own_problems:
            self._own_problems.append(problem)

    def is_judged(self, module: Module) -> bool:
        """Say whether a module is one of those that were asked for, and not only needed by one."""
        return module in self._judged

    def methods_named(self, name: str, near: Module) -> list[Function]:
        """Return the methods of this name in the package that a module belongs to; in the module alone, if it is in none."""
        package, dot, _ = near.name.partition(".")
        return [
            method
            for method in self._by_method.get(name, ())
            if method.module is near or (dot and method.module.name.startswith(package + "."))
        ]

    def heirs(self, kind: Class) -> list[Class]:
        """Return every class of this program that is below a class."""
        self.library.link()
        found: dict[Class, None] = {}
        waiting = list(kind.subclasses)
        while waiting:
            heir = waiting.pop(0)
            if heir not in found and heir is not kind and self._has(heir.module):
                found[heir] = None
                waiting.extend(heir.subclasses)
        return list(found)

    def _has(self, module: Module) -> bool:
        """Say whether a module is judged or needed, here or further on; the rest of the library is no part of this program."""
        if self._links != self.library.links:
            self._links = self.library.links
            found = set(self.modules)
            waiting = list(self.modules)
            while waiting:
                new = waiting.pop().needs - found
                found |= new
                waiting.extend(new)
            self._inside = frozenset(found)
        return module in self._inside
