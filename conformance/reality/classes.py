"""Classes of the analysed program: what they define, what they inherit, and who inherits from them. Syntax only."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from conformance.reality.functions import External, Function
from conformance.reality.tree import last_name

if TYPE_CHECKING:
    from conformance.reality.module import Heirs, Module

__all__ = ["Class"]

_NONE: Final[frozenset[str]] = frozenset()
_MOST_BASES: Final = 2_000
_NO_BASES: Final = frozenset({"object", "ABC", "Generic"})
_VALUE_BASES: Final = frozenset({"Enum", "StrEnum", "IntEnum", "Flag", "IntFlag", "TypedDict", "NamedTuple"})


@dataclass(eq=False, repr=False)
class Class:
    """A class.

    Attributes:
        methods, values: what its body defines: functions, and expressions by name.
        annotations: fields without or with a value, in order.
        assigned: attributes of instances, and the methods that assign or change them.
        subclasses: every known one, whichever program it belongs to.
    """

    name: str
    module: Module
    node: ast.ClassDef
    methods: dict[str, Function] = field(default_factory=dict)
    values: dict[str, list[Function]] = field(default_factory=dict)
    annotations: dict[str, ast.expr] = field(default_factory=dict)
    assigned: dict[str, list[Function]] = field(default_factory=dict)
    subclasses: list[Class] = field(default_factory=list)
    _used: dict[Function, frozenset[str]] = field(default_factory=dict)
    _takers: dict[str, tuple[Function, ...]] = field(default_factory=dict)
    _holders: dict[tuple[str, int], tuple[Function | None, tuple[Class, ...]]] = field(default_factory=dict)

    @cached_property
    def bases(self) -> tuple[Class | External, ...]:
        """Its bases as far as they are known; those of the language are left out."""
        found = (self.module.meaning_of(base) for base in self.node.bases)
        return tuple(
            base if isinstance(base, Class) else External(getattr(base, "name", ""))
            for base in found
            if not isinstance(base, External) or base.name.rpartition(".")[2] not in _NO_BASES
        )

    @cached_property
    def line_up(self) -> tuple[Class, ...]:
        """Itself and its analysed bases in the order in which names are looked up."""
        found: list[Class] = [self]
        waiting = [base for base in self.bases if isinstance(base, Class)]
        while waiting and len(found) < _MOST_BASES:
            base = waiting.pop(0)
            if base in found:
                found.remove(base)
            if base is not self:
                found.append(base)
                waiting = [*(more for more in base.bases if isinstance(more, Class) and more is not self), *waiting]
        return tuple(found)

    @cached_property
    def strangers(self) -> tuple[str, ...]:
        """Dotted names of bases that are not analysed."""
        return tuple(base.name for one in self.line_up for base in one.bases if isinstance(base, External))

    @cached_property
    def names(self) -> frozenset[str]:
        """Everything that its own body defines or assigns, but for the names of the language."""
        own = {*self.methods, *self.values, *self.annotations, *self.assigned}
        return frozenset(name for name in own if not name.startswith("__"))

    @cached_property
    def kind(self) -> str:
        """``class``, or ``protocol``, ``value`` (enumerations, typed dictionaries) or ``error``."""
        lasts = {name.rpartition(".")[2] for name in self.strangers}
        if "Protocol" in lasts:
            return "protocol"
        if lasts & _VALUE_BASES:
            return "value"
        return "error" if any(last.endswith(("Error", "Exception")) for last in lasts) else "class"

    def holders(self, name: str, start: int = 0) -> tuple[Function | None, tuple[Class, ...]]:
        """Return the method of a name, or else the classes that have an attribute of that name.

        Args:
            start: classes of the line-up that are skipped.
        """
        found = self._holders.get((name, start))
        if found is None:
            holders: list[Class] = []
            method = None
            for one in self.line_up[start:]:
                if name in one.methods and not holders:
                    method = one.methods[name]
                    break
                if name in one.assigned or name in one.values or name in one.annotations:
                    holders.append(one)
            found = self._holders[name, start] = method, tuple(holders)
        return found

    def changes(self, owner: Class) -> tuple[tuple[Class, frozenset[str]], ...]:
        """Return this class and those between it and a base that give names of the base another meaning, with the names."""
        above = frozenset().union(*(one.names for one in owner.line_up))
        found = []
        for one in self.line_up[: self.line_up.index(owner)]:
            values = {name for name, made in one.values.items() if not all(map(_is_plain, made))}
            names = frozenset(
                name for name in {*one.methods, *one.assigned, *values} & above if not name.startswith("__")
            )
            if names:
                found.append((one, names))
        return tuple(found)

    def used_by(self, function: Function) -> frozenset[str]:
        """Return every attribute name that a method uses, itself or through other methods of this class and its bases."""
        found = self._used.get(function)
        if found is None:
            names, waiting = set(function.attributes), list(function.attributes)
            while waiting:
                new = self._uses.get(waiting.pop(), _NONE) - names
                names |= new
                waiting.extend(new)
            found = self._used[function] = frozenset(names)
        return found

    @cached_property
    def _uses(self) -> dict[str, frozenset[str]]:
        """For each name, the attribute names that its methods use, or those that give the attribute its value."""
        found: dict[str, frozenset[str]] = {}
        for one in self.line_up:
            made = ((name, [method]) for name, method in one.methods.items())
            for name, functions in (*made, *one.assigned.items(), *one.values.items()):
                found[name] = found.get(name, _NONE).union(*(function.attributes for function in functions))
        return found

    def takers(self, name: str) -> tuple[Function, ...]:
        """Return the methods that take something out of an attribute, as out of a queue."""
        if name not in self._takers:
            methods = (method for one in self.line_up for method in one.methods.values() if name in method.attributes)
            self._takers[name] = tuple(method for method in methods if name in method.takes)
        return self._takers[name]

    def defines(self, name: str, line: int) -> bool:
        """Say whether a name stands in its body above a line."""
        made = (self.methods.get(name), *self.values.get(name, ()))
        return any(one is not None and one.line < line for one in made)

    def constant(self, name: str, heirs: Heirs) -> list[Function] | None:
        """Return the one value that a class attribute has, here and in every class below; None when there may be others.

        Args:
            heirs: tells the classes below one.
        """
        holders = [one for one in (*self.line_up, *heirs(self)) if name in one.names]
        if len(holders) != 1 or name in holders[0].assigned:
            return None
        return holders[0].values.get(name)

    @property
    def is_data(self) -> bool:
        """Instances are made from the annotated fields."""
        return any(last_name(mark) in ("dataclass", "define", "frozen") for mark in self.node.decorator_list) or any(
            name.endswith(("NamedTuple", "BaseModel")) for name in self.strangers
        )


def _is_plain(made: Function) -> bool:
    """Say whether a class attribute is data: a constant, a container, an object of a data class."""
    node = made.node
    if isinstance(node, ast.Call):
        kind = made.module.meaning_of(node.func)
        return isinstance(kind, Class) and kind.is_data
    return isinstance(node, ast.Constant | ast.JoinedStr | ast.Dict | ast.Tuple | ast.List | ast.Set)
