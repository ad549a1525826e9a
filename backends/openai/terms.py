"""On what terms OpenAI made a reply: the service tier that answered, and tools it ran that are charged apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from backends.telemetry.prices import Terms
from backends.types import Reply

__all__ = ["terms_of"]

_STANDARD: Final = (None, "default")
_CALLERS_OWN: Final = frozenset({"function_call", "custom_tool_call", "tool_search_call"})
"""Output items that ask the caller to run something, which costs nothing by itself."""


def terms_of(plain: Terms, reply: Reply, asked: Mapping[str, Any]) -> Terms:
    """Return the terms of a reply; ``plain`` are those of any provider.

    The answer echoes the tier that served it; where it does not, the tier asked for decides, and ``auto`` may have been
    any.
    """
    raw = reply.raw if isinstance(reply.raw, Mapping) else {}
    tier = raw.get("service_tier") or asked.get("service_tier")
    ran = asked.get("web_search_options") is not None or any(map(_charged_apart, _items(raw)))
    return plain.made(None if tier in _STANDARD else str(tier), unpriced=ran)


def _items(raw: Mapping[str, Any]) -> list[Any]:
    output = raw.get("output")
    return output if isinstance(output, list) else []


def _charged_apart(item: Any) -> bool:
    kind = item.get("type") if isinstance(item, Mapping) else None
    return isinstance(kind, str) and kind.endswith("_call") and kind not in _CALLERS_OWN
