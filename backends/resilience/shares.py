"""What one wire call cost, parted among the requests that it carried: exact in sum, an estimate for each.

Pure arithmetic. Whole numbers stay whole; a cost is parted in units that a float holds exactly, so that the parts add up
to it in any order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from backends.types import Usage

__all__ = ["cost_shares", "shares", "usage_shares"]

_FLOAT_BITS: Final = 53


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

    Args:
        usage: of the wire call.
        read: the length of what each request sent; parts the input tokens.
        written: the length of what each got; parts the output tokens.
    """
    if usage == Usage():
        return [usage] * len(read)
    read, written = _weights(read), _weights(written)
    inputs, outputs = _parted(usage.input_tokens, read), _parted(usage.output_tokens, written)
    totals = _parted(usage.total_tokens, read)
    if usage.total_tokens is not None and usage.total_tokens == (usage.input_tokens or 0) + (usage.output_tokens or 0):
        totals = [(given or 0) + (made or 0) for given, made in zip(inputs, outputs, strict=True)]
    # Details are parted by the counts that contain them, so that none grows larger than its own.
    of_input, of_output = _details(inputs, read), _details(outputs, written)
    cached, stored = _parted(usage.cached_tokens, of_input), _parted(usage.cache_write_tokens, of_input)
    reasoning, audio = _parted(usage.reasoning_tokens, of_output), _parted(usage.audio_tokens, read)
    rows = zip(inputs, outputs, totals, cached, stored, reasoning, audio, strict=True)
    return [Usage(given, made, total, True, *details) for given, made, total, *details in rows]


def _parted(total: int | None, weights: Sequence[int]) -> Sequence[int | None]:
    return [None] * len(weights) if total is None else shares(total, weights)


def _weights(lengths: Sequence[int]) -> Sequence[int]:
    """Return lengths as weights; where all are 0, everybody counts the same."""
    return lengths if any(lengths) else [1] * len(lengths)


def _details(counts: Sequence[int | None], otherwise: Sequence[int]) -> Sequence[int]:
    known = [count or 0 for count in counts]
    return known if any(known) else otherwise
