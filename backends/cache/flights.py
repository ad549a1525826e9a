"""Concurrent identical misses make one call: the first leads, the others wait for what it brings.

Flights cross threads and event loops. This module sends nothing and keeps no answer.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from enum import Enum
from typing import Final, TypeAlias

from backends import errors
from backends.cache.store import Entry

__all__ = ["Flight", "Flights", "Landing", "Outcome", "outcome_of"]

_OWN: Final = (errors.DeadlineExceededError, errors.QueueFullError, errors.ClosedError)
"""Errors that say something of the leader's call only."""


class Landing(Enum):
    """How a flight can end without an answer or an error for all."""

    AGAIN = "again"
    """The leader gave up for reasons of its own: one of those who waited leads next."""
    ALONE = "alone"
    """The answer cannot be shared: everybody calls."""


Outcome: TypeAlias = Entry | errors.BackendError | Landing


class Flight:
    """One call on its way, and whoever waits for it."""

    __slots__ = ("_landed",)

    def __init__(self) -> None:
        self._landed: Future[Outcome] = Future()

    async def wait(self) -> Outcome:
        """Return how it ended; whoever stops waiting disturbs nobody."""
        return await asyncio.shield(asyncio.wrap_future(self._landed))

    def land(self, outcome: Outcome) -> None:
        """End it."""
        self._landed.set_result(outcome)


class Flights:
    """The calls on their way, by what they ask. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flying: dict[object, Flight] = {}

    def join(self, name: object) -> tuple[Flight, bool]:
        """Return the flight of a name, and whether the caller leads it: then it must :meth:`end` it, whatever happens."""
        with self._lock:
            flight = self._flying.get(name)
            if flight is not None:
                return flight, False
            flight = self._flying[name] = Flight()
            return flight, True

    def end(self, name: object, flight: Flight, outcome: Outcome) -> None:
        """End a flight that the caller led."""
        with self._lock:
            if self._flying.get(name) is flight:
                del self._flying[name]
        flight.land(outcome)


def outcome_of(error: BaseException) -> Outcome:
    """Return what a leader's error means to the others.

    The provider's error goes to all: a provider that just failed is not asked again by everybody who waited. A deadline,
    a full queue, a cancellation are the leader's own.
    """
    if isinstance(error, errors.BackendError) and not isinstance(error, _OWN):
        return error
    return Landing.AGAIN
