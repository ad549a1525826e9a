"""The run of one call: made with its options checked, taken to its end once, counted once.

How it travels is read in :mod:`backends.resilience.call`, which alone sends, retries and waits. No provider is known here.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from backends import errors
from backends.charging import Till
from backends.endpoints import Endpoints
from backends.operation import CallOptions
from backends.resilience.call import Call, travel, within
from backends.resilience.endpoint import Endpoint, Passage
from backends.secret import Key
from backends.telemetry.metrics import Metrics, Outcome
from backends.telemetry.observers import Observers, Watch
from backends.types import Priority, Usage

__all__ = ["Calls"]

T = TypeVar("T")


class Calls(Endpoints):
    """Adds the run of one call to endpoints; the backend sets the attributes declared here in its constructor."""

    _random: Callable[[], float]
    _ids: Callable[[], str]
    _observers: Observers | None
    _closed: bool
    _metrics: Metrics
    _till: Till

    def _call(
        self,
        name: str,
        model: str | None,
        attempt: Callable[[Call[T], Key | None], Any],
        options: CallOptions,
        endpoint: Endpoint,
    ) -> Call[T]:
        """Return a new call with its id, priority and deadline checked."""
        priority = options.get("priority", Priority.NORMAL)
        if priority not in (0, 1, 2):
            raise errors.InvalidRequestError(
                f"priority must be a Priority, not {priority!r}.", provider=self.provider.name
            )
        deadline = options.get("deadline")
        if deadline is None:
            deadline = endpoint.settings.deadline
        elif isinstance(deadline, bool) or not isinstance(deadline, int | float) or not deadline > 0:
            raise errors.InvalidRequestError(
                f"deadline must be a positive number of seconds, not {deadline!r}.", provider=self.provider.name
            )
        started = self._clock.monotonic()
        call = Call(
            self._own_id(options),
            name,
            model,
            int(priority),
            attempt,
            started + deadline if deadline is not None else None,
            started,
            retried=self._retried,
        )
        call.only_key, call.patience = options.get("use_key"), self._patience(options)
        call.tenant = options.get("tenant")
        if self._observers is not None:
            call.watch = Watch(self._observers, call, endpoint)
        return call

    def _patience(self, options: CallOptions) -> float | None:
        patience = options.get("patience")
        if patience is not None and (
            isinstance(patience, bool) or not isinstance(patience, int | float) or not patience >= 0
        ):
            raise errors.InvalidRequestError(
                f"patience must be a number of seconds, 0 or more, not {patience!r}.", provider=self.provider.name
            )
        return patience

    def _own_id(self, options: CallOptions) -> str:
        """Return the id of a call: the caller's own, normalised, else a fresh one.

        A provider that sends it inside the body asks here and hands it on as ``request_id`` of the options.

        Raises:
            InvalidRequestError: the caller's own is no UUID.
        """
        return _request_id(options.get("request_id")) or self._ids()

    async def _run(self, call: Call[T], endpoint: Endpoint, shared: Callable[[], Awaitable[T]] | None = None) -> T:
        """Take one call to its end and count it exactly once; it travels by itself unless it has a ``shared`` journey."""
        self._begun(call)
        outcome: Outcome = "cancelled"
        error: str | None = None
        usage: Usage | None = None
        try:
            self._till.admit(call, endpoint)
            limit = None if call.deadline_at is None else max(0.0, call.deadline_at - self._clock.monotonic())
            passage: Passage | None = None  # that of a shared journey is not this call's to end
            if shared is not None:
                result = await within(limit, shared())
            else:
                result, passage = await within(limit, travel(call, endpoint, self._random))
        except errors.BackendError as failure:
            outcome, error = "failure", type(failure).__name__
            raise self._completed(failure, call) from failure.__cause__
        else:
            result = self._till.charged(result, call)
            usage = getattr(result, "usage", None)
            if passage is not None:
                passage.succeed(usage, call.charge)
            outcome = "success"
            if call.watch is not None:
                call.watch.reply = result
            return result
        finally:
            self._finished(call, endpoint, outcome, error, usage, None)

    def _completed(self, error: errors.BackendError, call: Call[Any]) -> errors.BackendError:
        """Fill in what only the end of the call knows, and let go of what the call met on its way."""
        error.__context__ = None
        error.provider = self.provider.name
        error.request_id = call.id
        error.attempts = call.attempts
        if call.watch is not None:
            call.watch.problem = error
        self._till.failed(call, error)
        return error

    def _begun(self, call: Call[Any]) -> None:
        """Count a call that begins, and tell who watches it."""
        self._started()
        if call.watch is not None:
            call.watch.started()

    def _started(self) -> None:
        with self._lock:
            if self._closed:
                raise errors.ClosedError("This backend is closed; make a new one.", provider=self.provider.name)
            self._metrics.started()

    def _retried(self, reason: str) -> None:
        with self._lock:
            self._metrics.retried(reason)

    def _count_cache(self, name: str, amount: int) -> None:
        with self._lock:
            self._metrics.cache.add(name, amount)

    def _finished(
        self,
        call: Call[Any],
        endpoint: Endpoint,
        outcome: Outcome,
        error: str | None,
        usage: Usage | None,
        first: float | None,
    ) -> None:
        total = self._clock.monotonic() - call.started
        if outcome == "cancelled":
            self._till.failed(call, None)
        self._till.settle(call, endpoint)
        with self._lock:
            self._metrics.finished(
                outcome,
                model=call.model,
                endpoint=endpoint.name,
                error=error,
                queued=call.queued,
                first_token=first,
                total=total,
                usage=usage,
                attempts=call.attempts,
                charge=call.charge,
                tenant=call.tenant,
            )
        if call.watch is not None:
            call.watch.ended(outcome, error, usage, first, total)
            call.watch = None  # each knows the other: a cycle would outlive the call


def _request_id(given: str | None) -> str | None:
    if given is None:
        return None
    try:
        return str(uuid.UUID(given))
    except (ValueError, AttributeError, TypeError):
        raise errors.InvalidRequestError("request_id must be the text of a UUID.") from None
