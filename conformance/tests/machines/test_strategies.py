"""The shared strategies draw what they promise."""

from __future__ import annotations

import json

from hypothesis import given

from conformance.machines import strategies as own
from conformance.machines.bench import default_settings


@default_settings(200)
@given(own.durations(), own.positive_durations(), own.random_numbers(), own.levels())
def test_numbers(duration: float, positive: float, number: float, level: int) -> None:
    """Quarters of a second, a random source's range, known levels."""
    assert duration * 4 == int(duration * 4) >= 0
    assert positive > 0
    assert 0.0 <= number < 1.0
    assert level in {0, 1, 2}


@default_settings(200)
@given(own.hostile_text(50), own.json_values(), own.messages())
def test_texts(text: str, value: object, messages: list[dict[str, str]]) -> None:
    """Bounded text, values that JSON can hold, conversations that are not empty."""
    assert len(text) <= 50
    assert json.loads(json.dumps(value, allow_nan=False)) == value
    assert all(message["content"] for message in messages)


@default_settings(200)
@given(own.splits())
def test_pieces(places: list[int]) -> None:
    """Cut anywhere, nothing is lost or moved."""
    data = bytes(range(97, 120))
    assert b"".join(own.pieces(data, places)) == data
    assert len(own.pieces(data, places)) == len(places) + 1
