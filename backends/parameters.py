"""Arguments of calls: one table gives both the types an editor shows and the checks made before anything is sent.

A table is a ``TypedDict`` over :class:`backends.operation.CallOptions`; ranges stand in it as
``Annotated[float, Between(0, 2)]``. :func:`split` checks a call's keyword arguments against its table. It knows no
provider, and it never changes a value.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Final, Literal, NoReturn, Union, get_args, get_origin, get_type_hints

from backends.errors import InvalidRequestError
from backends.operation import CallOptions
from backends.settings import nearest

__all__ = ["Between", "Size", "bad_argument", "check_argument", "split"]

Check = Callable[[Any], str | None]
"""Takes a value; returns None, or a complaint that continues the argument's name (``" must be text"``,
``"[1] must be text"``)."""

_OPTIONS: Final = frozenset(CallOptions.__annotations__)
_LEFT_TO_THE_CALL: Final = frozenset({"priority", "deadline", "request_id"})  # the backend checks them for every caller


@dataclass(frozen=True, slots=True)
class Between:
    """Range of a number, both ends included."""

    low: float
    high: float = math.inf


@dataclass(frozen=True, slots=True)
class Size:
    """Range of a length: characters of a text, items of a list or mapping."""

    least: int = 0
    most: float = math.inf


def split(
    parameters: Mapping[str, Any], table: type, provider: str | None = None, *, body: bool = True
) -> tuple[CallOptions, dict[str, Any]]:
    """Check keyword arguments and part them into options of the call and fields of the body; ``None`` counts as not
    given.

    Args:
        parameters: keyword arguments as the caller gave them.
        table: the ``TypedDict`` that lists them.
        provider: row name, for the error.
        body: False for a call that sends no body, where ``extra_body`` would be ignored and is therefore refused.

    Raises:
        InvalidRequestError: an argument is unknown, of the wrong type or out of range; the message names it.
    """
    options: CallOptions = {}
    fields: dict[str, Any] = {}
    if not parameters:
        return options, fields
    checks = _checks(table)
    for name, value in parameters.items():
        check = checks.get(name)
        if check is None:
            raise InvalidRequestError(
                f"Unknown argument {name!r}.",
                provider=provider,
                code="unknown_argument",
                suggestions=nearest(name, checks),
            )
        if value is None:
            continue
        complaint = check(value)
        if complaint is not None:
            bad_argument(f"{name}{complaint}", provider)
        if name in _OPTIONS:
            options[name] = value  # type: ignore[literal-required]  # the table was checked above
        else:
            fields[name] = value
    if not body and "extra_body" in options:
        bad_argument("extra_body cannot be used here: this call sends no body", provider)
    return options, fields


def check_argument(name: str, value: Any, hint: Any, provider: str | None = None) -> None:
    """Check one named argument against a type hint.

    Raises:
        InvalidRequestError: it does not fit; the message names it.
    """
    complaint = _compiled(hint)[0](value)
    if complaint is not None:
        bad_argument(f"{name}{complaint}", provider)


def bad_argument(message: str, provider: str | None = None) -> NoReturn:
    """Raise the error of a wrong argument."""
    raise InvalidRequestError(f"{message}.", provider=provider, code="invalid_argument")


@cache
def _checks(table: type) -> dict[str, Check]:
    hints = get_type_hints(table, include_extras=True)
    return {name: _accept if name in _LEFT_TO_THE_CALL else _compiled(hint)[0] for name, hint in hints.items()}


@cache
def _compiled(hint: Any) -> tuple[Check, str]:
    """Return the check of a type hint and its name for people."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any or hint is object:
        return _accept, "anything"
    if origin is Annotated:
        return _constrained(*_compiled(arguments[0]), arguments[1:])
    if origin in (Union, types.UnionType):
        return _either([_compiled(member) for member in arguments if member is not type(None)])
    if origin is Literal:
        return _choice(arguments)
    if hint in _SCALARS:
        return _SCALARS[hint]
    kind = origin or hint
    if isinstance(kind, type) and issubclass(kind, Mapping):
        return _mapping(_compiled(arguments[1])[0] if len(arguments) == 2 else _accept), "a mapping"
    if isinstance(kind, type) and issubclass(kind, Sequence):
        return _sequence(_compiled(arguments[0])[0] if arguments else _accept), "a list"
    if isinstance(kind, type):
        return _instance(kind), kind.__name__
    return _accept, "anything"


def _accept(value: Any) -> str | None:
    del value
    return None


def _described(value: Any) -> str:
    return type(value).__name__


def _flag(value: Any) -> str | None:
    return None if value is True or value is False else f" must be True or False, not {_described(value)}"


def _text(value: Any) -> str | None:
    return None if isinstance(value, str) else f" must be text, not {_described(value)}"


def _whole(value: Any) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return None
    return f" must be a whole number, not {_described(value)}"


def _number(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f" must be a number, not {_described(value)}"
    return None if math.isfinite(value) else " must be a finite number"


_SCALARS: Final[dict[Any, tuple[Check, str]]] = {
    bool: (_flag, "True or False"),
    str: (_text, "text"),
    int: (_whole, "a whole number"),
    float: (_number, "a number"),
}


def _choice(choices: tuple[Any, ...]) -> tuple[Check, str]:
    listed = ", ".join(map(str, choices))

    def check(value: Any) -> str | None:
        if any(type(value) is type(choice) and value == choice for choice in choices):
            return None
        shown = repr(value[:60]) if isinstance(value, str) else _described(value)
        return f" must be one of {listed}, not {shown}"

    return check, f"one of {listed}"


def _instance(kind: type) -> Check:
    return lambda value: None if isinstance(value, kind) else f" must be {kind.__name__}, not {_described(value)}"


def _sequence(item: Check) -> Check:
    def check(value: Any) -> str | None:
        if not isinstance(value, list | tuple):
            return f" must be a list, not {_described(value)}"
        if item is not _accept:
            for index, entry in enumerate(value):
                complaint = item(entry)
                if complaint is not None:
                    return f"[{index}]{complaint}"
        return None

    return check


def _mapping(item: Check) -> Check:
    def check(value: Any) -> str | None:
        if not isinstance(value, Mapping):
            return f" must be a mapping, not {_described(value)}"
        for key, entry in value.items():
            if not isinstance(key, str):
                return f" must have text for keys, not {_described(key)}"
            complaint = item(entry)
            if complaint is not None:
                return f"[{key!r}]{complaint}"
        return None

    return check


def _either(members: Sequence[tuple[Check, str]]) -> tuple[Check, str]:
    if len(members) == 1:
        return members[0]
    checks = tuple(check for check, _ in members)
    listed = " or ".join(name for _, name in members)

    def check(value: Any) -> str | None:
        inner: str | None = None
        for each in checks:
            complaint = each(value)
            if complaint is None:
                return None
            if not complaint.startswith(" must be ") or " items" in complaint:
                inner = inner or complaint  # the shape fits, something about it does not: that is the better complaint
        return inner or f" must be {listed}, not {_described(value)}"

    return check, listed


def _constrained(base: Check, name: str, constraints: tuple[Any, ...]) -> tuple[Check, str]:
    between = next((entry for entry in constraints if isinstance(entry, Between)), None)
    size = next((entry for entry in constraints if isinstance(entry, Size)), None)

    def check(value: Any) -> str | None:
        complaint = base(value)
        if complaint is not None:
            return complaint
        if between is not None and isinstance(value, int | float) and not between.low <= value <= between.high:
            return f" must be {_span(between.low, between.high)}, not {value!r}"[:120]
        if size is not None and hasattr(value, "__len__") and not size.least <= len(value) <= size.most:
            unit = "characters" if isinstance(value, str) else "items"
            return f" must have {_span(size.least, size.most)} {unit}, not {len(value)}"
        return None

    return check, name


def _span(low: float, high: float) -> str:
    if high == math.inf:
        return f"at least {low:g}"
    return f"at most {high:g}" if low == -math.inf else f"between {low:g} and {high:g}"
