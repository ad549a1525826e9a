"""From facts to verdicts: what a method is, what a class is, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from conformance.reality.applied import applied
from conformance.reality.bodies import is_refusal, stub, text_signs
from conformance.reality.classes import Class
from conformance.reality.engine import Engine
from conformance.reality.facts import Bound, Key, Sign
from conformance.reality.functions import Function
from conformance.reality.module import Module
from conformance.reality.names import is_catalogue, should_reach
from conformance.reality.reasons import beside_the_wire, in_order, thrown_away, without_wire
from conformance.reality.values import PRETEND
from conformance.reality.wire import looks_pretended

__all__ = ["ClassVerdict", "Judge", "Method", "whole"]

_NO_METHODS: Final = frozenset({"abstractmethod", "property", "cached_property"})


@dataclass(frozen=True, slots=True)
class Method:
    """One public method or function and what it is.

    Attributes:
        owner: its class; empty for a function.
        name, file, line: of its definition.
        kind: ``real``, ``partial``, ``mock``, ``refusal`` or ``local``.
        inherited: it is a base's, and listed because it is private or not real.
        signs: why it is not real; empty for real, refusal and local.
    """

    owner: str
    name: str
    file: str
    line: int
    kind: str
    inherited: bool
    signs: tuple[Sign, ...] = ()

    @property
    def title(self) -> str:
        """``Class.method``."""
        return f"{self.owner}.{self.name}" if self.owner else self.name


@dataclass(frozen=True, slots=True)
class ClassVerdict:
    """A class that talks to a server or claims to, or the functions of a module (then ``name`` is empty).

    Attributes:
        kind: over all its methods, inherited ones too: ``real``, ``partial`` or ``mock``.
        methods: its own, and inherited ones of private bases or that keep it from being real.
        inherited: the other inherited ones: they are listed with the base.
    """

    name: str
    file: str
    line: int
    kind: str
    methods: tuple[Method, ...]
    inherited: tuple[Method, ...] = ()

    def method(self, name: str) -> Method | None:
        """Return the verdict on a method by its name, listed or not."""
        return next((one for one in (*self.methods, *self.inherited) if one.name == name), None)


def whole(kinds: Iterable[str]) -> str:
    """Return what a whole of such parts is; ``absent`` when no part should reach a server."""
    found = set(kinds) & {"real", "partial", "mock"}
    if not found:
        return "absent"
    return next(iter(found)) if len(found) == 1 else "partial"


class Judge:
    """Judges what an engine knows.

    Args:
        engine: knows the program.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._members: dict[tuple[Class, str], Method | None] = {}

    def verdicts(self, classes: frozenset[str] | None = None) -> list[ClassVerdict]:
        """Return the verdicts of public classes; of public functions, if no class of the program talks to a server.

        Args:
            classes: judge only classes of these names; None judges all.
        """
        modules = self._engine.program.modules
        kinds = [
            one
            for module in modules
            for one in module.classes
            if one.kind == "class" and (not one.name.startswith("_") if classes is None else one.name in classes)
        ]
        self._look_at(kinds)
        found = [verdict for one in kinds for verdict in self._guarded(one)]
        if found or classes is not None:
            return found
        return [verdict for module in modules for verdict in self._functions(module)]

    # -- classes -------------------------------------------------------------------------------------------------------

    def _look_at(self, kinds: Iterable[Class]) -> None:
        """Look at everything once before anything is judged: what is learnt of one method changes others."""
        for kind in kinds:
            init, _ = kind.holders("__init__")
            if init is not None:
                self._engine.prepare(kind, init)
            for name, owner in _public_names(kind).items():
                self._engine.prepare(kind, _place(owner, name))
        self._engine.settle()

    def _guarded(self, kind: Class) -> list[ClassVerdict]:
        try:
            return list(self._class(kind))
        except RecursionError:
            self._engine.program.too_deep(kind.module.source.file, kind.node.lineno)
            return []

    def _class(self, kind: Class) -> Iterator[ClassVerdict]:
        own: list[Method] = []
        others: list[Method] = []
        claims = False
        for name, owner in _public_names(kind).items():
            method = self._member(kind, owner, name)
            if method is not None:
                claims = claims or method.kind in ("real", "partial") or should_reach(name)
                listed = owner is kind or owner.name.startswith("_") or method.kind in ("partial", "mock")
                (own if listed else others).append(method)
        verdict = whole(method.kind for method in (*own, *others))
        if claims and verdict != "absent":
            methods = tuple(sorted(own, key=lambda one: (one.file, one.line, one.name)))
            yield ClassVerdict(kind.name, kind.module.source.file, kind.node.lineno, verdict, methods, tuple(others))

    def _member(self, kind: Class, owner: Class, name: str) -> Method | None:
        """Return the verdict on a method of a class; None for what is no method, or is left to subclasses."""
        if (kind, name) not in self._members:
            self._members[kind, name] = self._judged_member(kind, owner, name)
        return self._members[kind, name]

    def _judged_member(self, kind: Class, owner: Class, name: str) -> Method | None:
        defined = owner.methods.get(name)
        if defined is not None and defined.marks & _NO_METHODS:
            return None
        place = _place(owner, name)
        bound = self._functions_of(kind, name, place)
        if not bound:
            return None
        verdicts = [self._verdict(one, name, place, inherited=owner is not kind) for one in bound]
        if defined is None and not should_reach(name) and all(one == "local" for one, _ in verdicts):
            return None
        found = whole(one for one, _ in verdicts)
        signs = tuple(dict.fromkeys(sign for _, some in verdicts for sign in some))
        result = found if found != "absent" else verdicts[0][0]
        return Method(kind.name, name, place.file, place.line, result, owner is not kind, signs)

    def _functions_of(self, kind: Class, name: str, place: Function) -> list[Bound]:
        """Return the functions that an attribute of a class may be, once nothing changes any more."""
        asker = self._engine.context(place, kind) if place.arguments is not None else Key(place, kind)
        self._engine.attribute(kind, name, asker)
        self._engine.settle()
        value = self._engine.attribute(kind, name, asker)
        things = value.things if value is not None else ()
        return sorted((thing for thing in things if isinstance(thing, Bound)), key=lambda one: one.function.number)

    # -- functions -----------------------------------------------------------------------------------------------------

    def _functions(self, module: Module) -> Iterator[ClassVerdict]:
        methods = []
        for function in module.functions:
            if function.name.startswith("_"):
                continue
            value = self._engine.effective(function, None, Key(function, None))
            self._engine.settle()
            for thing in value.things:
                if isinstance(thing, Bound):
                    kind, signs = self._verdict(thing, function.name, function)
                    if kind in ("real", "partial") or should_reach(function.name):
                        methods.append(Method("", function.name, function.file, function.line, kind, False, signs))
        verdict = whole(method.kind for method in methods)
        if verdict != "absent":
            yield ClassVerdict("", module.source.file, methods[0].line, verdict, tuple(methods))

    def _verdict(
        self, bound: Bound, name: str, place: Function, *, inherited: bool = False
    ) -> tuple[str, tuple[Sign, ...]]:
        """Return what a function is and why.

        Args:
            name: the name it is called by.
            place: where it is written, if a decorator has put another in its place.
            inherited: from a base.
        """
        if any(is_refusal(one) for one in (place, *_made_from(bound))):
            return "refusal", ()
        reason = stub(place)
        if reason and (self._is_filled_in(place) or (inherited and not should_reach(name))):
            return "local", ()
        if reason:
            return "mock", (Sign("stub", place.file, place.line, reason),)
        known = applied(self._engine, bound)
        signs = [*_text_signs(place), *known.signs]
        if known.reaches:
            thrown = thrown_away(known, name, place)
            if thrown is not None:
                return "mock", (thrown, *in_order(signs))
            signs.extend(beside_the_wire(known, bound.function, name))
            return ("partial", in_order(signs)) if signs else ("real", ())
        if should_reach(name) or is_catalogue(name):
            return "mock", (
                *without_wire(known, place),
                *in_order(sign for sign in signs if sign.kind != "made-up-usage"),
            )
        if any(way & PRETEND for way in known.gives.ways) or looks_pretended(name):
            return "mock", in_order(signs)
        return "local", ()

    def _is_filled_in(self, place: Function) -> bool:
        """Say whether a subclass gives an empty method its body."""
        owner = place.owner
        return owner is not None and any(place.name in heir.methods for heir in self._engine.heirs(owner))


def _place(owner: Class, name: str) -> Function:
    """Where a method is written: its definition, or the expression that makes it."""
    return owner.methods.get(name) or owner.values[name][0]


def _public_names(kind: Class) -> dict[str, Class]:
    """Return the public methods of a class, inherited ones included, and where each is defined."""
    found: dict[str, Class] = {}
    for one in kind.line_up:
        for name in (*one.methods, *one.values):
            if not name.startswith("_") or name == "__call__":
                found.setdefault(name, one)
    return found


def _made_from(bound: Bound) -> Iterator[Function]:
    """Return the functions that a decorated one was made from."""
    for _, value in bound.closure:
        yield from (thing.function for thing in value.things if isinstance(thing, Bound))


def _text_signs(place: Function) -> Iterator[Sign]:
    yield from text_signs(place)
    if place.owner is not None and looks_pretended(place.owner.name):
        says = f"its class's name says so: {place.owner.name}"
        yield Sign("pretence", place.file, place.owner.node.lineno, says)
