"""Mishaps between the events of a stream. Before the first content a stream is repeated as a plain call is; behind it never,
and the error carries what came."""

from __future__ import annotations

from typing import Any, Final

from backends import errors
from backends.wire.values import Failure
from conformance.faults.fault import PATIENCE, End, Mishap, Stage, answered, interrupted, lost, once, repeated
from conformance.simulators.faults import (
    Action,
    BadChunk,
    Coded,
    CutBeforeTerminator,
    CutInCharacter,
    EmptyStream,
    ErrorEvent,
    Hang,
    Pings,
    SlowChunks,
    SplitEvery,
    Truncate,
)

__all__ = ["MISHAPS"]


def _mishap(name: str, does: str, end: End, *actions: Action, family: str, **facts: Any) -> Mishap:
    return Mishap(
        name=name,
        stage=Stage.EVENTS,
        family=family,
        does=does,
        actions=actions,
        stream=end,
        needs=frozenset({"stream"}),
        **facts,
    )


MISHAPS: Final = (
    _mishap(
        "empty stream", "no event, and a proper end for HTTP", lost(Failure.CUT_SHORT), EmptyStream(), family="ends"
    ),
    _mishap(
        "error event first",
        "the provider's error, status 500, before any content",
        repeated(errors.ServerError),
        ErrorEvent(0, 500),
        family="errors",
    ),
    _mishap(
        "error event behind content",
        "the provider's error, status 500, behind three pieces of content",
        interrupted(),
        ErrorEvent(3, 500),
        family="errors",
    ),
    _mishap(
        "cut in a character",
        "closed inside a character of several bytes",
        interrupted(),
        CutInCharacter(),
        family="cuts",
    ),
    _mishap(
        "cut before terminator", "everything but the terminator", interrupted(), CutBeforeTerminator(), family="ends"
    ),
    _mishap(
        "cut before last words",
        "neither terminator nor last words",
        interrupted(),
        CutBeforeTerminator(closing=True),
        family="ends",
    ),
    _mishap("half an event", "the last event is cut in two", interrupted(), Truncate(0.5), family="ends"),
    _mishap(
        "silent between events",
        "nothing behind the fourth piece",
        interrupted(seconds=PATIENCE),
        Hang(4),
        family="stalls",
    ),
    _mishap(
        "chunk broken between events",
        "a second behind the fourth piece, a chunk's size that is no number",
        interrupted(seconds=1.0),
        BadChunk(after=4, seconds=1.0),
        family="cuts",
    ),
    _mishap(
        "slow events",
        "a second of silence before each event, less than is waited for",
        answered(seconds=None),
        SlowChunks(1.0),
        family="stalls",
    ),
    _mishap(
        "endless slowness",
        "a second of silence before each event, more than the deadline in all",
        once(errors.DeadlineExceededError, seconds=6.0, partial=True),
        SlowChunks(1.0),
        family="stalls",
        deadline=6.0,
    ),
    _mishap("split everywhere", "the body in pieces of 61 bytes", answered(), SplitEvery(61), family="splits"),
    _mishap("noise", "pings, comments and blank events before every event", answered(), Pings(), family="noise"),
    _mishap(
        "gzip stream truncated",
        "gzip that ends in its middle",
        once(errors.ResponseFormatError, partial=True),
        Coded("gzip", 0.8),
        family="codings",
    ),
)
