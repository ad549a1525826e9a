"""Mishaps of connections that are kept: a healthy call goes before, and what happens to its connection strikes the call behind.

The call behind must be answered as if nothing had been: over a fresh connection, or, where its request may have been read,
after one repeat. Never by what was left on the old one.
"""

from __future__ import annotations

from typing import Final

from conformance.faults.fault import End, Mishap, Stage, answered
from conformance.simulators.faults import Action, DropIdle, Reset, Unsolicited

__all__ = ["MISHAPS"]


def _mishap(name: str, does: str, end: End, action: Action, nth: int = 1) -> Mishap:
    return Mishap(
        name=name,
        stage=Stage.REUSE,
        family="kept connections",
        does=does,
        actions=(action,),
        plain=end,
        stream=end,
        nth=nth,
        twice=True,
    )


MISHAPS: Final = (
    _mishap("closed while idle", "the kept connection is closed between two calls", answered(), DropIdle(0.5)),
    _mishap(
        "reset while idle", "the kept connection is reset between two calls", answered(), DropIdle(0.5, reset=True)
    ),
    _mishap("closed at once", "closed right behind an answer that said it would be kept", answered(), DropIdle()),
    _mishap(
        "unasked answer at once",
        "a second answer that nobody asked for, right behind the first",
        answered(),
        Unsolicited(),
    ),
    _mishap(
        "unasked answer later",
        "a second answer that nobody asked for, while the connection is kept",
        answered(),
        Unsolicited(seconds=0.5),
    ),
    _mishap(
        "stale on reuse",
        "the kept connection is reset when the second request comes",
        answered(2),
        Reset("headers"),
        nth=2,
    ),
)
