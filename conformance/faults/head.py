"""Mishaps in the head of an answer: cut, slow, flooded, malformed, or pointing elsewhere.

What stops being HTTP cannot be told from an outage, so it is repeated as one. A server that never stops talking is ended by
the deadline alone.
"""

from __future__ import annotations

from typing import Any, Final

from backends import errors
from backends.wire.values import Failure
from conformance.faults.fault import PATIENCE, End, Mishap, Stage, answered, lost, once
from conformance.simulators.faults import (
    Action,
    CutHead,
    Fields,
    Garbage,
    HangInHead,
    Informational,
    Redirect,
    Reset,
    SlowHead,
    StatusLine,
)

__all__ = ["MISHAPS"]

_DEADLINE: Final = 3.0
_LARGE: Final = "v" * 60_000
_TOO_LARGE: Final = "v" * 200_000


def _mishap(name: str, does: str, end: End, *actions: Action, family: str = "heads", **facts: Any) -> Mishap:
    return Mishap(
        name=name,
        stage=Stage.HEAD,
        family=family,
        does=does,
        actions=actions,
        plain=end,
        stream=end,
        **facts,
    )


def _endless(name: str, does: str, *actions: Action, **facts: Any) -> Mishap:
    end = once(errors.DeadlineExceededError, seconds=_DEADLINE)
    return _mishap(name, does, end, *actions, deadline=_DEADLINE, **facts)


_NOT_HTTP: Final = lost(Failure.PROTOCOL)
_REFUSED: Final = once(errors.TransportError, code=Failure.REDIRECT.value)

MISHAPS: Final = (
    _mishap("closed in head", "closed after 20 bytes of the head", lost(Failure.RESET_AFTER_SENT), CutHead(20)),
    _mishap("reset in head", "reset after 20 bytes of the head", lost(Failure.RESET_AFTER_SENT), Reset("headers", 20)),
    _mishap(
        "silent in head",
        "20 bytes of the head, then nothing",
        lost(Failure.READ_TIMEOUT, seconds=2 * PATIENCE),
        HangInHead(20),
    ),
    _endless("slow loris", "the head byte by byte, a second before each", SlowHead(1.0), family="endless"),
    _endless(
        "endless 1xx",
        "one 103 a second, for ever",
        Informational(1_000_000, seconds=1.0),
        family="endless",
    ),
    _mishap("1xx flood", "100 times 103 before the answer", answered(), Informational(100), family="informational"),
    _mishap("early 100", "a 100 that nobody waits for", answered(), Informational(1, 100), family="informational"),
    _mishap("not HTTP", "garbage in place of the head", _NOT_HTTP, Garbage("http")),
    _mishap("status line broken", "a status that is no number", _NOT_HTTP, StatusLine("HTTP/1.1 abc OK")),
    _mishap("status of five digits", "a status of five digits", _NOT_HTTP, StatusLine("HTTP/1.1 20000 OK")),
    _mishap("header without name", "a header field without a name", _NOT_HTTP, Fields((("", "value"),))),
    _mishap("80 headers", "80 header fields more", answered(), Fields((("x-flood", "v" * 100),), 80)),
    _mishap("header flood", "500 header fields more", _NOT_HTTP, Fields((("x-flood", "v" * 100),), 500)),
    _mishap("large header", "a header field of 60 kB", answered(), Fields((("x-large", _LARGE),))),
    _mishap("header too large", "a header field of 200 kB", _NOT_HTTP, Fields((("x-large", _TOO_LARGE),))),
    _mishap(
        "redirect to other host",
        "a 307 to another host",
        _REFUSED,
        Redirect("https://example.com/v1"),
        family="redirects",
    ),
    _mishap(
        "redirect loop",
        "a 307 to the same address, for ever",
        End(error=errors.TransportError, code=Failure.REDIRECT.value, requests=6),
        Redirect(""),
        family="redirects",
    ),
    _mishap(
        "redirect once",
        "a 307 to the same address, once",
        answered(requests=2),
        Redirect(""),
        family="redirects",
        nth=1,
    ),
    _mishap(
        "redirect 302", "a 302, which would make a GET of the call", _REFUSED, Redirect("", 302), family="redirects"
    ),
    _mishap(
        "redirect to nowhere", "a 307 to what is no address", _REFUSED, Redirect("http://[::bad"), family="redirects"
    ),
)
