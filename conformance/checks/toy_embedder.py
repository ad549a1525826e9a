"""Embedders for the cache's checks: deterministic, and blind on purpose to what turns a meaning round. They judge nothing."""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Sequence

__all__ = ["always_alike", "bag_of_words", "cosine"]

_DIMENSIONS = 512


def bag_of_words(text: str) -> list[float]:
    """Return how often each word stands in a text, hashed into 512 places: order is lost, a negation is one word of many."""
    vector = [0.0] * _DIMENSIONS
    for word in re.findall(r"\w+", text.casefold()):
        vector[zlib.crc32(word.encode()) % _DIMENSIONS] += 1.0
    return vector


async def always_alike(text: str) -> list[float]:
    """Return the same vector for every text, as an encoder that sees no difference at all."""
    del text
    return [1.0, 0.0, 0.0]


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the cosine of the angle between two vectors."""
    product = math.fsum(left * right for left, right in zip(one, other, strict=True))
    return product / (math.hypot(*one) * math.hypot(*other))
