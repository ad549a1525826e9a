"""Making frozen values quickly.

A frozen dataclass sets each of its fields through ``object.__setattr__``, and that is most of what an event costs. Here the
same value is made by a twin that is not frozen and then becomes what it stands for: once made it is as frozen as any other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, field, fields, make_dataclass
from typing import Any, ParamSpec, TypeVar, cast

__all__ = ["swift"]

P = ParamSpec("P")
T = TypeVar("T")


_MADE: dict[Any, Any] = {}


def swift(kind: Callable[P, T]) -> Callable[P, T]:
    """Return what makes instances of a frozen dataclass with slots as the class itself does, several times sooner.

    Where an interpreter does not let an object change its class, it is the class itself.

    Args:
        kind: the class; it has no ``__post_init__``, no base and no fields that make their own defaults.
    """
    if kind not in _MADE:
        _MADE[kind] = _swift(kind)
    return cast(Callable[P, T], _MADE[kind])


def _swift(kind: Callable[P, T]) -> Callable[P, T]:
    told = [
        (one.name, Any, field(default=one.default) if one.default is not MISSING else field())
        for one in fields(cast(Any, kind))
    ]
    twin: Callable[..., Any] = make_dataclass("Twin", told, slots=True, eq=False, repr=False)

    def make(*values: P.args, **named: P.kwargs) -> T:
        made = twin(*values, **named)
        made.__class__ = kind
        return cast(T, made)

    try:
        make(*[None for _ in told])  # type: ignore[arg-type, call-arg]
    except TypeError:
        return kind
    return make
