"""What calls cost in US dollars, by the dated table in ``models.json``: of replies, and of plans.

A figure that is missing makes the cost None, never 0. The table is of the tiers ``on_demand`` and ``flex``;
``performance`` has prices of its own that are not public, ``auto`` may have been it, and tools that the service ran are
charged besides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from backends.dialects.openai_common import read_usage
from backends.groq.known_models import Prices, catalogue, price_facts
from backends.telemetry.prices import ModelPrices, PriceTable, Rates, Terms, cost_of
from backends.types import Reply, Usage

__all__ = ["CostEstimate", "chat_cost", "estimate", "price_table", "sound_cost"]

_STANDARD: Final = (None, "on_demand", "default")
"""Tiers at the table's prices; ``default`` is what responses call ``on_demand``."""
_OTHER_TIERS: Final = {"flex": 1.0}
_HOUR: Final = 3600
_LEAST_SECONDS: Final = 10
"""The shortest sound that is charged (``console.groq.com/docs/speech-text``)."""


@dataclass(frozen=True, slots=True)
class CostEstimate:
    """What a call would cost.

    Attributes:
        dollars: None where a price or a count is not known.
        model: whose prices.
        as_of, source: of the prices.
        approximate: the price itself is a rounded third-party figure.
    """

    dollars: float | None
    model: str
    as_of: str
    source: str
    approximate: bool = False


@cache
def price_table() -> PriceTable:
    """Return the catalogue's prices as the table that every backend has."""
    as_of, source = price_facts()
    return PriceTable(
        {
            model.id: ModelPrices(model.id, _rates(model.prices), source, as_of, model.prices.approximate, _OTHER_TIERS)
            for model in catalogue()
            if model.prices != Prices()
        }
    )


def _rates(prices: Prices) -> Rates:
    return Rates(
        input=prices.input,
        cached_input=prices.cached,
        output=prices.output,
        second=None if prices.hour is None else prices.hour / _HOUR,
        character=None if prices.thousand_characters is None else prices.thousand_characters / 1000,
    )


def chat_cost(reply: Reply, tier: str | None = None, prices: PriceTable | None = None) -> float | None:
    """Return the cost of a chat answer; of a system's, that of the models it used.

    Args:
        reply: the answer.
        tier: the service tier asked for, where the answer does not say which it was.
        prices: the catalogue's unless given.
    """
    raw: Any = reply.raw if isinstance(reply.raw, Mapping) else {}
    served = raw.get("service_tier") or tier
    terms = Terms(tier=None if served in _STANDARD else str(served), unpriced=_tools_ran(raw))
    table = price_table() if prices is None else prices
    if raw.get("usage_breakdown") is None:
        return cost_of(table.find(reply.model), reply.usage, terms)
    costs = [cost_of(table.find(name), usage, terms) for name, usage in _parts(raw["usage_breakdown"])]
    known = [cost for cost in costs if cost is not None]
    return sum(known) if costs and len(known) == len(costs) else None


def _tools_ran(raw: Mapping[str, Any]) -> bool:
    choices = raw.get("choices")
    messages = [choice.get("message") for choice in choices or () if isinstance(choice, Mapping)]
    return any(message.get("executed_tools") for message in messages if isinstance(message, Mapping))


def _parts(breakdown: Any) -> list[tuple[Any, Usage]]:
    """Return model and usage of each part; what is not one has no model, so it has no price."""
    parts = breakdown.get("models") if isinstance(breakdown, Mapping) else None
    rows = [part if isinstance(part, Mapping) else {} for part in (parts if isinstance(parts, list) else ())]
    return [(row.get("model"), read_usage(row.get("usage"))) for row in rows]


def sound_cost(name: str | None, seconds: float | None, prices: PriceTable | None = None) -> float | None:
    """Return the cost of hearing a sound, None where its length or price is not known."""
    found = (price_table() if prices is None else prices).find(name)
    if found is None or found.rates.second is None or seconds is None or seconds < 0:
        return None
    return cost_of(found, Usage(), Terms(units={"second": max(seconds, _LEAST_SECONDS)}))


def estimate(
    name: str,
    *,
    input_tokens: int | None = None,
    cached_tokens: int = 0,
    output_tokens: int | None = None,
    seconds: float | None = None,
    characters: int | None = None,
) -> CostEstimate:
    """Return what a call would cost: tokens for chat, seconds of sound for hearing, characters for speaking."""
    found = price_table().find(name)
    dollars: float | None
    if seconds is not None:
        dollars = sound_cost(name, seconds)
    elif characters is not None:
        dollars = cost_of(found, Usage(), Terms(units={"character": characters}), plan=True)
    else:
        dollars = cost_of(found, Usage(input_tokens, output_tokens, cached_tokens=cached_tokens), plan=True)
    return CostEstimate(dollars, name, *price_facts(), found is not None and found.approximate)
