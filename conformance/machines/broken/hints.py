"""Broken readers of hints."""

from __future__ import annotations

from collections.abc import Mapping

from backends.resilience.hints import retry_after
from conformance.machines.broken.broken import Broken

__all__ = ["BROKEN"]


def seconds_only(
    headers: Mapping[str, str], body: object | None, *, wall: float, status: int | None = None
) -> float | None:
    """Reads ``retry-after`` as a number and trips over everything else."""
    value = headers.get("retry-after")
    return None if value is None else float(value)


def milliseconds_as_seconds(
    headers: Mapping[str, str], body: object | None, *, wall: float, status: int | None = None
) -> float | None:
    """Takes milliseconds for seconds."""
    if "retry-after-ms" in headers:
        headers = {**headers, "retry-after": headers["retry-after-ms"], "retry-after-ms": ""}
    return retry_after(headers, body, wall=wall, status=status)


def headers_only(
    headers: Mapping[str, str], body: object | None, *, wall: float, status: int | None = None
) -> float | None:
    """Never looks into the body, where Gemini says it."""
    return retry_after(headers, None, wall=wall, status=status)


def believes_every_reset(
    headers: Mapping[str, str], body: object | None, *, wall: float, status: int | None = None
) -> float | None:
    """Waits for the daily quota to reset although only the minute's is used up."""
    return retry_after(
        {name: value for name, value in headers.items() if "remaining" not in name}, body, wall=wall, status=status
    )


def past_is_negative(
    headers: Mapping[str, str], body: object | None, *, wall: float, status: int | None = None
) -> float | None:
    """Turns a date in the past into a negative wait."""
    told = retry_after(headers, body, wall=wall - 1000.0, status=status)
    return told - 1000.0 if told is not None and "," in headers.get("retry-after", "") else told


BROKEN = (
    Broken("hints", "BAK-04", seconds_only),
    Broken("hints", "BAK-04", milliseconds_as_seconds),
    Broken("hints", "BAK-04", headers_only),
    Broken("hints", "BAK-04", believes_every_reset),
    Broken("hints", "BAK-04", past_is_negative),
)
