"""What is known of a function and what a value may be, as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from conformance.reality.classes import Class
from conformance.reality.functions import Function
from conformance.reality.values import NOTHING, Param, Value

__all__ = ["SIGNS", "Answer", "Asking", "Bound", "Instance", "Key", "Sign", "Summary", "Super"]

SIGNS: Final = {
    "stub": "an empty body, or one that only returns None or raises NotImplementedError",
    "no-wire": "a method that should ask a server has no path to one",
    "constant-answer": "every answer is written in the source",
    "made-up-answer": "an answer is made from the arguments, by chance, from a digest, a file or a test double",
    "answer-thrown-away": "a server is asked, and its answer goes nowhere",
    "made-up-usage": "token counts are written down or counted as words where the server's belong",
    "swallowed-error": "a failed request becomes silence",
    "error-answer": "a failed request becomes an answer that looks like one",
    "failure-answered": "where the server has failed or refused, something else is returned",
    "dead-code": "statements or branches that never run",
    "pretence": "a name or a text admits that it is a mock",
    "sleeps": "it waits instead of working",
}
"""Every kind of sign that speaks against a method, and what it means."""


class Key(NamedTuple):
    """A function, and the class of the object whose method it is there: a subclass may override what it calls."""

    function: Function
    owner: Class | None


class Bound(NamedTuple):
    """A function as a value; ``closure`` are parameters of the functions around it, as they were when it was made."""

    function: Function
    owner: Class | None
    closure: tuple[tuple[Param, Value], ...] = ()


class Instance(NamedTuple):
    """An object of an analysed class."""

    kind: Class


class Asking(NamedTuple):
    """A method of a client, not called yet: handed over, it asks a server as soon as somebody calls it."""

    name: str


class Super(NamedTuple):
    """``super()`` in a method of ``owner`` on an object of ``kind``."""

    kind: Class
    owner: Class


class Sign(NamedTuple):
    """A fact about the source that speaks against it: a kind of sign, where it is seen, and a sentence without the line."""

    kind: str
    file: str
    line: int
    text: str


class Answer(NamedTuple):
    """Something returned or yielded, and where.

    Attributes:
        ways: as in :class:`~conformance.reality.values.Value`.
        failed: it stands in an exception handler or where the server has refused.
    """

    line: int
    ways: frozenset[int]
    failed: bool


@dataclass(frozen=True, slots=True)
class Summary:
    """What a function does.

    Attributes:
        gives: what it returns or yields.
        reaches: a server is asked, here or further on.
        calls: parameters that it calls.
        delivers: what came from the server is handed to a function that was given, or kept on the object.
        signs: what speaks against it and against everything that answers through it.
        answers: each return and yield of its own; no caller is told, so they make no difference between two.
        sleeps: it waits.
    """

    gives: Value = NOTHING
    reaches: bool = False
    calls: frozenset[Param] = frozenset()
    delivers: bool = False
    signs: frozenset[Sign] = frozenset()
    answers: tuple[Answer, ...] = field(default=(), compare=False)
    sleeps: bool = False
