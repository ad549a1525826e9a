"""What looks at functions found out, kept for other programs that share the functions.

What a look finds is settled by the text of the function and by the answers to the questions it asks on its way: what other
functions do, what a place holds, which classes are below one. So a look is kept as its questions with the answers it got. Where
the same questions, asked again, get the same answers, it would find the same, and need not be repeated; the first other answer
ends the comparison, and the function is looked at anew. Nothing is ever taken over on trust.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from conformance.reality.facts import Key, Summary
from conformance.reality.values import Value

__all__ = ["Asked", "Found", "Memory"]


class Asked(NamedTuple):
    """A question, or an order, of a look and what came back.

    Attributes:
        method: of what answers questions; its first argument is who answers.
        arguments: the others.
        answer: what it returned.
    """

    method: Callable[..., Any]
    arguments: tuple[Any, ...]
    answer: Any


class Found(NamedTuple):
    """What a look found: what the function does, and what it gives to other places."""

    summary: Summary
    written: dict[object, Value]


@dataclass(slots=True, eq=False)
class _Question:
    """A question, and what followed each answer: the next question, or the end."""

    method: Callable[..., Any]
    arguments: tuple[Any, ...]
    followed: list[tuple[Any, _Question | Found]]

    def after(self, answer: Any) -> _Question | Found | None:
        """Return what followed an answer; None for one that was not heard before."""
        for known, then in self.followed:
            if known is answer or known == answer:
                return then
        return None


class Memory:
    """Remembers looks."""

    def __init__(self) -> None:
        self._first: dict[Key, _Question | Found] = {}

    def recall(self, key: Key, answers: object) -> Found | None:
        """Return what a look at a function finds, if one that got the same answers was kept; questions are really asked.

        Args:
            answers: who answers the questions.
        """
        now = self._first.get(key)
        while isinstance(now, _Question):
            now = now.after(now.method(answers, *now.arguments))
        return now

    def keep(self, key: Key, asked: Sequence[Asked], found: Found) -> None:
        """Keep what a look found after it had asked its questions."""
        now = self._first.get(key)
        if now is None:
            self._first[key] = _steps(asked, found)
            return
        for number, one in enumerate(asked, 1):
            if not isinstance(now, _Question) or (now.method, now.arguments) != (one.method, one.arguments):
                return  # the same in another order: what a value may be has no order
            then = now.after(one.answer)
            if then is None:
                now.followed.append((one.answer, _steps(asked[number:], found)))
                return
            now = then


def _steps(asked: Sequence[Asked], found: Found) -> _Question | Found:
    """Return the first of some questions, each followed by the next one, and the last by what was found."""
    then: _Question | Found = found
    for one in reversed(asked):
        then = _Question(one.method, one.arguments, [(one.answer, then)])
    return then
