"""What one wire call cost, parted among the requests that it carried: exact in sum, an estimate for each.

Pure arithmetic. Whole numbers stay whole; a cost is parted in units that a float holds exactly, so that the parts add up
to it in any order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Final

from backends.types import Usage

__all__ = ["cost_shares", "shares", "usage_shares"]

_FLOAT_BITS: Final = 53
_COUNTS: Final = tuple(field.name for field in fields(Usage) if field.name != "estimated")
_CONTAINED_IN: Final = {
    "cached_tokens": "input_tokens",
    "cache_write_tokens": "input_tokens",
    "cache_write_1h_tokens": "cache_write_tokens",
    "image_tokens": "input_tokens",
    "reasoning_tokens": "output_tokens",
    "audio_output_tokens": "output_tokens",
    "image_output_tokens": "output_tokens",
}
"""Detail -> the count that it is part of, which :class:`Usage` names before it."""


def shares(total: int, weights: Sequence[int]) -> list[int]:
    """Return ``total`` in parts proportional to the weights (0 or more, not all 0), whole and with exactly its sum.

    The running sums are rounded, so a part with a weight of ``n`` out of a total that is no larger than all weights
    together is never larger than ``n``.
    """
    whole = sum(weights)
    parts, weighed, given = [], 0, 0
    for weight in weights:
        weighed += weight
        until = (2 * total * weighed + whole) // (2 * whole)
        parts.append(until - given)
        given = until
    return parts


def cost_shares(cost: float, weights: Sequence[int]) -> list[float]:
    """Return a cost in proportional parts whose sum is the cost, to the last bit and in whatever order they are added."""
    numerator, denominator = cost.as_integer_ratio()
    lift = max(0, _FLOAT_BITS - abs(numerator).bit_length())
    return [part / (denominator << lift) for part in shares(numerator << lift, weights)]


def usage_shares(usage: Usage, read: Sequence[int], written: Sequence[int]) -> list[Usage]:
    """Return the usage of each request of a batch, marked as estimated unless the provider counted nothing at all.

    Every count that a :class:`~backends.types.Usage` has is parted; one that nothing here is said of, by ``read``.

    Args:
        usage: of the wire call.
        read: the length of what each request sent; parts the input tokens.
        written: the length of what each got; parts the output tokens.
    """
    if usage == Usage():
        return [usage] * len(read)
    weights = {"input_tokens": _weights(read), "output_tokens": _weights(written), "total_tokens": _weights(read)}
    columns: dict[str, Sequence[int | None]] = {}
    for name in _COUNTS:
        # Details are parted by the counts that contain them, so that none grows larger than its own.
        by = weights[name] if name in weights else weights[_CONTAINED_IN.get(name, "input_tokens")]
        columns[name] = _parted(getattr(usage, name), by)
        weights[name] = _known(columns[name], by)
    if usage.total_tokens is not None and usage.total_tokens == (usage.input_tokens or 0) + (usage.output_tokens or 0):
        columns["total_tokens"] = _added(columns["input_tokens"], columns["output_tokens"])
    if usage.audio_tokens is not None and usage.audio_tokens >= (usage.audio_output_tokens or 0):
        heard = _parted(usage.audio_tokens - (usage.audio_output_tokens or 0), weights["input_tokens"])
        columns["audio_tokens"] = _added(heard, columns["audio_output_tokens"])
    rows = zip(*columns.values(), strict=True)
    return [Usage(**dict(zip(columns, row, strict=True)), estimated=True) for row in rows]


def _parted(total: int | None, weights: Sequence[int]) -> Sequence[int | None]:
    return [None] * len(weights) if total is None else shares(total, weights)


def _added(one: Sequence[int | None], other: Sequence[int | None]) -> Sequence[int]:
    return [(part or 0) + (more or 0) for part, more in zip(one, other, strict=True)]


def _weights(lengths: Sequence[int]) -> Sequence[int]:
    """Return lengths as weights; where all are 0, everybody counts the same."""
    return lengths if any(lengths) else [1] * len(lengths)


def _known(counts: Sequence[int | None], otherwise: Sequence[int]) -> Sequence[int]:
    known = [count or 0 for count in counts]
    return known if any(known) else otherwise
