"""Part ``calls``: what a whole chat call costs at 1, 32 and 128 in flight, client beside client."""

from __future__ import annotations

from typing import Any, Final

from benchmarks import interleaved
from benchmarks.clients import CLIENTS
from benchmarks.context import Context

__all__ = ["LEVELS", "measure"]

LEVELS: Final = (1, 32, 128)


def measure(context: Context) -> dict[str, Any]:
    """Run the part."""
    names = [entry.name for entry in CLIENTS if not entry.blocking]
    orders = {
        str(level): {"what": "call", "in_flight": level, "warm_up": context.warm_up, "seconds": context.seconds}
        for level in LEVELS
    }
    return interleaved.run("calls", context, names, orders)
