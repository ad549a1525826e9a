"""What Gemini's answers cost: the list price of gemini-3.8-flash (0.75 in, 3.75 out), worked out by hand; cached tokens and
sound have no known price."""

from __future__ import annotations

from typing import Any, Final

from conformance.costs import CostCase, Costs

__all__ = ["COSTS"]


def _usage(**counts: Any) -> dict[str, Any]:
    return {"usageMetadata": {"promptTokenCount": 4000, "candidatesTokenCount": 400, **counts}}


_SOUND: Final = [{"modality": "TEXT", "tokenCount": 1000}, {"modality": "AUDIO", "tokenCount": 3000}]

COSTS: Final = Costs(
    model="gemini-3.8-flash",
    model_field="modelVersion",
    rates=(0.75, 0.75, 3.75),
    bound={"max_output_tokens": 100},
    cases=(
        CostCase("plain", _usage(), 0.0045),
        CostCase("thoughts, which stand beside the answer", _usage(thoughtsTokenCount=800), 0.0075),
        CostCase("cached tokens without a price", _usage(cachedContentTokenCount=1000), None),
        CostCase("sound without a price", _usage(promptTokensDetails=_SOUND), None),
        CostCase("counts of nothing", _usage(promptTokenCount=0, candidatesTokenCount=0), 0.0),
        CostCase("no counts", {"usageMetadata": None}, None),
        CostCase("another kind of traffic", _usage(trafficType="PROVISIONED_THROUGHPUT"), None),
        CostCase("a search that is charged apart", {**_usage(), "candidates[0].groundingMetadata": {}}, None),
    ),
)
