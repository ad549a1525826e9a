"""Part ``streams``: how many tokens of streamed answers are decoded per second, client beside client.

The server sends one token an event and several events at once, so a client is measured by its decoding, not by its
reads. Tokens are counted as they come, not whole streams: a slow client finishes few of them in a window.
"""

from __future__ import annotations

from typing import Any, Final

from benchmarks import interleaved
from benchmarks.clients import CLIENTS
from benchmarks.context import Context

__all__ = ["LEVELS", "measure"]

LEVELS: Final = (1, 8)


def measure(context: Context) -> dict[str, Any]:
    """Run the part."""
    names = [entry.name for entry in CLIENTS if not entry.blocking]
    orders = {
        str(level): {"what": "stream", "in_flight": level, "warm_up": context.warm_up, "seconds": context.seconds}
        for level in LEVELS
    }
    return interleaved.run("streams", context, names, orders)
