"""What every backend is: constructed without side effects, reported on, closed.

It joins credentials, settings and counters with endpoints (:mod:`backends.endpoints`), the run of one call
(:mod:`backends.calling`), prices (:mod:`backends.priced`) and closing (:mod:`backends.closing`). It knows no provider and no
bytes; HTTP is added by :mod:`backends.http`, other wires by the backend that has them.
"""

from __future__ import annotations

import os
import random as random_module
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from backends import errors
from backends.address import checked_url
from backends.calling import Calls
from backends.charging import Till
from backends.closing import Closing
from backends.credentials import Credentials
from backends.endpoints import DEFAULT
from backends.portal import Portal
from backends.priced import Priced
from backends.refusals import refuse_calls
from backends.resilience.clock import Clock, SystemClock
from backends.resilience.endpoint import Endpoint
from backends.resilience.supply import KeySource
from backends.secret import Key
from backends.settings import Settings
from backends.telemetry.events import Observer
from backends.telemetry.metrics import Metrics
from backends.telemetry.observers import Observers
from backends.telemetry.price_tables import given_prices
from backends.telemetry.prices import PriceTable
from backends.telemetry.report import build_report

__all__ = ["Backend"]


class Backend(Calls, Priced, Closing):
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

    async def _close_held(self) -> None:
        await self._close_wire()

    def _close_held_here(self) -> None:
        if self._holds_wire():
            self._portal.run(self._close_wire())

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

    def __repr__(self) -> str:
        return f"{type(self).__name__}(endpoints={list(self._declared)!r}, model={self.model!r})"


def _uuid() -> str:
    return str(uuid.uuid4())
