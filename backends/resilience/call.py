"""The path of a call, readable in one place.

    method -> Call(id, priority, model, deadline)
           -> cache                     (exact, then semantic: enters before ``travel``; a hit takes no slot)
           -> batcher                   (where a provider batches: many calls, one journey; enters before ``travel``)
           -> travel:  queue and slot -> breaker -> key -> attempt -> who is to blame -> breaker, key and counters learn
                       again only what is safe to repeat; while it waits it holds no slot and no key
           -> the attempt's result with its passage still open, or one typed error

This module never touches bytes, knows no provider and keeps no state of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from backends import errors
from backends.resilience.allowance import ONE, Demand
from backends.resilience.endpoint import Endpoint, KeysBusy, Passage
from backends.resilience.failures import AttemptFailed, Blame
from backends.resilience.keys import Exhausted, Wait
from backends.resilience.window import SECONDS
from backends.secret import Key
from backends.telemetry.prices import Charge
from backends.wire.values import Failure

if TYPE_CHECKING:
    from backends.telemetry.observers import Watch

__all__ = ["Call", "secrets_of", "travel", "within"]

T = TypeVar("T")


@dataclass(slots=True)
class Call(Generic[T]):
    """One request on its way.

    Attributes:
        id: our UUID.
        name, model, priority: what it is, for counters and order.
        attempt: puts the request on the wire once with the given key and returns what came, or raises AttemptFailed.
        deadline_at: monotonic seconds after which nothing may go on, None for no limit.
        affinity: what requests that should share a key have in common.
        only_key: name or fingerprint of the one key it may go with, None for any.
        patience: seconds it may wait for its next attempt or for a key, None for as long as the settings say.
        tenant: on whose behalf, None where nobody is named.
        renewed: a key of its was refused, and the source of keys has been asked for another; once a call.
        asked: the body of a request that may be charged (empty where it is not JSON), None for one that only asks what
            there is.
        charge: what it is charged, once that is said; see :mod:`backends.charging`.
        reserved, admitted: what spending budgets hold for it.
        demand: what it is expected to take of a key's rate limits.
        headers: of the latest answer, as far as there is one.
        attempts, retries, queued: what happened on the way: times on the wire, waits between them, seconds in the queue.
        watch: tells the observers; None when there are none.
        secrets: what else than the endpoint's keys it sends that must not show.
    """

    id: str
    name: str
    model: str | None
    priority: int
    attempt: Callable[[Call[T], Key | None], Awaitable[T]]
    deadline_at: float | None
    started: float
    attempts: int = 0
    retries: int = 0
    queued: float = 0.0
    retried: Callable[[str], None] | None = None
    affinity: bytes | None = None
    only_key: str | None = None
    patience: float | None = None
    renewed: bool = False
    tenant: str | None = None
    asked: Mapping[str, Any] | None = None
    charge: Charge | None = None
    reserved: float | None = None
    admitted: bool = False
    demand: Demand = ONE
    headers: Mapping[str, str] | None = field(default=None, repr=False)
    failed_on: dict[object, str] = field(default_factory=dict)
    watch: Watch | None = None
    secrets: tuple[Key, ...] = ()


async def travel(call: Call[T], endpoint: Endpoint, random: Callable[[], float]) -> tuple[T, Passage]:
    """Take a call through queue, breaker, key and wire until an attempt succeeds.

    Returns:
        what the attempt gave, and its passage, which the caller must end (a stream holds it until its own end).

    Raises:
        BackendError: the one typed error of this call.
    """
    clock = endpoint.clock
    endpoint.check()
    endpoint.deposit_request()
    tried: set[str] = set()  # keys refused or cooled since the last wait
    last: AttemptFailed | None = None
    entered = paced = False
    while True:
        if endpoint.supply is not None:
            try:
                await endpoint.supply.ready(endpoint, random)
            except BaseException:
                if paced:
                    endpoint.let_on()
                raise
        waited_from = clock.monotonic()
        await endpoint.enter(call.priority, returning=entered, let_on=paced)
        entered, paced = True, False
        call.queued += clock.monotonic() - waited_from
        try:
            passage = endpoint.board(tried, call.affinity, call.only_key, call.demand)
        except errors.ServiceUnavailableError as refusal:
            endpoint.leave()
            raise (refusal if last is None else _opened_under(last.error, refusal)) from None
        except BaseException:
            endpoint.leave()
            raise
        if not isinstance(passage, Passage):
            paced = await _await_key(call, endpoint, passage, last)
            continue
        try:
            call.attempts += 1
            call.headers = None
            if call.watch is not None:
                call.watch.attempt_began(passage.key)
            result = await call.attempt(call, passage.key)
        except AttemptFailed as failure:
            last = failure.made_known(secrets_of(call, endpoint, passage.key))
            delay = _learn_and_tell(call, endpoint, passage, failure, tried, random)
        except BaseException:
            passage.let_go()
            if call.watch is not None:
                call.watch.attempt_ended("cancelled")
            raise
        else:
            passage.answered(f"{call.name} {call.model}" if call.model else call.name)
            passage.hear(call.headers)
            if call.watch is not None:
                call.watch.attempt_ended("answered")
            return result, passage
        if delay is None:  # another key is ready: no sleep, no retry spent
            continue
        if call.retried is not None:
            call.retried(str(last.kind))
        await clock.sleep(delay)
        tried.clear()


def secrets_of(call: Call[Any], endpoint: Endpoint, key: Key | None) -> tuple[Key, ...]:
    """Return what an answer may quote: the keys of the endpoint, the call's own key if it was taken out meanwhile, and what
    else the call sent."""
    keys = endpoint.pool.keys()
    return (*keys, *call.secrets) if key is None or key in keys else (key, *keys, *call.secrets)


def _learn_and_tell(
    call: Call[T],
    endpoint: Endpoint,
    passage: Passage,
    failure: AttemptFailed,
    tried: set[str],
    random: Callable[[], float],
) -> float | None:
    """Do as :func:`_learn`, and tell the observers, who are told of a failure that nothing follows, too."""
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
    call: Call[T],
    endpoint: Endpoint,
    passage: Passage,
    failure: AttemptFailed,
    tried: set[str],
    random: Callable[[], float],
) -> float | None:
    """Let breaker and key learn, give everything back, and say what is next.

    Returns:
        seconds to wait before the next attempt, or None to try another key at once.

    Raises:
        BackendError: there is no next attempt.
    """
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


async def _await_key(
    call: Call[T], endpoint: Endpoint, obstacle: Wait | KeysBusy | Exhausted, last: AttemptFailed | None
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


def _opened_under(error: errors.BackendError, refusal: errors.ServiceUnavailableError) -> errors.BackendError:
    """Return the failure that opened the breaker under this call: it says more than the refusal that follows from it."""
    error.message += f" (The circuit breaker is open now; a probe goes through in {refusal.retry_after:.3g} s.)"
    error.retry_after = refusal.retry_after
    return error


async def within(seconds: float | None, work: Awaitable[T]) -> T:
    """Await ``work`` for at most that long.

    Raises:
        DeadlineExceededError: it took longer; the work was cancelled and has released what it held.
    """
    if seconds is None:
        return await work
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError as expired:
        if isinstance(expired, errors.BackendError):
            raise
    raise errors.DeadlineExceededError("The deadline passed.")  # out here it drags no frames of the work along
