"""Hypothesis strategies for this project's own values, shared by every check that draws something.

Durations are quarters of a second: exact in binary, so that "at the very moment" can be drawn and compared.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from backends.resilience.admission import Overflow
from backends.resilience.keys import Strategy
from backends.types import Priority, Usage

__all__ = [
    "affinities",
    "durations",
    "hostile_text",
    "indices",
    "json_values",
    "key_strategies",
    "levels",
    "messages",
    "overflows",
    "pieces",
    "positive_durations",
    "random_numbers",
    "splits",
    "token_counts",
    "usages",
    "walls",
]


def durations(most: float = 20.0) -> st.SearchStrategy[float]:
    """Seconds from 0 to ``most`` in quarters."""
    return st.integers(0, int(most * 4)).map(lambda quarters: quarters / 4)


def positive_durations(most: float = 10.0) -> st.SearchStrategy[float]:
    """Seconds from a quarter to ``most`` in quarters."""
    return st.integers(1, int(most * 4)).map(lambda quarters: quarters / 4)


def walls() -> st.SearchStrategy[float]:
    """Unix seconds between 2001 and 2096, whole."""
    return st.integers(1_000_000_000, 4_000_000_000).map(float)


def indices() -> st.SearchStrategy[int]:
    """A number to be taken modulo the length of something."""
    return st.integers(0, 63)


def levels() -> st.SearchStrategy[int]:
    """Priorities as plain integers, 0 going first."""
    return st.sampled_from([int(priority) for priority in Priority])


def overflows() -> st.SearchStrategy[str]:
    """What a full queue does, by name."""
    return st.sampled_from([overflow.value for overflow in Overflow])


def key_strategies() -> st.SearchStrategy[str]:
    """How a key is chosen, by name."""
    return st.sampled_from([strategy.value for strategy in Strategy])


def affinities() -> st.SearchStrategy[str | None]:
    """What requests have in common, or nothing."""
    return st.sampled_from([None, None, "first prompt", "second prompt", "third prompt"])


def random_numbers() -> st.SearchStrategy[float]:
    """What a random source may return: 0 or more, below 1, the edges often."""
    edges = st.sampled_from([0.0, 0.5, 1.0 - 2.0**-53])
    return edges | st.floats(0.0, 1.0, exclude_max=True, allow_subnormal=False)


def token_counts() -> st.SearchStrategy[int | None]:
    """A count of tokens, or None where the provider does not say."""
    return st.none() | st.integers(0, 1_000_000)


def usages() -> st.SearchStrategy[Usage | None]:
    """What a provider reports of one request."""
    return st.none() | st.builds(
        Usage,
        input_tokens=token_counts(),
        output_tokens=token_counts(),
        total_tokens=token_counts(),
        estimated=st.booleans(),
        cached_tokens=token_counts(),
        reasoning_tokens=token_counts(),
    )


def hostile_text(most: int = 200) -> st.SearchStrategy[str]:
    """Text as a broken or hostile server may send it in a header: digits, units, dates and nonsense, mixed."""
    digits = ["1", "9" * 30, ".", "-", "+", "e9", "e999", "nan", "inf", "٣", "_", ",", ":", " ", "\x00"]
    words = ["ms", "s", "m", "h", "d", "µs", "T", "Z", "GMT", "Wed, 21 Oct 2015 07:28:00", "2015-10-21"]
    phrases = ["try again in ", "retry after "]
    scraps = st.sampled_from([*digits, *words, *phrases])
    return (st.lists(scraps, max_size=12).map("".join) | st.text(max_size=most)).map(lambda text: text[:most])


def json_values(leaves: int = 20) -> st.SearchStrategy[Any]:
    """Any JSON value."""
    plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
    return st.recursive(
        plain,
        lambda children: (
            st.lists(children, max_size=4)
            | st.dictionaries(st.text(string.printable, max_size=8), children, max_size=4)
        ),
        max_leaves=leaves,
    )


def messages() -> st.SearchStrategy[list[dict[str, str]]]:
    """A conversation, one message or more."""
    message = st.fixed_dictionaries(
        {"role": st.sampled_from(["system", "user", "assistant"]), "content": st.text(min_size=1, max_size=80)}
    )
    return st.lists(message, min_size=1, max_size=6)


def splits(most: int = 12) -> st.SearchStrategy[list[int]]:
    """Places at which a byte string is cut; taken modulo its length by :func:`pieces`."""
    return st.lists(st.integers(0, 4095), max_size=most)


def pieces(data: bytes, places: Sequence[int]) -> list[bytes]:
    """Cut ``data`` at the given places; empty pieces are kept, because a transport may deliver them."""
    cuts = sorted(place % (len(data) + 1) for place in places)
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
