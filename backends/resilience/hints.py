"""When did the server say to come back? Every dialect in which providers answer that question.

Wire facts:

- ``retry-after-ms`` in milliseconds and ``x-should-retry`` (OpenAI and the SDKs built like its own).
- ``retry-after`` in seconds or as an HTTP date (RFC 9110, section 10.2.3); some servers send fractions or ``1m0.36s``.
- ``error.details[].retryDelay``, ``"45.8379s"`` (``google.rpc.RetryInfo``): Gemini gives it in the body only.
- ``estimated_time`` in seconds beside ``error`` (Hugging Face's front end while a model loads).
- ``error.message`` with "try again in 1m0.36s", "retry in 45.8s", "retry after 26 seconds" (Groq, OpenAI,
  Gemini, Azure).
- ``x-ratelimit-reset-requests`` and ``-tokens`` as durations (``12ms``, ``6m0s``; OpenAI, Groq), and
  ``anthropic-ratelimit-*-reset`` as RFC 3339 times. They come with every answer, so they are the last to be asked.

All of it is text from a server: it is bounded before it is read, and what makes no sense counts as not said. How long a
caller is willing to wait is not decided here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

__all__ = ["read_seconds", "read_wait", "retry_after", "should_retry"]

_LONGEST_VALUE: Final = 128
_LONGEST_MESSAGE: Final = 16_384
_MOST_DETAILS: Final = 64

_NUMBER: Final = re.compile(r"[0-9]{1,20}(?:\.[0-9]{0,20})?(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
# Each part begins with a digit and ends with a unit, so there is one way to read it and nothing to backtrack over. Units are
# ASCII: in either case, the letters of the whole of Unicode that fold to theirs (a long s, a dotless i) are no units.
_PART: Final = re.compile(
    r"(?:,?\s(?:and\s)?)?([0-9]{1,12}(?:\.[0-9]{1,12})?)\s?"
    r"((?a:milliseconds?|seconds?|minutes?|hours?|days?|msecs?|secs?|mins?|hrs?|ms|us|µs|μs|ns|s|m|h|d))(?![a-zµμ])",
    re.IGNORECASE,
)
_PHRASE: Final = re.compile(r"\b(?:try|trying|retry|retrying)(?: again| your request)? (?:in|after) ", re.IGNORECASE)
_SECONDS: Final[dict[str, float]] = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "μs": 1e-6,
    "ms": 1e-3,
    "msec": 1e-3,
    "millisecond": 1e-3,
    "s": 1.0,
    "sec": 1.0,
    "second": 1.0,
    "m": 60.0,
    "min": 60.0,
    "minute": 60.0,
    "h": 3600.0,
    "hr": 3600.0,
    "hour": 3600.0,
    "d": 86400.0,
    "day": 86400.0,
}


def retry_after(
    headers: Mapping[str, str], body: object | None, *, wall: float, status: int | None = None
) -> float | None:
    """Return how many seconds the server asked to wait, or None when it said nothing that makes sense.

    What was said about this request goes before what the rate-limit headers tell in general: ``retry-after-ms``, then
    ``retry-after``, the details of the body, its message, and last the reset headers. Of several reset headers the ones
    count whose ``remaining`` is 0, else all; of those, the latest.

    Args:
        headers: of the answer, names in lower case.
        body: decoded JSON of the answer, or its text, or None.
        wall: unix seconds now, to turn dates into waits. A date in the past gives 0.0.
        status: of the answer. Other than 429, reset headers count only where ``remaining`` is 0: a server error with
            plenty of quota left has nothing to do with the quota. None asks them always.

    A wait of any length is returned as it was said: refusing a long one is the caller's decision.
    """
    said = _said(headers.get("retry-after-ms"), _milliseconds)
    if said is None:
        said = read_wait(headers.get("retry-after"), wall)
    if said is None and body is not None:
        said = _from_body(body)
    if said is None:
        said = _from_resets(headers, wall, status)
    return said


def should_retry(headers: Mapping[str, str]) -> bool | None:
    """Return what ``x-should-retry`` orders, or None when it is absent or neither true nor false."""
    return {"true": True, "false": False}.get(headers.get("x-should-retry", "").strip().lower())


def read_seconds(text: str) -> float | None:
    """Return the seconds of a plain number or of a duration such as ``2m59.56s``, None when it is neither."""
    return _said(text, _plain)


def read_wait(text: str | None, wall: float) -> float | None:
    """Return the seconds from ``wall`` (unix seconds) until what a number, a duration or a date says; None where it
    says nothing."""
    return _said(text, lambda said: _wait(said, wall))


def _said(value: str | None, read: Callable[[str], float | None]) -> float | None:
    if value is None or len(value) > _LONGEST_VALUE:
        return None
    return read(value.strip())


def _number(text: str) -> float | None:
    if _NUMBER.fullmatch(text) is None:
        return None
    number = float(text)
    return number if math.isfinite(number) else None


def _milliseconds(text: str) -> float | None:
    number = _number(text)
    return None if number is None else number / 1000.0


def _plain(text: str) -> float | None:
    number = _number(text)
    return _duration(text) if number is None else number


def _wait(text: str, wall: float) -> float | None:
    waited = _plain(text)
    if waited is not None:
        return waited
    moment = _moment(text)
    return None if moment is None else max(0.0, moment - wall)


def _duration(text: str) -> float | None:
    """Read a duration that is the whole of ``text``."""
    seconds, end = _leading_duration(text, 0)
    return seconds if end == len(text) else None


def _leading_duration(text: str, start: int) -> tuple[float | None, int]:
    """Read the duration that begins at ``start``; return it (None when there is none) and where it ends."""
    total: float | None = None
    while (part := _PART.match(text, start)) is not None:
        unit = part[2].lower()
        total = (total or 0.0) + float(part[1]) * _SECONDS.get(unit, _SECONDS.get(unit.rstrip("s"), 0.0))
        start = part.end()
    return total, start


def _moment(text: str) -> float | None:
    """Read an HTTP date or an RFC 3339 time as unix seconds."""
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = read(text)
            # Both formats speak of UTC where they name no zone.
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, TypeError, OverflowError, IndexError):
            # The parser of the standard library meets hostile text with any of these.
            continue
    return None


def _from_body(body: object) -> float | None:
    if isinstance(body, list) and body:
        # Gemini wraps the error of a stream in an array of one.
        body = body[0]
    error = body.get("error", body) if isinstance(body, dict) else body
    if isinstance(body, dict):
        estimate = body.get("estimated_time")
        if (
            isinstance(estimate, int | float)
            and not isinstance(estimate, bool)
            and math.isfinite(estimate)
            and estimate >= 0
        ):
            return float(estimate)
    if isinstance(error, dict):
        details = error.get("details")
        for detail in details[:_MOST_DETAILS] if isinstance(details, list) else ():
            delay = detail.get("retryDelay") if isinstance(detail, dict) else None
            seconds = _said(delay, _duration) if isinstance(delay, str) else None
            if seconds is not None:
                return seconds
        error = error.get("message")
    return _from_message(error) if isinstance(error, str) else None


def _from_message(message: str) -> float | None:
    message = message[:_LONGEST_MESSAGE]
    for phrase in _PHRASE.finditer(message):
        seconds, _ = _leading_duration(message, phrase.end())
        if seconds is not None:
            return seconds
    return None


def _from_resets(headers: Mapping[str, str], wall: float, status: int | None) -> float | None:
    exhausted: list[float] = []
    others: list[float] = []
    for reset, remaining in _resets(headers):
        seconds = read_wait(headers[reset], wall)
        if seconds is None:
            continue
        left = _said(headers.get(remaining), _number)
        (exhausted if left == 0.0 else others).append(seconds)
    if exhausted:
        return max(exhausted)
    return max(others, default=None) if status in (None, 429) else None


def _resets(headers: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    """Return the names of the reset headers there can be, each with that of its ``remaining``."""
    for kind in ("requests", "tokens"):
        if f"x-ratelimit-reset-{kind}" in headers:
            yield f"x-ratelimit-reset-{kind}", f"x-ratelimit-remaining-{kind}"
    for kind in ("requests", "tokens", "input-tokens", "output-tokens"):
        if f"anthropic-ratelimit-{kind}-reset" in headers:
            yield f"anthropic-ratelimit-{kind}-reset", f"anthropic-ratelimit-{kind}-remaining"
