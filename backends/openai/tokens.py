"""Which encoding a model of OpenAI's uses; counting is in :mod:`backends.telemetry.tokens`."""

from __future__ import annotations

from typing import Final

__all__ = ["encoding_name"]

_PREFIXES: Final = (
    ("gpt-4o", "o200k_base"),
    ("gpt-4.", "o200k_base"),
    ("gpt-5", "o200k_base"),
    ("chatgpt-4o", "o200k_base"),
    ("o1", "o200k_base"),
    ("o3", "o200k_base"),
    ("o4", "o200k_base"),
    ("gpt-4", "cl100k_base"),
    ("gpt-3.5", "cl100k_base"),
    ("text-embedding-", "cl100k_base"),
    ("davinci-002", "cl100k_base"),
    ("babbage-002", "cl100k_base"),
)
_NEWEST: Final = "o200k_base"


def encoding_name(model: str) -> tuple[str, bool]:
    """Return the encoding of a model, and whether that is known rather than assumed (newer models: the newest
    encoding)."""
    name = model.removeprefix("ft:")
    for prefix, encoding in _PREFIXES:
        if name.startswith(prefix):
            return encoding, True
    return _NEWEST, False
