"""Known-bad backends: each breaks one requirement on purpose, in a few lines, and must be caught by that
requirement's check.

How to write one is told in :mod:`conformance.checks`. A saboteur starts from a good backend, so whatever else it does
is
right: the fewer requirements notice it, the sharper the contract. Nothing here is used outside the kill matrix.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from conformance.check import import_chapters
from conformance.rows import ROWS

__all__ = ["EVERY_ROW", "HTTP_ROWS", "Saboteur", "load", "saboteur", "saboteurs"]

Make: TypeAlias = Callable[..., Any]

EVERY_ROW: Final = ("openai", *(row.name for row in ROWS if row.name != "openai"))
"""Subjects of a saboteur whose sin any backend could commit; a row that the requirement does not concern is passed over."""
HTTP_ROWS: Final = tuple(name for name in EVERY_ROW if name not in ("llvm", "s3_kit"))
"""Those whose wire is this library's own HTTP: saboteurs of what is sent and read fit all of them."""


@dataclass(frozen=True, slots=True)
class Saboteur:
    """One way to break a backend.

    Attributes:
        name: unique, made of the requirement and the function's name.
        requirement: the id whose check must fail.
        sin: what it does wrong, in a few words.
        spoil: changes a freshly made backend in place, or returns another object to use instead.
        maker: wraps the factory itself; for sins of construction. Exactly one of the two is set.
        subjects: the subjects it is made from. What else of the chapter notices it is asked of the first only: how sharp
            a check is shows on one backend, that it rejects a broken one must show on each.
        alone: nobody else of the chapter is asked: it sins in too many ways to tell checks apart, or what it breaks is
            one provider's own, which the other checks of a large chapter do not look at.
        case: the only case of the requirement that it is shown to, for a check that has one for every call; empty for
            all.
    """

    name: str
    requirement: str
    sin: str
    spoil: Callable[[Any], Any] | None = None
    maker: Callable[[Make], Make] | None = None
    subjects: tuple[str, ...] = ("openai",)
    alone: bool = False
    case: str = ""

    def asks_others(self, subject: str) -> bool:
        """Say whether the other requirements of the chapter are asked when it is made from a subject."""
        return not self.alone and subject == self.subjects[0]

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
    requirement: str,
    sin: str,
    *,
    maker: bool = False,
    subjects: tuple[str, ...] = ("openai",),
    alone: bool = False,
    case: str = "",
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register ``def name(backend)`` as a saboteur of a requirement; with ``maker=True`` ``def name(make)`` that
    wraps the factory. The other arguments are those of :class:`Saboteur`.

    Raises:
        ValueError: there is one of this name for this requirement already.
    """

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        name = f"{requirement}-{function.__name__}"
        known = _registry.get(name)
        if known is not None and (known.maker or known.spoil).__module__ != function.__module__:
            raise ValueError(f"saboteur {name} is defined twice")
        _registry[name] = Saboteur(
            name,
            requirement,
            sin,
            spoil=None if maker else function,
            maker=function if maker else None,
            subjects=tuple(subjects),
            alone=alone,
            case=case,
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
