"""The type that credentials live in: it shows a mask wherever a value could leak, and its text only when asked by name.

This module must never log, format or pickle the text of a key.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

from backends.errors import ConfigurationError

__all__ = ["Key"]

_LARGEST: Final = 16_384


class Key:
    """One credential. ``repr``, ``str``, ``format`` and pickles show only a mask with a stable fingerprint.

    Args:
        text: the credential. Surrounding white space is dropped; anything that could break a header is refused.
        name: a label for reports; the fingerprint when not given.

    Raises:
        ConfigurationError: the text is empty, too long, or holds control or non-ASCII characters.
    """

    __slots__ = ("_text", "fingerprint", "name")

    def __init__(self, text: str, name: str | None = None) -> None:
        if not isinstance(text, str):
            raise ConfigurationError(f"A key must be a string, not {type(text).__name__}.")
        text = text.strip()
        if not text:
            raise ConfigurationError("A key is empty; leave it out or set it.")
        if len(text) > _LARGEST:
            raise ConfigurationError(f"A key is longer than {_LARGEST} characters; this is not a key.")
        if not text.isascii() or not text.isprintable():
            raise ConfigurationError(
                "A key holds a line break, control or non-ASCII character, which cannot go into a header; copy it again."
            )
        self._text = text
        self.fingerprint = hashlib.sha256(text.encode()).hexdigest()[:8]
        """First eight hex digits of the SHA-256 of the key: tells keys apart without showing them."""
        self.name = name or self.fingerprint

    def reveal(self) -> str:
        """Return the text of the key; call this only where it is put into a header."""
        return self._text

    def __repr__(self) -> str:
        return f"Key(****:{self.fingerprint})"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("A Key is not pickled: a pickle would carry the credential. Pass it by environment or file.")
