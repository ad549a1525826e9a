"""The registry of the lane's questions: which function judges which requirement, and what a client must claim to be asked.

They are checks like those of :mod:`conformance.checks`, but of a subject of which nothing is known besides its words and its
traffic, in real time. How one looks::

    @question("QUE-03", "limit")
    async def que_03(trial: Trial) -> None:
        \"\"\"Within one priority the waiting are sent in the order in which they came.\"\"\"
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from conformance.catalogue import find
from conformance.check import import_chapters

__all__ = ["Question", "load", "question"]

Body: TypeAlias = Callable[[Any], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Question:
    """One registered question.

    Attributes:
        requirement: the id that it judges; a black-box one.
        needs: features that a client must claim to be asked.
        body: the coroutine function.
    """

    requirement: str
    needs: tuple[str, ...]
    body: Body


_registry: dict[str, Question] = {}


def question(requirement: str, *needs: str) -> Callable[[Body], Body]:
    """Register a coroutine function as the question of a requirement.

    Raises:
        ValueError: the requirement has one already, or cannot be judged at the wire alone.
    """

    def register(body: Body) -> Body:
        if requirement in _registry:
            raise ValueError(f"{requirement} has two questions")
        if not find(requirement).black_box:
            raise ValueError(f"{requirement} is not a black-box requirement")
        _registry[requirement] = Question(requirement, needs or ("chat",), body)
        return body

    return register


def load() -> dict[str, Question]:
    """Import every module of questions and return them by requirement id."""
    import_chapters("conformance.blackbox.questions", None)
    return dict(sorted(_registry.items()))
