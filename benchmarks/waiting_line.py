"""Part ``waiting_line``: push and pop with a thousand to a million requests waiting.

With so many waiting, a batch is pushed and as many are popped, timed apart; and an admission with a full house gives
places back and takes requests in. Garbage collection stays on, as it is for users.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any, Final

from benchmarks.context import Context
from benchmarks.machine import Noise

__all__ = ["SIZES", "measure"]

SIZES: Final = (1_000, 10_000, 100_000, 1_000_000)
_BATCH: Final = 10_000
_OPERATIONS: Final = ("push", "pop", "submit", "release")


def measure(context: Context) -> dict[str, Any]:
    """Run the part."""
    sizes = SIZES[:2] if context.quick else SIZES
    context.progress.part("waiting line", context.rounds * len(sizes))
    noise = Noise()
    rows: list[dict[str, Any]] = [{"waiting": size, **{name: [] for name in _OPERATIONS}} for size in sizes]
    for _ in range(context.rounds):
        noise.beat()
        for row in rows:
            context.progress.step(f"{row['waiting']:,} waiting")
            for name, seconds in {**_line(row["waiting"]), **_admission(row["waiting"])}.items():
                row[name].append(seconds)
    return {"noise": noise.result(0.0), "settings": {"rounds": context.rounds, "batch": _BATCH}, "rows": rows}


def _line(size: int) -> dict[str, float]:
    from backends.resilience.line import WaitingLine

    line: WaitingLine[object] = WaitingLine()
    batch = min(size, _BATCH)
    for number in range(size):
        line.push(object(), number % 3, number * 1e-6)
    found = {
        "push": _timed(lambda number: line.push(None, number % 3, 1.0 + number * 1e-6), batch),
        "pop": _timed(lambda number: line.pop(2.0 + number * 1e-6), batch),
    }
    _free(line.drain)
    return found


def _admission(size: int) -> dict[str, float]:
    from backends.resilience.admission import Admission

    house: Admission[object] = Admission(1, 2 * size + _BATCH)
    batch = min(size, _BATCH)
    for number in range(size + 1):
        house.submit(object(), number % 3, number * 1e-6)
    found = {
        "submit": _timed(lambda number: house.submit(None, number % 3, 1.0 + number * 1e-6), batch),
        "release": _timed(lambda number: house.release(2.0 + number * 1e-6), batch),
    }
    _free(house.drain)
    return found


def _timed(operation: Callable[[int], Any], times: int) -> float:
    """Return seconds for one operation, the call of it included."""
    began = time.perf_counter()
    for number in range(times):
        operation(number)
    return (time.perf_counter() - began) / times


def _free(drain: Callable[[], Any]) -> None:
    """Empty it outside of any timing, so that the next size starts from the same heap."""
    drain()
    gc.collect()
