"""What observers hear of a call that its cache answers. It starts no call and counts none."""

from __future__ import annotations

from typing import Any

from backends import errors
from backends.resilience.call import Call
from backends.resilience.clock import Clock
from backends.telemetry.metrics import Outcome

__all__ = ["Told"]


class Told:
    """One call before its cache; nobody hears of it where there are no observers.

    Args:
        call: the call.
        clock: where time comes from.

    Attributes:
        reply: what it was given; to be set before it ends.
    """

    def __init__(self, call: Call[Any], clock: Clock) -> None:
        self._call = call
        self._clock = clock
        self._first: float | None = None
        self.reply: Any = None

    def first_content(self) -> None:
        """The first content of a kept stream is on its way to the caller."""
        self._first = self._taken()
        if self._call.watch is not None:
            self._call.watch.first_token(self._first)

    def ended(self, outcome: Outcome, error: errors.BackendError | None) -> None:
        """The call is over."""
        watch, self._call.watch = self._call.watch, None  # each knows the other: a cycle would outlive the call
        if watch is None:
            return
        watch.reply, watch.problem = self.reply, error
        usage = getattr(self.reply, "usage", None)
        watch.ended(outcome, type(error).__name__ if error is not None else None, usage, self._first, self._taken())

    def _taken(self) -> float:
        return self._clock.monotonic() - self._call.started
