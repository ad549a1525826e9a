"""What a simulated worker has: the engine of the real one, with a clock that counts instead of running.

llvmlite is imported with the first request, not before.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

__all__ = ["Workshop"]


class Workshop:
    """One engine, made when it is first asked for."""

    def __init__(self) -> None:
        self._engine: Any = None

    @property
    def engine(self) -> Any:
        """The engine."""
        if self._engine is None:
            from backends.llvm_worker.engine import Engine

            self._engine = Engine(now=_counting())
        return self._engine


def _counting() -> Callable[[], float]:
    """Return a clock by which every look takes a millisecond."""
    ticks = count()
    return lambda: next(ticks) / 1000
