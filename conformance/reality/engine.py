"""Answers what names, functions and attributes of the program may be; how functions are looked at stands in :mod:`.looks`."""

from __future__ import annotations

import builtins
from itertools import islice
from typing import Final

from conformance.reality.annotations import annotation_value
from conformance.reality.bodies import stub
from conformance.reality.classes import Class
from conformance.reality.facts import Bound, Instance, Key, Summary
from conformance.reality.functions import External, Function
from conformance.reality.looks import Looks
from conformance.reality.module import Meaning, Module
from conformance.reality.tree import FunctionNode
from conformance.reality.values import (
    ARGUMENT,
    CLIENT,
    EMPTY,
    LIKELY,
    NOTHING,
    STATE,
    Param,
    Value,
    join,
    of,
)
from conformance.reality.wire import is_client_type, is_likely_name

__all__ = ["Engine", "likely"]

_MOST_HEIRS: Final = 8
_ARGUMENT: Final = of(ARGUMENT)


class Engine(Looks):
    """Answers questions about a program."""

    def look(self, key: Key, written: dict[object, Value]) -> Summary:
        """Look at a function and return what it does; what it gives to other places goes into ``written``."""
        from conformance.reality.statements import Activation

        activation = Activation(self, key)
        activation.written = written
        return activation.run()

    def prepare(self, kind: Class, function: Function) -> None:
        """Begin to look at a method of a class, or at the expression that makes it; :meth:`settle` goes on."""
        if function.arguments is not None:
            self.ask(self.context(function, kind))
        else:
            self.attribute(kind, function.name, Key(function, kind))

    # -- names ---------------------------------------------------------------------------------------------------------

    def of_global(self, module: Module, name: str, asker: Key) -> Value:
        """Return the value of a name of a module's top level, or of the language."""
        meaning = module.meaning(name)
        found = self.of_meaning(meaning, asker) if meaning is not None else NOTHING
        writers = module.writers.get(name)
        if writers:
            for writer in writers:
                self.summary(Key(writer, writer.owner), asker)
            found = join((found, self.part((module, name), asker)))
        if meaning is None and not writers:
            return of(0, External(f"builtins.{name}")) if hasattr(builtins, name) else of(STATE)
        return found

    def of_meaning(self, meaning: Meaning, asker: Key) -> Value:
        """Return the value of what a name of a module means."""
        if isinstance(meaning, Function):
            return self.effective(meaning, None, asker)
        if isinstance(meaning, list):
            return join(self.summary(Key(one, None), asker).gives for one in meaning)
        return of(STATE) if meaning is None else of(0, meaning)

    def effective(self, function: Function, kind: Class | None, asker: Key) -> Value:
        """Return a function as its decorators leave it."""
        from conformance.reality.statements import Activation

        bound = of(0, Bound(function, kind))
        node = function.node
        if not isinstance(node, FunctionNode) or not node.decorator_list:
            return bound
        return Activation(self, Key(function, kind), asker).decorated(node.decorator_list, bound)

    # -- attributes of objects -----------------------------------------------------------------------------------------

    def attribute(self, kind: Class, name: str, asker: Key, start: int = 0) -> Value | None:
        """Return the value of an attribute of an object of a class; None when no analysed class has it.

        Args:
            start: classes of the line-up that are skipped (for ``super()``).
        """
        found = self._in_line_up(kind, name, asker, start)
        if not start and (found is None or self._is_left_open(kind, name)):
            found = self._below(kind, name, asker) or found
        if found is None and any(is_client_type(stranger) for stranger in kind.strangers):
            return of(CLIENT)
        return found

    @staticmethod
    def _is_left_open(kind: Class, name: str) -> bool:
        """Say whether a class leaves a method to those below it: abstract, or with a body that does nothing."""
        method, _ = kind.holders(name)
        return method is not None and ("abstractmethod" in method.marks or bool(stub(method)))

    def _below(self, kind: Class, name: str, asker: Key) -> Value | None:
        heirs = [heir for heir in self.heirs(kind) if not self._is_left_open(heir, name)]
        found = (self._in_line_up(heir, name, asker, 0) for heir in heirs)
        some = list(islice((value for value in found if value is not None), _MOST_HEIRS))
        return join(some) if some else None

    def _in_line_up(self, kind: Class, name: str, asker: Key, start: int) -> Value | None:
        method, holders = kind.holders(name, start)
        if method is not None:
            return self._method(method, kind, asker)
        if not holders:
            return None
        self.look_at_writers(kind, name, holders)
        values: list[Value] = []
        for one in holders:
            values.append(self.part((one, name), asker))
            for value in one.values.get(name, ()):
                values.append(self._own(kind, self.summary(self.context(value, kind), asker).gives, asker))
            if name in one.annotations:
                values.append(annotation_value(one.module, one.annotations[name], name, _ARGUMENT))
        return likely(join(values), name)

    def _method(self, method: Function, kind: Class, asker: Key) -> Value:
        key = self.context(method, kind)
        if method.marks & {"property", "cached_property"}:
            return self.summary(key, asker).gives
        return self._own(kind, self.effective(method, key.owner, asker), asker)

    def _own(self, kind: Class, value: Value, asker: Key) -> Value:
        """A method that a decorator or another function has made is told whose it is by its first argument."""
        for thing in value.things:
            if isinstance(thing, Bound) and thing.function.nested and thing.function.first:
                self.put(Param(thing.function.number, thing.function.first), asker, of(0, Instance(kind)))
        return value


def likely(value: Value, name: str) -> Value:
    """Return a value that was handed in as one that talks to a server, if the name it goes by says so."""
    if not value.bits & (ARGUMENT | STATE) or value.bits & (CLIENT | LIKELY) or not is_likely_name(name):
        return value
    # What an object of an analysed class does is known: its name says nothing.
    handed_in = ARGUMENT if any(isinstance(thing, Instance) for thing in value.things) else ARGUMENT | STATE
    ways = frozenset(way | LIKELY if way & handed_in and not way & ~(handed_in | EMPTY) else way for way in value.ways)
    return Value(ways, value.things, value.params)
