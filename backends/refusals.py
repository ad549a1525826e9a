"""Calls that a provider does not have, or has no longer: named with their reasons, refused before anything is sent.

A backend lists them in ``refusals``, name -> reason and replacement; the methods are made from that list, so that a
declared refusal cannot lack its method nor a method its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from backends.twins import blocking

__all__ = ["refuse_calls"]


def refuse_calls(kind: Any, refusals: Mapping[str, str]) -> None:
    """Give a backend's class both methods of every refused call; each raises UnsupportedError with the reason.

    Those of streams refuse when they are called, not when they are read.

    Raises:
        TypeError: the class has a call of that name of its own.
    """
    for name, reason in refusals.items():
        if {name, "a" + name} & kind.__dict__.keys():
            raise TypeError(f"{kind.__name__} declares that it refuses {name} and defines it")
        source: Any = _refused_stream(name) if name.startswith("stream_") else _refused_call(name)
        source.__name__ = "a" + name
        source.__qualname__ = f"{kind.__qualname__}.a{name}"
        source.__doc__ = f"Refuse: {reason}\n\nRaises:\n    UnsupportedError: always."
        twin: Any = _refused_stream(name) if name.startswith("stream_") else blocking(source)
        twin.__name__ = name
        twin.__qualname__ = f"{kind.__qualname__}.{name}"
        twin.__doc__ = source.__doc__
        setattr(kind, "a" + name, source)
        setattr(kind, name, twin)


def _refused_call(name: str) -> Callable[..., Any]:
    async def refused(self: Any, /, *arguments: object, **options: object) -> NoReturn:
        del arguments, options
        raise self.refuse(name)

    return refused


def _refused_stream(name: str) -> Callable[..., Any]:
    def refused(self: Any, /, *arguments: object, **options: object) -> NoReturn:
        del arguments, options
        raise self.refuse(name)

    return refused
