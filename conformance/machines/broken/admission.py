"""Broken admission."""

from __future__ import annotations

from typing import Any

from backends.resilience.admission import Admission, Overflow, Submission
from backends.resilience.line import Ticket
from conformance.machines.broken.broken import Broken

__all__ = ["BROKEN"]


class OneTooMany(Admission[int]):
    """Lets one more run than was asked for."""

    def submit(self, item: int, level: int, now: float, *, returning: bool = False) -> Submission[int]:
        """Compare with the limit plus one."""
        self.limit += 1
        answer = super().submit(item, level, now, returning=returning)
        self.limit -= 1
        return answer


class OneTooManyWaiting(Admission[int]):
    """Lets one more wait than there is room for."""

    def submit(self, item: int, level: int, now: float, *, returning: bool = False) -> Submission[int]:
        """Compare with the size plus one."""
        self.queue_size += 1
        answer = super().submit(item, level, now, returning=returning)
        self.queue_size -= 1
        return answer


class TurnsRetriesAway(Admission[int]):
    """A request that comes back to repeat is refused when the queue is full."""

    def submit(self, item: int, level: int, now: float, *, returning: bool = False) -> Submission[int]:
        """Treat it like an arrival."""
        return super().submit(item, level, now)


class SleepsOnRelease(Admission[int]):
    """A place that comes free is only given out when the next request arrives."""

    def release(self, now: float) -> list[int]:
        """Wake nobody."""
        if self.active < 1:
            raise RuntimeError
        self.active -= 1
        return []


class NegativeCount(Admission[int]):
    """A place given back twice counts twice, so that the limit is silently raised."""

    def release(self, now: float) -> list[int]:
        """Count without looking."""
        self.active -= 1
        return self._fill(now)


class SleepsOnResize(Admission[int]):
    """A larger limit takes effect only at the next release."""

    def resize(self, now: float, *, limit: int | None = None, queue_size: int | None = None) -> list[int]:
        """Change the figures only."""
        self.limit = self.limit if limit is None else limit
        self.queue_size = self.queue_size if queue_size is None else queue_size
        return []


class SendsTheCancelled(Admission[int]):
    """A request that was cancelled while it waited gets a place all the same."""

    def withdraw(self, ticket: Ticket[Any], now: float) -> bool:
        """Say yes, do nothing."""
        return ticket.lane is not None


class DropsEquals(Admission[int]):
    """A newcomer pushes out one of its own priority."""

    def submit(self, item: int, level: int, now: float, *, returning: bool = False) -> Submission[int]:
        """Drop whoever is there."""
        answer = super().submit(item, level, now, returning=returning)
        if answer.state != "rejected" or self.overflow is not Overflow.DROP_LOWEST or self._line.lowest() != level:
            return answer
        self.rejected -= 1
        self.dropped += 1
        victim = self._line.drop_lowest()
        return Submission("queued", self._line.push(item, level, now), victim)


class StartsTheHeld(Admission[int]):
    """A place that comes free goes to the next although all are held back."""

    def release(self, now: float) -> list[int]:
        """Forget that they are."""
        held, self.held_until = self.held_until, None
        started = super().release(now)
        self.held_until = held
        return started


BROKEN = (
    Broken("admission", "QUE-01", OneTooMany),
    Broken("admission", "QUE-04", OneTooManyWaiting),
    Broken("admission", "QUE-05", TurnsRetriesAway),
    Broken("admission", "QUE-05", SleepsOnRelease),
    Broken("admission", "QUE-01", NegativeCount),
    Broken("admission", "QUE-09", SleepsOnResize),
    Broken("admission", "QUE-06", SendsTheCancelled),
    Broken("admission", "QUE-04", DropsEquals),
    Broken("admission", "LIM-03", StartsTheHeld),
)
