"""Counts of tokens and bytes: a server may say anything, and not all of it is a count."""

from __future__ import annotations

import pytest

from backends.dialects.openai_common import count


@pytest.mark.parametrize(
    ("told", "believed"),
    [(0, 0), (2**53, 2**53), (2**53 + 1, None), (10**400, None), (-1, None), (True, None), (1.0, None), ("7", None)],
)
def test_counts_are_believed_within_reason(told: object, believed: int | None) -> None:
    """Whatever is no count is not said."""
    assert count(told) == believed
