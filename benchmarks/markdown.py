"""Pieces of the page in Markdown: tables and pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

__all__ = ["CHARTS", "picture", "table"]

CHARTS: Final = "benchmarks"
"""Folder of the charts beside the page."""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; a cell may hold anything but is kept on its line."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines.extend("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in rows)
    return "\n".join(lines)


def picture(name: str, words: str) -> str:
    """Return a chart with what is said where it cannot be seen."""
    return f"![{words}]({CHARTS}/{name})"
