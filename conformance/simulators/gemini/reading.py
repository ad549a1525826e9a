"""Bodies read as protobuf JSON is: either spelling of every field, whole numbers as text or as 3.0, both base64 alphabets.

A :class:`Message` checks what arrived; :func:`fitted` hands a handler the same body in camelCase throughout.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from conformance.simulators.provider import Answer, Call
from conformance.simulators.shape import Kind, ListOf, MapOf, OneOf, Problem, Record, Shape

__all__ = ["Base64", "Message", "Whole", "decoded", "fitted", "normal"]

_URL_SAFE = str.maketrans("-_", "+/")


def decoded(text: str) -> bytes:
    """Bytes from either alphabet, padded or not; raises ``binascii.Error`` for what is neither."""
    plain = text.translate(_URL_SAFE).rstrip("=")
    return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)


class Base64(Shape):
    """Bytes in text."""

    __slots__ = ()
    expects = "base64 text"

    def accepts(self, value: object) -> bool:
        """Strings."""
        return isinstance(value, str)

    def inspect(self, value: Any, path: str) -> Problem | None:
        """Both alphabets."""
        try:
            decoded(value)
        except (binascii.Error, ValueError):
            return Problem(Kind.FORMAT, path, "base64", value[:40])
        return None


@dataclass(frozen=True, slots=True)
class Whole(Shape):
    """A whole number within limits: ``3``, ``3.0`` or ``"3"``."""

    minimum: int | None = None
    maximum: int | None = None
    expects = "an integer"

    def accepts(self, value: object) -> bool:
        """What protobuf takes for an integer."""
        if isinstance(value, str):
            return value.lstrip("-").isdigit()
        return not isinstance(value, bool) and (
            isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        )

    def inspect(self, value: Any, path: str) -> Problem | None:
        """The limits."""
        number = int(value)
        if self.minimum is not None and number < self.minimum:
            return Problem(Kind.BELOW, path, str(self.minimum), str(number))
        if self.maximum is not None and number > self.maximum:
            return Problem(Kind.ABOVE, path, str(self.maximum), str(number))
        return None

    def from_text(self, text: str) -> Any:
        """As it is: text is accepted."""
        return text


class Message(Record):
    """A record whose fields may be spelt in camelCase or in snake_case."""

    __slots__ = ()

    def known_as(self, name: str) -> str:
        """The field's name in camelCase; an unknown one as it is."""
        if self.shape_of(name) is not None or "_" not in name:
            return name
        first, *rest = name.split("_")
        camel = first + "".join(part[:1].upper() + part[1:] for part in rest)
        return camel if self.shape_of(camel) is not None else name

    def inspect(self, value: Any, path: str) -> Problem | None:
        """The same as for any record, whatever the spelling."""
        return Record.inspect(self, {self.known_as(name): item for name, item in value.items()}, path)


def normal(shape: Shape | None, value: Any) -> Any:
    """A value that fits its shape, with every field of every message in camelCase and nulls left out."""
    if isinstance(shape, Message) and isinstance(value, dict):
        named = {shape.known_as(name): item for name, item in value.items() if item is not None}
        return {name: normal(shape.shape_of(name), item) for name, item in named.items()}
    if isinstance(shape, ListOf) and isinstance(value, list):
        return [normal(shape.item, item) for item in value]
    if isinstance(shape, MapOf) and isinstance(value, dict):
        return {name: normal(shape.value, item) for name, item in value.items()}
    if isinstance(shape, OneOf):
        return normal(next((one for one in shape.shapes if one.check(value, "") is None), None), value)
    return value


def fitted(shape: Message, handler: Callable[[Call], Answer]) -> Callable[[Call], Answer]:
    """A handler that gets the body in camelCase."""
    return lambda call: handler(replace(call, body=normal(shape, call.body)))
