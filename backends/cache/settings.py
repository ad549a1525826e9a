"""The arguments of a cache, checked once: a wrong one is one error that names it. It keeps nothing and opens nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backends.cache.gate import GATES, Gate
from backends.cache.semantic import Embedder, embedder_of
from backends.errors import ConfigurationError

__all__ = ["CacheSettings"]


@dataclass(frozen=True, slots=True)
class CacheSettings:
    """What a :class:`backends.cache.Cache` was asked to be; its arguments tell what each means.

    ``embedder`` is None for a cache of equal requests only.
    """

    threshold: float
    embedder: Embedder | None
    max_entries: int
    max_bytes: int
    ttl: float | None
    path: Path | None
    store_sampled: bool
    tenant: str | None
    gate: Gate

    @classmethod
    def checked(
        cls,
        threshold: Any,
        embedder: Any,
        *,
        max_entries: Any,
        max_bytes: Any,
        ttl: Any,
        path: Any,
        store_sampled: Any,
        tenant: Any,
        gate: Any,
        embedder_timeout: Any,
    ) -> CacheSettings:
        """Return the settings that these arguments mean.

        Raises:
            ConfigurationError: an argument is wrong; the message names it.
        """
        least = _number("threshold", threshold, 0.0, 1.0)
        function = embedder_of(embedder)
        if embedder is not None and function is None:
            raise _wrong("embedder", f"a function of a text or a backend that embeds, not {type(embedder).__name__}")
        if ttl is not None:
            ttl = _number("ttl", ttl, 1e-9, 1e12)
        if embedder_timeout is not None:
            embedder_timeout = _number("embedder_timeout", embedder_timeout, 1e-9, 1e9)
        if path is not None and not isinstance(path, str | Path):
            raise _wrong("path", f"a path, not {type(path).__name__}")
        if not isinstance(store_sampled, bool):
            raise _wrong("store_sampled", f"True or False, not {store_sampled!r}")
        if tenant is not None and not isinstance(tenant, str):
            raise _wrong("tenant", f"text, not {type(tenant).__name__}")
        chosen = GATES.get(gate) if isinstance(gate, str) else gate
        if chosen is None or not callable(chosen):
            raise _wrong("gate", f"{' or '.join(GATES)} or a function of two texts, not {gate!r}")
        return cls(
            threshold=least,
            embedder=Embedder(function, embedder_timeout) if function is not None and least else None,
            max_bytes=_whole("max_bytes", max_bytes),
            max_entries=_whole("max_entries", max_entries),
            ttl=ttl,
            path=Path(path).expanduser() if path is not None else None,
            store_sampled=store_sampled,
            tenant=tenant,
            gate=chosen,
        )


def _wrong(name: str, expected: str) -> ConfigurationError:
    return ConfigurationError(f"Cache: {name} must be {expected}.")


def _number(name: str, value: Any, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        span = f"a number from {low:g} to {high:g}" if low == 0 else "a positive number of seconds"
        raise _wrong(name, f"{span}, not {value!r}")
    return float(value)


def _whole(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise _wrong(name, f"a whole number of 1 or more, not {value!r}")
    return value
