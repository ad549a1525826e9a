"""Declared calls written once for both modes: a story says which methods are called, one of two drivers calls them.

A story is a generator that yields ``do(name, *arguments, **options)`` and is sent the reply of each step; what it
returns is
the reply that is judged. The asynchronous driver calls the source (``a`` + name), the other one its synchronous twin.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Mapping
from typing import Any, NamedTuple, TypeAlias

from conformance.subject import CallCase

__all__ = ["Step", "Story", "do", "once", "story"]


class Step(NamedTuple):
    """One method call of a story."""

    name: str
    arguments: tuple[Any, ...]
    options: Mapping[str, Any]


Story: TypeAlias = "Generator[Step, Any, Any]"


def do(name: str, /, *arguments: Any, **options: Any) -> Step:
    """Return one step: the method's name without the prefix ``a``, and what it is called with."""
    return Step(name, arguments, options)


def story(route: str, plan: Callable[[], Story], **facts: Any) -> CallCase:
    """Return the declared call that a plan tells; ``facts`` are further fields of :class:`CallCase`."""

    async def run(backend: Any) -> Any:
        steps = plan()
        reply: Any = None
        while True:
            try:
                step = steps.send(reply)
            except StopIteration as end:
                return end.value
            reply = await _asked(backend, step)

    def twin(backend: Any) -> Any:
        steps = plan()
        reply: Any = None
        while True:
            try:
                step = steps.send(reply)
            except StopIteration as end:
                return end.value
            reply = getattr(backend, step.name)(*step.arguments, **step.options)
            if hasattr(reply, "collect"):
                reply = reply.collect()

    return CallCase(route=route, run=run, twin=twin, **facts)


def once(route: str, name: str, *arguments: Any, options: Mapping[str, Any] | None = None, **facts: Any) -> CallCase:
    """Return a declared call of a single step."""

    def plan() -> Story:
        return (yield do(name, *arguments, **(options or {})))

    return story(route, plan, **facts)


async def _asked(backend: Any, step: Step) -> Any:
    reply = getattr(backend, "a" + step.name)(*step.arguments, **step.options)
    if hasattr(reply, "collect"):
        reply = reply.collect()
    return await reply if inspect.isawaitable(reply) else reply
