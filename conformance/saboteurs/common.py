"""Where saboteurs cut: a change applied to every endpoint of a backend when it is first used. It breaks nothing by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from backends.resilience.breaker import Breaker
from backends.resilience.endpoint import Endpoint

__all__ = ["patched_breaker", "patched_endpoint"]


def patched_endpoint(backend: Any, change: Callable[[Endpoint], None]) -> None:
    """Apply ``change`` to each endpoint of the backend before its first use."""
    find = backend.endpoint
    changed: set[int] = set()

    def found(name: str | None = None) -> Endpoint:
        endpoint: Endpoint = find(name)
        if id(endpoint) not in changed:
            changed.add(id(endpoint))
            change(endpoint)
        return endpoint

    backend.endpoint = found


def patched_breaker(backend: Any, kind: type[Breaker]) -> None:
    """Give each endpoint a breaker of another kind, with the settings it had."""

    def change(endpoint: Endpoint) -> None:
        old = endpoint.breaker
        endpoint.breaker = kind(old.failure_threshold, old.reset_timeout)

    patched_endpoint(backend, change)
