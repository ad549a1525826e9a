"""Backends whose wire is HTTP: how a call of theirs begins, as a whole answer or as a stream, past the cache and the batcher.

Providers inherit from this. It never decides whether to try again, and touches no bytes: attempts are made in
:mod:`backends.exchange` and :mod:`backends.streaming`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from backends import errors
from backends.operation import CallOptions, Operation
from backends.prepared import Work
from backends.resilience.allowance import Demand
from backends.resilience.call import Call
from backends.resilience.endpoint import Endpoint
from backends.secret import Key
from backends.streaming import Opened, StreamingBackend
from backends.streams import AsyncStream, StreamState
from backends.telemetry.bounds import most_output
from backends.telemetry.broken_off import estimated_prompt

if TYPE_CHECKING:
    from backends.cache import Cache
    from backends.cache.asking import Asking

__all__ = ["HTTPBackend"]

T = TypeVar("T")


class HTTPBackend(StreamingBackend):
    """Adds operations over HTTP to :class:`~backends.base.Backend`; providers inherit from this."""

    keeps_answers: ClassVar[bool] = True
    tells_rates: ClassVar[bool] = True

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._own_cache: Cache | None = None

    # -- calling -------------------------------------------------------------------------------------------------------

    async def _perform(self, operation: Operation[T], options: CallOptions) -> T:
        """Run one operation to its reply."""
        endpoint = self._prepared_endpoint(options)
        work = self._work(operation, endpoint, options)
        call: Call[T] = self._call_of(work, options)
        asking: Asking[T] | None = self._asking(work, call, options)
        if asking is not None:
            work.operation = asking.recording()
        shared = self._ride(call, work.operation, options, endpoint)
        if asking is None:
            return await self._run(call, endpoint, shared)
        asking.shares = shared is not None
        return await asking.whole(lambda: self._run(call, endpoint, shared))

    def _call_of(self, work: Work, options: CallOptions) -> Call[T]:
        async def attempt(call: Call[T], key: Key | None) -> T:
            return await self._attempt(work, call, key)

        return self._prepared_call(work, attempt, options)

    def _prepared_call(
        self, work: Work, attempt: Callable[[Call[T], Key | None], Any], options: CallOptions
    ) -> Call[T]:
        """Return a call that knows what it asks, which key its prompt belongs to and what it may take of rate limits."""
        call = self._call(work.operation.name, work.operation.model, attempt, options, work.endpoint)
        call.affinity = _affinity(work)
        call.secrets = work.secrets
        if work.operation.method == "POST":  # what only asks what there is costs nothing
            call.asked = work.asked
        if work.endpoint.rates.counts_tokens:
            call.demand = Demand(estimated_prompt(work.asked) or 0, most_output(work.asked) or 0)
        return call

    def _journey(self, operation: Operation[Any], options: CallOptions, endpoint: Endpoint) -> Call[Any]:
        call: Call[Any] = self._call_of(self._work(operation, endpoint, options), options)
        call.watch = None  # each caller that shares it is told of by itself
        return call

    def _stream(self, operation: Operation[T], options: CallOptions) -> AsyncStream[T]:
        """Return a stream of one operation; nothing is sent before its first chunk is asked for."""
        endpoint = self._prepared_endpoint(options)
        work = self._work(operation, endpoint, options)

        async def attempt(call: Call[Opened], key: Key | None) -> Opened:
            return await self._open(work, call, key)

        call: Call[Opened] = self._prepared_call(work, attempt, options)
        if call.watch is not None:
            call.watch.stream = True
        state: StreamState[T] = StreamState(call.id)
        flow = self._flow(call, work, state)
        asking: Asking[T] | None = self._asking(work, call, options)
        if asking is not None:
            work.operation = asking.recording()
            flow = asking.stream(flow, state)
        return AsyncStream(flow, state)

    def _prepared_endpoint(self, options: CallOptions) -> Endpoint:
        if self._closed:
            raise errors.ClosedError("This backend is closed; make a new one.", provider=self.provider.name)
        return self.endpoint(options.get("endpoint"))

    # -- kept answers --------------------------------------------------------------------------------------------------

    def cache(self, endpoint: str | None = None) -> Cache | None:
        """Return the cache of an endpoint, to look at or to invalidate; None where answers are not kept.

        Raises:
            ConfigurationError: no such endpoint, or no credentials.
        """
        return self._cache_of(self.endpoint(endpoint))

    def _cache_of(self, endpoint: Endpoint) -> Cache | None:
        chosen = endpoint.settings.cache
        if chosen != "exact":
            return chosen  # type: ignore[no-any-return]  # None or a Cache: the settings have seen to it
        if self._own_cache is None:
            from backends.cache import Cache

            with self._lock:
                self._own_cache = self._own_cache or Cache()
        return self._own_cache

    def _asking(self, work: Work, call: Call[Any], options: CallOptions) -> Asking[Any] | None:
        """Return how a call passes the cache; None where its answer is neither looked for nor kept."""
        operation, endpoint = work.operation, work.endpoint
        if endpoint.settings.cache is None or operation.cacheable is None or not isinstance(operation.body, Mapping):
            return None
        from backends.cache.asking import Asking
        from backends.cache.exact import identify, is_sampled

        cache = self._cache_of(endpoint)
        assert cache is not None
        if options.get("cache") is False or (is_sampled(work.asked) and not cache.store_sampled):
            self._count_cache("bypassed", 1)
            return None
        tenant = options.get("cache_tenant", options.get("tenant", cache.tenant))
        identity = identify(
            operation.cacheable,
            name=operation.name,
            body=work.asked,
            address=(self.provider.name, endpoint.name, operation.model or "", operation.method, work.path),
            headers=work.headers,
            tenant=tenant,
        )
        return Asking(cache, operation, identity, tenant, call, self._clock, self._count_cache)


def _affinity(work: Work) -> bytes | None:
    """Return the start of the body where requests that share it should share a key, None where that is off or it is short."""
    length = work.endpoint.settings.prefix_affinity
    if length is None or not isinstance(work.body, bytes) or len(work.body) < length:
        return None
    return work.body[:length]
