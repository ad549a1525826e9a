"""Where the time of an answer went, and what is left of the rate limits: typed views of a reply's payload and headers.

Wire facts: ``completion_usage.py`` of the official SDK 1.7.0 (seconds as floats; ``total_time`` is prompt and
completion together, the queue not included), the same object under ``x_groq.usage`` of a stream's last chunk; the six
``x-ratelimit-*`` headers of every answer (``console.groq.com/docs/rate-limits``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backends.dialects.openai_common import count
from backends.resilience import hints
from backends.types import Reply

__all__ = ["RateLimits", "Timings", "Window", "rate_limits", "timings"]


@dataclass(frozen=True, slots=True)
class Timings:
    """Where the time of one answer went, in seconds; None where the service did not say.

    Attributes:
        queue: waiting at the service.
        prompt: reading the prompt.
        completion: writing the answer.
        total: prompt and completion, without the queue.
        tokens_per_second: speed of writing, None when nothing was written.
    """

    queue: float | None = None
    prompt: float | None = None
    completion: float | None = None
    total: float | None = None
    tokens_per_second: float | None = None


def timings(answer: Reply | Mapping[str, Any]) -> Timings:
    """Return the timings of a reply of this backend, or of a payload: a whole answer or a stream's last chunk."""
    raw = answer.raw if isinstance(answer, Reply) else answer
    usage = _usage(raw) if isinstance(raw, Mapping) else {}
    queue, prompt, completion, total = (
        _seconds(usage.get(name)) for name in ("queue_time", "prompt_time", "completion_time", "total_time")
    )
    written = count(usage.get("completion_tokens"))
    speed = written / completion if written and completion else None
    return Timings(queue, prompt, completion, total, speed)


def _usage(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    usage, extra = raw.get("usage"), raw.get("x_groq")
    if isinstance(usage, Mapping):
        return usage
    inner = extra.get("usage") if isinstance(extra, Mapping) else None
    return inner if isinstance(inner, Mapping) else {}


def _seconds(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        return None
    return float(value)


@dataclass(frozen=True, slots=True)
class Window:
    """One rate limit; None where the service did not say.

    Attributes:
        limit: how many in a window.
        remaining: how many are left.
        reset: seconds until the window is full again.
    """

    limit: int | None = None
    remaining: int | None = None
    reset: float | None = None


@dataclass(frozen=True, slots=True)
class RateLimits:
    """What is left of the organisation's limits: requests a day, tokens a minute."""

    requests: Window
    tokens: Window


def rate_limits(answer: Reply | Mapping[str, str]) -> RateLimits:
    """Return the limits that came with a reply of this backend, or in headers (names in lower case)."""
    headers = answer.headers if isinstance(answer, Reply) else answer
    return RateLimits(_window(headers, "requests"), _window(headers, "tokens"))


def _window(headers: Mapping[str, str], kind: str) -> Window:
    reset = headers.get(f"x-ratelimit-reset-{kind}")
    return Window(
        _whole(headers.get(f"x-ratelimit-limit-{kind}")),
        _whole(headers.get(f"x-ratelimit-remaining-{kind}")),
        hints.read_seconds(reset) if reset is not None else None,
    )


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and len(text) <= 18 and text.isascii() and text.isdigit() else None
