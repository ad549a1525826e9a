"""Part ``arrivals``: latency when calls arrive at their own times instead of waiting for one another.

With a fixed number in flight a stall delays the next calls too, and they are never counted as late. Here a call is due
at its scheduled time and its latency counts from there, at a rate that every client can keep.
"""

from __future__ import annotations

from typing import Any, Final

from benchmarks import interleaved
from benchmarks.clients import CLIENTS
from benchmarks.context import Context

__all__ = ["RATE", "measure"]

RATE: Final = 100.0
"""Calls due per second."""


def measure(context: Context) -> dict[str, Any]:
    """Run the part."""
    names = [entry.name for entry in CLIENTS if not entry.blocking]
    orders = {f"{RATE:g} a second": {"what": "arrivals", "rate": RATE, "seconds": context.seconds}}
    return interleaved.run("arrivals", context, names, orders)
