"""The shape of ``report()``: one JSON-ready dictionary of counters, latencies, queue, breaker, keys and endpoints.

Pure arrangement of what the counters and endpoints say; it counts nothing itself. The schema is ``report.schema.json``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from importlib.resources import files
from typing import Any

from backends.resilience.endpoint import Endpoint

__all__ = ["build_report", "schema"]


def build_report(
    api_name: str,
    snapshot: Mapping[str, Any],
    endpoints: Mapping[str, Endpoint],
    budget: Mapping[str, Any],
    budgets: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """Return the report; ``queue`` and ``circuit_breaker`` are those of the default endpoint, the others stand under
    ``endpoints``.

    Args:
        api_name: row name of the provider.
        snapshot: of the counters.
        endpoints: by name.
        budget: of the whole backend.
        budgets: of the endpoints that have one and have begun to spend.
    """
    by_endpoint = snapshot.get("endpoints", {})
    described = {
        name: {
            "base_url": endpoint.base_url,
            "queue": endpoint.status(),
            "circuit_breaker": endpoint.breaker_status(),
            "keys": [asdict(status) for status in endpoint.key_status()],
            "counters": by_endpoint.get(name, {}),
            "budget": dict(budgets.get(name, {})),
        }
        for name, endpoint in endpoints.items()
    }
    default = described.get("default", {})
    return {
        "api_name": api_name,
        **snapshot,
        "cost": {**snapshot["cost"], "budget": dict(budget)},
        "queue": default.get("queue", {}),
        "circuit_breaker": default.get("circuit_breaker", {}),
        "keys": default.get("keys", []),
        "endpoints": described,
    }


def schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of the report."""
    text = files("backends.telemetry").joinpath("report.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded
