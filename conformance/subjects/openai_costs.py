"""What OpenAI's answers cost at prices that the caller gives, because no list was found: every kind of token has a price
of its own, and each case is worked out by hand."""

from __future__ import annotations

from typing import Any, Final

from conformance.costs import OWN_PRICES, CostCase, Costs

__all__ = ["COSTS"]


def _usage(given: Any = None, made: Any = None, **counts: Any) -> dict[str, Any]:
    usage = {"prompt_tokens": 10_000, "completion_tokens": 1000, "total_tokens": 11_000, **counts}
    return {"usage": {**usage, "prompt_tokens_details": given, "completion_tokens_details": made}}


COSTS: Final = Costs(
    model="gpt-5.4-mini",
    model_field="model",
    prices={"gpt-5.4-mini": {**OWN_PRICES, "aliases": ["gpt-5.4-mini-2026-03-17"]}},
    rates=(2.0, 0.5, 8.0),
    bound={"max_completion_tokens": 100},
    cases=(
        CostCase("plain", _usage(), 0.028),
        CostCase("cached tokens, which are part of the input", _usage({"cached_tokens": 8000}), 0.016),
        CostCase("reasoning at its own price", _usage(made={"reasoning_tokens": 500}), 0.032),
        CostCase("sound heard and spoken", _usage({"audio_tokens": 1000}, {"audio_tokens": 100}), 0.0732),
        CostCase("written tokens of an untold lifetime", _usage({"cache_write_tokens": 100}), None),
        CostCase("pictures without a price", _usage({"image_tokens": 10}), None),
        CostCase("zero counts", _usage(prompt_tokens=0, completion_tokens=0, total_tokens=0), 0.0),
        CostCase("no count of the output", _usage(completion_tokens=None), None),
        CostCase("no counts", {"usage": None}, None),
        CostCase("half the price for a slower tier", {**_usage(), "service_tier": "flex"}, 0.014),
        CostCase("a tier without a price", {**_usage(), "service_tier": "priority"}, None),
        CostCase("a dated snapshot by its alias", {**_usage(), "model": "gpt-5.4-mini-2026-03-17"}, 0.028),
        CostCase("a snapshot that nobody priced", {**_usage(), "model": "gpt-5.4-mini-2026-09-30"}, None),
    ),
)
