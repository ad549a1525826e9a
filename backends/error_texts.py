"""What a provider says of an error, within bounds: its text and its words (codes, types).

What an error means, the provider's own module says; nothing here raises.
"""

from __future__ import annotations

from typing import Any, Final

__all__ = ["LONGEST_MESSAGE", "LONGEST_WORD", "message_of", "word_of"]

LONGEST_MESSAGE: Final = 2_000
"""Characters of a message that are kept."""
LONGEST_WORD: Final = 200
"""Characters of a code or type that are kept."""


def message_of(text: Any) -> str:
    """Return the text of a message, empty where it is none."""
    if not isinstance(text, str):
        return ""
    text = text.strip()
    return "An HTML page came instead of the API's own error." if text[:1] == "<" else text[:LONGEST_MESSAGE]


def word_of(value: Any) -> str | None:
    """Return a code or type, None where it is none."""
    return value[:LONGEST_WORD] if isinstance(value, str) and value else None
