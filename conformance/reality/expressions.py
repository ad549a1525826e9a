"""What an expression may be: every kind of expression but calls. Values are followed, nothing is computed."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, Final

from conformance.reality.classes import Class
from conformance.reality.engine import Engine
from conformance.reality.facts import Asking, Instance, Key, Sign, Super
from conformance.reality.functions import External
from conformance.reality.module import Module
from conformance.reality.usage import guessed_count
from conformance.reality.values import (
    ARGUMENT,
    CLIENT,
    EMPTY,
    LIKELY,
    MADE,
    STATE,
    WIRE,
    Param,
    Value,
    combine,
    join,
    of,
    without,
)
from conformance.reality.wire import is_exchange_method

__all__ = ["Expressions"]

_EMPTY: Final = of(EMPTY)
_MADE: Final = of(MADE)
_UNKNOWN: Final = of(STATE)


class Expressions(ABC):
    """Evaluates expressions of one function.

    Args:
        engine: knows the other functions.
        key: which function, on an object of which class.
        asker: who is told when something that was asked for changes; the function itself unless given.
        around: the activation of the function around a nested one.
    """

    def __init__(self, engine: Engine, key: Key, asker: Key | None = None, around: Expressions | None = None) -> None:
        self.engine = engine
        self.key = key
        self.asker = asker or key
        self.function = key.function
        self.module = key.function.module
        self.around = around
        self.names: dict[str, Value] = {}
        self.written: dict[object, Value] = around.written if around is not None else {}
        self._seen: dict[tuple[Class, str], Value | None] = around._seen if around is not None else {}
        self.reaches = False
        self.touched = 0
        """How often a server was asked or an answer of it read so far."""
        self.calls: set[Param] = set()
        self.delivers = False
        self.sleeps = False
        self.signs: set[Sign] = set()

    def value(self, node: ast.expr | None) -> Value:
        """Return what an expression may be."""
        if node is None:
            return _EMPTY
        evaluate = _KINDS.get(type(node))
        return evaluate(self, node) if evaluate is not None else _UNKNOWN

    def sign(self, kind: str, line: int, text: str) -> None:
        """Note what speaks against this function."""
        self.signs.add(Sign(kind, self.function.file, line, text))

    # -- names and attributes ------------------------------------------------------------------------------------------

    def _name(self, node: ast.Name) -> Value:
        scope: Expressions | None = self
        while scope is not None:
            found = scope.names.get(node.id)
            if found is not None:
                return found
            scope = scope.around
        owner = self.function.owner
        if (
            owner is not None
            and isinstance(self.function.node, ast.expr)
            and owner.defines(node.id, self.function.line)
        ):
            kind = self.key.owner or owner
            found = self.engine.attribute(kind, node.id, self.asker)
            if found is not None:
                return found
        return self.engine.of_global(self.module, node.id, self.asker)

    def _attribute(self, node: ast.Attribute) -> Value:
        return self.attribute_of(self.value(node.value), node.attr)

    def attribute_of(self, owner: Value, name: str) -> Value:
        """Return an attribute of a value."""
        found: list[Value] = []
        for thing in owner.things:
            got = self._of_thing(thing, name)
            if got is not None:
                given = Value(frozenset(way & (ARGUMENT | WIRE) for way in owner.ways), params=owner.params)
                found.append(combine([got, given], things=True) if given.bits else got)
        if found:
            return join(found)
        if owner.ways == {0}:
            return _UNKNOWN
        asks = owner.bits & (CLIENT | LIKELY) and is_exchange_method(name, known=bool(owner.bits & CLIENT))
        return Value(owner.ways, frozenset((Asking(name),)) if asks else frozenset(), owner.params)

    def _of_thing(self, thing: Any, name: str) -> Value | None:
        if isinstance(thing, External):
            return of(0, External(f"{thing.name}.{name}"))
        if isinstance(thing, Module):
            return self.engine.of_global(thing, name, self.asker)
        if isinstance(thing, (Instance, Class)):  # asked very often, and a tuple is answered faster
            kind = thing.kind if isinstance(thing, Instance) else thing
            if (kind, name) not in self._seen:
                self._seen[kind, name] = self.engine.attribute(kind, name, self.asker)
            return self._seen[kind, name]
        if isinstance(thing, Super):
            start = thing.kind.line_up.index(thing.owner) + 1 if thing.owner in thing.kind.line_up else 1
            return self.engine.attribute(thing.kind, name, self.asker, start)
        return None

    # -- constants and containers --------------------------------------------------------------------------------------

    def _constant(self, node: ast.Constant) -> Value:
        return _MADE if node.value and node.value is not True and node.value is not Ellipsis else _EMPTY

    def _sequence(self, node: ast.List | ast.Tuple | ast.Set) -> Value:
        return combine([self.value(one) for one in node.elts], things=True) if node.elts else _EMPTY

    def _dict(self, node: ast.Dict) -> Value:
        if not node.values:
            return _EMPTY
        parts = [self.value(one) for one in node.values]
        self._check_usage(
            (key.value, one, part)
            for key, one, part in zip(node.keys, node.values, parts, strict=True)
            if isinstance(key, ast.Constant)
        )
        return combine([*parts, *(without(self.value(key), MADE) for key in node.keys if key is not None)], things=True)

    def _check_usage(self, fields: Iterable[tuple[Any, ast.expr, Value]]) -> None:
        for name, node in guessed_count(fields):
            self.sign("made-up-usage", node.lineno, f"{name} is made up here, not counted by the server")

    def _text(self, node: ast.JoinedStr) -> Value:
        parts = [self.value(one.value if isinstance(one, ast.FormattedValue) else one) for one in node.values]
        return without(combine(parts), CLIENT | LIKELY)

    # -- operators -----------------------------------------------------------------------------------------------------

    def _binary(self, node: ast.BinOp) -> Value:
        return without(combine([self.value(node.left), self.value(node.right)]), CLIENT | LIKELY)

    def _either(self, node: ast.BoolOp) -> Value:
        values = [self.value(one) for one in node.values]
        if isinstance(node.op, ast.Or):
            kept = [Value(one.ways - {EMPTY}, one.things, one.params) for one in values[:-1]]
            return join([*(one for one in kept if one.ways or one.things), values[-1]])
        return join(values)

    def _choice(self, node: ast.IfExp) -> Value:
        self.value(node.test)
        return join((self.value(node.body), self.value(node.orelse)))

    def _truth(self, node: ast.Compare) -> Value:
        found = combine([self.value(node.left), *(self.value(one) for one in node.comparators)])
        return without(found, MADE | EMPTY | CLIENT | LIKELY)

    def _unary(self, node: ast.UnaryOp) -> Value:
        found = self.value(node.operand)
        return without(found, MADE | CLIENT | LIKELY) if isinstance(node.op, ast.Not) else found

    def _subscript(self, node: ast.Subscript) -> Value:
        self.value(node.slice)
        return self.value(node.value)

    def _slice(self, node: ast.Slice) -> Value:
        return combine([self.value(one) for one in (node.lower, node.upper, node.step) if one is not None])

    # -- what is passed through ----------------------------------------------------------------------------------------

    def _inside(self, node: Any) -> Value:
        return self.value(node.value)

    def _awaited(self, node: ast.Await) -> Value:
        found = self.value(node.value)
        if found.bits & WIRE:
            self.touched += 1  # what was begun elsewhere may fail here
        return found

    def _walrus(self, node: ast.NamedExpr) -> Value:
        found = self.value(node.value)
        self.names[node.target.id] = found
        return found

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Value:
        before = dict(self.names)
        for each in node.generators:
            self.bind(each.target, self.each_of(self.value(each.iter)))
            for test in each.ifs:
                self.value(test)
        made = (
            [self.value(node.key), self.value(node.value)] if isinstance(node, ast.DictComp) else [self.value(node.elt)]
        )
        found = combine(made, things=True)
        self.names = before
        return found

    def each_of(self, value: Value) -> Value:
        """Return what iterating over a value gives."""
        if value.bits & WIRE:
            self.touched += 1
        found = []
        for thing in value.things:
            if isinstance(thing, Instance):
                for name in ("__iter__", "__aiter__", "__next__", "__anext__"):
                    method = next((one.methods[name] for one in thing.kind.line_up if name in one.methods), None)
                    if method is not None:
                        given = self.engine.summary(self.engine.context(method, thing.kind), self.asker)
                        self.reaches = self.reaches or given.reaches
                        found.append(given.gives)
        found = [one for one in found if one.ways and one.ways != {0}]
        return join([*found, value]) if found else value

    # -- what the layers above add ------------------------------------------------------------------------------------------

    @abstractmethod
    def bind(self, target: ast.expr, value: Value) -> None:
        """Give a value to a target."""

    @abstractmethod
    def change(self, target: ast.expr, value: Value) -> None:
        """Note that a value became part of what an expression names."""

    @abstractmethod
    def call(self, node: ast.Call) -> Value:
        """Return what a call gives."""

    @abstractmethod
    def lambda_(self, node: ast.Lambda) -> Value:
        """Return a function without a name."""

    @abstractmethod
    def yielded(self, node: ast.Yield | ast.YieldFrom) -> Value:
        """Note what is yielded."""


_KINDS: Final[dict[type[ast.AST], Callable[[Expressions, Any], Value]]] = {
    ast.Name: Expressions._name,
    ast.Attribute: Expressions._attribute,
    ast.Constant: Expressions._constant,
    ast.List: Expressions._sequence,
    ast.Tuple: Expressions._sequence,
    ast.Set: Expressions._sequence,
    ast.Dict: Expressions._dict,
    ast.JoinedStr: Expressions._text,
    ast.BinOp: Expressions._binary,
    ast.BoolOp: Expressions._either,
    ast.IfExp: Expressions._choice,
    ast.Compare: Expressions._truth,
    ast.UnaryOp: Expressions._unary,
    ast.Subscript: Expressions._subscript,
    ast.Slice: Expressions._slice,
    ast.Await: Expressions._awaited,
    ast.Starred: Expressions._inside,
    ast.NamedExpr: Expressions._walrus,
    ast.ListComp: Expressions._comprehension,
    ast.SetComp: Expressions._comprehension,
    ast.GeneratorExp: Expressions._comprehension,
    ast.DictComp: Expressions._comprehension,
    ast.Call: lambda self, node: self.call(node),
    ast.Lambda: lambda self, node: self.lambda_(node),
    ast.Yield: lambda self, node: self.yielded(node),
    ast.YieldFrom: lambda self, node: self.yielded(node),
}
