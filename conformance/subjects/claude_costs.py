"""What Claude's answers cost: the vendor's list prices of claude-sonnet-5-5 (2 in, 10 out; five-minute writes 1.25 times,
one-hour writes twice, reads a tenth of the input), worked out by hand."""

from __future__ import annotations

from typing import Any, Final

from conformance.costs import CostCase, Costs

__all__ = ["COSTS"]


def _usage(**counts: Any) -> dict[str, Any]:
    return {"usage": {"input_tokens": 1000, "output_tokens": 100, "service_tier": "standard", **counts}}


_WRITTEN: Final = {"cache_creation_input_tokens": 3000}

COSTS: Final = Costs(
    model="claude-sonnet-5-5",
    model_field="model",
    rates=(2.0, 0.2, 10.0),
    bound={"max_tokens": 100},
    cases=(
        CostCase("plain", _usage(), 0.003),
        CostCase("cached tokens, which stand beside the input", _usage(cache_read_input_tokens=50_000), 0.013),
        CostCase(
            "five-minute writes",
            _usage(**_WRITTEN, cache_creation={"ephemeral_5m_input_tokens": 3000, "ephemeral_1h_input_tokens": 0}),
            0.0105,
        ),
        CostCase(
            "writes of both lifetimes",
            _usage(**_WRITTEN, cache_creation={"ephemeral_5m_input_tokens": 1000, "ephemeral_1h_input_tokens": 2000}),
            0.0135,
        ),
        CostCase("writes of a lifetime that is not told", _usage(**_WRITTEN), None),
        CostCase("thinking, which is part of the output", _usage(output_tokens_details={"thinking_tokens": 60}), 0.003),
        CostCase("zero counts", _usage(input_tokens=0, output_tokens=0), 0.0),
        CostCase("no count of the output", _usage(output_tokens=None), None),
        CostCase("a tier without a list price", _usage(service_tier="priority"), None),
        CostCase("a fast answer", _usage(speed="fast"), None),
        CostCase("a search that is charged apart", _usage(server_tool_use={"web_search_requests": 1}), None),
        CostCase("a model whose figures are the lowest of several", {"model": "claude-haiku-5-5"}, None),
    ),
)
