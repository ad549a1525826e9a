"""Why a function that reaches a server is not real, and why one that does not is a mock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from conformance.reality.facts import Sign, Summary
from conformance.reality.functions import Function
from conformance.reality.names import should_answer
from conformance.reality.values import (
    ARGUMENT,
    CALLED,
    CLIENT,
    EMPTY,
    ERROR,
    FILE,
    HASH,
    LIKELY,
    MADE,
    PRETEND,
    RANDOM,
    STATE,
    WIRE,
    is_made_up,
)

__all__ = ["beside_the_wire", "in_order", "thrown_away", "without_wire"]

_SAYS_NOTHING = (EMPTY, 0)


def in_order(signs: Iterable[Sign]) -> tuple[Sign, ...]:
    """Return signs by their place, each once."""
    return tuple(sorted(set(signs), key=lambda sign: (sign.file, sign.line, sign.text)))


def thrown_away(known: Summary, name: str, place: Function) -> Sign | None:
    """Return the sign that a server is asked and what comes back is something else, if that is so."""
    if not should_answer(name) or known.delivers or not known.gives.ways:
        return None
    if any(way & (WIRE | STATE | CALLED | CLIENT | LIKELY) for way in known.gives.ways):
        return None
    what = "the server's answer is thrown away"
    if any(is_made_up(way) or way & ARGUMENT for way in known.gives.ways):
        what += " and another one returned"
    return Sign("answer-thrown-away", place.file, place.line, what)


def beside_the_wire(known: Summary, function: Function, name: str) -> Iterator[Sign]:
    """Return the answers that are made up, next to others that are the server's."""
    for answer in known.answers:
        made = [way for way in answer.ways if is_made_up(way)]
        if answer.failed:
            if not any(way & (WIRE | STATE) for way in answer.ways) and (made or set(answer.ways) & set(_SAYS_NOTHING)):
                yield Sign("failure-answered", function.file, answer.line, "a failure is answered as if it were none")
        elif any(way & ERROR for way in made):
            yield Sign("error-answer", function.file, answer.line, "an error becomes an answer")
        elif made and should_answer(name):
            yield Sign(
                "made-up-answer", function.file, answer.line, f"an answer without the server: it is {_origin(made)}"
            )


def without_wire(known: Summary, place: Function) -> Iterator[Sign]:
    """Return what a function answers with that should ask a server and does not."""
    made = [way for way in known.gives.ways if is_made_up(way)]
    telling = [way for way in known.gives.ways if way not in _SAYS_NOTHING]
    if made and len(made) == len(telling):
        kind = (
            "made-up-answer"
            if any(way & (ARGUMENT | RANDOM | HASH | FILE | PRETEND) for way in made)
            else "constant-answer"
        )
        yield Sign(kind, place.file, place.line, f"every answer is {_origin(made)}")
    elif telling and all(way & ARGUMENT and not way & STATE for way in telling):
        yield Sign("made-up-answer", place.file, place.line, "every answer is made from the arguments")
    yield Sign("no-wire", place.file, place.line, "no path to the wire")
    if known.sleeps:
        yield Sign("sleeps", place.file, place.line, "it sleeps instead of working")


def _origin(ways: Iterable[int]) -> str:
    bits = 0
    for way in ways:
        bits |= way
    for origin, words in (
        (PRETEND, "a test double's"),
        (RANDOM, "random"),
        (HASH, "made of a digest"),
        (FILE, "read from a file"),
        (ERROR, "an error"),
        (ARGUMENT, "made from the arguments"),
        (MADE, "a constant"),
    ):
        if bits & origin:
            return words
    return "made up"
