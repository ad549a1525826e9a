"""Works out what every function does, once each, and again where something it relies on turned out to be more.

A function is looked at when somebody asks what it does; one that asks for itself, directly or not, is told "nothing yet" and is
looked at again when the answer is there. So recursion ends, and no function is looked at more than a few times.
"""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from functools import wraps
from heapq import heappop, heappush
from itertools import count
from typing import Any, Final, TypeVar

from conformance.reality.classes import Class
from conformance.reality.facts import Key, Summary
from conformance.reality.functions import Function
from conformance.reality.module import Module
from conformance.reality.program import Program
from conformance.reality.recall import Asked, Found
from conformance.reality.values import NOTHING, STATE, Value, join, of, settled_down

__all__ = ["Looks"]

_Method = TypeVar("_Method", bound=Callable[..., Any])
_DEEPEST: Final = 40
_MOST_LOOKS: Final = 6
_LAST: Final = 1 << 60
_NOTHING_YET: Final = Summary()
_CANNOT_TELL: Final = Summary(of(STATE))


def _asked(method: _Method) -> _Method:
    """Note a question of the look that is under way and the answer to it: nothing else may tell one program from another."""

    @wraps(method)
    def noted(self: Looks, *arguments: Any) -> Any:
        asked, self._asked = self._asked, None
        answer = method(self, *arguments)
        if asked is not None:
            asked.append(Asked(method, arguments, answer))
            self._asked = asked
        return answer

    return noted  # type: ignore[return-value]  # a decorator that keeps the signature


class Looks(ABC):
    """Remembers what functions do and what was put where, and who asked.

    Args:
        program: what is analysed.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self._known: dict[Key, Summary] = {}
        self._looks: dict[Key, int] = {}
        self._active: set[Key] = set()
        self._askers: dict[object, set[Key]] = {}
        self._misled: dict[Key, set[Key]] = {}
        self._order: dict[Key, int] = {}
        self._queued: set[Key] = set()
        self._ticks = count()
        self._waiting: list[tuple[int, int, Key]] = []
        """A heap: what was done first relies on nothing that came later, so it is looked at first again."""
        self._parts: dict[object, dict[Key, Value]] = {}
        self._joined: dict[object, Value] = {}
        self._homes: dict[Key, Key] = {}
        self._written: set[tuple[Class, str]] = set()
        self._asked: list[Asked] | None = None
        """The questions of the look that is under way, if it is to be kept."""
        self._contexts: dict[tuple[Function, Class | None], Key] = {}
        self._changes: dict[tuple[Class, Class], tuple[tuple[Class, frozenset[str]], ...]] = {}

    # -- functions -----------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Look at everything again that was told too little, until nothing changes."""
        while self._waiting:
            _, _, key = heappop(self._waiting)
            self._queued.discard(key)
            self._look(key)

    def settled(self, key: Key) -> Summary:
        """Return what a function does once nothing changes any more."""
        self.ask(key)
        self.settle()
        return self._known.get(key, _CANNOT_TELL)

    @_asked
    def summary(self, key: Key, asker: Key) -> Summary:
        """Return what is known of a function so far; the asker is looked at again when that changes."""
        self._askers.setdefault(key, set()).add(asker)
        found = self.ask(key)
        if found is _NOTHING_YET:
            self._misled.setdefault(key, set()).add(asker)
        return found

    def ask(self, key: Key) -> Summary:
        """Return what is known of a function so far."""
        found = self._known.get(key)
        if found is not None:
            return found
        if key.function.nested:
            return _CANNOT_TELL if key not in self._homes else _NOTHING_YET
        if key not in self._active and len(self._active) < _DEEPEST:
            self._look(key)
            return self._known[key]
        if key not in self._active:
            self._queue(key)
        return _NOTHING_YET

    def _look(self, key: Key) -> None:
        if key in self._active or self._looks.get(key, 0) >= _MOST_LOOKS:
            return
        self._looks[key] = self._looks.get(key, 0) + 1
        self._active.add(key)
        try:
            found = self._found(key)
        except RecursionError:
            found = Found(_CANNOT_TELL, {})
            self.program.too_deep(key.function.file, key.function.line)
        finally:
            self._active.discard(key)
        self.keep(key, found.summary)
        for place, value in found.written.items():
            self.put(place, key, value)

    def _found(self, key: Key) -> Found:
        """Return what a look finds; one that another program has taken already is not taken again."""
        memory = self.program.library.memory
        around, self._asked = self._asked, None
        try:
            found = memory.recall(key, self) if memory is not None else None
            if found is None:
                asked: list[Asked] = []
                self._asked = asked if memory is not None else None
                written: dict[object, Value] = {}
                found = Found(self.look(key, written), written)
                if memory is not None:
                    memory.keep(key, asked, found)
            return found
        finally:
            self._asked = around

    @abstractmethod
    def look(self, key: Key, written: dict[object, Value]) -> Summary:
        """Look at a function and return what it does; what it gives to other places goes into ``written``."""

    @_asked
    def keep(self, key: Key, found: Summary) -> None:
        """Remember what a function does, and look again at those who were told otherwise."""
        before = self._known.get(key)
        self._known[key] = found
        self._order.setdefault(key, len(self._order))
        misled = self._misled.pop(key, set())
        if before is None:
            self._again(misled)
        elif before != found:
            self._again(misled | self._askers.get(key, set()))

    @_asked
    def inner(self, node: ast.AST, make: Function, owner: Class | None, home: Key) -> Key:
        """Return the key of a nested ``def`` or lambda, the same one each time the function around it is looked at."""
        key = Key(self.program.library.nested.setdefault(id(node), make), owner)
        self._homes[key] = home
        return key

    def _again(self, keys: Iterable[Key]) -> None:
        for key in keys:
            while key in self._homes:
                key = self._homes[key]
            self._queue(key)

    def _queue(self, key: Key) -> None:
        if key not in self._queued:
            self._queued.add(key)
            heappush(self._waiting, (self._order.get(key, _LAST), next(self._ticks), key))

    def context(self, function: Function, kind: Class | None) -> Key:
        """Return the key of a method on an object of a class: the class counts only where it overrides what the method uses.

        Where several classes inherit the same overriding, they share the key.
        """
        found = self._contexts.get((function, kind))
        if found is None:
            found = self._contexts[function, kind] = Key(function, self._deciding(function, kind))
        return found

    def _deciding(self, function: Function, kind: Class | None) -> Class | None:
        owner = function.owner
        if owner is None or kind is None or kind is owner or owner not in kind.line_up:
            return owner
        changes = self._changes.get((kind, owner))
        if changes is None:
            changes = self._changes[kind, owner] = kind.changes(owner)
        used = owner.used_by(function) if changes else frozenset()
        matter = [one for one, names in changes if names & used]
        if not matter:
            return owner
        return matter[0] if all(one in matter[0].line_up for one in matter) else kind

    # -- places: attributes, parameters and global names, joined from everywhere they are given a value -----------------

    @_asked
    def part(self, place: object, asker: Key) -> Value:
        """Return what was put into a place so far; the asker is looked at again when that changes."""
        self._askers.setdefault(place, set()).add(asker)
        return self._joined.get(place, NOTHING)

    @_asked
    def put(self, place: object, key: Key, value: Value) -> None:
        """Put into a place what one function gives it, instead of what it gave before."""
        parts = self._parts.setdefault(place, {})
        if parts.get(key) == value:
            return
        parts[key] = value
        joined = settled_down(join(parts.values()))
        if joined != self._joined.get(place):
            self._joined[place] = joined
            self._again(self._askers.get(place, ()))

    @_asked
    def look_at_writers(self, kind: Class, name: str, holders: Iterable[Class]) -> None:
        """Look once at what gives an attribute its value; what comes of it later is told by :meth:`put`."""
        if (kind, name) in self._written:
            return
        self._written.add((kind, name))
        for one in holders:
            for writer in one.assigned.get(name, ()):
                self.ask(self.context(writer, kind))

    # -- the program -----------------------------------------------------------------------------------------------------

    @_asked
    def heirs(self, kind: Class) -> list[Class]:
        """Return every class of the program that is below a class."""
        return self.program.heirs(kind)

    @_asked
    def methods_named(self, name: str, near: Module) -> list[Function]:
        """Return the judged methods of this name in the package of a module."""
        return self.program.methods_named(name, near)

    @_asked
    def is_judged(self, module: Module) -> bool:
        """Say whether a module is one of those that were asked for."""
        return self.program.is_judged(module)
