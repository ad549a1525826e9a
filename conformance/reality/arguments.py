"""The arguments of a call, and what they make of a function's parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from conformance.reality.facts import Bound
from conformance.reality.functions import Function
from conformance.reality.values import CLIENT, EMPTY, LIKELY, WIRE, Param, Value, combine, join, of

__all__ = ["Arguments", "closed_over", "of_parameters"]


@dataclass(slots=True)
class Arguments:
    """The arguments of a call; ``rest`` is what came with stars."""

    positional: list[Value] = field(default_factory=list)
    named: dict[str, Value] = field(default_factory=dict)
    rest: list[Value] = field(default_factory=list)

    @property
    def every(self) -> list[Value]:
        """All of them."""
        return [*self.positional, *self.named.values(), *self.rest]

    def has(self, bits: int) -> bool:
        """Say whether any has one of these origins."""
        return any(value.bits & bits for value in self.every)


def of_parameters(bound: Bound, arguments: Arguments) -> dict[Param, Value]:
    """Return the values of a function's parameters in a call; those that are not given are empty."""
    function = bound.function
    shape = function.arguments
    if shape is None:
        return {}
    names, named = function.parameters
    rest = join(arguments.rest) if arguments.rest else None
    found: dict[str, Value] = dict(zip(names, arguments.positional, strict=False))
    left_over = arguments.positional[len(names) :]
    absent = rest if rest is not None else of(EMPTY)
    for name in (*names, *named):
        if name in arguments.named:
            found[name] = arguments.named[name]
        else:
            found.setdefault(name, absent)
    if shape.vararg is not None:
        found[shape.vararg.arg] = (
            combine([*left_over, *arguments.rest], things=True) if left_over or rest else of(EMPTY)
        )
    if shape.kwarg is not None:
        spare = [value for name, value in arguments.named.items() if name not in found]
        found[shape.kwarg.arg] = combine([*spare, *arguments.rest], things=True) if spare or rest else of(EMPTY)
    return {Param(function.number, name): value for name, value in found.items()}


def closed_over(result: Value, function: Function, given: Mapping[Param, Value]) -> Value:
    """Functions that a call returns keep the arguments of the call that made them."""
    if not given or not any(isinstance(thing, Bound) and thing.function.nested for thing in result.things):
        return result
    kept = tuple(
        (param, value)
        for param, value in given.items()
        if param.function == function.number and _is_worth_keeping(value)
    )
    things = frozenset(
        thing._replace(closure=(*thing.closure, *kept))
        if isinstance(thing, Bound) and thing.function.nested and thing.function.inside(function)
        else thing
        for thing in result.things
    )
    return result._replace(things=things)


def _is_worth_keeping(value: Value) -> bool:
    """Functions, clients and parameters of functions further out; of functions only those that close over nothing deeper."""
    deeper = any(
        param for thing in value.things if isinstance(thing, Bound) for _, one in thing.closure for param in one.things
    )
    return not deeper and bool(value.things or value.params or value.bits & (CLIENT | LIKELY | WIRE))
