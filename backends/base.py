"""What every backend is: construction without side effects, endpoints, the run of one call, reports, closing.

It joins credentials, settings, endpoints, counters and the path of a call. It knows no provider and no bytes; HTTP is added
by :mod:`backends.http`, other wires by the backend that has them.
"""

from __future__ import annotations

import os
import random as random_module
import threading
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Literal, Self, TypeVar

from backends import errors
from backends.address import checked_url
from backends.charging import Till, plain_terms
from backends.credentials import Credentials
from backends.endpoints import DEFAULT, Endpoints
from backends.operation import CallOptions
from backends.portal import Portal
from backends.refusals import refuse_calls
from backends.resilience.call import Call, travel, within
from backends.resilience.clock import Clock, SystemClock
from backends.resilience.endpoint import Endpoint, Passage
from backends.resilience.supply import KeySource
from backends.secret import Key
from backends.settings import Settings
from backends.telemetry.events import Observer
from backends.telemetry.metrics import Metrics
from backends.telemetry.observers import Observers, Watch
from backends.telemetry.price_tables import given_prices, vendor_prices
from backends.telemetry.prices import PriceTable, Terms, cost_of
from backends.telemetry.report import build_report
from backends.types import Priority, Reply, Usage

__all__ = ["Backend"]

T = TypeVar("T")
Outcome = Literal["success", "failure", "cancelled"]


class Backend(Endpoints):
    """One provider's backend: queue, retries, breaker, keys and counters around its calls.

    Args:
        resources: accepted for compatibility with the framework; not used.
        metadata: credentials as the framework passes them (``{"openai_api_key": ...}``).
        api_key, api_keys: credentials; the first source of argument, metadata, environment and file wins.
        key_source: where they come from instead, and are fetched anew while the program runs; see
            :mod:`backends.key_sources`.
        base_url: another address than the vendor's.
        model: the model of calls that name none.
        transport: an ``httpx.AsyncBaseTransport`` (``httpx.MockTransport``, respx) instead of the network.
        clock: where time comes from.
        random: returns numbers in [0, 1) for jitter.
        ids: returns a fresh UUID text per request.
        environ, credentials_path: instead of the process environment and ``~/.ipfs_api_credentials``.
        observers: told what happens to each call; see :mod:`backends.telemetry.events`.
        prices: the caller's own prices by model, in place of the vendor's; see
            :func:`backends.telemetry.price_tables.given_prices`.
        **settings: see :class:`backends.settings.Settings`.

    Raises:
        ConfigurationError: an argument is wrong; the message names it. Missing credentials are reported by the first call.
    """

    refusals: ClassVar[Mapping[str, str]] = {}
    """Calls that this provider does not have, or no longer has: name -> reason and replacement. Their methods are made
    from it."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "refusals" in cls.__dict__:
            refuse_calls(cls, cls.refusals)

    def __init__(
        self,
        resources: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        *,
        api_key: str | Key | None = None,
        api_keys: Sequence[str | Key] | None = None,
        key_source: KeySource | None = None,
        base_url: str | None = None,
        model: str | None = None,
        transport: Any = None,
        clock: Clock | None = None,
        random: Callable[[], float] | None = None,
        ids: Callable[[], str] | None = None,
        environ: Mapping[str, str] | None = None,
        credentials_path: str | Path | None = None,
        observers: Iterable[Observer] | None = None,
        prices: Mapping[str, Mapping[str, Any]] | None = None,
        **settings: Any,
    ) -> None:
        del resources
        if metadata is not None and not isinstance(metadata, Mapping):
            raise errors.ConfigurationError("metadata must be a mapping.", provider=self.provider.name)
        self._transport = transport
        self.settings = self._chosen_settings(settings)
        self.model = model or self.provider.default_model
        if key_source is not None and (api_key is not None or api_keys is not None):
            raise errors.ConfigurationError(
                "Pass one of api_key, api_keys and key_source.", provider=self.provider.name
            )
        self._source = key_source
        self._sources: dict[str, KeySource | None] = {DEFAULT: key_source}
        self.credentials = Credentials(
            self.provider,
            api_key=api_key,
            api_keys=api_keys,
            metadata=metadata,
            environ=environ,
            path=Path(credentials_path) if credentials_path is not None else None,
        )
        self._base_url = checked_url(base_url, "base_url") if base_url is not None else None
        self._clock: Clock = clock or SystemClock()
        self._random = random or random_module.random
        self._ids = ids or _uuid
        self._observers = Observers(observers, self.provider.name, self._clock) if observers is not None else None
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._portal = Portal()
        self._closed = False
        self._endpoints: dict[str, Endpoint] = {}
        self._declared: dict[str, tuple[str | None, tuple[Key, ...] | None, Settings]] = {
            DEFAULT: (None, None, self.settings)
        }
        self._metrics = Metrics(self._clock.monotonic(), self._clock.time())
        own_prices = PriceTable() if prices is None else given_prices(prices)
        self._till = Till(self.vendor_prices, own_prices, self.reply_cost, self.settings)

    # -- endpoints -----------------------------------------------------------------------------------------------------

    @property
    def portal(self) -> Portal:
        """The bridge that synchronous twins run on."""
        return self._portal

    # -- the run of one call -------------------------------------------------------------------------------------------

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
        self._started()
        if call.watch is not None:
            call.watch.started()
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

    # -- cost ----------------------------------------------------------------------------------------------------------

    @property
    def prices(self) -> PriceTable:
        """The prices in force, each with its source and date: the caller's, then the vendor's."""
        return self._till.table

    def vendor_prices(self) -> PriceTable:
        """Return what is known of this vendor's prices; a provider that keeps them elsewhere overrides it."""
        return vendor_prices(self.provider.name)

    def terms(self, reply: Reply, asked: Mapping[str, Any]) -> Terms:
        """Return on what terms a reply was made: service tier, units besides tokens, what nobody has a price for.

        Args:
            reply: as it was read; of a stream that broke off, what came of it.
            asked: the body of the request.
        """
        return plain_terms(reply, asked)

    def reply_cost(self, reply: Reply, asked: Mapping[str, Any], prices: PriceTable) -> float | None:
        """Return what a reply costs by a table in US dollars, None where that is not known."""
        found = prices.find(reply.model)
        return None if found is None else cost_of(found, reply.usage, self.terms(reply, asked))

    def renew_budget(self) -> None:
        """Begin to spend anew: what was spent until now no longer counts against ``max_cost``."""
        self._till.renew()

    def refuse(self, name: str) -> errors.UnsupportedError:
        """Return the error of a declared refusal."""
        return errors.UnsupportedError(
            f"{self.provider.title} does not offer {name}: {self.refusals[name]}",
            provider=self.provider.name,
            code="unsupported",
        )

    # -- reports -------------------------------------------------------------------------------------------------------

    def report(self) -> dict[str, Any]:
        """Return counters, latencies, queue, breaker, keys and endpoints as JSON-ready values; see ``backends.telemetry.report``."""
        self._check_process()
        with self._lock:
            snapshot = self._metrics.snapshot(self._clock.monotonic(), self._clock.time())
        report = build_report(self.provider.name, snapshot, dict(self._endpoints), *self._till.status())
        if self._observers is not None:
            report["observers"] = self._observers.status()
        return report

    get_metrics_report = report

    def reset_metrics(self) -> None:
        """Start counting anew; queue, breaker and keys are left as they are."""
        self._check_process()
        with self._lock:
            self._metrics.reset(self._clock.monotonic(), self._clock.time())
        if self._observers is not None:
            self._observers.reset()

    def queue_status(self, endpoint: str | None = None) -> dict[str, Any]:
        """Return lengths by priority, active requests, limits and waits of one endpoint."""
        return self.endpoint(endpoint).status()

    # -- lifecycle -----------------------------------------------------------------------------------------------------

    def _after_fork(self) -> None:
        """Forget the parent's calls, connections and counts: they are not ours."""
        super()._after_fork()
        self._metrics = Metrics(self._clock.monotonic(), self._clock.time())
        self._till.after_fork()
        self._abandon_wire()

    def _abandon_wire(self) -> None:
        """Drop connections without touching the parent's sockets; overridden by backends that hold some."""

    def _holds_wire(self) -> bool:
        """Say whether there are connections to close; overridden by backends that hold some."""
        return False

    async def _close_wire(self) -> None:
        """Close connections; overridden by backends that hold some."""

    async def aclose(self) -> None:
        """Refuse new calls, fail the waiting ones, close every connection and thread; idempotent."""
        if self._begin_close():
            await self._close_wire()
            self._portal.close()

    def close(self) -> None:
        """Synchronous twin of :meth:`aclose`."""
        if self._begin_close():
            if self._holds_wire():
                self._portal.run(self._close_wire())
            self._portal.close()

    def _begin_close(self) -> bool:
        """Refuse who comes and who waits; False when that was done before."""
        self._check_process()
        with self._lock:
            if self._closed:
                return False
            self._closed = True
            endpoints = list(self._endpoints.values())
        for endpoint in endpoints:
            endpoint.close()
        return True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(endpoints={list(self._declared)!r}, model={self.model!r})"


def _uuid() -> str:
    return str(uuid.uuid4())


def _request_id(given: str | None) -> str | None:
    if given is None:
        return None
    try:
        return str(uuid.UUID(given))
    except (ValueError, AttributeError, TypeError):
        raise errors.InvalidRequestError("request_id must be the text of a UUID.") from None
