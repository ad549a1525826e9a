"""What an error must not carry to whoever catches it: secrets in its texts, and frames whose variables hold some.

A server may quote a key in any text it sends, and an error tracker shows every local variable of every frame it is given.
So the texts of an error are searched, and what lies beneath the surface of the library is cut off. Nothing is logged here.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any, Final, ParamSpec, TypeVar

from backends.errors import BackendError
from backends.secret import Key

__all__ = ["bare", "discreet", "discreet_methods", "hidden", "redact"]

E = TypeVar("E", bound=BaseException)
P = ParamSpec("P")
T = TypeVar("T")

_TEXTS: Final = ("message", "code", "provider_request_id", "partial")
"""Fields of an error into which something that a server sent may have come."""


def bare(error: E) -> E:
    """Return the error without the frames and errors beneath it: their variables hold what was sent and received."""
    error.__traceback__ = None
    error.__context__ = None
    return error


def discreet(function: Callable[P, T]) -> Callable[P, T]:
    """Let errors of the library leave a function without its frames: it is given secrets, or reads them, as plain text.

    What is raised says what was wrong by itself; a ``TypeError`` for arguments that do not fit is one of them.
    """

    @functools.wraps(function)
    def guarded(*arguments: P.args, **options: P.kwargs) -> T:
        try:
            return function(*arguments, **options)
        except (BackendError, TypeError) as error:
            failure = bare(error)
        del arguments, options
        raise failure

    return guarded


def discreet_methods(kind: type, names: Iterable[str]) -> None:
    """Make methods and properties that a class has of its own discreet, those of these names; what it inherits stays."""
    for name in names:
        found = kind.__dict__.get(name)
        if isinstance(found, property) and found.fget is not None:
            setattr(kind, name, property(discreet(found.fget), doc=found.__doc__))
        elif found is not None:
            setattr(kind, name, discreet(found))


def redact(error: BackendError, keys: Iterable[Key]) -> BackendError:
    """Take keys out of the texts of an error and of the errors that caused it.

    Args:
        error: changed in place, and returned.
        keys: every key that the server may know.
    """
    known = tuple(keys)
    link: BaseException | None = error
    while isinstance(link, BackendError):
        for name in _TEXTS:
            setattr(link, name, hidden(getattr(link, name), known))
        link.suggestions = tuple(hidden(text, known) for text in link.suggestions)
        link.args = (link.message,)
        link = link.__cause__
    return error


def hidden(value: Any, keys: Iterable[Key]) -> Any:
    """Return a text, or bytes, without the keys; anything else as it is."""
    if isinstance(value, bytes):
        text = value.decode("latin-1")
        clean = hidden(text, keys)
        return value if clean == text else clean.encode("latin-1")
    if not isinstance(value, str):
        return value
    for key in keys:
        value = key.hide(value)
    return value
