"""What every part of a run is given: how thorough to be, which interpreters to use, where to say how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmarks.progress import Progress

__all__ = ["Context"]


@dataclass(frozen=True, slots=True)
class Context:
    """The settings of one run.

    Attributes:
        rounds: interleaved rounds of each measurement.
        seconds: length of one window.
        quick: a smoke run: little of everything, for whether it works and not for what it costs.
        interpreters: package -> the Python to run its clients with, for packages that cannot share an environment.
        progress: where to say how far it is.
    """

    rounds: int = 5
    seconds: float = 2.0
    quick: bool = False
    interpreters: Mapping[str, str] = field(default_factory=dict)
    progress: Progress = field(default_factory=Progress)

    @property
    def warm_up(self) -> float:
        """Seconds before each window."""
        return self.seconds / 4
