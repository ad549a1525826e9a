"""How long requests hold their slot, and how long a newcomer would have to wait for one.

Pure arithmetic over what it is told: it holds no request, reads no clock and refuses nobody.
"""

from __future__ import annotations

from typing import Final

__all__ = ["Turnover"]

_WARM_UP: Final = 10
_SHARE: Final = 0.1


class Turnover:
    """The time for which slots are held, as a mean that forgets; ``now`` is monotonic seconds."""

    __slots__ = ("_count", "_moved_at", "seconds")

    def __init__(self, now: float) -> None:
        self.seconds: float | None = None
        """How long a slot is usually held, None before the first was given back. Read only."""
        self._count = 0
        self._moved_at = now

    def began(self, now: float) -> None:
        """A request got its slot and goes on the wire."""
        self._moved_at = now

    def ended(self, began: float, now: float) -> None:
        """A request that got its slot at ``began`` gives it back, however it ended."""
        self._moved_at = now
        self._count += 1
        held = max(0.0, now - began)
        if self.seconds is None:
            self.seconds = held
        else:
            self.seconds += (held - self.seconds) * max(_SHARE, 1.0 / min(self._count, _WARM_UP))

    def expected_wait(self, ahead: int, limit: int, now: float) -> float:
        """Return seconds that somebody with ``ahead`` others before him would wait for one of ``limit`` slots.

        When no slot has come or gone for longer than they are usually held, the provider is slower than it was: the wait
        grows with that silence.
        """
        held = max(self.seconds or 0.0, now - self._moved_at)
        return (ahead + 1) * held / limit
