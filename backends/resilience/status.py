"""What an endpoint's machines look like from outside, as JSON-ready values. It changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from backends.resilience.allowance import Allowance
from backends.resilience.breaker import Breaker
from backends.resilience.budget import RetryBudget
from backends.resilience.key_state import KeyStatus
from backends.settings import Settings
from backends.types import Priority

if TYPE_CHECKING:
    from backends.resilience.slots import Slots

__all__ = ["breaker_status", "key_limits", "queue_status"]

_KEY_STATES: Final = ("ready", "cooling", "retired")


def queue_status(slots: Slots, budget: RetryBudget | None, now: float) -> dict[str, Any]:
    """Return lengths, limits and waits (seconds) of a queue, and the retry budget; the shape is part of ``queue_status()``.

    Args:
        slots: whose lock is held.
        budget: what is left to repeat with, None for no bound.
        now: monotonic seconds.
    """
    admission = slots.admission
    high, normal, low = admission.lengths()
    ahead = admission.ahead(int(Priority.NORMAL), now)
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
        "held_back_seconds": max(0.0, (admission.held_until or now) - now),
        "adaptive": None if slots.adaptive is None else slots.adaptive.status(now),
        "service_seconds": slots.turnover.seconds,
        "expected_wait_seconds": 0.0 if ahead is None else slots.expected_wait(ahead, now),
        "max_queue_wait": slots.settings.max_queue_wait,
        "retry_budget": None
        if budget is None
        else {"left": budget.balance, "granted": budget.granted, "denied": budget.denied},
    }


def key_limits(keys: Sequence[KeyStatus], keyless: Allowance | None, now: float) -> dict[str, Any]:
    """Return how many keys are in each state and what is left of each budget of a minute, with the fingerprint of its key.

    Args:
        keys: of the endpoint.
        keyless: the budgets of a server that takes no key, whose ``key`` is None.
        now: monotonic seconds.
    """
    budgets = [{"key": key.fingerprint, **rate} for key in keys if key.state in _KEY_STATES for rate in key.rates]
    if not keys and keyless is not None:
        budgets = [{"key": None, **rate} for rate in keyless.status(now)]
    return {
        "keys": {state: sum(key.state == state for key in keys) for state in _KEY_STATES},
        "rates": budgets,
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
