"""How far the run is: a moving line on a terminal, nothing elsewhere."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any, Self

__all__ = ["Progress"]


class Progress:
    """A context manager; ``part`` begins a part of so many steps, ``step`` says which one is under way.

    Args:
        shown: False for silence; a log must not fill with what only a terminal can overwrite.
    """

    def __init__(self, *, shown: bool = False) -> None:
        self._bar: Any = None
        self._task: Any = None
        if shown and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
            from rich.progress import Progress as Bar

            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
            self._bar = Bar(*columns, console=Console(stderr=True))

    def part(self, name: str, steps: int) -> None:
        """Begin a part."""
        self._name = name
        if self._bar is not None:
            self._task = self._bar.add_task(name, total=steps)

    def step(self, what: str = "") -> None:
        """Say that one step begins."""
        if self._bar is not None:
            self._bar.update(self._task, advance=1, description=f"{self._name} {what}".strip())

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
