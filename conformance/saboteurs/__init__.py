"""Known-bad backends: each breaks one requirement on purpose, in a few lines, and must be caught by that
requirement's check.

How to write one is told in :mod:`conformance.checks`. A saboteur starts from a good backend, so whatever else it does
is
right: the fewer requirements notice it, the sharper the contract. Nothing here is used outside the kill matrix.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from conformance.check import import_chapters

__all__ = ["Saboteur", "load", "saboteur", "saboteurs"]

Make: TypeAlias = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Saboteur:
    """One way to break a backend.

    Attributes:
        name: unique, made of the requirement and the function's name.
        requirement: the id whose check must fail.
        sin: what it does wrong, in a few words.
        spoil: changes a freshly made backend in place, or returns another object to use instead.
        maker: wraps the factory itself; for sins of construction. Exactly one of the two is set.
        subjects: the subjects it is made from.
        alone: it sins in so many ways that what else of its chapter notices it says nothing.
    """

    name: str
    requirement: str
    sin: str
    spoil: Callable[[Any], Any] | None = None
    maker: Callable[[Make], Make] | None = None
    subjects: tuple[str, ...] = ("openai",)
    alone: bool = False

    def wrap(self, make: Make) -> Make:
        """Return the factory of spoilt backends."""
        if self.maker is not None:
            return self.maker(make)
        spoil = self.spoil
        assert spoil is not None

        def sabotaged(site: Any, **settings: Any) -> Any:
            backend = make(site, **settings)
            return spoil(backend) or backend

        return sabotaged


_registry: dict[str, Saboteur] = {}


def saboteur(
    requirement: str, sin: str, *, maker: bool = False, subjects: tuple[str, ...] = ("openai",), alone: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register ``def name(backend)`` as a saboteur of a requirement; with ``maker=True`` ``def name(make)`` that
    wraps the factory, with ``alone=True`` one that is only shown to its own requirement.

    Raises:
        ValueError: there is one of this name for this requirement already.
    """

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        name = f"{requirement}-{function.__name__}"
        known = _registry.get(name)
        if known is not None and (known.maker or known.spoil).__module__ != function.__module__:
            raise ValueError(f"saboteur {name} is defined twice")
        _registry[name] = Saboteur(
            name, requirement, sin, None if maker else function, function if maker else None, tuple(subjects), alone
        )
        return function

    return register


def saboteurs() -> dict[str, Saboteur]:
    """Return the saboteurs registered so far by name."""
    return dict(sorted(_registry.items()))


def load(chapters: Iterable[str] | None = None) -> dict[str, Saboteur]:
    """Import the modules of this package, or those of some chapters, and return all saboteurs by name."""
    import_chapters("conformance.saboteurs", chapters)
    return saboteurs()
