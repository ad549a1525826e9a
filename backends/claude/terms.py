"""On what terms Claude made a reply: tier, speed and place, and tools it ran that are charged apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from backends.dialects.openai_common import count
from backends.telemetry.prices import Terms
from backends.types import Reply

__all__ = ["terms_of"]

_STANDARD_TIERS: Final = (None, "standard")
_STANDARD_SPEEDS: Final = (None, "standard")
_STANDARD_PLACES: Final = (None, "global", "not_available")
"""Where a model may run at the list price; the last is what models say that know no places."""


def terms_of(plain: Terms, reply: Reply, asked: Mapping[str, Any]) -> Terms:
    """Return the terms of a reply; ``plain`` are those of any provider.

    ``usage`` names the tier that answered (``batch`` for an item of a batch), the speed and the place; where a stream
    broke off before it said so, what was asked for counts. Fast answers, chosen places and server tools have prices
    that no list here holds.
    """
    raw = reply.raw if isinstance(reply.raw, Mapping) else {}
    told = raw.get("usage")
    usage: Mapping[str, Any] = told if isinstance(told, Mapping) else {}
    tier = usage.get("service_tier")
    unpriced = (
        (usage.get("speed") or asked.get("speed")) not in _STANDARD_SPEEDS
        or (usage.get("inference_geo") or asked.get("inference_geo")) not in _STANDARD_PLACES
        or _tools_ran(raw, usage)
    )
    return plain.made(None if tier in _STANDARD_TIERS else str(tier), unpriced=unpriced)


def _tools_ran(raw: Mapping[str, Any], usage: Mapping[str, Any]) -> bool:
    counts, content = usage.get("server_tool_use"), raw.get("content")
    if isinstance(counts, Mapping) and any(count(number) for number in counts.values()):
        return True
    blocks = content if isinstance(content, list) else ()
    return any(isinstance(block, Mapping) and block.get("type") == "server_tool_use" for block in blocks)
