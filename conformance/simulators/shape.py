"""A small vocabulary for field tables: what a request may hold, and the first thing wrong with one that does not fit.

A shape checks a decoded JSON value and names the offending path; it never changes the value and never words the
provider's error: that is the provider's ``refuse``. Form fields arrive as text and are read by ``from_text``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.simulators.shape_values import (
    Anything,
    Choice,
    File,
    Flag,
    Integer,
    Kind,
    Number,
    Problem,
    Shape,
    Text,
    noun,
)

__all__ = [
    "Anything",
    "Choice",
    "File",
    "Flag",
    "Integer",
    "Kind",
    "ListOf",
    "MapOf",
    "Number",
    "OneOf",
    "Problem",
    "Record",
    "Shape",
    "Tagged",
    "Text",
]


@dataclass(frozen=True, slots=True)
class ListOf(Shape):
    """An array of one shape."""

    item: Shape
    minimum: int = 0
    maximum: int | None = None
    expects = "an array"

    def accepts(self, value: object) -> bool:
        """Arrays."""
        return isinstance(value, list)

    def inspect(self, value: Any, path: str) -> Problem | None:
        """Length, then every item."""
        if len(value) < self.minimum:
            return Problem(Kind.SHORT, path, str(self.minimum), str(len(value)))
        if self.maximum is not None and len(value) > self.maximum:
            return Problem(Kind.LONG, path, str(self.maximum), str(len(value)))
        found = (self.item.check(item, f"{path}[{index}]") for index, item in enumerate(value))
        return next((problem for problem in found if problem), None)

    def from_text(self, text: str) -> Any:
        """One value given without brackets."""
        return [self.item.from_text(text)]

    def from_form(self, value: Any) -> Any:
        """Every item by itself."""
        if isinstance(value, list):
            return [self.item.from_form(item) for item in value]
        return self.from_text(value) if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class MapOf(Shape):
    """An object with free names."""

    value: Shape
    maximum: int | None = None
    key: Text = field(default_factory=Text)
    expects = "an object"

    def accepts(self, value: object) -> bool:
        """Objects."""
        return isinstance(value, dict)

    def inspect(self, value: Any, path: str) -> Problem | None:
        """How many, then each name and value."""
        if self.maximum is not None and len(value) > self.maximum:
            return Problem(Kind.LONG, path, str(self.maximum), str(len(value)))
        for name, item in value.items():
            inner = f"{path}.{name}"
            problem = self.key.check(name, inner) or self.value.check(item, inner)
            if problem:
                return problem
        return None


@dataclass(frozen=True, slots=True)
class Record(Shape):
    """An object with known fields. ``nulls``: an optional field may be null. ``open``: unknown fields pass."""

    required: Mapping[str, Shape] = field(default_factory=dict)
    optional: Mapping[str, Shape] = field(default_factory=dict)
    open: bool = False
    nulls: bool = True
    expects = "an object"

    def accepts(self, value: object) -> bool:
        """Objects."""
        return isinstance(value, dict)

    def shape_of(self, name: str) -> Shape | None:
        """The shape of a field, or None when it is unknown."""
        return self.required.get(name) or self.optional.get(name)

    def from_form(self, value: Any) -> Any:
        """Every known field by itself."""
        if not isinstance(value, dict):
            return value
        shapes = {name: self.shape_of(name) for name in value}
        return {
            name: item if (shape := shapes[name]) is None else shape.from_form(item) for name, item in value.items()
        }

    def inspect(self, value: Any, path: str) -> Problem | None:
        """Unknown names first, then missing ones, then each value."""
        prefix = f"{path}." if path else ""
        for name in value:
            if not self.open and self.shape_of(name) is None:
                return Problem(Kind.UNKNOWN, prefix + name, "", name)
        for name in self.required:
            if name not in value:
                return Problem(Kind.MISSING, prefix + name, name)
        for name, item in value.items():
            shape = self.shape_of(name)
            if shape is None or (item is None and self.nulls and name in self.optional):
                continue
            problem = shape.check(item, prefix + name)
            if problem:
                return problem
        return None


@dataclass(frozen=True, slots=True)
class Tagged(Shape):
    """An object whose ``tag`` field says which record it is; ``default`` is taken when the tag is absent."""

    records: Mapping[str, Shape]
    tag: str = "type"
    default: str | None = None
    expects = "an object"

    def accepts(self, value: object) -> bool:
        """Objects."""
        return isinstance(value, dict)

    def inspect(self, value: Any, path: str) -> Problem | None:
        """The tag, then the record it names."""
        inner = f"{path}.{self.tag}" if path else self.tag
        if self.tag not in value and self.default is None:
            return Problem(Kind.MISSING, inner, self.tag)
        tag = value.get(self.tag, self.default)
        if not isinstance(tag, str):
            return Problem(Kind.TYPE, inner, "a string", noun(tag))
        if tag not in self.records:
            return Problem(Kind.CHOICE, inner, ", ".join(f"'{name}'" for name in self.records), tag[:80])
        return self.records[tag].check(value, path)


class OneOf(Shape):
    """The first of several shapes that takes the value's type and finds nothing wrong; else the first complaint."""

    __slots__ = ("expects", "shapes")

    def __init__(self, *shapes: Shape) -> None:
        self.shapes = shapes
        self.expects = " or ".join(dict.fromkeys(shape.expects for shape in shapes))

    def accepts(self, value: object) -> bool:
        """What any of them takes."""
        return any(shape.accepts(value) for shape in self.shapes)

    def inspect(self, value: Any, path: str) -> Problem | None:
        """Every shape that takes the type is asked."""
        complaints = [shape.inspect(value, path) for shape in self.shapes if shape.accepts(value)]
        return None if None in complaints else complaints[0]

    def from_form(self, value: Any) -> Any:
        """The first reading that is allowed."""
        readings = (shape.from_form(value) for shape in self.shapes)
        return next((reading for reading in readings if self.check(reading, "") is None), value)
