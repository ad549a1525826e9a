"""What an endpoint's machines look like from outside, as JSON-ready values. It changes nothing."""

from __future__ import annotations

from typing import Any

from backends.resilience.admission import Admission
from backends.resilience.breaker import Breaker
from backends.settings import Settings

__all__ = ["breaker_status", "queue_status"]


def queue_status(admission: Admission[Any], now: float) -> dict[str, Any]:
    """Return lengths, limits and waits (seconds) of a queue; the shape is part of ``queue_status()``."""
    high, normal, low = admission.lengths()
    return {
        "active": admission.active,
        "max_concurrent_requests": admission.limit,
        "queue_size": admission.queue_size,
        "waiting": {"high": high, "normal": normal, "low": low, "total": high + normal + low},
        "oldest_wait_seconds": admission.oldest(now),
        "granted": admission.granted,
        "rejected": admission.rejected,
        "dropped": admission.dropped,
        "peak_active": admission.peak,
    }


def breaker_status(breaker: Breaker, settings: Settings, now: float) -> dict[str, Any]:
    """Return state, counts and recent transitions of a breaker."""
    return {
        "state": breaker.state.value,
        "failures": breaker.failures,
        "failure_threshold": settings.failure_threshold,
        "reset_timeout": settings.reset_timeout,
        "opened": breaker.opened,
        "retry_after": breaker.wait(now),
        "transitions": [
            {
                "from": step.before.value,
                "to": step.after.value,
                "monotonic": step.monotonic,
                "wall": step.wall,
                "reason": step.reason,
            }
            for step in breaker.transitions
        ],
    }
