"""Mishaps in the framing of a body: lengths and chunks that lie, bodies cut short, codings that are broken or foreign.

A plain call whose body was cut short is repeated: nothing of it was used. A stream is repeated only before its first content.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final

from backends import errors
from backends.wire.values import Failure
from conformance.faults.fault import PATIENCE, End, Mishap, Stage, answered, lost, once
from conformance.simulators.faults import (
    Action,
    BadChunk,
    Bomb,
    Coded,
    CutAfter,
    CutInChunk,
    Fields,
    Hang,
    Oversized,
    Reset,
    SlowChunks,
    WrongLength,
)

__all__ = ["MISHAPS"]

_KIB: Final = 1 << 10
_BOUNDED: Final = MappingProxyType({"max_response_bytes": 128 * _KIB, "max_event_bytes": 128 * _KIB})


def _mishap(
    name: str, does: str, plain: End | None, stream: End | None, *actions: Action, family: str, **facts: Any
) -> Mishap:
    return Mishap(
        name=name,
        stage=Stage.FRAMING,
        family=family,
        does=does,
        actions=actions,
        plain=plain,
        stream=stream,
        **facts,
    )


_CUT: Final = lost(Failure.CUT_SHORT)
_NOT_HTTP: Final = lost(Failure.PROTOCOL)
_UNREADABLE: Final = once(errors.ResponseFormatError)

MISHAPS: Final = (
    _mishap("closed before body", "closed after the head", _CUT, _CUT, CutAfter(0), family="cuts"),
    _mishap("closed at first byte", "closed after one byte of the body", _CUT, _CUT, CutAfter(1), family="cuts"),
    _mishap("reset at first byte", "reset after one byte of the body", _CUT, _CUT, Reset("body", 1), family="cuts"),
    _mishap("closed in body", "closed after 30 bytes of the body", _CUT, _CUT, CutAfter(30), family="cuts"),
    _mishap("closed in chunk", "closed in the middle of a chunk", _CUT, _CUT, CutInChunk(), family="chunks"),
    _mishap("chunk size broken", "a chunk's size is no number", _NOT_HTTP, _NOT_HTTP, BadChunk(), family="chunks"),
    _mishap(
        "chunk size broken late",
        "the head, and a second later a chunk's size that is no number",
        lost(Failure.PROTOCOL, seconds=2.0),
        lost(Failure.PROTOCOL, seconds=2.0),
        BadChunk(seconds=1.0),
        family="chunks",
    ),
    _mishap(
        "silent in body",
        "the head, then nothing",
        lost(Failure.IDLE_TIMEOUT, seconds=2 * PATIENCE),
        lost(Failure.IDLE_TIMEOUT, seconds=2 * PATIENCE),
        Hang(0),
        family="stalls",
    ),
    _mishap(
        "slow body",
        "a second of silence before each piece, less than is waited for",
        answered(seconds=1.0),
        None,
        SlowChunks(1.0, after=0),
        family="stalls",
    ),
    _mishap(
        "length too long", "1000 bytes are announced that never come", _CUT, None, WrongLength(1000), family="lengths"
    ),
    _mishap(
        "length too short",
        "the announced length ends inside the body",
        _NOT_HTTP,
        None,
        WrongLength(-10),
        family="lengths",
    ),
    _mishap(
        "length twice",
        "two lengths that differ",
        _NOT_HTTP,
        _NOT_HTTP,
        Fields((("content-length", "7"), ("content-length", "8"))),
        family="lengths",
    ),
    _mishap(
        "length negative", "a length of -5", _NOT_HTTP, _NOT_HTTP, Fields((("content-length", "-5"),)), family="lengths"
    ),
    _mishap("gzip", "the body as gzip", answered(), answered(), Coded("gzip"), family="codings"),
    _mishap("deflate", "the body as deflate", answered(), answered(), Coded("deflate"), family="codings"),
    _mishap(
        "raw deflate",
        "the body as deflate without its head",
        answered(),
        answered(),
        Coded("raw deflate"),
        family="codings",
    ),
    _mishap(
        "identity", "the coding identity, which is none", answered(), answered(), Coded("identity"), family="codings"
    ),
    _mishap("gzip truncated", "gzip that ends in its middle", _UNREADABLE, None, Coded("gzip", 0.5), family="codings"),
    _mishap(
        "gzip that is none",
        "the coding gzip over a plain body",
        _UNREADABLE,
        _UNREADABLE,
        Fields((("content-encoding", "gzip"),)),
        family="codings",
    ),
    _mishap("br", "the coding br, which was not offered", _UNREADABLE, _UNREADABLE, Coded("br"), family="codings"),
    _mishap("unknown coding", "a coding that nobody knows", _UNREADABLE, _UNREADABLE, Coded("zork"), family="codings"),
    _mishap(
        "gzip bomb",
        "512 KiB out of some hundred bytes, where 128 KiB are allowed",
        _UNREADABLE,
        _UNREADABLE,
        Bomb(512 * _KIB),
        family="bombs",
        settings=_BOUNDED,
    ),
    _mishap(
        "deflate bomb",
        "512 KiB out of some hundred bytes, where 128 KiB are allowed",
        _UNREADABLE,
        _UNREADABLE,
        Bomb(512 * _KIB, "deflate"),
        family="bombs",
        settings=_BOUNDED,
    ),
    _mishap(
        "oversized",
        "512 KiB where 128 KiB are allowed",
        _UNREADABLE,
        _UNREADABLE,
        Oversized(512 * _KIB),
        family="bombs",
        settings=_BOUNDED,
    ),
)
