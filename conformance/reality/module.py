"""One file as an index: what the names of its top level mean. Syntax only; nothing is evaluated.

Imports are followed inside the package that is analysed (and to files beside a loose file); everything else is
:class:`External`, known by its dotted name alone.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from conformance.reality import wire
from conformance.reality.classes import Class
from conformance.reality.functions import External, Function
from conformance.reality.source import Source
from conformance.reality.tree import FunctionNode, assignments, changed_attributes, dotted, statements

if TYPE_CHECKING:
    from conformance.reality.library import Library

__all__ = ["Heirs", "Meaning", "Module"]

Meaning: TypeAlias = "Class | External | Function | Module | list[Function] | None"
Heirs: TypeAlias = Callable[[Class], Sequence[Class]]
"""Tells the classes below a class."""


class Module:
    """One file and the names of its top level."""

    def __init__(self, library: Library, source: Source) -> None:
        self.library = library
        self.source = source
        self.name = source.module
        self.needs: set[Module] = set()
        """Modules that were needed to say what names mean in it."""
        self.names: dict[str, Meaning] = {}
        self.functions: list[Function] = []
        self.classes: list[Class] = []
        self._patched: set[str] = set()
        self.writers: dict[str, list[Function]] = {}
        self._stars: list[str] = []
        self._meanings: dict[str, Meaning] = {}
        self._local: dict[ast.ClassDef, Class] = {}
        for statement in statements(source.tree.body, into_functions=False):
            self._index(statement)

    def _index(self, statement: ast.stmt) -> None:
        if isinstance(statement, FunctionNode):
            made = Function(statement.name, self, None, statement, statement.lineno)
            self.names[statement.name] = made
            self.functions.append(made)
            self._note_writer(made)
        elif isinstance(statement, ast.ClassDef):
            self.names[statement.name] = made_class = self.add_class(statement)
            self.classes.append(made_class)
        elif isinstance(statement, ast.Import | ast.ImportFrom):
            for name, meaning in self.imported(statement):
                self.names.setdefault(name, meaning)
        else:
            for target, value in assignments(statement):
                if isinstance(target, ast.Name) and value is not None:
                    known = self.names.get(target.id)
                    expression = Function(target.id, self, None, value, statement.lineno)
                    if isinstance(known, list):
                        known.append(expression)
                    elif known is None:
                        self.names[target.id] = [expression]
                elif isinstance(target, ast.Attribute):
                    self._patched.add(dotted(target))

    def imported(self, statement: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, Meaning]]:
        """Return the names that an import makes, as :class:`External`: what they mean is looked up when it is asked for."""
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                full = alias.name if alias.asname else alias.name.partition(".")[0]
                yield alias.asname or full, External(full)
            return
        package = self.source.module.split(".")
        if statement.level:
            package = package[: len(package) - statement.level + (1 if self.source.package else 0)]
        start = ".".join([*(package if statement.level else []), *([statement.module] if statement.module else [])])
        for alias in statement.names:
            if alias.name == "*":
                self._stars.append(start)
            else:
                yield alias.asname or alias.name, External(f"{start}.{alias.name}")

    def _note_writer(self, function: Function) -> None:
        for name in function.outer_names:
            self.writers.setdefault(name, []).append(function)

    @cached_property
    def patches(self) -> frozenset[str]:
        """Functions of wire libraries that it exchanges for its own: ``requests.post = ...``."""
        found = set()
        for path in self._patched:
            first, _, rest = path.partition(".")
            meaning = self.names.get(first)
            if isinstance(meaning, External) and rest and wire.is_wire_module(meaning.name):
                found.add(f"{meaning.name}.{rest}")
        return frozenset(found)

    @cached_property
    def exchanged(self) -> frozenset[str]:
        """The same of itself, of the modules that it imports and of the packages that it is in."""
        imported = [meaning.name for meaning in self.names.values() if isinstance(meaning, External)]
        names = {self.name, *imported, *(name.rpartition(".")[0] for name in (self.name, *imported))}
        modules = [self, *(found for name in sorted(names) if (found := self.library.module(name, self)) is not None)]
        return frozenset().union(*(module.patches for module in modules))

    def local_class(self, node: ast.ClassDef) -> Class:
        """Return the class of a ``class`` statement inside a function, the same one each time."""
        if node not in self._local:
            self._local[node] = self.add_class(node)
        return self._local[node]

    def constant_truth(self, test: ast.expr, owner: Class | None, heirs: Heirs) -> bool | None:
        """Say what a test always is: of a constant, or of a name that is written in capitals and set once; None if it varies.

        Args:
            owner: the class whose method the test stands in.
            heirs: tells the classes below one.
        """
        if isinstance(test, ast.Constant):
            return bool(test.value)
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            inner = self.constant_truth(test.operand, owner, heirs)
            return None if inner is None else not inner
        if isinstance(test, ast.Name) and test.id == "TYPE_CHECKING":
            return False
        found = self._set_once(test, owner, heirs)
        return bool(found.node.value) if found is not None and isinstance(found.node, ast.Constant) else None

    def _set_once(self, name: ast.expr, owner: Class | None, heirs: Heirs) -> Function | None:
        """Return the only value that a name in capitals ever has: of this module, or of the class that a method stands in."""
        found: Meaning = None
        if isinstance(name, ast.Name) and name.id.isupper() and name.id not in self.writers:
            found = self.names.get(name.id)
        elif isinstance(name, ast.Attribute) and name.attr.isupper() and owner is not None:
            found = owner.constant(name.attr, heirs) if dotted(name.value) in ("self", "cls", owner.name) else None
        return found[0] if isinstance(found, list) and len(found) == 1 else None

    def add_class(self, node: ast.ClassDef) -> Class:
        """Index a class and return it."""
        made = Class(node.name, self, node)
        for statement in statements(node.body, into_functions=False):
            if isinstance(statement, FunctionNode):
                method = Function(statement.name, self, made, statement, statement.lineno)
                if not {"overload", "setter", "deleter"} & method.marks:
                    made.methods[statement.name] = method
                self._note_writer(method)
                for name in changed_attributes(statement):
                    made.assigned.setdefault(name, []).append(method)
            else:
                if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                    made.annotations[statement.target.id] = statement.annotation
                for target, value in assignments(statement):
                    if isinstance(target, ast.Name) and value is not None:
                        expression = Function(target.id, self, made, value, statement.lineno)
                        made.values.setdefault(target.id, []).append(expression)
        self.library.note(made)
        return made

    def meaning(self, name: str) -> Meaning:
        """Return what a name of the top level means, through imports; None when the module does not define it."""
        if name not in self._meanings:
            self._meanings[name] = self._looked_up(name)
        return self._meanings[name]

    def _looked_up(self, name: str) -> Meaning:
        if name not in self.names:
            for star in self._stars:
                module = self.library.module(star, self)
                if module is not None and module is not self and name in module.names:
                    return module.meaning(name)
        return self.library.followed(self.names.get(name), self)

    def meaning_of(self, node: ast.expr) -> Meaning:
        """Return what a dotted expression means; :class:`External` when it is not of this program."""
        if isinstance(node, ast.Subscript | ast.Call):
            return self.meaning_of(node.value if isinstance(node, ast.Subscript) else node.func)
        if isinstance(node, ast.Name):
            found = self.meaning(node.id)
            return External(node.id) if found is None or isinstance(found, list) else found
        if isinstance(node, ast.Attribute):
            owner = self.meaning_of(node.value)
            if isinstance(owner, Module):
                return owner.meaning(node.attr)
            return External(f"{getattr(owner, 'name', '')}.{node.attr}")
        return External("")
