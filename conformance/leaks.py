"""Does an idle backend still hold something? Read from its own state, after the check and before it is closed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["find_leaks"]


def find_leaks(backends: Iterable[Any]) -> str | None:
    """Return the first thing that an idle backend still holds (slot, place in the queue or in a batch, key, request),
    None for nothing."""
    for backend in backends:
        for name, batching in dict(getattr(backend, "_batchings", {})).items():
            if len(batching):
                return f"endpoint {name}: {len(batching)} requests wait for a batch though nobody asks any more"
        for name, endpoint in dict(getattr(backend, "_endpoints", {})).items():
            status = endpoint.status()
            if status["active"]:
                return f"endpoint {name}: {status['active']} slots are held by nobody"
            if status["waiting"]["total"]:
                return f"endpoint {name}: {status['waiting']['total']} requests wait though nobody asks any more"
            for key in endpoint.key_status():
                if key.in_flight:
                    return (
                        f"endpoint {name}: key {key.fingerprint} counts {key.in_flight} requests in flight while idle"
                    )
    return None
