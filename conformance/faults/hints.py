"""Everything a server can say about when to come back, sense and nonsense, with a 429 or a 503.

Only the first request is struck. What makes sense is waited for to the second; what makes none counts as not said, so the
wait is the backend's own first delay; what is too long ends the call at once.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from types import MappingProxyType
from typing import Any, Final

from backends import errors
from conformance.faults.fault import End, Mishap, Stage, answered, once
from conformance.simulators.faults import Action, Status

__all__ = ["DATE", "MISHAPS", "dated"]

DATE: Final = "date:"
"""Before the seconds between now and the HTTP date that a header holds: when that is, is known only when it is sent."""
_OWN_DELAY: Final = 2.0
"""Seconds of the backend's own first delay: what it waits when the server said nothing."""
_RETRY_INFO: Final = {
    "error": {
        "code": 429,
        "status": "RESOURCE_EXHAUSTED",
        "message": "slow down",
        "details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "4.25s"}],
    }
}
_IN_WORDS: Final = {"error": {"message": "Rate limit reached. Please try again in 7.5s."}}


def dated(action: Action, wall: float) -> Action:
    """Return an action with its dates filled in: an HTTP date knows whole seconds only, so ``wall`` should be one."""
    if not isinstance(action, Status):
        return action
    return replace(action, headers=tuple((name, _date(value, wall)) for name, value in action.headers))


def _date(value: str, wall: float) -> str:
    if not value.startswith(DATE):
        return value
    moment = datetime.fromtimestamp(round(wall) + float(value.removeprefix(DATE)), UTC)
    return format_datetime(moment, usegmt=True)


def _hint(name: str, end: End, *fields: tuple[str, str], status: int = 429, body: Any = None) -> Mishap:
    said = "; ".join(f"{field}: {value}" for field, value in fields) or "its body alone says when"
    return Mishap(
        name=name,
        stage=Stage.HINTS,
        family="hints",
        does=f"a {status} with {said}" if fields else f"a {status}, and {said}",
        actions=(Status(status, body=body, headers=fields),),
        plain=end,
        stream=end,
        nth=1,
        settings=MappingProxyType({"initial_retry_delay": _OWN_DELAY, "max_retry_delay": _OWN_DELAY}),
        deadline=None,
    )


def _after(seconds: float) -> End:
    return answered(2, seconds=seconds)


_UNSAID: Final = _after(_OWN_DELAY)

MISHAPS: Final = (
    _hint("hint in ms", _after(2.5), ("retry-after-ms", "2500"), ("retry-after", "9")),
    _hint("hint in seconds", _after(3.0), ("retry-after", "3")),
    _hint("hint in seconds, 503", _after(3.0), ("retry-after", "3"), status=503),
    _hint("hint as fraction", _after(3.5), ("retry-after", "3.5")),
    _hint("hint as date", _after(5.0), ("retry-after", f"{DATE}5")),
    _hint("hint as past date", _UNSAID, ("retry-after", f"{DATE}-3600"), status=503),
    _hint("hint spelled out", _after(4.5), ("retry-after", "0m4.5s")),
    _hint("hint as RetryInfo", _after(4.25), body=_RETRY_INFO),
    _hint("hint in words", _after(7.5), body=_IN_WORDS),
    _hint("hint as reset", _after(6.0), ("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "6s")),
    _hint("hint of zero", _UNSAID, ("retry-after", "0"), status=503),
    _hint("hint negative", _UNSAID, ("retry-after", "-3"), status=503),
    _hint("hint as nonsense", _UNSAID, ("retry-after", "soon, \xe9"), status=503),
    _hint("hint not finite", _UNSAID, ("retry-after", "1e999"), status=503),
    _hint("hint of 1e9", once(errors.RateLimitError), ("retry-after", "1e9")),
)
