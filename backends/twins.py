"""Synchronous twins made from the asynchronous source, so that signatures, results and errors cannot drift apart.

``chat = blocking(achat)`` in a class body gives the method ``chat`` with the parameters and documentation of ``achat``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from backends.portal import Portal
from backends.streams import AsyncStream, Stream

__all__ = ["blocking", "blocking_stream"]


class HasPortal(Protocol):
    """An object that can run its coroutines for synchronous callers."""

    @property
    def portal(self) -> Portal:
        """The bridge to its event loop."""
        ...


S = TypeVar("S", bound=HasPortal)
P = ParamSpec("P")
T = TypeVar("T")


def blocking(method: Callable[Concatenate[S, P], Coroutine[Any, Any, T]]) -> Callable[Concatenate[S, P], T]:
    """Return the synchronous twin of a coroutine method."""

    @functools.wraps(method)
    def twin(self: S, /, *arguments: P.args, **options: P.kwargs) -> T:
        return self.portal.run(method(self, *arguments, **options))

    _name(twin, method)
    return twin


def blocking_stream(method: Callable[Concatenate[S, P], AsyncStream[T]]) -> Callable[Concatenate[S, P], Stream[T]]:
    """Return the synchronous twin of a method that returns a stream."""

    @functools.wraps(method)
    def twin(self: S, /, *arguments: P.args, **options: P.kwargs) -> Stream[T]:
        return Stream(lambda: method(self, *arguments, **options), self.portal)

    _name(twin, method)
    return twin


def _name(twin: Any, method: Callable[..., Any]) -> None:
    twin.__name__ = method.__name__.removeprefix("a")
    twin.__qualname__ = method.__qualname__.rpartition(".")[0] + "." + twin.__name__
