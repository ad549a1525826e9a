"""What calling a value gives: analysed functions with their parameters filled in, classes, and what was handed over."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Final

from conformance.reality.arguments import Arguments, closed_over, of_parameters
from conformance.reality.classes import Class
from conformance.reality.expressions import Expressions
from conformance.reality.facts import Asking, Bound, Instance, Key, Summary
from conformance.reality.functions import External, Function
from conformance.reality.outside import called_outside
from conformance.reality.values import (
    ARGUMENT,
    CALLED,
    CLIENT,
    EMPTY,
    LIKELY,
    MADE,
    NOTHING,
    PRETEND,
    STATE,
    WIRE,
    Param,
    Value,
    combine,
    is_made_up,
    join,
    of,
    without,
)
from conformance.reality.wire import Role, role

__all__ = ["Callees"]

_DEEPEST_CALLS: Final = 4
_CALLABLE: Final = (Bound, External, Asking)


class Callees(Expressions):
    """Evaluates calls of values."""

    _depth = 0
    """How many functions that were handed over are being followed into one another."""

    def exchange(self, arguments: Arguments) -> Value:
        """Note that a server is asked, and return its answer."""
        self.note_asked()
        self.hand_out(arguments)
        return of(WIRE)

    def note_asked(self) -> None:
        """Note that a server is asked."""
        self.reaches = True
        self.touched += 1

    def hand_out(self, arguments: Arguments, *, to_caller: bool = False) -> Value:
        """Return what functions among the arguments give when somebody calls them; note what that does.

        Args:
            to_caller: who gets them may well call them, so parameters count, too: they may be functions.
        """
        found = [self.called(value) for value in arguments.every if _can_be_called(value, to_caller)]
        return combine(value for value in found if value.ways)

    # -- functions and classes -----------------------------------------------------------------------------------------

    def apply(self, callee: Value, arguments: Arguments, node: ast.Call | None = None) -> Value:
        """Return what calling a value gives."""
        found: list[Value] = []
        for thing in callee.things:
            if isinstance(thing, Bound):
                found.append(self._function(thing, arguments))
            elif isinstance(thing, Class):
                found.append(self._construct(thing, arguments))
            elif isinstance(thing, External):
                found.append(called_outside(self, thing.name, arguments, node))
            elif isinstance(thing, Instance):
                method = self.engine.attribute(thing.kind, "__call__", self.asker)
                if method is not None:
                    found.append(self.apply(method, arguments, node))
            elif isinstance(thing, Asking):
                found.append(self.exchange(arguments))
        if len(found) > 1:
            return _undecided(join(found))
        if found:
            return found[0]
        return join([self._called_way(way, callee, arguments) for way in callee.ways])

    def _called_way(self, way: int, callee: Value, arguments: Arguments) -> Value:
        if way & PRETEND:
            return of(PRETEND | MADE)
        if way & (CLIENT | LIKELY) and not way & WIRE:
            return self.exchange(arguments)
        if way & (ARGUMENT | CALLED):
            self.calls |= callee.params
            self.delivers = self.delivers or arguments.has(WIRE)
            handed = self.hand_out(arguments, to_caller=True)
            mine = Value(frozenset((CALLED,)), params=callee.params)
            return combine([mine, *(without(one, CLIENT | LIKELY) for one in arguments.every), handed])
        return combine([of(way | STATE), *arguments.every, self.hand_out(arguments, to_caller=True)])

    def known(self, bound: Bound) -> Summary:
        """Return what is known of a function so far."""
        function, owner = bound.function, bound.owner
        key = Key(function, owner) if function.nested else self.engine.context(function, owner)
        return self.engine.summary(key, self.asker)

    def _function(self, bound: Bound, arguments: Arguments) -> Value:
        known = self.known(bound)
        given = {**dict(bound.closure), **of_parameters(bound, arguments)}
        called = [given.get(param) for param in known.calls]
        self.calls |= {param for param in known.calls if param not in given}
        handed = [value for value in called if value is not None]
        self.calls |= {param for value in handed for param in value.params}
        if known.reaches or any(self._reaches_if_called(value) for value in handed):
            self.note_asked()
            self._blame(bound.function, known)
        self.delivers = self.delivers or known.delivers
        self.sleeps = self.sleeps or known.sleeps
        if bound.function.name == "__init__":
            self._tell(given)
        result = self.filled_in(known.gives, given)
        return closed_over(result, bound.function, given)

    def _blame(self, function: Function, known: Summary) -> None:
        """Signs of a helper speak against this function, if its answer is a server's or it is of the same file or class."""
        owner = self.key.owner
        near = function.module is self.module or (owner is not None and function.owner in owner.line_up)
        if self.engine.is_judged(function.module) and (near or known.gives.bits & WIRE):
            self.signs |= known.signs

    def _construct(self, kind: Class, arguments: Arguments) -> Value:
        init = self.engine.attribute(kind, "__init__", self.asker) if kind.kind != "protocol" else None
        for thing in init.things if init is not None else ():
            if isinstance(thing, Bound):
                self._feed(thing, arguments)
        if init is None:
            self._fill(kind, arguments)
        self.hand_out(arguments)
        parts = [without(value, CLIENT | LIKELY | PRETEND) for value in arguments.every]
        # What an object of a class with a mind of its own holds, nobody knows.
        made = combine([*parts, of(0 if kind.is_data else STATE)])
        functions = {thing for value in arguments.every for thing in value.things if isinstance(thing, Bound)}
        return Value(made.ways, frozenset({Instance(kind), *functions}), made.params)

    def _feed(self, init: Bound, arguments: Arguments) -> None:
        """What a constructor is given becomes known to it, whoever calls it."""
        if self.known(init).reaches:
            self.note_asked()
        self._tell(of_parameters(init, arguments))

    def _tell(self, given: Mapping[Param, Value]) -> None:
        for param, value in given.items():
            if value.ways != {EMPTY} or value.things:
                self.put(param, Value(value.ways, value.things))

    def _fill(self, kind: Class, arguments: Arguments) -> None:
        """The same for classes that are made of their annotated fields."""
        fields = [(one, name) for one in reversed(kind.line_up) for name in one.annotations]
        for (one, name), value in zip(fields, arguments.positional, strict=False):
            self.put((one, name), value)
        for one, name in fields:
            if name in arguments.named:
                self.put((one, name), arguments.named[name])

    def put(self, place: object, value: Value) -> None:
        """Put a value into a place that others read; see :meth:`Engine.part`."""
        self.written[place] = join((self.written.get(place, NOTHING), value._replace(params=frozenset())))

    # -- parameters are filled in with arguments -----------------------------------------------------------------------

    def filled_in(self, value: Value, given: Mapping[Param, Value]) -> Value:
        """Return what a function gives, with its parameters replaced by what this call gave for them."""
        mine = [given[param] for param in value.params if param in given]
        if not mine:
            return value
        left = frozenset(param for param in value.params if param not in given)
        ways: set[int] = set()
        passed, results = combine(mine), None
        for way in value.ways:
            if not way & (ARGUMENT | CALLED):
                ways.add(way)
                continue
            parts = [of(way if left else way & ~(ARGUMENT | CALLED))]
            if way & ARGUMENT:
                parts.append(passed)
            if way & CALLED:
                results = results or join(self.called(one) for one in mine if _can_be_called(one))
                parts.append(results if results.ways else of(STATE))
            ways |= combine(parts).ways
        things = value.things
        if ARGUMENT in value.ways:  # the parameter itself, and not something made of it
            things |= frozenset(thing for one in mine for thing in one.things)
        params = left | frozenset(param for one in mine for param in one.params)
        return Value(frozenset(ways), things, params)

    def called(self, value: Value) -> Value:
        """Return what calling a function that was handed over gives, whatever its arguments are."""
        if self._depth >= _DEEPEST_CALLS:
            return of(STATE)
        self._depth += 1
        try:
            return self._called(value)
        finally:
            self._depth -= 1

    def _called(self, value: Value) -> Value:
        found: list[Value] = []
        for thing in value.things:
            if isinstance(thing, Bound):
                found.append(self._called_function(thing))
            elif isinstance(thing, Asking) or (isinstance(thing, External) and role(thing.name) is Role.EXCHANGE):
                self.note_asked()
                found.append(of(WIRE))
        if not found and value.params:
            self.calls |= value.params
            return Value(frozenset((CALLED,)), params=value.params)
        return join(found) if found else of(0)

    def _called_function(self, bound: Bound) -> Value:
        known = self.known(bound)
        if known.reaches:
            self.note_asked()
            self._blame(bound.function, known)
        self.delivers = self.delivers or known.delivers
        closure = dict(bound.closure)
        for param in known.calls:
            if param in closure:
                self.called(closure[param])
            elif param.function != bound.function.number:
                self.calls.add(param)
        unknown = {param: of(STATE) for param in known.gives.params if param.function == bound.function.number}
        return self.filled_in(known.gives, {**closure, **unknown})

    def _reaches_if_called(self, value: Value) -> bool:
        before, self.reaches = self.reaches, False
        self.called(value)
        found, self.reaches = self.reaches, before
        return found


def _undecided(value: Value) -> Value:
    """One of several functions was called and it cannot be told which: if one answers with the server's, that another one
    does not is not held against the caller."""
    if not value.bits & WIRE or not any(is_made_up(way) for way in value.ways):
        return value
    return value._replace(ways=frozenset(STATE if is_made_up(way) else way for way in value.ways))


def _can_be_called(value: Value, params: bool = True) -> bool:
    if value.things and any(isinstance(thing, _CALLABLE) for thing in value.things):
        return True
    return params and bool(value.bits & ARGUMENT and value.params)
