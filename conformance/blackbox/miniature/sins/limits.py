"""Sins of who follows what a provider says of its limits: the chapter LIM, and the choice of keys."""

from __future__ import annotations

from typing import Any

from conformance.blackbox.miniature.client import Miniature
from conformance.blackbox.miniature.line import Line
from conformance.blackbox.miniature.parts import Keys, now
from conformance.blackbox.miniature.sins import sinner, spoilt


def _all_at_once(self: Keys, keys: list[str]) -> str:
    """Spend a whole share before the next key's."""
    chosen = max(keys, key=lambda key: (self._credit[key] > 0, self.weights[key]))
    if all(self._credit[key] <= 0 for key in keys):
        self._credit |= {key: self.weights[key] for key in keys}
        chosen = max(keys, key=lambda key: self.weights[key])
    self._credit[chosen] -= 1
    return chosen


def _slower_only(self: Line, sent: float) -> None:
    limit = self.limit
    Line.answered(self, sent)
    self.limit = min(limit, self.limit)


async def _counts_who_left(self: Miniature, endpoint: Any, call: Any, send: Any) -> Any:
    answered = False
    try:
        told = await Miniature.once(self, endpoint, call, send)
        answered = True
        return told
    finally:
        if not answered and endpoint.line.adaptive:
            endpoint.line.limit = max(1, endpoint.line.limit - 1)


def _not_a_word(self: Keys, key: str, headers: Any) -> None:
    del key, headers


def _any_number(self: Keys, key: str, headers: Any) -> None:
    Keys.heard(self, key, headers)
    if self.heeds and headers.get("x-ratelimit-reset-requests") in ("never", "3000s", "1e999"):
        self._spent[key] = now() + 3000.0


def _everybody_before(self: Line, priority: int) -> int:
    return len(self.waiting)


sinner("KEY-13", "gives every key the same", keys=spoilt(Keys, weighted=lambda self, keys: keys[0]))
sinner("KEY-13", "spends a key's share at once", keys=spoilt(Keys, weighted=_all_at_once))
sinner("KEY-14", "does not hear what is left", keys=spoilt(Keys, heard=_not_a_word))
sinner("LIM-01", "does not hear a refusal", line=spoilt(Line, refused=lambda self, sent: None))
sinner("LIM-02", "never grows back", line=spoilt(Line, answered=_slower_only))
sinner("LIM-02", "learns from calls that were given up", once=_counts_who_left)
sinner("LIM-04", "goes on with a key that has nothing left", keys=spoilt(Keys, heard=_not_a_word))
sinner("LIM-04", "believes any number", keys=spoilt(Keys, heard=_any_number))
sinner("LIM-05", "lets anybody wait", line=spoilt(Line, before=lambda self, priority: 0))
sinner("LIM-05", "counts all for everybody", line=spoilt(Line, before=_everybody_before))
