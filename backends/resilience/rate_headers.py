"""What an answer's headers say of a rate limit: how much there is, how much is left, when it is whole again.

Wire facts:

- ``x-ratelimit-{limit,remaining,reset}-{requests,tokens}``; the reset is a duration (``6m0s``, ``12ms``) or seconds (OpenAI,
  Groq, gateways before vLLM). OpenAI's requests are a minute's, Groq's a day's: the reset tells, not the name.
- ``anthropic-ratelimit-{requests,tokens,input-tokens,output-tokens}-{limit,remaining,reset}``; the reset is an RFC 3339 time.

All of it is text from a server: what is no number, negative or beyond any sense counts as not said, and so does a limit
of 0, which would forbid what was just answered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from backends.resilience.hints import read_wait

__all__ = ["Kind", "Told", "read_rates"]

_MOST: Final = 10**12
_MOST_DIGITS: Final = 13
_LONGEST_RESET: Final = 86_400.0


class Kind(StrEnum):
    """What a rate limit counts."""

    REQUESTS = "requests"
    TOKENS = "tokens"
    INPUT_TOKENS = "input_tokens"
    OUTPUT_TOKENS = "output_tokens"


@dataclass(frozen=True, slots=True)
class Told:
    """What one answer says of one limit.

    Attributes:
        remaining: what is left, 0 or more, and never more than ``limit``.
        limit: the whole, 1 or more; None when it was not said.
        reset: seconds until the whole is there again, at most a day; None when it was not said.
    """

    remaining: int
    limit: int | None
    reset: float | None


def read_rates(headers: Mapping[str, str], wall: float) -> dict[Kind, Told]:
    """Return what the headers (names in lower case) say, by kind; what has no readable ``remaining`` is left out. Of a
    gateway's headers and those it passes on, the scarcer count.

    ``wall`` is unix seconds now, to turn times into waits.
    """
    found: dict[Kind, Told] = {}
    for kind, (limit_name, remaining_name, reset_name) in _NAMES:
        if remaining_name not in headers:
            continue
        remaining, limit = _count(headers[remaining_name]), _count(headers.get(limit_name, ""))
        if remaining is None or limit == 0:
            continue
        reset = read_wait(headers.get(reset_name), wall)
        if limit is not None:
            remaining = min(remaining, limit)
        told = Told(remaining, limit, None if reset is None else min(reset, _LONGEST_RESET))
        if kind not in found or remaining < found[kind].remaining:
            found[kind] = told
    return found


def _count(text: str) -> int | None:
    text = text.strip()
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        return None
    return min(int(text), _MOST)


_NAMES: Final = tuple(
    (kind, tuple(pattern.format(what, kind.value.replace("_", "-")) for what in ("limit", "remaining", "reset")))
    for pattern, kinds in (
        ("x-ratelimit-{0}-{1}", (Kind.REQUESTS, Kind.TOKENS)),
        ("anthropic-ratelimit-{1}-{0}", tuple(Kind)),
    )
    for kind in kinds
)
