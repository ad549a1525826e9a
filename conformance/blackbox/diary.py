"""The wire log of one question: what was asked, what the subject said, what the server saw, in order, bounded, keys masked."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Iterable
from typing import Any, Final

from conformance.simulators.record import MASK, Seen, fingerprint

__all__ = ["Diary"]

_MOST: Final = 60
_WIDEST: Final = 240


class Diary:
    """Notes of one question; its commands count from 1, whatever was asked before."""

    def __init__(self) -> None:
        self._notes: deque[tuple[float, str]] = deque(maxlen=_MOST)
        self._secrets: dict[str, str] = {}
        self._first = 0

    def guard(self, keys: Iterable[str]) -> None:
        """Mask these keys from now on, in whatever is shown."""
        self._secrets |= {key: f"{MASK}:{fingerprint(key)}" for key in keys}

    def note(self, who: str, number: int, said: Any) -> None:
        """Add one line of the protocol: ``>`` to the subject, ``<`` from it."""
        self._first = self._first or number
        text = json.dumps(said, ensure_ascii=False, separators=(",", ":"), default=str)
        self._notes.append((asyncio.get_running_loop().time(), f"{who} {number - self._first + 1} {text}"))

    def masked(self, text: str) -> str:
        """Return a text without any guarded key."""
        for key, mark in self._secrets.items():
            text = text.replace(key, mark)
        return text

    def lines(self, seen: Iterable[Seen]) -> list[str]:
        """Return the last lines of the log, with what arrived at the server between them."""
        marked = [*self._notes, *((one.arrived, _arrival(one)) for one in seen)]
        ordered = [text for _, text in sorted(marked, key=lambda entry: entry[0])]
        return [_cut(" ".join(self.masked(text).split())) for text in ordered[-_MOST:]]


def _arrival(seen: Seen) -> str:
    key = f" key {MASK}:{seen.key_fingerprint}" if seen.key_fingerprint else " no key"
    end = f"-> {seen.status}" if seen.status else "-> no answer"
    left = ", the client left" if seen.aborted else ""
    body = seen.body[:_WIDEST].decode("utf-8", "replace")
    return f"server {seen.method} {seen.path}{key} {end}{left} {body}"


def _cut(text: str) -> str:
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text if len(text) <= _WIDEST else text[:_WIDEST] + "..."
