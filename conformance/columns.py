"""Which requirements stand behind each column of the status matrix. Data only; a column without any is not built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["COLUMNS", "Column"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the status matrix.

    Attributes:
        name: as it heads the column.
        requirements: ids whose MUSTs decide it; none means that the feature is not built yet.
    """

    name: str
    requirements: tuple[str, ...]


def _ids(chapter: str, *numbers: int) -> tuple[str, ...]:
    return tuple(f"{chapter}-{number:02}" for number in numbers)


COLUMNS: Final = (
    Column("own counters", (*_ids("TRK", 2, 4, 6), *_ids("KEY", 7))),
    Column("per-endpoint API key", _ids("KEY", 1, 2, 3, 9, 10)),
    Column("backoff", _ids("BAK", *range(1, 12))),
    Column("queue", (*_ids("QUE", *range(1, 16)), *_ids("LIM", 1, 2, 5))),
    Column("request id", _ids("TRK", 1)),
    Column("circuit breaker", _ids("BRK", *range(1, 11))),
    Column("monitoring", (*_ids("TRK", 3, 5, 7, 8, 9, 10, 11), *_ids("EDG", 5))),
    Column("batching", _ids("BAT", *range(1, 8))),
    Column("key multiplexing", (*_ids("KEY", 4, 5, 6, 8, *range(11, 19)), *_ids("LIM", 3, 4), *_ids("EDG", 3, 4))),
    Column("semantic cache", _ids("CAC", *range(1, 11))),
    Column("streaming", _ids("STR", *range(1, 11))),
)
"""In the order of the status matrix; ``overall`` is computed over the whole catalogue."""
