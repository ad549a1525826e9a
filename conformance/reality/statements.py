"""What a function does: its statements in order, branch by branch, with everything it returns and hands on."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from typing import Any, Final

from conformance.reality.annotations import annotation_value
from conformance.reality.arguments import Arguments
from conformance.reality.branches import Branches
from conformance.reality.classes import Class
from conformance.reality.engine import Engine, likely
from conformance.reality.facts import Answer, Bound, Instance, Key, Summary
from conformance.reality.functions import Function
from conformance.reality.tree import FunctionNode
from conformance.reality.values import (
    ARGUMENT,
    EMPTY,
    PRETEND,
    WIRE,
    Param,
    Value,
    is_made_up,
    join,
    of,
)

__all__ = ["Activation"]

_EMPTY: Final = of(EMPTY)


class Activation(Branches):
    """One look at one function; see :meth:`run`."""

    def __init__(self, engine: Engine, key: Key, asker: Key | None = None, around: Activation | None = None) -> None:
        super().__init__(engine, key, asker, around)
        self._gives: list[Value] = []
        self._is_generator = False

    def run(self) -> Summary:
        """Look at the function and return what it does."""
        node = self.function.node
        if isinstance(node, FunctionNode):
            self._parameters(node.args)
            self.block(node.body)
            if not self.ended and not self._is_generator:
                self._gives.append(_EMPTY)
        elif isinstance(node, ast.Lambda):
            self._parameters(node.args)
            self._gives.append(self.value(node.body))
        else:
            self._gives.append(self.value(node))
        return Summary(
            join(self._gives),
            self.reaches,
            frozenset(self.calls),
            self.delivers,
            frozenset(self.signs),
            tuple(self.answers),
            self.sleeps,
        )

    def _parameters(self, shape: ast.arguments) -> None:
        every = [*shape.posonlyargs, *shape.args]
        owner, marks = self.function.owner, self.function.marks
        if owner is not None and every and not self.function.nested and "staticmethod" not in marks:
            kind = self.key.owner or owner
            self.names[every.pop(0).arg] = of(0, kind if "classmethod" in marks else Instance(kind))
        defaults = dict(zip(reversed(every), reversed(shape.defaults), strict=False))
        defaults.update((one, node) for one, node in zip(shape.kwonlyargs, shape.kw_defaults, strict=True) if node)
        for one in [*every, *shape.kwonlyargs]:
            self.names[one.arg] = self._parameter(one, defaults.get(one))
        for star in (shape.vararg, shape.kwarg):
            if star is not None:
                self.names[star.arg] = self._parameter(star, None)

    def _parameter(self, one: ast.arg, default: ast.expr | None) -> Value:
        param = Param(self.function.number, one.arg)
        given = annotation_value(
            self.module, one.annotation, one.arg, Value(frozenset((ARGUMENT,)), params=frozenset((param,)))
        )
        found = [given]
        if self.function.name == "__init__" or self.function.nested:
            found.append(self.engine.part(param, self.asker))
        if default is not None:
            usual = self.value(default)
            if usual.things or usual.bits & PRETEND:
                found.append(usual)
        return join(found)

    # -- answers -------------------------------------------------------------------------------------------------------

    def _return(self, node: ast.Return) -> None:
        self._give(self.value(node.value), node)
        self.ended = True

    def yielded(self, node: ast.Yield | ast.YieldFrom) -> Value:
        """Note what is yielded."""
        self._is_generator = True
        if node.value is not None:
            self._give(self.value(node.value), node)
        return of(ARGUMENT)

    def _give(self, value: Value, node: ast.Return | ast.Yield | ast.YieldFrom) -> None:
        if self.excused:
            value = value._replace(ways=frozenset(EMPTY if is_made_up(way) else way for way in value.ways))
        is_truth = isinstance(node.value, ast.Constant) and isinstance(node.value.value, bool)
        self._gives.append(value)
        self.answers.append(Answer(node.lineno, value.ways, bool(self.failing) and not is_truth))

    def _raise(self, node: ast.Raise) -> None:
        del node
        self.ended = True

    # -- assignments ---------------------------------------------------------------------------------------------------

    def bind(self, target: ast.expr, value: Value) -> None:
        """Give a value to a target."""
        if isinstance(target, ast.Name):
            self._set(target.id, value)
        elif isinstance(target, ast.Tuple | ast.List):
            for one in target.elts:
                self.bind(one, value)
        elif isinstance(target, ast.Starred):
            self.bind(target.value, value)
        elif isinstance(target, ast.Attribute):
            owner = self.value(target.value)
            kinds = [thing.kind for thing in owner.things if isinstance(thing, Instance)]
            if kinds and isinstance(target.value, ast.Name):
                self._keep(kinds, target.attr, likely(value, target.attr))
            else:
                self.change(target.value, value)
        elif isinstance(target, ast.Subscript):
            self.change(target.value, value)

    def _set(self, name: str, value: Value) -> None:
        if name in self.function.outer_names:
            scope = self.around
            while scope is not None and name not in scope.names:
                scope = scope.around
            if scope is not None:
                scope.names[name] = join((scope.names[name], value))
                return
            self.put((self.module, name), value)
        self.names[name] = value

    def _keep(self, kinds: Iterable[Class], name: str, value: Value) -> None:
        """Keep a value in an attribute of an object: of the class that this function belongs to, or of its own."""
        owner = self.function.owner
        for kind in kinds:
            self.put((owner if owner is not None and owner in kind.line_up else kind, name), value)

    def change(self, target: ast.expr, value: Value) -> None:
        """Note that a value became part of what an expression names."""
        while isinstance(target, ast.Subscript | ast.Call | ast.Await):
            target = target.func if isinstance(target, ast.Call) else target.value
        if isinstance(target, ast.Attribute):
            owner = self.value(target.value)
            kinds = [thing.kind for thing in owner.things if isinstance(thing, Instance)]
            if kinds:
                self._keep(kinds, target.attr, value)
                self.delivers = self.delivers or bool(value.bits & WIRE)
            else:
                self.change(target.value, value)
        elif isinstance(target, ast.Name):
            known = self._name(target)
            self.delivers = self.delivers or bool(value.bits & WIRE and known.bits & ARGUMENT)
            ways = frozenset((way | other) & ~EMPTY or EMPTY for way in known.ways for other in value.ways)
            changed = Value(ways, known.things | value.things, known.params | value.params)
            scope: Any = self
            while scope is not None and target.id not in scope.names:
                scope = scope.around
            (scope or self).names[target.id] = changed

    def _assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            pairs = (
                isinstance(target, ast.Tuple)
                and isinstance(node.value, ast.Tuple)
                and len(target.elts) == len(node.value.elts)
            )
            if pairs and isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                values = [self.value(one) for one in node.value.elts]
                for one, value in zip(target.elts, values, strict=True):
                    self.bind(one, value)
            else:
                self.bind(target, self.value(node.value))

    def _annotated(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.bind(node.target, self.value(node.value))

    def _augmented(self, node: ast.AugAssign) -> None:
        value = self.value(node.value)
        if isinstance(node.target, ast.Name):
            ways = frozenset(
                (way | other) & ~EMPTY or EMPTY for way in self._name(node.target).ways for other in value.ways
            )
            self._set(node.target.id, Value(ways, params=self._name(node.target).params | value.params))
        else:
            self.change(node.target, value)

    # -- definitions ---------------------------------------------------------------------------------------------------

    def _def(self, node: FunctionNode) -> None:
        key = self._inner(node, node.name)
        self.names[node.name] = of(0, Bound(key.function, key.owner))
        self._look_inside(key)
        if node.decorator_list:
            self.names[node.name] = self.decorated(node.decorator_list, self.names[node.name])

    def lambda_(self, node: ast.Lambda) -> Value:
        """Return a function without a name."""
        key = self._inner(node, "<lambda>")
        self._look_inside(key)
        return of(0, Bound(key.function, key.owner))

    def _inner(self, node: FunctionNode | ast.Lambda, name: str) -> Key:
        made = Function(name, self.module, self.function.owner, node, node.lineno, around=self.function)
        return self.engine.inner(node, made, self.key.owner, self.asker)

    def _look_inside(self, key: Key) -> None:
        self.engine.keep(key, Activation(self.engine, key, key, self).run())

    def decorated(self, decorators: Sequence[ast.expr], function: Value) -> Value:
        """Return a function as its decorators leave it; what is not analysed is taken to leave it as it is."""
        for node in reversed(decorators):
            found = self.value(node)
            if any(isinstance(thing, Bound) for thing in found.things):
                made = self.apply(
                    Value(frozenset((0,)), frozenset(t for t in found.things if isinstance(t, Bound))),
                    Arguments([function]),
                )
                if any(isinstance(thing, Bound) for thing in made.things):
                    function = made
        return function

    def _class(self, node: ast.ClassDef) -> None:
        self.names[node.name] = of(0, self.module.local_class(node))

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        for name, meaning in self.module.imported(node):
            self.names[name] = self.engine.of_meaning(self.module.library.followed(meaning, self.module), self.asker)

    def _expression(self, node: ast.Expr) -> None:
        self.value(node.value)

    def _assert(self, node: ast.Assert) -> None:
        self.value(node.test)


Activation.handlers = {
    ast.Expr: Activation._expression,
    ast.Return: Activation._return,
    ast.Raise: Activation._raise,
    ast.Assign: Activation._assign,
    ast.AnnAssign: Activation._annotated,
    ast.AugAssign: Activation._augmented,
    ast.If: Activation.run_if,
    ast.While: Activation.run_while,
    ast.For: Activation.run_for,
    ast.AsyncFor: Activation.run_for,
    ast.With: Activation.run_with,
    ast.AsyncWith: Activation.run_with,
    ast.Try: Activation.run_try,
    ast.TryStar: Activation.run_try,
    ast.Match: Activation.run_match,
    ast.Break: Activation.run_break,
    ast.Continue: Activation.run_continue,
    ast.FunctionDef: Activation._def,
    ast.AsyncFunctionDef: Activation._def,
    ast.ClassDef: Activation._class,
    ast.Import: Activation._import,
    ast.ImportFrom: Activation._import,
    ast.Assert: Activation._assert,
}
