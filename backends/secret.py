"""The types that credentials live in: they show a mask wherever a value could leak, and their text only when asked by name.

This module must never log, format or pickle the text of a key.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, SupportsIndex
from urllib.parse import quote

from backends.errors import ConfigurationError

__all__ = ["Key", "SecretText"]

_LARGEST: Final = 16_384
_LONGEST_HEAD: Final = 16
_SHORTEST_HEAD: Final = 8
_SHORTEST: Final = 4
"""What is shorter stands in any sentence by chance, and is no secret."""


class SecretText(str):
    """Text that is or holds a credential, on its way to the wire: whole to whoever sends it, a mask to ``repr``.

    Tracebacks with local variables, debuggers and error trackers show the ``repr`` of what a frame holds, however deep in
    tuples and dictionaries. What is added to it or cut from it is secret as well; ``str(...)`` and the other methods
    give plain text.
    It is not pickled, for the reason that a :class:`Key` is not.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "'****'"

    def __add__(self, other: str, /) -> SecretText:
        return SecretText(str.__add__(self, other))

    def __radd__(self, other: str, /) -> SecretText:
        return SecretText(str.__add__(other, self))

    def __getitem__(self, place: SupportsIndex | slice, /) -> SecretText:
        return SecretText(str.__getitem__(self, place))  # who shows long texts cut short cuts before asking for a repr

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("A secret is not pickled: a pickle would carry the credential. Pass it by environment or file.")


class Key:
    """One credential. ``repr``, ``str``, ``format`` and pickles show only a mask with a stable fingerprint.

    Args:
        text: the credential. Surrounding white space is dropped; anything that could break a header is refused.
        name: a label for reports; the fingerprint when not given.

    Raises:
        ConfigurationError: the text is empty, too long, or holds control or non-ASCII characters.
    """

    __slots__ = ("_finder", "_text", "fingerprint", "name")

    def __init__(self, text: str, name: str | None = None) -> None:
        if not isinstance(text, str):
            raise ConfigurationError(f"A key must be a string, not {type(text).__name__}.")
        text = SecretText(text.strip())
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
        self._finder: _Finder | None = None

    def reveal(self) -> SecretText:
        """Return the text of the key; call this only where it is put into a header."""
        return self._text

    def secrets(self) -> tuple[str, ...]:
        """Return every part that must not show: the text itself, and of a compound credential each of its parts."""
        return (self._text,)

    def hide(self, text: str) -> str:
        """Return a text from outside with this key taken out, a mask in its place.

        Found are the key as it is, percent-encoded and in base64 (alone or inside a longer text), in any case of its
        letters, and the beginning of one where the text was cut. Not found: a key that somebody reversed, split by other
        characters, encrypted or hashed. One of fewer than eight characters, a placeholder mostly, is found only as it is, and
        one of fewer than four not at all.
        """
        if self._finder is None:
            self._finder = _Finder([secret for secret in self.secrets() if len(secret) >= _SHORTEST])
        return self._finder.without(text, repr(self))

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


def _written(secret: str) -> Iterator[str]:
    """Yield every form in which a credential may be written; what is short has encodings that stand in any text by chance."""
    yield secret
    yield quote(secret, safe="")
    if len(secret) >= _SHORTEST_HEAD:
        yield from _in_base64(secret.encode())


def _in_base64(secret: bytes) -> Iterator[str]:
    """Yield the digits that depend on the secret alone, for each place in a group of three bytes at which it may begin."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + secret).decode().rstrip("=")
        whole = (before + len(secret)) // 3 * 4
        digits = encoded[(0, 2, 3)[before] : whole if (before + len(secret)) % 3 else None]
        yield digits
        yield digits.replace("+", "-").replace("/", "_")


class _Finder:
    """Finds secrets in texts by their beginnings, so that what is left of one that was cut is found as well."""

    __slots__ = ("_beginnings", "_forms", "_heads")

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {SecretText(form) for secret in secrets for form in _written(secret)}
        self._forms = tuple(sorted(forms, key=len, reverse=True))
        self._heads = re.compile("|".join(map(_head, self._forms)) or r"\Z.")
        self._beginnings = tuple({SecretText(form[: _head_length(form)].lower()) for form in self._forms})

    def without(self, text: str, mask: str) -> str:
        """Return a text with a mask in the place of each secret."""
        if text.isascii():  # nearly every text holds none, and this says so several times sooner than the pattern
            lowered = text.lower()
            for beginning in self._beginnings:
                if beginning in lowered:
                    break
            else:
                return text
        pieces: list[str] = []
        done = 0
        for found in self._heads.finditer(text):
            if found.start() >= done:
                pieces += (text[done : found.start()], mask)
                done = max(_end(form, text, found.start()) for form in self._forms)
        return "".join((*pieces, text[done:])) if pieces else text


def _head(form: str) -> str:
    """Return a pattern for the beginning of a form; a short one may be an ordinary word, and is taken at its letter."""
    if len(form) < _SHORTEST_HEAD:
        return re.escape(form)
    return f"(?i:{re.escape(form[: _head_length(form)])})"


def _head_length(form: str) -> int:
    """Return how many characters of a form betray it; all of a short one."""
    return max(_SHORTEST_HEAD, min(_LONGEST_HEAD, len(form) // 2))


def _end(form: str, text: str, start: int) -> int:
    """Return how far a text goes on as a form does, in any case of its letters."""
    length = min(len(form), len(text) - start)
    return start + next(
        (place for place in range(length) if text[start + place].lower() != form[place].lower()), length
    )
