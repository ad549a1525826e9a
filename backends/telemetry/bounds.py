"""The most that a request can cost, before it is sent: an upper bound, or None where there is none.

A token is at least one byte, so a prompt of text has at most as many tokens as bytes; the output is bounded where the
request bounds it. Every token is taken at the dearest rate it may have. Nothing here is a forecast.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from backends.telemetry.broken_off import estimated_prompt
from backends.telemetry.prices import ModelPrices, Rates
from backends.wire import jsontext

__all__ = ["most_cost", "most_output"]

_MOST_OUTPUT: Final = (
    "max_completion_tokens",
    "max_output_tokens",
    "max_tokens",
    "max_new_tokens",
    "maxOutputTokens",
    "num_predict",
)
_HOW_MANY: Final = ("n", "best_of", "candidateCount")
_INSIDE: Final = ("generationConfig", "options", "parameters")
"""Fields in which some dialects keep what others have at the top."""
_TIERS: Final = ("service_tier", "serviceTier")
_STANDARD: Final = (None, "default", "standard", "standard_only", "on_demand")
_FRAMING: Final = 2048
"""Tokens that a provider may add to a prompt: templates, and its own words about tools."""
_MILLION: Final = 1_000_000


def most_cost(prices: ModelPrices | None, asked: Mapping[str, Any]) -> float | None:
    """Return the most that a request can cost in US dollars, None where that is not known.

    Args:
        prices: of its model.
        asked: its body.
    """
    if prices is None or prices.approximate or estimated_prompt(asked) is None:
        return None
    made = most_output(asked)
    tier = next((asked[name] for name in _TIERS if asked.get(name)), None)
    if made is None or (tier not in _STANDARD and tier not in prices.tiers):
        return None
    given = len(jsontext.dumps(asked)) + _FRAMING
    factor = max(1.0, *prices.tiers.values()) if prices.tiers else 1.0
    known = [_dollars(rates, given, made) for rates in (prices.rates, *(rates for _, rates in prices.steps))]
    bounds = [dollars for dollars in known if dollars is not None]
    return factor * max(bounds) if len(bounds) == len(known) else None


def most_output(asked: Mapping[str, Any]) -> int | None:
    """Return the most tokens that all answers to a request may have together, None where its body does not say."""
    made = _first(asked, _MOST_OUTPUT)
    return None if made is None else made * max(_first(asked, _HOW_MANY) or 1, 1)


def _first(asked: Mapping[str, Any], names: tuple[str, ...]) -> int | None:
    """Return the largest number that a request gives under any of these names."""
    inner = [asked[name] for name in _INSIDE if isinstance(asked.get(name), Mapping)]
    found = [holder.get(name) for holder in (asked, *inner) for name in names]
    numbers = [number for number in found if type(number) is int and number >= 0]
    return max(numbers, default=None)


def _dollars(rates: Rates, given: int, made: int) -> float | None:
    if rates.input is None or rates.output is None:
        return None
    arriving = rates.dearest("input", "cached_input", "cache_write", "cache_write_1h")
    leaving = rates.dearest("output", "reasoning")
    assert arriving is not None
    assert leaving is not None
    return (given * arriving + made * leaving) / _MILLION + (rates.request or 0.0)
