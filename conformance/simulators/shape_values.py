"""The shapes of single values, and what is wrong with one: the ground :mod:`conformance.simulators.shape` stands on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from conformance.simulators.multipart import Upload

__all__ = ["Anything", "Choice", "File", "Flag", "Integer", "Kind", "Number", "Problem", "Shape", "Text", "noun"]


class Kind(StrEnum):
    """What is wrong."""

    MISSING = "missing"
    UNKNOWN = "unknown"
    TYPE = "type"
    BELOW = "below minimum"
    ABOVE = "above maximum"
    SHORT = "too short"
    LONG = "too long"
    CHOICE = "not one of the choices"
    FORMAT = "format"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Problem:
    """The first thing wrong with a request; ``path`` is like ``messages[0].role``, ``expected`` a noun or a limit."""

    kind: Kind
    path: str
    expected: str = ""
    got: str = ""

    def __str__(self) -> str:
        return (
            f"{self.path or 'body'}: {self.kind.value}, expected {self.expected or 'it'}, got {self.got or 'nothing'}"
        )


def noun(value: object) -> str:
    """How a JSON value is called in an error message."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int():
            return "an integer"
        case float():
            return "a decimal number"
        case str():
            return "a string"
        case list():
            return "an array"
        case Upload():
            return "a file"
        case _:
            return "an object"


class Shape:
    """What one value may be."""

    __slots__ = ()
    expects = "a value"

    def accepts(self, value: object) -> bool:
        """Whether the type is right, whatever the value."""
        raise NotImplementedError

    def inspect(self, value: Any, path: str) -> Problem | None:
        """The first thing wrong with a value whose type is right."""
        return None

    def check(self, value: object, path: str) -> Problem | None:
        """The first thing wrong with ``value``, or None."""
        if not self.accepts(value):
            return Problem(Kind.TYPE, path, self.expects, noun(value))
        return self.inspect(value, path)

    def from_text(self, text: str) -> Any:
        """The value a form's text stands for; the text itself when it stands for none."""
        return text

    def from_form(self, value: Any) -> Any:
        """The same for what a form gathered: text, lists and objects of text, uploads."""
        return self.from_text(value) if isinstance(value, str) else value


class Anything(Shape):
    """Any value."""

    __slots__ = ()

    def accepts(self, value: object) -> bool:
        """Everything."""
        return True


class Flag(Shape):
    """True or false."""

    __slots__ = ()
    expects = "a boolean"

    def accepts(self, value: object) -> bool:
        """Booleans only."""
        return isinstance(value, bool)

    def from_text(self, text: str) -> Any:
        """``true`` and ``false``."""
        return {"true": True, "false": False}.get(text, text)


@dataclass(frozen=True, slots=True)
class Number(Shape):
    """A number within limits, both included."""

    minimum: float | None = None
    maximum: float | None = None
    expects = "a decimal"

    def accepts(self, value: object) -> bool:
        """Whole or not, but no booleans."""
        return isinstance(value, int | float) and not isinstance(value, bool)

    def inspect(self, value: Any, path: str) -> Problem | None:
        """The limits."""
        if self.minimum is not None and value < self.minimum:
            return Problem(Kind.BELOW, path, f"{self.minimum:g}", f"{value:g}")
        if self.maximum is not None and value > self.maximum:
            return Problem(Kind.ABOVE, path, f"{self.maximum:g}", f"{value:g}")
        return None

    def from_text(self, text: str) -> Any:
        """Decimal text."""
        try:
            return float(text)
        except ValueError:
            return text


@dataclass(frozen=True, slots=True)
class Integer(Number):
    """A whole number within limits."""

    expects = "an integer"

    def accepts(self, value: object) -> bool:
        """Whole numbers, no booleans."""
        return isinstance(value, int) and not isinstance(value, bool)

    def from_text(self, text: str) -> Any:
        """Whole-number text."""
        try:
            return int(text)
        except ValueError:
            return text


@dataclass(frozen=True, slots=True)
class Text(Shape):
    """A string, its length in characters, and a pattern all of it must match."""

    minimum: int = 0
    maximum: int | None = None
    pattern: str | None = None
    expects = "a string"

    def accepts(self, value: object) -> bool:
        """Strings."""
        return isinstance(value, str)

    def inspect(self, value: Any, path: str) -> Problem | None:
        """Length, then pattern."""
        if len(value) < self.minimum:
            return Problem(Kind.SHORT, path, str(self.minimum), str(len(value)))
        if self.maximum is not None and len(value) > self.maximum:
            return Problem(Kind.LONG, path, str(self.maximum), str(len(value)))
        if self.pattern is not None and re.fullmatch(self.pattern, value) is None:
            return Problem(Kind.FORMAT, path, self.pattern, value[:80])
        return None


class Choice(Shape):
    """One of a few strings."""

    __slots__ = ("values",)
    expects = "a string"

    def __init__(self, *values: str) -> None:
        self.values = values

    def accepts(self, value: object) -> bool:
        """Strings."""
        return isinstance(value, str)

    def inspect(self, value: Any, path: str) -> Problem | None:
        """Membership."""
        if value in self.values:
            return None
        return Problem(Kind.CHOICE, path, ", ".join(f"'{known}'" for known in self.values), str(value)[:80])


class File(Shape):
    """An uploaded file, which only a form can hold."""

    __slots__ = ()
    expects = "a file"

    def accepts(self, value: object) -> bool:
        """Uploads."""
        return isinstance(value, Upload)
