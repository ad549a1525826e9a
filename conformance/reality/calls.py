"""What a call gives by how it is written: methods of objects, of clients, and of values that nobody knows."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from io import BufferedRWPair
from pathlib import Path
from typing import Any, Final

from conformance.reality.arguments import Arguments
from conformance.reality.callees import Callees
from conformance.reality.facts import Asking, Bound, Instance, Key, Super
from conformance.reality.functions import External
from conformance.reality.outside import called_outside
from conformance.reality.tree import words
from conformance.reality.values import (
    ARGUMENT,
    CLIENT,
    EMPTY,
    FILE,
    HASH,
    LIKELY,
    MADE,
    PRETEND,
    RANDOM,
    STATE,
    WIRE,
    Value,
    combine,
    join,
    of,
    without,
)
from conformance.reality.wire import asks_again, is_exchange_method

__all__ = ["Calls"]

_CHANGES: Final = words(
    "append extend add update insert setdefault put put_nowait appendleft write writelines push send_nowait set_result "
    "set_exception mount"
)
_TAKES: Final = words("get pop popitem popleft values items copy setdefault get_nowait")
_OF_DATA: Final = frozenset(
    name for kind in (str, bytes, dict, list, set, tuple, int, float) for name in dir(kind) if not name.startswith("__")
)
_OF_FILES: Final = frozenset(name for kind in (Path, BufferedRWPair) for name in dir(kind) if not name.startswith("_"))
_MOST_CANDIDATES: Final = 4


class Calls(Callees):
    """Evaluates calls."""

    def call(self, node: ast.Call) -> Value:
        """Return what a call gives."""
        special = self._special(node)
        if special is not None:
            return special
        arguments = self._arguments(node)
        if isinstance(node.func, ast.Attribute):
            return self._method(node, self.value(node.func.value), node.func.attr, arguments)
        return self.apply(self.value(node.func), arguments, node)

    def _arguments(self, node: ast.Call) -> Arguments:
        found = Arguments()
        for one in node.args:
            value = self.value(one)
            (found.rest if isinstance(one, ast.Starred) else found.positional).append(value)
        for keyword in node.keywords:
            value = self.value(keyword.value)
            if keyword.arg is None:
                found.rest.append(value)
            else:
                found.named[keyword.arg] = value
        self._check_usage(
            (word.arg, word.value, found.named[word.arg]) for word in node.keywords if word.arg is not None
        )
        return found

    def _special(self, node: ast.Call) -> Value | None:
        """``super()`` and ``getattr(...)``, which look at what is written rather than at values."""
        if not isinstance(node.func, ast.Name):
            return None
        if node.func.id == "super" and self.key.owner is not None and self.function.owner is not None:
            return of(0, Super(self.key.owner, self.function.owner))
        if node.func.id != "getattr" or len(node.args) < 2:
            return None
        owner, name = self.value(node.args[0]), node.args[1]
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            return self.attribute_of(owner, name.value)
        self.value(name)
        return self._any_method(owner, _beginning(name)) or owner

    def _any_method(self, owner: Value, start: str) -> Value | None:
        """Return the methods of an object that a computed name may mean."""
        found = [
            self.engine.attribute(thing.kind, name, self.asker)
            for thing in owner.things
            if isinstance(thing, Instance)
            for one in thing.kind.line_up
            for name in one.methods
            if name.startswith(start) and not name.startswith("__") and one.methods[name] is not self.function
        ]
        return join(value for value in found if value is not None) if found else None

    # -- methods -------------------------------------------------------------------------------------------------------

    def _method(self, node: ast.Call, owner: Value, name: str, arguments: Arguments) -> Value:
        found: list[Value] = []
        for thing in owner.things:
            got = self._method_of(thing, name, arguments, node, owner)
            if got is not None:
                found.append(got)
        if not found or owner.bits & (CLIENT | LIKELY | PRETEND | WIRE):
            assert isinstance(node.func, ast.Attribute)
            found.extend(self._of_ways(node.func.value, owner, name, arguments, bool(found)))
        return join(found)

    def _method_of(self, thing: Any, name: str, arguments: Arguments, node: ast.Call, owner: Value) -> Value | None:
        if isinstance(thing, External):
            return called_outside(self, f"{thing.name}.{name}", arguments, node)
        if isinstance(thing, Bound | Asking):
            return None
        got = self._of_thing(thing, name)
        if got is None:
            kind = thing.kind if isinstance(thing, Instance | Super) else None
            if kind is not None and kind.strangers and is_exchange_method(name, known=False):
                return self.exchange(arguments)  # inherited from a class that is not here: the benefit of the doubt
            return None
        if owner.bits & ARGUMENT and isinstance(thing, Instance) and not got.things:
            got = combine([got, Value(frozenset((ARGUMENT,)), params=owner.params)], things=True)
        given = self.apply(got, arguments, node)
        if owner.bits & WIRE and given.bits & (ARGUMENT | STATE):
            return combine([given, of(WIRE)], things=True)
        return given

    def _of_ways(
        self, target: ast.expr, owner: Value, name: str, arguments: Arguments, known_things: bool
    ) -> Iterable[Value]:
        """What a method of a value gives by where the value comes from, way by way."""
        for way in owner.ways:
            if way & PRETEND:
                yield of(PRETEND | MADE)
            elif way & CLIENT and not way & WIRE:
                yield self._of_client(target, way, name, arguments)
            elif asks_again(name) if way & WIRE else way & LIKELY and is_exchange_method(name, known=False):
                yield self.exchange(arguments)
            elif not known_things:
                yield self._of_unknown(target, Value(frozenset((way,)), owner.things, owner.params), name, arguments)

    def _of_client(self, target: ast.expr, way: int, name: str, arguments: Arguments) -> Value:
        if is_exchange_method(name, known=True):
            return self.exchange(arguments)
        if name == "mount" and arguments.has(PRETEND):
            self.change(target, of(PRETEND))
        return of(way)

    def _of_unknown(self, target: ast.expr, owner: Value, name: str, arguments: Arguments) -> Value:
        if owner.bits & (ARGUMENT | STATE) and arguments.has(WIRE):
            self.delivers = True
        if name in _CHANGES and arguments.every:
            self.change(target, combine(arguments.every, things=True))
            if any(value.ways != {EMPTY} for value in arguments.every):
                self._hand_to_worker(target)
        if name in _TAKES:
            return join([owner, *arguments.positional[1:2]])
        of_data = name in _OF_DATA or owner.bits & (WIRE | RANDOM | HASH | FILE)
        handed = self.hand_out(arguments, to_caller=not of_data)
        parts = [Value(owner.ways, params=owner.params), *arguments.every, handed]
        if of_data:
            return combine(parts)
        answer = of(STATE | WIRE if self._by_name(name, owner) else STATE)
        return combine([*(without(part, CLIENT | LIKELY) for part in parts), answer])

    def _hand_to_worker(self, target: ast.expr) -> None:
        """What is put into a queue of the object is done by whatever method takes it out again."""
        if not isinstance(target, ast.Attribute):
            return
        for thing in self.value(target.value).things:
            for method in thing.kind.takers(target.attr) if isinstance(thing, Instance) else ():
                if self.engine.summary(self.engine.context(method, thing.kind), self.asker).reaches:
                    self.note_asked()

    def _by_name(self, name: str, owner: Value) -> bool:
        """An object of an unknown class: whatever few analysed classes have such a method may be it."""
        candidates = self.engine.methods_named(name, self.module) if name not in _OF_FILES else []
        if owner.things or len(candidates) > _MOST_CANDIDATES or not owner.bits & (ARGUMENT | STATE):
            return False
        found = [self.engine.summary(Key(method, method.owner), self.asker).reaches for method in candidates]
        if any(found):
            self.note_asked()
        return any(found)


def _beginning(node: ast.expr) -> str:
    """The text that a computed name begins with."""
    if isinstance(node, ast.JoinedStr) and node.values and isinstance(node.values[0], ast.Constant):
        return str(node.values[0].value)
    if isinstance(node, ast.BinOp) and isinstance(node.left, ast.Constant):
        return str(node.left.value)
    return ""
