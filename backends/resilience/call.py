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
from backends.resilience.endpoint import Endpoint, Passage
from backends.resilience.failures import AttemptFailed
from backends.resilience.key_wait import await_key
from backends.resilience.next_attempt import next_attempt
from backends.secret import Key
from backends.telemetry.prices import Charge

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
            paced = await await_key(call, endpoint, passage, last)
            continue
        try:
            call.attempts += 1
            call.headers = None
            if call.watch is not None:
                call.watch.attempt_began(passage.key)
            result = await call.attempt(call, passage.key)
        except AttemptFailed as failure:
            last = failure.made_known(secrets_of(call, endpoint, passage.key))
            delay = next_attempt(call, endpoint, passage, failure, tried, random)
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
