"""What calls cost in US dollars, by the dated table in ``models.json``: of replies, and of plans.

A figure that is missing makes the cost None, never 0. The table is of the tiers ``on_demand`` and ``flex``;
``performance`` has prices of its own that are not public, ``auto`` may have been it, and tools that the service ran are
charged besides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from backends.dialects.openai_common import read_usage
from backends.groq.known_models import Prices, known_model, price_facts
from backends.types import Reply, Usage

__all__ = ["CostEstimate", "chat_cost", "estimate", "sound_cost"]

_PRICED_TIERS: Final = ("on_demand", "flex", "default")
"""``default`` is what responses call ``on_demand``."""
_MILLION: Final = 1_000_000
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


def token_cost(prices: Prices, usage: Usage) -> float | None:
    """Return the cost of counted tokens. A usage without details says that nothing came from the cache."""
    given, made, cached = usage.input_tokens, usage.output_tokens, usage.cached_tokens or 0
    if given is None or made is None or cached > given or prices.input is None or prices.output is None:
        return None
    if cached and prices.cached is None:
        return None
    dollars = (given - cached) * prices.input + cached * (prices.cached or 0.0) + made * prices.output
    return dollars / _MILLION


def chat_cost(reply: Reply, tier: str | None = None) -> float | None:
    """Return the cost of a chat answer; of a system's, that of the models it used.

    Args:
        reply: the answer.
        tier: the service tier asked for, where the answer does not say which it was.
    """
    raw: Any = reply.raw if isinstance(reply.raw, Mapping) else {}
    if (raw.get("service_tier") or tier or "on_demand") not in _PRICED_TIERS or _tools_ran(raw):
        return None
    if raw.get("usage_breakdown") is None:
        return _cost_of(reply.model, reply.usage)
    costs = [_cost_of(name, usage) for name, usage in _parts(raw["usage_breakdown"])]
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


def _cost_of(name: Any, usage: Usage) -> float | None:
    model = known_model(name) if isinstance(name, str) else None
    return token_cost(model.prices, usage) if model is not None and not model.prices.approximate else None


def sound_cost(name: str | None, seconds: float | None) -> float | None:
    """Return the cost of hearing a sound, None where its length or price is not known."""
    model = known_model(name) if name is not None else None
    if model is None or model.prices.hour is None or seconds is None or seconds < 0:
        return None
    return max(seconds, _LEAST_SECONDS) / _HOUR * model.prices.hour


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
    model = known_model(name)
    prices = model.prices if model is not None else Prices()
    dollars: float | None
    if seconds is not None:
        dollars = sound_cost(name, seconds)
    elif characters is not None:
        each = prices.thousand_characters
        dollars = None if each is None else characters / 1000 * each
    else:
        usage = Usage(input_tokens, output_tokens, cached_tokens=cached_tokens)
        dollars = token_cost(prices, usage)
    return CostEstimate(dollars, name, *price_facts(), prices.approximate)
