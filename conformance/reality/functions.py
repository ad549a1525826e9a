"""Functions of the analysed program, and names of other libraries. Syntax only."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from typing import TYPE_CHECKING, Final, NamedTuple

from conformance.reality.tree import FunctionNode, last_name, statements

if TYPE_CHECKING:
    from conformance.reality.classes import Class
    from conformance.reality.module import Module

__all__ = ["External", "Function"]

_TAKES: Final = frozenset({"get", "get_nowait", "pop", "popleft", "recv", "receive"})
_numbers: Final = count(1)


class External(NamedTuple):
    """Something of another library, by its dotted name."""

    name: str


@dataclass(eq=False, repr=False)
class Function:
    """A function, method or lambda; or an expression of a module or class body, which is a function without parameters.

    Attributes:
        number: identifies it.
        line: of its ``def``.
        owner: the class whose method it is.
    """

    name: str
    module: Module
    owner: Class | None
    node: FunctionNode | ast.Lambda | ast.expr
    line: int
    around: Function | None = None
    number: int = field(default_factory=lambda: next(_numbers))

    @property
    def nested(self) -> bool:
        """It is defined inside another function."""
        return self.around is not None

    def inside(self, other: Function) -> bool:
        """Say whether it is defined inside another function, however deep."""
        around = self.around
        while around is not None and around is not other:
            around = around.around
        return around is other

    @cached_property
    def parameters(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The names of its parameters that a call fills by position, without the object's own, and by name only."""
        shape = self.arguments
        if shape is None:
            return (), ()
        names = tuple(one.arg for one in (*shape.posonlyargs, *shape.args))
        if self.owner is not None and not self.nested and "staticmethod" not in self.marks:
            names = names[1:]
        return names, tuple(one.arg for one in shape.kwonlyargs)

    @cached_property
    def first(self) -> str:
        """The name of its first parameter, empty when it has none."""
        shape = self.arguments
        return next((one.arg for one in (*shape.posonlyargs, *shape.args)), "") if shape is not None else ""

    @cached_property
    def attributes(self) -> frozenset[str]:
        """Attributes of its first parameter that it uses; of an expression of a class body, the names that it uses."""
        if isinstance(self.node, ast.expr):
            return frozenset(one.id for one in ast.walk(self.node) if isinstance(one, ast.Name))
        own = {self.first, "super"}
        return frozenset(
            one.attr
            for one in ast.walk(self.node)
            if isinstance(one, ast.Attribute)
            and isinstance(one.value, ast.Name | ast.Call)
            and last_name(one.value) in own
        )

    @cached_property
    def takes(self) -> frozenset[str]:
        """Attributes of its first parameter out of which it takes things: ``self.queue.get()``."""
        return frozenset(
            one.value.attr
            for one in ast.walk(self.node)
            if isinstance(one, ast.Attribute) and one.attr in _TAKES and isinstance(one.value, ast.Attribute)
            if isinstance(one.value.value, ast.Name) and one.value.value.id == self.first
        )

    @cached_property
    def outer_names(self) -> frozenset[str]:
        """Names that it declares ``global`` or ``nonlocal``."""
        body = self.node.body if isinstance(self.node, FunctionNode) else []
        return frozenset(
            name for one in statements(body) if isinstance(one, ast.Global | ast.Nonlocal) for name in one.names
        )

    @property
    def arguments(self) -> ast.arguments | None:
        """Its parameters; None for an expression."""
        node = self.node
        return node.args if isinstance(node, FunctionNode | ast.Lambda) else None

    @cached_property
    def marks(self) -> frozenset[str]:
        """Last names of its decorators."""
        node = self.node
        return (
            frozenset(last_name(mark) for mark in node.decorator_list)
            if isinstance(node, FunctionNode)
            else frozenset()
        )

    @property
    def file(self) -> str:
        """Where it stands."""
        return self.module.source.file
