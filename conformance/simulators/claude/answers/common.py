"""What several answers share: pages of a list behind or before an id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from conformance.simulators.claude.errors import clipped, refused
from conformance.simulators.provider import Answer, Call

__all__ = ["page"]


def page(call: Call, items: Sequence[dict[str, Any]]) -> Answer:
    """One page of a list in its order: ``after_id`` and ``before_id`` are exclusive."""
    query = call.request.parameters
    limit = int(query.get("limit", 20))
    ids = [item["id"] for item in items]
    start, end = 0, len(items)
    for name in ("after_id", "before_id"):
        if name in query and query[name] not in ids:
            return refused(call, 400, f"{name}: no such item: {clipped(query[name])}")
    if "after_id" in query:
        start = ids.index(query["after_id"]) + 1
    if "before_id" in query:
        end = ids.index(query["before_id"])
        start = max(start, end - limit)
    shown = items[start : min(end, start + limit)]
    more = start > 0 if "before_id" in query else start + limit < end
    return Answer(
        payload={
            "data": list(shown),
            "has_more": more,
            "first_id": shown[0]["id"] if shown else None,
            "last_id": shown[-1]["id"] if shown else None,
        }
    )
