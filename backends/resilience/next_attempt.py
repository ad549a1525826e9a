"""What a failed attempt teaches breaker, key and budget, and when the next one may be made, if any.

Decides and does not wait: the seconds it returns are slept by :mod:`backends.resilience.call`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from backends import errors
from backends.resilience.endpoint import Endpoint, Passage
from backends.resilience.failures import AttemptFailed, Blame
from backends.wire.values import Failure

if TYPE_CHECKING:
    from backends.resilience.call import Call

__all__ = ["next_attempt"]


def next_attempt(
    call: Call[Any],
    endpoint: Endpoint,
    passage: Passage,
    failure: AttemptFailed,
    tried: set[str],
    random: Callable[[], float],
) -> float | None:
    """Let breaker and key learn, give everything back, tell the observers, and say what is next.

    Args:
        call: whose attempt it was; what it may still do is counted there.
        endpoint: where it went.
        passage: what the attempt held; ended here.
        failure: what became of it, and who is to blame.
        tried: fingerprints of keys that were refused or cooled since the last wait; this one is added.
        random: returns numbers from 0 up to 1.

    Returns:
        seconds to wait before the next attempt, or None to try another key at once.

    Raises:
        BackendError: there is no next attempt; the observers are told of this failure, too.
    """
    watch = call.watch
    if watch is None:
        return _learn(call, endpoint, passage, failure, tried, random)
    reason = failure.kind.value if isinstance(failure.kind, Failure) else failure.blame.value
    try:
        delay = _learn(call, endpoint, passage, failure, tried, random)
    except errors.BackendError:
        watch.attempt_ended(reason, failure.error)
        raise
    watch.attempt_ended(reason, failure.error, delay or 0.0)
    return delay


def _learn(
    call: Call[Any],
    endpoint: Endpoint,
    passage: Passage,
    failure: AttemptFailed,
    tried: set[str],
    random: Callable[[], float],
) -> float | None:
    """Do all of it but telling."""
    now = endpoint.clock.monotonic()
    blame = failure.blame
    fingerprint = passage.key.fingerprint if passage.key is not None else ""
    passage.hear(call.headers)
    if _asked_too_much(failure):
        passage.overloaded()
    delay = endpoint.backoff.delay(call.retries, random)
    if failure.hint is not None:
        delay = endpoint.backoff.floored(call.retries, failure.hint, random)
    if blame is Blame.KEY_BUSY:
        passage.cool_key(now + (failure.hint if failure.hint is not None else delay))
        tried.add(fingerprint)
    elif blame is Blame.KEY_REFUSED:
        passage.retire_key(f"{failure.error.status}")
        tried.add(fingerprint)
    # The same failure of one request on two keys speaks of the request or the provider once, not twice.
    if blame is Blame.OUTAGE and (call.failed_on.setdefault(failure.kind, fingerprint) == fingerprint or passage.probe):
        passage.fail()
    elif blame is Blame.OUTAGE:
        passage.let_go()
    else:
        passage.alive()

    if not failure.repeatable:
        raise failure.error
    if blame is Blame.REQUEST:
        raise failure.error
    if blame in (Blame.KEY_BUSY, Blame.KEY_REFUSED) and fingerprint and endpoint.has_ready_key(tried, call.only_key):
        return None
    if blame is Blame.KEY_REFUSED:
        if endpoint.supply is not None and not call.renewed and endpoint.supply.refused(now):
            call.renewed = True
            return None
        raise failure.error
    most = endpoint.settings.max_retries
    if call.retries >= (most if failure.most_repeats is None else min(most, failure.most_repeats)):
        raise failure.error
    if failure.hint is not None and failure.hint > endpoint.settings.max_retry_after:
        raise failure.error
    if blame is Blame.KEY_BUSY and fingerprint:
        # Other keys may be cooling for a shorter time than this one.
        ready = endpoint.next_key_at(call.only_key)
        if ready is not None:
            delay = max(delay if failure.hint is None else 0.0, ready - now)
            if failure.hint is not None:
                delay *= 1 + endpoint.settings.jitter * random()
    if call.patience is not None and delay > call.patience:
        raise failure.error
    if call.deadline_at is not None and now + delay >= call.deadline_at:
        raise errors.DeadlineExceededError(
            f"The next attempt would start in {delay:.3g} s, after the deadline; the last one failed: {failure.error.message}",
            status=failure.error.status,
            code=failure.error.code,
            retry_after=delay,
        ) from failure.error
    if not endpoint.withdraw_retry():
        failure.error.message += " (not repeated: the retry budget of this endpoint is spent)"
        raise failure.error
    call.retries += 1
    return delay


def _asked_too_much(failure: AttemptFailed) -> bool:
    """Say whether a failure tells that fewer requests in flight would have fared better."""
    return (
        failure.blame is Blame.KEY_BUSY
        or isinstance(failure.error, errors.OverloadedError)
        or failure.kind is Failure.READ_TIMEOUT
    )
