"""How many requests to have in flight: a limit that follows response times and refusals, between 1 and a ceiling.

The gradient of Netflix's concurrency-limits (``Gradient2Limit``: the usual response time over the present one, with its
tolerance of 1.5, its bounds of 0.5 to 1 and its usual time that forgets over some 600 answers) meets TCP's answer to a loss:
a 429 or an overloaded server cuts the limit to 0.7 (CUBIC, RFC 9438), once for all requests that were sent before the cut
(as in RFC 6582). The gradient alone is deaf to a provider that refuses at once; AIMD alone never notices a server that
queues instead of refusing, as inference servers do; what compares with the *least* time ever seen (Vegas, Envoy's gradient)
takes every long answer for congestion.

What differs from Netflix's class, and why:

- A decision rests on answers to requests that were sent after the one before it, on as many as the limit, up to 10. Model
  calls take seconds: a window of a second would stay empty, and answers to an older crowd would make it cut too deep. That
  replaces the smoothing.
- It grows by half the square root of the limit (the first ``GradientLimit`` had the whole root), not by a fixed 4: most
  limits here are small, and a lasting slowness has to be able to bring it to 1.
- An answer counts towards the usual time with at most 1.5 times of it: hours of slowness become usual, a minute does not.
- There is a usual time for each kind of call, so that a stream's first token and a whole answer do not average.

A limit grows only while at least half of it is used. This module counts and divides; it knows no clock, no server and no
request.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from enum import StrEnum
from typing import Any, Final

__all__ = ["AdaptiveLimit", "Change"]

_START: Final = 20
_TOLERANCE: Final = 1.5
_LEAST_GRADIENT: Final = 0.5
_CUT: Final = 0.7
_WARM_UP: Final = 10
_WINDOW: Final = 600
_MOST_ANSWERS: Final = 10
_MOST_KINDS: Final = 32
_FORGET: Final = 0.9


class Change(StrEnum):
    """Why the limit last changed."""

    START = "start"
    REFUSED = "refused"
    """The server said 429 or that it is overloaded, or did not answer in time."""
    SLOWER = "slower"
    """Answers took longer than usual."""
    ROOM = "room"
    """Answers came in their usual time."""
    RESIZED = "resized"
    """The caller set another ceiling."""


class _Usual:
    """The usual response time of one kind of call, and what this round has seen of it."""

    __slots__ = ("answers", "count", "seconds", "took")

    def __init__(self) -> None:
        self.seconds = 0.0
        self.count = 0
        self.answers = 0
        self.took = 0.0

    def learn(self, seconds: float) -> None:
        self.count = min(self.count + 1, _WARM_UP + 1)
        share = 1.0 / self.count if self.count <= _WARM_UP else 2.0 / (_WINDOW + 1)
        counted = seconds if self.count <= _WARM_UP else min(seconds, _TOLERANCE * self.seconds)
        self.seconds += (counted - self.seconds) * share

    def count_in(self, seconds: float) -> None:
        self.answers += 1
        self.took += seconds

    def begin_round(self) -> None:
        self.answers = 0
        self.took = 0.0


class AdaptiveLimit:
    """A concurrency limit that is never below 1 nor above its ceiling. Times are monotonic seconds.

    Cancelled and expired calls are not told to it: how long somebody was willing to wait is no response time.

    Args:
        ceiling: the most that it may allow, 1 or more.
        now: when it begins; it begins at the ceiling, but not above 20.
    """

    __slots__ = (
        "_answers",
        "_busiest",
        "_cut_at",
        "_decided_at",
        "_exact",
        "_kinds",
        "_sent",
        "ceiling",
        "change",
        "changed_at",
    )

    def __init__(self, ceiling: int, now: float) -> None:
        self.ceiling = ceiling
        """The most that is ever allowed; change it with :meth:`resize`."""
        self.change = Change.START
        """Why the limit last changed. Read only."""
        self.changed_at = now
        """When it last changed. Read only."""
        self._exact = float(min(ceiling, _START))
        self._sent = self._decided_at = self._cut_at = 0
        self._kinds: OrderedDict[str, _Usual] = OrderedDict()
        self._answers = 0
        self._busiest = 0

    @property
    def limit(self) -> int:
        """How many may be in flight now."""
        return int(self._exact)

    def sent(self) -> int:
        """Count a request that goes on the wire; return its number, by which it is told apart from later ones."""
        self._sent += 1
        return self._sent

    def answered(self, kind: str, number: int, seconds: float, now: float, in_flight: int) -> None:
        """Learn of an answer, or of the first content of a stream.

        Args:
            kind: calls that usually take as long as each other have the same.
            number: what :meth:`sent` gave for the request.
            seconds: from sending it until the answer, or its first content, was there; waiting in a queue is not part of it.
            now: the time.
            in_flight: how many were in flight when it was sent, itself included.
        """
        seconds = max(0.0, seconds)
        usual = self._usual(kind)
        usual.learn(seconds)
        if number <= self._decided_at:
            return
        usual.count_in(seconds)
        self._answers += 1
        self._busiest = max(self._busiest, in_flight)
        if self._answers >= min(self.limit, _MOST_ANSWERS):
            self._end_round(now)

    def refused(self, number: int, now: float) -> None:
        """Learn that the server would not, or could not in time, serve a request; ``number`` is what :meth:`sent` gave."""
        if number <= self._cut_at:
            return
        self._cut_at = self._sent
        self._begin_round()
        self._set(self._exact * _CUT, Change.REFUSED, now)

    def resize(self, ceiling: int, now: float) -> None:
        """Set another ceiling, 1 or more."""
        self.ceiling = ceiling
        if self._exact > ceiling:
            self._set(float(ceiling), Change.RESIZED, now)

    def status(self, now: float) -> dict[str, Any]:
        """Return limit, ceiling, why it last changed and how many seconds ago, and the usual seconds by kind of call."""
        return {
            "now": self.limit,
            "ceiling": self.ceiling,
            "change": self.change.value,
            "changed_seconds_ago": now - self.changed_at,
            "usual_seconds": {kind: usual.seconds for kind, usual in self._kinds.items()},
        }

    def _usual(self, kind: str) -> _Usual:
        kinds = self._kinds
        found = kinds.get(kind)
        if found is None:
            found = kinds[kind] = _Usual()
            if len(kinds) > _MOST_KINDS:
                kinds.popitem(last=False)
        kinds.move_to_end(kind)
        return found

    def _end_round(self, now: float) -> None:
        seen = [usual for usual in self._kinds.values() if usual.answers]
        usually = sum(usual.seconds * usual.answers for usual in seen)
        took = sum(usual.took for usual in seen)
        if usually > 2 * took:
            # It has been quick again for a while; the memory of a slow time goes faster than it would by itself.
            for usual in seen:
                usual.seconds *= _FORGET
        used = 2 * self._busiest >= self._exact
        self._begin_round()
        if not used:
            return
        gradient = 1.0 if took <= 0 else min(1.0, max(_LEAST_GRADIENT, _TOLERANCE * usually / took))
        wanted = self._exact * gradient + math.sqrt(self._exact) / 2
        self._set(wanted, Change.SLOWER if gradient < 1.0 else Change.ROOM, now)

    def _begin_round(self) -> None:
        self._decided_at = self._sent
        self._answers = 0
        self._busiest = 0
        for usual in self._kinds.values():
            usual.begin_round()

    def _set(self, wanted: float, change: Change, now: float) -> None:
        before = self.limit
        self._exact = min(float(self.ceiling), max(1.0, wanted))
        if self.limit != before:
            self.change, self.changed_at = change, now
