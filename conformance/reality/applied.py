"""A function as its callers find it: with what it closed over filled in."""

from __future__ import annotations

from dataclasses import replace

from conformance.reality.engine import Engine
from conformance.reality.facts import Bound, Key, Summary

__all__ = ["applied"]


def applied(engine: Engine, bound: Bound) -> Summary:
    """Return what calling a function does, whatever its arguments are."""
    from conformance.reality.statements import Activation

    key = Key(bound.function, bound.owner) if bound.function.nested else engine.context(bound.function, bound.owner)
    known = engine.settled(key)
    if not bound.closure:
        return known
    outside = Activation(engine, key)
    closure = dict(bound.closure)
    gives = outside.filled_in(known.gives, closure)
    for param in known.calls:
        if param in closure:
            outside.called(closure[param])
    engine.settle()
    return replace(
        known,
        gives=gives,
        reaches=known.reaches or outside.reaches,
        delivers=known.delivers or outside.delivers,
        signs=known.signs | frozenset(outside.signs),
    )
