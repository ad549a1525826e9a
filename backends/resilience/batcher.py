"""Which requests leave together, and when: a pure machine without clock, loop or I/O of its own.

A group has at most one open batch. It leaves when it is full, when the next request would burst it, ``timeout`` after
its first member came, or at once for a member that cannot wait so long. The machine never decides which requests fit
together (their group does) and never divides a member.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

__all__ = ["Batch", "Batcher", "Place"]

T = TypeVar("T")
_MOST_LEARNED: Final = 256


@dataclass(slots=True, eq=False)
class Place(Generic[T]):
    """One member's place in a batch; hand it back to :meth:`Batcher.withdraw`.

    Attributes:
        member: whose place it is.
        items: how many items it brings.
        length: their length, in whatever unit the bound is.
        level: its priority, 0 is highest.
        waits: True until its batch left, or it did.
    """

    member: T
    items: int
    length: int
    level: int
    group: Hashable = field(repr=False)
    waits: bool = True


@dataclass(frozen=True, slots=True)
class Batch(Generic[T]):
    """Members that leave together, in the order in which they came; ``level`` is that of the highest."""

    group: Hashable
    members: tuple[T, ...]
    level: int


class _Open(Generic[T]):
    """A batch that still waits."""

    __slots__ = ("due", "items", "length", "places")

    def __init__(self, due: float) -> None:
        self.due = due
        self.places: dict[Place[T], None] = {}
        self.items = 0
        self.length = 0


class Batcher(Generic[T]):
    """See the module docstring. Every ``now`` is in monotonic seconds and never goes back.

    Args:
        max_size: items in a batch, 1 or more. A member with more of them travels alone, undivided.
        timeout: seconds from the first member's coming to the batch's leaving, 0 or more.
        limits: what was learned of the provider, by group; machines of several threads may share it.

    Raises:
        ValueError: an argument is out of its range.
    """

    def __init__(self, max_size: int, timeout: float, limits: dict[Hashable, int] | None = None) -> None:
        if max_size < 1:
            raise ValueError("max_size must be 1 or more")
        if timeout < 0:
            raise ValueError("timeout must be 0 or more")
        self.max_size = max_size
        self.timeout = timeout
        self._open: dict[Hashable, _Open[T]] = {}  # in the order of opening, which is that of leaving
        self._limits = {} if limits is None else limits

    def add(
        self,
        member: T,
        group: Hashable,
        now: float,
        *,
        items: int = 1,
        length: int = 0,
        most_items: int | None = None,
        most_length: int | None = None,
        level: int = 1,
        latest: float | None = None,
    ) -> tuple[Place[T], list[Batch[T]]]:
        """Let a member in; return its place and the batches that leave now, in order (none, one or two).

        Args:
            member: whatever is to travel.
            group: members with equal groups may share a batch.
            now: the time.
            items, length: what it brings.
            most_items: the provider's own limit of items, None for none.
            most_length: the provider's bound of the lengths' sum, None for none.
            level: its priority, 0 is highest.
            latest: when it must have an answer; a batch that would leave no sooner leaves at once.
        """
        most = min(self.max_size, most_items or self.max_size, self._limits.get(group, self.max_size))
        leaving: list[Batch[T]] = []
        open_batch = self._open.get(group)
        if open_batch is not None and (
            open_batch.items + items > most or _bursts(open_batch.length + length, most_length)
        ):
            leaving.append(self._close(group))
            open_batch = None
        if open_batch is None:
            open_batch = self._open[group] = _Open(now + self.timeout)
        place = Place(member, items, length, level, group)
        open_batch.places[place] = None
        open_batch.items += items
        open_batch.length += length
        full = open_batch.items >= most or (most_length is not None and open_batch.length >= most_length)
        if full or (latest is not None and latest <= open_batch.due):
            leaving.append(self._close(group))
        return place, leaving

    def withdraw(self, place: Place[T]) -> bool:
        """Leave before the batch does; False when it has left already, or the place was given back before."""
        if not place.waits:
            return False
        place.waits = False
        open_batch = self._open[place.group]
        del open_batch.places[place]
        open_batch.items -= place.items
        open_batch.length -= place.length
        if not open_batch.places:
            del self._open[place.group]
        return True

    def due(self, now: float) -> list[Batch[T]]:
        """Return the batches whose time has come, in the order of their opening."""
        return [self._close(group) for group, batch in list(self._open.items()) if batch.due <= now]

    def next_due(self) -> float | None:
        """Return when the next batch leaves, None while nobody waits."""
        first = next(iter(self._open.values()), None)
        return None if first is None else first.due

    def learn(self, group: Hashable, items: int) -> None:
        """Remember that the provider takes no more than so many items (1 or more) of this group at once.

        A limit is never raised again. The last 256 groups are remembered.
        """
        known = self._limits.pop(group, self.max_size)
        self._limits[group] = max(1, min(known, items))
        for oldest in list(self._limits)[:-_MOST_LEARNED]:
            self._limits.pop(oldest, None)

    def drain(self) -> list[T]:
        """Put everybody out and return them in the order of their batches."""
        return [member for group in list(self._open) for member in self._close(group).members]

    def __len__(self) -> int:
        """How many members wait."""
        return sum(len(batch.places) for batch in self._open.values())

    def _close(self, group: Hashable) -> Batch[T]:
        places = self._open.pop(group).places
        for place in places:
            place.waits = False
        return Batch(group, tuple(place.member for place in places), min(place.level for place in places))


def _bursts(length: int, most: int | None) -> bool:
    return most is not None and length > most
