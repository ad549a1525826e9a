"""What happens to a call, as frozen records, and what an observer is. Data only: it reads no clock and tells nobody.

No record holds a key (only its fingerprint), a message of an error or any text of a request or answer, so an observer may
write down all that it is given.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Flag, auto
from typing import Any, Protocol, TypeAlias

from backends.telemetry.metrics import Outcome
from backends.types import Usage

__all__ = [
    "AttemptEnded",
    "CallEnded",
    "CallFacts",
    "CallStarted",
    "Event",
    "FirstToken",
    "Interest",
    "Observer",
    "fields_of",
]


@dataclass(frozen=True, slots=True, eq=False)
class CallFacts:
    """What is known of a call when it starts. All events of one call share one object, so it may be a key of a dictionary.

    Attributes:
        provider: row name (``openai``).
        operation: the capability (``chat``).
        model: the model asked for; the bucket of S3 Kit, None where there is neither.
        request_id: our UUID; the caller's own where one was given, so not always unique.
        endpoint: the name of the endpoint.
        base_url: its address.
        priority: ``high``, ``normal`` or ``low``.
        stream: the answer comes in chunks.
        at: unix seconds of the submission.
        tenant: on whose behalf, None where nobody was named.
    """

    provider: str
    operation: str
    model: str | None
    request_id: str
    endpoint: str
    base_url: str
    priority: str
    stream: bool
    at: float
    tenant: str | None = None


@dataclass(frozen=True, slots=True)
class CallStarted:
    """A call was accepted from its caller; nothing was sent yet."""

    call: CallFacts


@dataclass(frozen=True, slots=True)
class AttemptEnded:
    """A request was on the wire once.

    Attributes:
        call: the call it belongs to.
        number: of the attempt, from 1.
        reason: ``answered`` (for a stream: its content has begun), ``cancelled``, what the network did (``connect``,
            ``read_timeout`` ...), or else who is to blame (``outage``, ``key busy``, ``key refused``, ``contention``,
            ``request``).
        error: name of the error class, None when it was answered or cancelled.
        status: HTTP status of an error, None where there was none.
        key: fingerprint of the key that was used, None without one.
        seconds: how long the attempt took.
        delay: seconds until the next attempt, 0.0 when another key is tried at once, None when there is no next one.
        at: unix seconds of the attempt's end.
    """

    call: CallFacts
    number: int
    reason: str
    error: str | None
    status: int | None
    key: str | None
    seconds: float
    delay: float | None
    at: float


@dataclass(frozen=True, slots=True)
class FirstToken:
    """The first content of a stream is there.

    Attributes:
        call: the call it belongs to.
        seconds: since the submission.
    """

    call: CallFacts
    seconds: float


@dataclass(frozen=True, slots=True)
class CallEnded:
    """A call came to its end, whichever it was; told exactly once for each call that started.

    Attributes:
        call: the call.
        outcome: ``success``, ``failure`` or ``cancelled``.
        error: name of the error class of a failure.
        fault: whose fault it was (``errors.BackendError.fault``), None unless it failed.
        status: HTTP status of the last error, None where there was none.
        key: fingerprint of the key of the last attempt.
        attempts: how often it was on the wire.
        cached: the answer came out of a cache, and nothing was on the wire.
        usage: tokens as the provider counted them, None when unknown.
        cost: US dollars, None when unknown.
        model: the model that answered, as the provider names it.
        provider_request_id: the provider's id of the last answer.
        finish_reason: why the model stopped, where the answer says so.
        queued: seconds in the queue.
        first_token: seconds from the submission to the first content of a stream, None unless it was one.
        total: seconds from the submission to the end.
    """

    call: CallFacts
    outcome: Outcome
    error: str | None
    fault: str | None
    status: int | None
    key: str | None
    attempts: int
    cached: bool
    usage: Usage | None
    cost: float | None
    model: str | None
    provider_request_id: str | None
    finish_reason: str | None
    queued: float
    first_token: float | None
    total: float


Event: TypeAlias = CallStarted | AttemptEnded | FirstToken | CallEnded


class Interest(Flag):
    """Which events an observer wants to be told of."""

    STARTS = auto()
    """Every :class:`CallStarted`."""
    FAILED_ATTEMPTS = auto()
    """Every :class:`AttemptEnded` with an error."""
    OTHER_ATTEMPTS = auto()
    """Every :class:`AttemptEnded` without one: answered or cancelled."""
    FIRST_TOKENS = auto()
    """Every :class:`FirstToken`."""
    ENDS = auto()
    """Every :class:`CallEnded`."""
    ALL = STARTS | FAILED_ATTEMPTS | OTHER_ATTEMPTS | FIRST_TOKENS | ENDS


class Observer(Protocol):
    """Anything that can be called with an event: ``OpenAI(observers=[print])``.

    It is called inside the call's own event loop and context, perhaps from several threads at once, and the call goes on
    when it returns: so it should be quick and must not block. What it raises is counted and logged once; the call never
    learns of it. One that has an attribute ``interest``, an :class:`Interest`, is told of nothing else: what interests no
    observer is never built.
    """

    def __call__(self, event: Event, /) -> object:
        """Take note of an event; what it returns is ignored."""
        ...


def fields_of(event: CallEnded) -> dict[str, Any]:
    """Return what a line about a finished call holds, as plain values that JSON can hold."""
    call, usage = event.call, event.usage or Usage()
    return {
        "request_id": call.request_id,
        "provider": call.provider,
        "operation": call.operation,
        "model": call.model,
        "endpoint": call.endpoint,
        "tenant": call.tenant,
        "priority": call.priority,
        "stream": call.stream,
        "key": event.key,
        "outcome": event.outcome,
        "error": event.error,
        "status": event.status,
        "attempts": event.attempts,
        "cached": event.cached,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
        "cost": event.cost,
        "provider_request_id": event.provider_request_id,
        "queued_seconds": event.queued,
        "first_token_seconds": event.first_token,
        "total_seconds": event.total,
    }
