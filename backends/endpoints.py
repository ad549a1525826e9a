"""The endpoints of a backend: declared with their own address, keys and settings, made on first use, changed while calls fly.

No call is made here, and no credential is read before an endpoint is first used.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final

from backends import errors
from backends.address import checked_url, is_local
from backends.credentials import Credentials
from backends.discretion import discreet, discreet_methods
from backends.provider import Provider
from backends.resilience.clock import Clock
from backends.resilience.endpoint import Endpoint
from backends.resilience.keys import KeyPool
from backends.resilience.supply import KeySource
from backends.secret import Key
from backends.settings import Settings, nearest

if TYPE_CHECKING:
    from backends.wire.route import Proxy

__all__ = ["DEFAULT", "Endpoints"]

DEFAULT: Final = "default"
_GIVEN_SECRETS: Final = ("__init__", "add_key", "base_url", "create_endpoint", "limit_key", "remove_key", "rotate_key")
"""Members that are given secrets as plain text (where a name belongs, by mistake), or read them: their errors carry none of
their frames."""


class Endpoints:
    """Adds endpoints to a backend, which sets the attributes declared here before the first is used."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        discreet_methods(cls, _GIVEN_SECRETS)

    provider: ClassVar[Provider]
    keeps_answers: ClassVar[bool] = False
    """Whether the setting ``cache`` means something here."""
    tells_rates: ClassVar[bool] = False
    """Whether requests have tokens and answers tell rate limits, so that the settings about them mean something here."""
    batches: ClassVar[frozenset[str]] = frozenset()
    """Calls that ``max_batch_size`` concerns: several callers may share one request of the provider's."""

    settings: Settings
    credentials: Credentials
    _base_url: str | None
    _clock: Clock
    _transport: Any
    _lock: threading.Lock
    _process: int
    _endpoints: dict[str, Endpoint]
    _declared: dict[str, tuple[str | None, tuple[Key, ...] | None, Settings]]
    _source: KeySource | None
    _sources: dict[str, KeySource | None]

    def _check_process(self) -> None:
        """Notice a fork before anything of the parent's is used, its locks included."""
        if self._process != os.getpid():
            self._after_fork()

    def _after_fork(self) -> None:
        """Forget what the parent holds at its endpoints; overridden by what holds more."""
        self._process = os.getpid()
        self._lock = threading.Lock()
        for endpoint in self._endpoints.values():
            endpoint.after_fork()

    @discreet
    def create_endpoint(
        self,
        name: str,
        base_url: str | None = None,
        api_key: str | Key | None = None,
        api_keys: Sequence[str | Key] | None = None,
        *,
        key_source: KeySource | None = None,
        **settings: Any,
    ) -> None:
        """Add an endpoint with its own queue, breaker, counters and keys; use it with ``endpoint=name`` on a call.

        Args:
            name: a new name.
            base_url: its address; the backend's own when not given.
            api_key, api_keys: its credentials. They may be left out only where the address is the backend's own (its keys
                are used) or the provider requires none: a key never goes to an address it was not given for.
            key_source: where they come from instead, and are fetched anew; see :mod:`backends.key_sources`.
            **settings: what differs from the backend's settings.

        Raises:
            ConfigurationError: the name is taken or empty, a setting is wrong, or a key is missing.
        """
        if not isinstance(name, str) or not name.strip():
            raise errors.ConfigurationError("An endpoint needs a name.", provider=self.provider.name)
        if (api_key is not None) + (api_keys is not None) + (key_source is not None) > 1:
            raise errors.ConfigurationError(
                "Pass one of api_key, api_keys and key_source.", provider=self.provider.name
            )
        url = checked_url(base_url, "base_url") if base_url is not None else None
        given = [api_key] if api_key is not None else list(api_keys or ())
        keys: tuple[Key, ...] | None = tuple(key if isinstance(key, Key) else Key(key) for key in given) or None
        if keys is None and key_source is not None:
            keys = ()
        elif keys is None and url is not None:
            if self.provider.key_required:
                raise errors.ConfigurationError(
                    f"Endpoint {name!r} has its own base_url and needs its own api_key: keys are not sent to other addresses.",
                    provider=self.provider.name,
                )
            keys = ()
        chosen = self._chosen_settings(settings, self.settings)
        with self._lock:
            if name in self._declared:
                raise errors.ConfigurationError(f"Endpoint {name!r} exists already.", provider=self.provider.name)
            self._declared[name] = (url, keys, chosen)
            self._sources[name] = key_source if key_source is not None or url is not None or keys else self._source

    def _chosen_settings(self, given: Mapping[str, Any], base: Settings | None = None) -> Settings:
        """Return settings; those of batching, tokens and a cache are refused where nothing could ever come of them."""
        chosen = Settings.of(given, base)
        if not self.batches and (chosen.max_batch_size > 1 or "batch_timeout" in given):
            raise errors.ConfigurationError(
                f"{self.provider.title} has no call that several callers could share; leave max_batch_size and"
                " batch_timeout out.",
                provider=self.provider.name,
            )
        if not self.tells_rates and (chosen.tokens_per_minute is not None or chosen.rate_limit_headers):
            raise errors.ConfigurationError(
                f"{self.provider.title} counts no tokens and tells no rate limits; leave tokens_per_minute and"
                " rate_limit_headers out.",
                provider=self.provider.name,
            )
        if self._transport is not None and (chosen.proxy is not None or chosen.client_certificate is not None):
            raise errors.ConfigurationError(
                "A transport of your own makes its connections itself: set its proxy and client certificate there.",
                provider=self.provider.name,
            )
        if chosen.cache is not None and not self.keeps_answers:
            raise errors.ConfigurationError(
                f"{self.provider.title} takes no cache: its answers are not kept.", provider=self.provider.name
            )
        return chosen

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Names of the endpoints; ``default`` is always one."""
        return tuple(self._declared)

    def endpoint(self, name: str | None = None) -> Endpoint:
        """Return an endpoint, reading its credentials if this is the first use.

        Raises:
            ConfigurationError: no such endpoint, or no credentials.
        """
        self._check_process()
        found = self._endpoints.get(name or DEFAULT)
        if found is not None:
            return found
        name = name or DEFAULT
        declared = self._declared.get(name)
        if declared is None:
            raise errors.ConfigurationError(
                f"Unknown endpoint {name!r}.", provider=self.provider.name, suggestions=nearest(name, self._declared)
            )
        url, keys, settings = declared
        address, source = url or self.base_url, self._sources.get(name)
        if source is not None:
            keys = ()
        elif keys is None:
            keys = self.credentials.keys()
        self._check_address(address, bool(keys) or source is not None, settings)
        try:
            made = Endpoint(name, address, keys, settings, self._clock, source)
        except ValueError as error:
            raise errors.ConfigurationError(f"key_weights: {error}.", provider=self.provider.name) from None
        with self._lock:
            return self._endpoints.setdefault(name, made)

    @property
    @discreet
    def base_url(self) -> str:
        """Address of the default endpoint: argument, metadata, environment, file, vendor."""
        if self._base_url is not None:
            return self._base_url
        found = self.credentials.value("base_url", variables=self.provider.base_url_variables)
        return checked_url(found, "base_url") if found is not None else self.provider.base_url

    def _check_address(self, address: str, has_keys: bool, settings: Settings) -> None:
        """Refuse to send a key in clear text to another machine."""
        if has_keys and address.startswith("http://") and not settings.allow_insecure_http and not is_local(address):
            raise errors.ConfigurationError(
                f"{self.provider.title}: a key would travel unencrypted to {address}; use https, or set allow_insecure_http=True.",
                provider=self.provider.name,
            )

    def _proxy(self, endpoint: Endpoint) -> Proxy | None:
        """Return through which proxy an endpoint is reached.

        Raises:
            ConfigurationError: the environment names one that is no HTTP proxy.
        """
        chosen = endpoint.settings.proxy
        if not isinstance(chosen, str):
            return chosen
        from backends.wire.route import proxy_for

        try:
            return proxy_for(endpoint.base_url, self.credentials.environ)
        except ValueError as error:
            raise errors.ConfigurationError(f"Setting proxy: {error}.", provider=self.provider.name) from None

    @discreet
    def add_key(
        self, key: str | Key, *, endpoint: str | None = None, limit: int | None = None, weight: float | None = None
    ) -> str:
        """Add a key while calls fly; returns its fingerprint.

        Args:
            key: the key.
            endpoint: whose it is.
            limit: bounds its requests in flight; None leaves that to ``per_key_limit``.
            weight: its share of the calls where ``key_strategy`` is ``weighted``, above 0; None is 1.

        A :class:`~backends.secret.Key` may have a name, by which calls (``use_key``) and the methods beside this one know it.

        Raises:
            ConfigurationError: the key is malformed, it or its name is there already, the limit is below 1, or the weight is
                not above 0 or the strategy is another.
        """
        made = self._read_key(key)
        self._change_keys(endpoint, lambda pool: pool.add(made, limit, weight))
        return made.fingerprint

    @discreet
    def remove_key(self, which: str, *, endpoint: str | None = None) -> None:
        """Take a key out, by its fingerprint or name; calls in flight finish on it. With the last one gone nothing is sent.

        Raises:
            ConfigurationError: there is no such key.
        """
        self._change_keys(endpoint, lambda pool: pool.remove(which))

    @discreet
    def rotate_key(self, which: str, key: str | Key, *, endpoint: str | None = None) -> str:
        """Replace a key, by its fingerprint or name; calls in flight finish on the old one. Returns the new fingerprint.

        Raises:
            ConfigurationError: there is no such key, or the new one is malformed or there already.
        """
        made = self._read_key(key)
        self._put_in_place(which, made, endpoint)
        return made.fingerprint

    @discreet
    def limit_key(self, which: str, limit: int | None, *, endpoint: str | None = None) -> None:
        """Bound the requests in flight of one key, by its fingerprint or name; None for no bound of its own.

        Raises:
            ConfigurationError: there is no such key, or the limit is below 1.
        """
        self._change_keys(endpoint, lambda pool: pool.limit(which, limit))

    def _read_key(self, key: str | Key) -> Key:
        """Return the key that a caller gave; overridden where a key has parts."""
        return key if isinstance(key, Key) else Key(key)

    def _put_in_place(self, which: str, key: Key, endpoint: str | None) -> None:
        """Replace a key; overridden where an old and a new one may have the same fingerprint."""
        self._change_keys(endpoint, lambda pool: pool.rotate(which, key))

    def _change_keys(self, endpoint: str | None, change: Callable[[KeyPool], None]) -> None:
        try:
            self.endpoint(endpoint).change_keys(change)
        except (LookupError, ValueError) as error:
            if isinstance(error, errors.BackendError):
                raise
            raise errors.ConfigurationError(f"{error}.", provider=self.provider.name) from None

    def resize(
        self, *, max_concurrent_requests: int | None = None, queue_size: int | None = None, endpoint: str | None = None
    ) -> None:
        """Change the limits of a live endpoint; where the limit is adaptive, ``max_concurrent_requests`` is its ceiling.

        Raises:
            ConfigurationError: a limit is out of range.
        """
        changes = {"max_concurrent_requests": max_concurrent_requests, "queue_size": queue_size}
        Settings.of({name: value for name, value in changes.items() if value is not None})
        self.endpoint(endpoint).resize(max_concurrent_requests=max_concurrent_requests, queue_size=queue_size)
