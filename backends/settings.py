"""The settings of a backend or endpoint: names, defaults, ranges. The only place where a default is written.

A setting that is not listed here does not exist: an unknown name is refused with the nearest one, so that no setting is
accepted and then ignored.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final

from backends.errors import ConfigurationError

if TYPE_CHECKING:
    import ssl

    from backends.wire.route import Proxy

__all__ = ["Settings", "nearest"]


def nearest(name: str, known: Iterable[str], most: int = 3) -> tuple[str, ...]:
    """Return up to ``most`` of the known names that the caller may have meant."""
    return tuple(difflib.get_close_matches(name, list(known), n=most, cutoff=0.5))


@dataclass(frozen=True, slots=True)
class Settings:
    """How one backend or endpoint behaves. All durations are seconds; ``None`` means no limit where it is allowed.

    Attributes:
        max_concurrent_requests: requests in flight at once (1 or more).
        adaptive_concurrency: True makes that the most, and lets the number follow response times and refusals; see
            :mod:`backends.resilience.adaptive`.
        max_queue_wait: a request that would probably wait longer for its turn is refused at once; None is no such bound.
        queue_size: requests that may wait (0 or more); one more meets ``overflow``.
        overflow: ``reject`` (QueueFullError), ``wait`` (for room), ``drop_lowest`` (the youngest of the lowest priority goes).
        ageing: seconds of waiting that lift a request by one priority level; None never lifts.
        max_retries: further attempts after the first, walks to a fresh key not counted (0 or more).
        initial_retry_delay: the first backoff delay.
        backoff_factor: growth of the delay (1 or more).
        max_retry_delay: cap of the delay, before jitter.
        jitter: share by which a delay varies, both ways (0 to 1); survives the cap.
        max_retry_after: the longest wait that a server may ask for; a longer one fails at once.
        retry_budget: retries allowed as a share of requests, over all requests of the endpoint; None is no budget.
        retry_reserve: retries allowed on top of that share at any time.
        deadline: default for calls that name none.
        failure_threshold: outage-class failures in a row that open the breaker (1 or more).
        reset_timeout: time an open breaker stays open before one probe.
        key_strategy: ``round_robin``, ``least_loaded``, ``weighted`` or ``most_headroom`` (the key with the largest share left
            of its provider's own rate limits).
        key_weights: for ``weighted``, a number above 0 for each key in order; None is 1 for each.
        per_key_limit: requests in flight per key; None is no limit.
        requests_per_minute, tokens_per_minute: what each key may send in any sixty seconds (1 or more); a call that no key has
            room for waits. A server without keys is held to the same. None is no bound.
        rate_limit_headers: True lets a key rest that has nothing left by its provider's headers, until they say it has again.
        prefix_affinity: requests whose bodies share this many leading bytes stay on one key while it is healthy, the same in
            every process that holds the same keys, so that the provider's prompt cache can serve them; None spreads them by
            ``key_strategy``.
        max_batch_size: inputs that callers may share in one request (1 or more); 1 is off. Concerns the calls that the
            backend lists in ``batches``; elsewhere a larger one is refused.
        batch_timeout: the longest that a request waits for others to share with.
        max_cost: US dollars that the calls of an endpoint may cost together; that of the backend bounds all its endpoints
            together as well. A call that has no room is refused before it is sent. None is no bound.
        max_cost_per_tenant: the same for the calls of each tenant at this backend. Calls that name no tenant are not bound.
        connect_timeout, write_timeout, read_timeout: phases of one exchange; read is the wait for the first byte of an answer.
        first_token_timeout: from sending to the first content of a stream; None leaves it to read_timeout.
        idle_timeout: between two pieces of a stream.
        max_response_bytes: decoded size of a whole answer.
        max_event_bytes: size of one stream event.
        allow_insecure_http: send a key over plain http to a host that is not this machine.
        verify: False, the path of a CA bundle or folder, or an ``ssl.SSLContext``, for TLS; True is the system's.
        client_certificate: for mutual TLS: the path of a file with certificate and key, or the two paths. A key that needs a
            password goes into a context of the caller's own, as ``verify``.
        proxy: ``http://[user:password@]host:port`` through which connections go, or ``environment`` for what
            ``HTTPS_PROXY``, ``HTTP_PROXY``, ``ALL_PROXY`` and ``NO_PROXY`` say; None is none, whatever they say. Neither
            certificates nor proxy concern a ``transport`` of the caller's own.
        user_agent: the User-Agent header; None is this library's own.
        cache: None keeps no answer; ``exact`` keeps them in memory for equal requests; a :class:`backends.cache.Cache`.
            Calls that share requests (``max_batch_size`` above 1) pass it by.
    """

    max_concurrent_requests: int = 5
    adaptive_concurrency: bool = False
    max_queue_wait: float | None = None
    queue_size: int = 100
    overflow: str = "reject"
    ageing: float | None = 60.0
    max_retries: int = 5
    initial_retry_delay: float = 1.0
    backoff_factor: float = 2.0
    max_retry_delay: float = 16.0
    jitter: float = 0.2
    max_retry_after: float = 60.0
    retry_budget: float | None = 0.2
    retry_reserve: float = 50.0
    deadline: float | None = None
    failure_threshold: int = 5
    reset_timeout: float = 30.0
    key_strategy: str = "round_robin"
    key_weights: Sequence[float] | None = None
    per_key_limit: int | None = None
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    rate_limit_headers: bool = False
    prefix_affinity: int | None = None
    max_batch_size: int = 1
    batch_timeout: float = 0.01
    max_cost: float | None = None
    max_cost_per_tenant: float | None = None
    connect_timeout: float | None = 5.0
    write_timeout: float | None = 60.0
    read_timeout: float | None = 600.0
    first_token_timeout: float | None = None
    idle_timeout: float | None = 60.0
    max_response_bytes: int = 64 * 1024 * 1024
    max_event_bytes: int = 8 * 1024 * 1024
    allow_insecure_http: bool = False
    verify: bool | str | ssl.SSLContext = True
    client_certificate: str | Sequence[str] | None = None
    proxy: str | Proxy | None = None
    user_agent: str | None = None
    cache: Any = None

    def __post_init__(self) -> None:
        for name, (kinds, low, high, optional) in _RANGES.items():
            value = getattr(self, name)
            if value is None and optional:
                continue
            if isinstance(value, bool) or not isinstance(value, kinds) or not math.isfinite(value):
                raise ConfigurationError(
                    f"Setting {name} must be {'a whole number' if kinds is int else 'a number'}"
                    f"{' or None' if optional else ''}, not {_shown(value)}."
                )
            if not low <= value <= high:
                raise ConfigurationError(f"Setting {name} must be {_span(low, high)}, not {value!r}.")
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise ConfigurationError(
                    f"Setting {name} must be one of {', '.join(choices)}, not {_shown(getattr(self, name))}."
                )
        for name in _SWITCHES:
            if not isinstance(getattr(self, name), bool):
                raise ConfigurationError(f"Setting {name} must be True or False, not {_shown(getattr(self, name))}.")
        if not isinstance(self.verify, (bool, str)) and type(self.verify).__name__ != "SSLContext":
            raise ConfigurationError(
                f"Setting verify must be True, False, a path or an ssl.SSLContext, not {type(self.verify).__name__}."
            )
        object.__setattr__(self, "client_certificate", _certificate(self.client_certificate, self.verify))
        object.__setattr__(self, "proxy", _proxy(self.proxy))
        if self.user_agent is not None and not (
            isinstance(self.user_agent, str) and self.user_agent.isascii() and self.user_agent.isprintable()
        ):
            raise ConfigurationError("Setting user_agent must be printable ASCII text.")
        if self.cache is not None:
            _check_cache(self.cache)
        if self.key_weights is not None:
            object.__setattr__(self, "key_weights", _weights(self.key_weights))
        _check_together(self)

    @classmethod
    def of(cls, values: Mapping[str, Any], base: Settings | None = None) -> Settings:
        """Return the defaults (or ``base``) with these values.

        Raises:
            ConfigurationError: a name is unknown or a value is out of range; the message names it.
        """
        known = {entry.name for entry in fields(cls)}
        for name in values:
            if name not in known:
                raise ConfigurationError(f"Unknown setting {name!r}.", suggestions=nearest(name, known))
        return replace(base or cls(), **values) if values else (base or cls())


def _weights(value: Any) -> tuple[float, ...]:
    if isinstance(value, Sequence) and not isinstance(value, str | bytes) and value:
        numbers = [entry for entry in value if isinstance(entry, _NUMBER) and not isinstance(entry, bool)]
        if len(numbers) == len(value) and all(0 < number < math.inf for number in numbers):
            return tuple(float(number) for number in numbers)
    raise ConfigurationError(f"Setting key_weights must be a list of numbers above 0, or None, not {_shown(value)}.")


def _check_together(settings: Settings) -> None:
    """Refuse settings that could do nothing beside each other."""
    if settings.adaptive_concurrency and settings.max_concurrent_requests < 2:
        raise ConfigurationError(
            "Setting adaptive_concurrency needs max_concurrent_requests of 2 or more to choose from."
        )
    if settings.max_queue_wait is not None and settings.overflow == "wait":
        raise ConfigurationError(
            "Setting max_queue_wait refuses requests, and overflow='wait' refuses none: choose one."
        )
    if settings.key_weights is not None and settings.key_strategy != "weighted":
        raise ConfigurationError("Setting key_weights needs key_strategy='weighted'.")


def _certificate(value: Any, verify: Any) -> tuple[str, ...] | None:
    files = (value,) if isinstance(value, str) else value
    if files is None:
        return None
    if not isinstance(files, Sequence) or not 1 <= len(files) <= 2 or not all(isinstance(file, str) for file in files):
        raise ConfigurationError(
            "Setting client_certificate must be the path of one file, or of two: certificate and key."
        )
    if not isinstance(verify, (bool, str)):
        raise ConfigurationError("Setting client_certificate: load it into the context that is given as verify.")
    return tuple(files)


def _proxy(value: Any) -> Any:
    if value is None:
        return None
    from backends.wire.route import FROM_ENVIRONMENT, Proxy

    if isinstance(value, Proxy) or value == FROM_ENVIRONMENT:
        return value
    try:
        return Proxy(value)
    except ValueError as error:
        raise ConfigurationError(f"Setting proxy {error}, or {FROM_ENVIRONMENT!r}.") from None


def _check_cache(value: Any) -> None:
    from backends.cache import Cache  # only who keeps answers loads what that takes

    if value != "exact" and not isinstance(value, Cache):
        raise ConfigurationError(f"Setting cache must be None, 'exact' or a backends.cache.Cache, not {_shown(value)}.")


def _shown(value: Any) -> str:
    """Return a value for a message, of a text only that it is one: it may be a key in the wrong place."""
    return repr(value) if value is None or isinstance(value, int | float) else f"a {type(value).__name__}"


def _span(low: float, high: float) -> str:
    return f"at least {low:g}" if high == math.inf else f"between {low:g} and {high:g}"


_NUMBER: Final = (int, float)
_RANGES: Final[dict[str, tuple[Any, float, float, bool]]] = {
    # name: (type, lowest, highest, may be None)
    "max_concurrent_requests": (int, 1, math.inf, False),
    "max_queue_wait": (_NUMBER, 0, 86_400, True),
    "queue_size": (int, 0, math.inf, False),
    "ageing": (_NUMBER, 1e-9, 1e9, True),
    "max_retries": (int, 0, 1000, False),
    "initial_retry_delay": (_NUMBER, 0, 86_400, False),
    "backoff_factor": (_NUMBER, 1, 1000, False),
    "max_retry_delay": (_NUMBER, 0, 86_400, False),
    "jitter": (_NUMBER, 0, 1, False),
    "max_retry_after": (_NUMBER, 0, 86_400, False),
    "retry_budget": (_NUMBER, 0, 100, True),
    "retry_reserve": (_NUMBER, 0, math.inf, False),
    "deadline": (_NUMBER, 0, math.inf, True),
    "failure_threshold": (int, 1, math.inf, False),
    "reset_timeout": (_NUMBER, 1e-9, 1e9, False),
    "per_key_limit": (int, 1, math.inf, True),
    "requests_per_minute": (int, 1, 10**12, True),
    "tokens_per_minute": (int, 1, 10**12, True),
    "prefix_affinity": (int, 1, math.inf, True),
    "max_batch_size": (int, 1, math.inf, False),
    "batch_timeout": (_NUMBER, 0, 3600, False),
    "max_cost": (_NUMBER, 0, math.inf, True),
    "max_cost_per_tenant": (_NUMBER, 0, math.inf, True),
    "connect_timeout": (_NUMBER, 1e-9, math.inf, True),
    "write_timeout": (_NUMBER, 1e-9, math.inf, True),
    "read_timeout": (_NUMBER, 1e-9, math.inf, True),
    "first_token_timeout": (_NUMBER, 1e-9, math.inf, True),
    "idle_timeout": (_NUMBER, 1e-9, math.inf, True),
    "max_response_bytes": (int, 1, math.inf, False),
    "max_event_bytes": (int, 1, math.inf, False),
}
_SWITCHES: Final = ("adaptive_concurrency", "rate_limit_headers", "allow_insecure_http")
_CHOICES: Final = {
    "overflow": ("reject", "wait", "drop_lowest"),
    "key_strategy": ("round_robin", "least_loaded", "weighted", "most_headroom"),
}
