"""Bytes literals as Python writes them, ``b'Caf\\xc3\\xa9'``, decoded without evaluating anything. Pure; no I/O.

Wire facts: ChatQnA, DocSum and the vision service send each token as ``repr`` of its UTF-8 bytes. The quotes are single
unless the text holds a single quote and no double one; then it knows these escapes: ``\\xNN``, ``\\n``, ``\\r``, ``\\t``,
``\\\\`` and ``\\'``. A guardrail's refusal stands between ``b'`` and ``'`` without any escaping.
"""

from __future__ import annotations

import re
from typing import Final

from backends.wire.values import FormatError

__all__ = ["is_literal", "read_literal"]

_ESCAPED: Final = r"\\(?:[\\'nrt]|x[0-9a-f]{2})"
_LITERAL: Final = re.compile(
    rf"b(?:'([ -&(-\[\]-~]*(?:{_ESCAPED}[ -&(-\[\]-~]*)*)'" + rf'|"([ !#-\[\]-~]*(?:{_ESCAPED}[ !#-\[\]-~]*)*)")'
)
_ESCAPE: Final = re.compile(r"\\(?:x(..)|(.))")
_PLAIN: Final = {"n": "\n", "r": "\r", "t": "\t"}


def is_literal(text: str) -> bool:
    """Say whether a text begins as a bytes literal does."""
    return text[:2] in ("b'", 'b"')


def read_literal(text: str) -> bytes:
    """Return the bytes of a literal, or of a text that stands unescaped between its quotes.

    Raises:
        FormatError: the closing quote is missing.
    """
    found = _LITERAL.fullmatch(text)
    if found is not None:
        inner = found[1] if found[1] is not None else found[2]
        return (_ESCAPE.sub(_unescaped, inner) if "\\" in inner else inner).encode("latin-1")
    if len(text) < 3 or text[-1] != text[1]:
        raise FormatError("a bytes literal has no closing quote")
    return text[2:-1].encode()


def _unescaped(escape: re.Match[str]) -> str:
    code, character = escape.groups()
    return chr(int(code, 16)) if code is not None else _PLAIN.get(character, character)
