"""What an expression may stand for, as far as it matters here: where its content comes from.

A :class:`Value` is a set of *ways*: what it is on one path through the program or another. A way is a union of origins, for a
whole is made of parts: ``{"text": answer.text, "model": "x"}`` is one way, of the wire and made up; ``answer.text if online else
"Hello"`` is two, and the second is a pretence. Values are compared and joined, never executed.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, reduce
from typing import Any, Final, NamedTuple

__all__ = [
    "ARGUMENT",
    "CALLED",
    "CLIENT",
    "EMPTY",
    "ERROR",
    "FILE",
    "HASH",
    "LIKELY",
    "MADE",
    "NOTHING",
    "PRETEND",
    "RANDOM",
    "STATE",
    "WIRE",
    "Param",
    "Value",
    "combine",
    "is_made_up",
    "join",
    "of",
    "settled_down",
    "without",
]

WIRE: Final = 1
"""What a server or worker answered."""
CLIENT: Final = 2
"""Something that talks to a server: a session, a socket, a vendor's client."""
LIKELY: Final = 4
"""Something handed in that by its name or type talks to a server."""
MADE: Final = 8
"""Written in the source: text, numbers."""
EMPTY: Final = 16
"""None, a truth value, zero, an empty container: says nothing."""
ARGUMENT: Final = 32
"""What the caller gave."""
STATE: Final = 64
"""Cannot be told."""
RANDOM: Final = 128
HASH: Final = 256
FILE: Final = 512
"""Read from a file of this machine."""
CALLED: Final = 1024
"""What a function that was handed in returns."""
ERROR: Final = 2048
"""A caught exception."""
PRETEND: Final = 4096
"""From a test double."""

_FROM_OUTSIDE: Final = WIRE | CLIENT | LIKELY | STATE | CALLED
_FROM_HERE: Final = MADE | RANDOM | HASH | FILE | ERROR | PRETEND
_MOST_WAYS: Final = 8
_MOST_THINGS: Final = 12


class Param(NamedTuple):
    """A parameter of a function; ``function`` identifies whose."""

    function: int
    name: str


class Value(NamedTuple):
    """See the module docstring.

    Attributes:
        ways: unions of origins; none at all means that no value ever comes (a function that always raises).
        things: classes, instances, functions and names of other libraries that it may be.
        params: the parameters behind ``ARGUMENT`` and ``CALLED``.
    """

    ways: frozenset[int]
    things: frozenset[Any] = frozenset()
    params: frozenset[Param] = frozenset()

    @property
    def bits(self) -> int:
        """Every origin on any way."""
        return reduce(int.__or__, self.ways, 0)


_EMPTY_SET: Final[frozenset[Any]] = frozenset()
NOTHING: Final = Value(_EMPTY_SET)
_PLAIN: Final = {bits: Value(frozenset((bits,))) for bits in (0, *(1 << shift for shift in range(13)))}


def of(bits: int, *things: Any, params: frozenset[Param] = frozenset()) -> Value:
    """Return the value with one way."""
    if not things and not params and bits in _PLAIN:
        return _PLAIN[bits]
    return Value(frozenset((bits,)), frozenset(things), params)


def join(values: Iterable[Value]) -> Value:
    """Return what is one of the values, it cannot be said which."""
    first, others = NOTHING, []
    for value in values:
        if first is NOTHING:
            first = value
        elif value is not first and not (
            value.ways <= first.ways and value.things <= first.things and value.params <= first.params
        ):
            others.append(value)
    if not others:
        return first
    return Value(
        first.ways.union(*(value.ways for value in others)),
        first.things.union(*(value.things for value in others)),
        first.params.union(*(value.params for value in others)),
    )


def settled_down(value: Value) -> Value:
    """Return a value that may be too much as one that cannot be told: what is put together from everywhere must end."""
    if len(value.things) > _MOST_THINGS:
        value = Value(value.ways | {STATE}, params=value.params)
    return value if len(value.ways) <= _MOST_WAYS else value._replace(ways=frozenset((value.bits,)))


def combine(values: Iterable[Value], *, things: bool = False) -> Value:
    """Return what is made of all the values; ``things`` keeps what they may be (for a container of them)."""
    common = 0
    ways: set[int] = {0}
    params = kept = _EMPTY_SET
    for value in values:
        if len(value.ways) == 1:
            (only,) = value.ways
            common |= only
        else:
            ways = {way | other for way in ways for other in _telling(value)}
            if len(ways) > _MOST_WAYS:
                ways = {reduce(int.__or__, ways, 0)}
        if value.params:
            params |= value.params
        if things and value.things:
            kept |= value.things
    found = frozenset([_essence(way | common) for way in ways])
    if params and not any(way & (ARGUMENT | CALLED) for way in found):
        params = _EMPTY_SET
    if len(found) == 1 and not params and not kept:
        return of(*found)
    return Value(found, kept, params)


@cache
def _essence(way: int) -> int:
    """Return what matters of a mixture: beside the server's, or what nobody can tell, the rest does not."""
    if way & WIRE:
        return way & (WIRE | CLIENT | LIKELY)
    if way & STATE:
        return way & ~(_FROM_HERE | EMPTY)
    return way & ~EMPTY or way


def _telling(value: Value) -> frozenset[int]:
    """Ways without the one that says nothing, where others are the server's: that an answer may be missing makes no other one."""
    return value.ways - {EMPTY} if EMPTY in value.ways and value.bits & WIRE else value.ways


def without(value: Value, bits: int) -> Value:
    """Return the value with these origins taken away."""
    if not value.bits & bits:
        return value
    return Value(frozenset(way & ~bits for way in value.ways), value.things, value.params)


def is_made_up(way: int) -> bool:
    """Say whether on this way the content was made here and nothing came from outside."""
    return bool(way & _FROM_HERE) and not way & _FROM_OUTSIDE
