"""Part ``sync_twin``: what a synchronous call costs beside the asynchronous one it is made from."""

from __future__ import annotations

from typing import Any, Final

from benchmarks import interleaved
from benchmarks.context import Context

__all__ = ["LEVELS", "measure"]

LEVELS: Final = (1, 32)


def measure(context: Context) -> dict[str, Any]:
    """Run the part; in flight means threads for the synchronous twin."""
    orders = {
        str(level): {"what": "call", "in_flight": level, "warm_up": context.warm_up, "seconds": context.seconds}
        for level in LEVELS
    }
    return interleaved.run("sync_twin", context, ["whole_path", "whole_path_sync"], orders)
