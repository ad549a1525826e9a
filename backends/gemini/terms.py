"""On what terms Gemini made a reply: the tier asked for, and searches that are charged apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from backends.telemetry.prices import Terms
from backends.types import Reply

__all__ = ["terms_of"]

_STANDARD: Final = (None, "standard")
_ON_DEMAND: Final = (None, "ON_DEMAND", "TRAFFIC_TYPE_UNSPECIFIED")


def terms_of(plain: Terms, reply: Reply, asked: Mapping[str, Any]) -> Terms:
    """Return the terms of a reply; ``plain`` are those of any provider. Answers do not name the tier that served them,
    but ``trafficType`` tells where it was not the ordinary one."""
    raw = reply.raw if isinstance(reply.raw, Mapping) else {}
    usage, candidates = raw.get("usageMetadata"), raw.get("candidates")
    traffic = usage.get("trafficType") if isinstance(usage, Mapping) else None
    tier = asked.get("serviceTier")
    if tier in _STANDARD and traffic not in _ON_DEMAND:
        tier = traffic
    searched = any(
        isinstance(candidate, Mapping) and candidate.get("groundingMetadata") is not None
        for candidate in (candidates if isinstance(candidates, list) else ())
    )
    return plain.made(None if tier in _STANDARD else str(tier), unpriced=searched)
