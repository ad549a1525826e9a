"""Durations: how long a model stays loaded (``keep_alive``), and what an answer says about the time it took.

Wire facts: ``api/types.go`` (a number is seconds, text is a Go duration, negative is for ever, 0 unloads at once);
metrics are whole nanoseconds and left out when zero.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from backends.parameters import bad_argument
from backends.types import Reply

__all__ = ["Timings", "checked_keep_alive", "go_seconds", "timings"]

_NANOSECOND: Final = 1e-9
_LARGEST: Final = 9_223_372_036.0  # seconds in 2**63 nanoseconds
_UNITS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PIECE: Final = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)


def go_seconds(text: str) -> float | None:
    """Return the seconds of a Go duration (``5m``, ``1h30m``, ``-1s``, ``0``), None when it is not one."""
    sign, body = (-1.0, text[1:]) if text[:1] == "-" else (1.0, text.removeprefix("+"))
    if body == "0":
        return 0.0
    total, at = 0.0, 0
    while at < len(body):
        found = _PIECE.match(body, at)
        if found is None:
            return None
        total += float(found[1]) * _UNITS[found[2]]
        at = found.end()
    return sign * total if body else None


def checked_keep_alive(value: Any) -> float | str:
    """Return how long the model stays loaded: seconds, or a Go duration as it is.

    Raises:
        InvalidRequestError: it is neither, or is longer than the server can count (292 years).
    """
    seconds: float | None
    if isinstance(value, str):
        seconds = go_seconds(value) if len(value) <= 100 else None
        if seconds is None:
            bad_argument("keep_alive must be seconds or a duration like '5m', '1h30m' or '-1s'", "ollama")
    elif isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        seconds = value
    else:
        bad_argument(
            f"keep_alive must be a finite number of seconds or a duration, not {type(value).__name__}", "ollama"
        )
    if abs(seconds) >= _LARGEST:
        bad_argument("keep_alive is longer than 292 years; use a negative number for ever", "ollama")
    result: float | str = value
    return result


@dataclass(frozen=True, slots=True)
class Timings:
    """Where the time of one answer went, in seconds; a figure the server left out is 0.

    Attributes:
        total: the whole request at the server.
        load: loading the model.
        prompt: reading the prompt.
        generation: writing the answer.
        tokens_per_second: speed of writing, None when nothing was written.
    """

    total: float = 0.0
    load: float = 0.0
    prompt: float = 0.0
    generation: float = 0.0
    tokens_per_second: float | None = None


def timings(answer: Reply | Mapping[str, Any]) -> Timings:
    """Return the timings of a reply of this backend, or of a provider's final object."""
    raw = answer.raw if isinstance(answer, Reply) else answer
    raw = raw if isinstance(raw, Mapping) else {}
    total, load, prompt, generation = (
        _nanoseconds(raw.get(name))
        for name in ("total_duration", "load_duration", "prompt_eval_duration", "eval_duration")
    )
    written = _nanoseconds(raw.get("eval_count"))
    return Timings(
        total * _NANOSECOND,
        load * _NANOSECOND,
        prompt * _NANOSECOND,
        generation * _NANOSECOND,
        written / (generation * _NANOSECOND) if written and generation else None,
    )


def _nanoseconds(value: Any) -> int:
    return value if type(value) is int and value >= 0 else 0
