"""The wait of a call for a key, when all of them are busy, cooling down or out of their limits.

A call that waits here holds no slot; it may hold back those behind it. Nothing is learned and nothing is sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backends import errors
from backends.resilience.endpoint import Endpoint, KeysBusy
from backends.resilience.failures import AttemptFailed
from backends.resilience.keys import Exhausted, Wait
from backends.resilience.window import SECONDS

if TYPE_CHECKING:
    from backends.resilience.call import Call

__all__ = ["await_key"]


async def await_key(
    call: Call[Any], endpoint: Endpoint, obstacle: Wait | KeysBusy | Exhausted, last: AttemptFailed | None
) -> bool:
    """Give the slot back and wait, without one, until a key may be had.

    While budgets are what is missing nobody else is given a slot either: the others wait in their order, and whoever gives up
    waiting lets the next one look.

    Returns:
        whether the others were held back; they are let on as soon as this call stands in line before them again.

    Raises:
        BackendError: none will be, or not within the bounds.
    """
    now = endpoint.clock.monotonic()
    wait = max(0.0, obstacle.until - now) if isinstance(obstacle, Wait) else 0.0
    bound = endpoint.settings.max_retry_after
    paced = isinstance(obstacle, Wait) and obstacle.paced
    if paced:
        bound = max(bound, SECONDS + 1)  # what a budget of a minute asks for is no server's whim
    if call.patience is not None:
        bound = min(bound, call.patience)
    too_long = wait > bound or (call.deadline_at is not None and now + wait >= call.deadline_at)
    # Who waits for one key alone does not hold up those who take any.
    held_until = obstacle.until if isinstance(obstacle, Wait) and paced and not too_long and not call.only_key else None
    endpoint.leave(hold_back_until=held_until)
    if isinstance(obstacle, KeysBusy):
        await endpoint.key_freed(obstacle)
        return False
    if isinstance(obstacle, Exhausted):
        if last is not None:
            raise last.error
        raise errors.AuthenticationError(f"No key of endpoint {endpoint.name!r} is usable: {obstacle.reason}.")
    if too_long:
        whose = f"Key {call.only_key!r}" if call.only_key is not None else "Every key"
        reason = "is cooling down or out of its rate limit" if obstacle.paced else "is cooling down"
        raise errors.RateLimitError(
            f"{whose} of endpoint {endpoint.name!r} {reason} for another {wait:.3g} s.",
            status=429,
            retry_after=wait,
        ) from (last.error if last else None)
    try:
        await endpoint.clock.sleep(wait)
    except BaseException:
        if held_until is not None:
            endpoint.let_on()
        raise
    return held_until is not None
