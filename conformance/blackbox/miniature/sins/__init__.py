"""The sins of the lane: the small client with one rule broken, each named for the question that must catch it.

A question that no sin fails proves nothing. Each is a few lines over :class:`Miniature` or one of its parts.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any, Final

from conformance.blackbox.miniature.client import Miniature

__all__ = ["load", "sinner", "spoilt", "with_more_room"]

_SINS: Final[dict[str, list[tuple[str, type[Miniature]]]]] = {}


def sinner(requirement: str, sin: str, **parts: Any) -> None:
    """Register a client that is spoilt in some of its parts or methods."""
    _SINS.setdefault(requirement, []).append((sin, type("Sinner", (Miniature,), parts)))


def spoilt(base: type, **methods: Any) -> type:
    """Return a part with some of its methods replaced."""
    return type(f"Spoilt{base.__name__}", (base,), methods)


async def with_more_room(endpoint: Any, make: Callable[[], Awaitable[Any]]) -> Any:
    """Do something while a line lets one more in: the something does not count."""
    endpoint.line.limit += 1
    try:
        return await make()
    finally:
        endpoint.line.limit -= 1


def load() -> dict[str, list[tuple[str, type[Miniature]]]]:
    """Return requirement -> what is wrong, and the client that does it."""
    for chapters in ("sending", "reading", "mishaps", "limits"):
        import_module(f"{__name__}.{chapters}")
    return dict(sorted(_SINS.items()))
