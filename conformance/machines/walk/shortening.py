"""Makes a walk that went wrong as short as it can be and still go wrong in the same way."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from conformance.machines.bench import Disagreement, Step
from conformance.machines.walk.bench import WalkBench

__all__ = ["shortened"]

_CHUNKS: Final = (16, 8, 4, 2, 1)


def shortened(machine_class: Callable[..., Any], found: Disagreement) -> Disagreement:
    """Return the disagreement after the fewest steps; leaving out any one of them would hide it."""
    best = found
    for chunk in (*_CHUNKS, 1):
        start = len(best.steps) - 1 - chunk
        while start >= 1:  # the first step makes the backend, the last one shows the fault
            fewer = best.steps[:start] + best.steps[start + chunk :]
            again = _replayed(machine_class, fewer)
            if again is not None and _kind(again) == _kind(found):
                best = again
                start = min(start, len(best.steps) - 1 - chunk)
            else:
                start -= chunk
    return best


def _replayed(machine_class: Callable[..., Any], steps: tuple[Step, ...]) -> Disagreement | None:
    bench = WalkBench(machine_class)
    try:
        bench.replay(steps)
    except Disagreement as found:
        return found
    return None


def _kind(found: Disagreement) -> str:
    """Return the message without what may differ between two walks that show one fault."""
    return re.sub(r"\d+|default|other", "", found.message)[:30]
