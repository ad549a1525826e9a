"""What Groq's answers cost: the page's prices of openai/gpt-oss-120b (0.15 in, 0.075 cached, 0.60 out), worked out by
hand."""

from __future__ import annotations

from typing import Any, Final

from conformance.costs import CostCase, Costs

__all__ = ["COSTS"]


def _usage(**counts: Any) -> dict[str, Any]:
    return {"usage": {"prompt_tokens": 10_000, "completion_tokens": 1000, "total_tokens": 11_000, **counts}}


COSTS: Final = Costs(
    model="openai/gpt-oss-120b",
    model_field="model",
    rates=(0.15, 0.075, 0.60),
    bound={"max_completion_tokens": 100},
    cases=(
        CostCase("plain", _usage(), 0.0021),
        CostCase(
            "cached tokens, which are part of the input", _usage(prompt_tokens_details={"cached_tokens": 8000}), 0.0015
        ),
        CostCase(
            "reasoning, which is part of the output",
            _usage(completion_tokens_details={"reasoning_tokens": 900}),
            0.0021,
        ),
        CostCase("more cached tokens than input", _usage(prompt_tokens_details={"cached_tokens": 10_001}), None),
        CostCase("sound, which has no price", _usage(prompt_tokens_details={"audio_tokens": 5}), None),
        CostCase("zero counts", _usage(prompt_tokens=0, completion_tokens=0, total_tokens=0), 0.0),
        CostCase("no count of the output", _usage(completion_tokens=None), None),
        CostCase("no counts", {"usage": None}, None),
        CostCase("a tier whose prices are not public", {**_usage(), "service_tier": "performance"}, None),
    ),
)
