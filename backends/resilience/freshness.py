"""When keys that come from outside are fetched anew, and by whom: a pure machine.

Keys are good for a while; one caller at a time fetches others, before they end. While older keys are good nobody waits,
and a failing source harms nobody. All moments are monotonic seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["Freshness", "Standing"]

_EARLY: Final = 0.1
"""Share of their time that is left when keys are fetched anew."""
_MOST_EARLY: Final = 60.0
"""Seconds: the same, at most."""
_LEAST_BETWEEN: Final = 1.0
"""Seconds: keys that were fetched more recently are not fetched anew because a provider refuses one."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a caller does about the keys.

    Attributes:
        do: ``go`` (use those that are there), ``fetch`` (nobody else does), ``wait`` (there are no good ones yet).
        until: the moment at which to look again although nobody fetches; None where somebody does.
    """

    do: Literal["go", "fetch", "wait"]
    until: float | None = None


_GO: Final = Standing("go")
_FETCH: Final = Standing("fetch")
_WAIT: Final = Standing("wait")


class Freshness:
    """See the module docstring; its owner guards it."""

    __slots__ = ("_ask_at", "_came_at", "_ends_at", "_fetching", "failures", "fetched")

    def __init__(self) -> None:
        self._ask_at = self._ends_at = self._came_at = float("-inf")
        self._fetching = False
        self.fetched = 0
        """How often keys came."""
        self.failures = 0
        """How often fetching failed since keys last came."""

    def standing(self, now: float) -> Standing:
        """Return what a caller should do; who is told to fetch ends it with :meth:`came`, :meth:`failed` or
        :meth:`given_up`."""
        good = now < self._ends_at
        if good and (self._fetching or now < self._ask_at):
            return _GO
        if self._fetching:
            return _WAIT
        if now < self._ask_at:
            return Standing("wait", self._ask_at)
        self._fetching = True
        return _FETCH

    def came(self, now: float, good_for: float | None, again_after: float | None) -> None:
        """Take note that keys came.

        Args:
            now: the moment.
            good_for: seconds until they end; None when they are good until others come.
            again_after: seconds until others should be fetched; None is shortly before they end.
        """
        self._fetching = False
        self.failures = 0
        self.fetched += 1
        self._came_at = now
        self._ends_at = float("inf") if good_for is None else now + good_for
        if again_after is None:
            again_after = float("inf") if good_for is None else good_for - min(_MOST_EARLY, good_for * _EARLY)
        self._ask_at = now + again_after

    def failed(self, now: float, delay: float) -> bool:
        """Take note that fetching failed, to be tried again after ``delay``; return whether the older keys are still good."""
        self._fetching = False
        self.failures += 1
        self._ask_at = now + delay
        return now < self._ends_at

    def given_up(self) -> None:
        """Take note that whoever fetched was cancelled."""
        self._fetching = False

    def refused(self, now: float) -> bool:
        """Take note that a provider refused a key; return whether others will be fetched for that."""
        if self._fetching:
            return True
        if now - self._came_at < _LEAST_BETWEEN:
            return False
        self._ask_at = self._ends_at = float("-inf")
        return True
