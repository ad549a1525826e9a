"""One call on its way along a chain: which hop comes next and with which arguments, and what was tried in vain.

It makes no call itself, never retries, and waits for nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from backends import errors
from backends.base import Backend
from backends.failover import Chain, Hop, HopFailure, goes_on
from backends.resilience.clock import Clock
from backends.types import Reply

__all__ = ["Journey"]

T = TypeVar("T", bound=Reply)


class Journey:
    """One call along a chain: what comes next, and what was tried in vain.

    Args:
        chain: where it may go.
        lock: guards the chain.
        clock: where time comes from.
        client: returns a backend by its name.
        load: tells how busy a hop is.
        parameters: of the call.
    """

    __slots__ = (
        "_began",
        "_chain",
        "_client",
        "_clock",
        "_deadline_at",
        "_failures",
        "_hop",
        "_left",
        "_lock",
        "_parameters",
    )

    def __init__(
        self,
        chain: Chain,
        lock: threading.Lock,
        clock: Clock,
        client: Callable[[str], Backend],
        load: Callable[[Hop], float],
        parameters: Mapping[str, Any],
    ) -> None:
        self._chain, self._lock, self._clock, self._client = chain, lock, clock, client
        self._parameters = parameters
        self._began = clock.monotonic()
        deadline = parameters.get("deadline")
        self._deadline_at = None if deadline is None else self._began + deadline
        with lock:
            self._left = list(chain.route(load))
        self._hop = self._left[0]
        self._failures: list[HopFailure] = []

    def next(self, call: str) -> tuple[Callable[..., Any], dict[str, Any]]:
        """Return the next hop's method and its arguments; a backend without the call is a hop that failed.

        Raises:
            UnsupportedError: no hop is left that has the call.
        """
        while True:
            self._hop = hop = self._left.pop(0)
            self._began = self._clock.monotonic()
            backend = self._client(hop.client)
            method = getattr(backend, call, None)
            if method is not None:
                return method, self._options(hop)
            title, name = backend.provider.title, call.removeprefix("a")
            self.failed(errors.UnsupportedError(f"{title} has no call {name}.", provider=backend.provider.name))

    def _options(self, hop: Hop) -> dict[str, Any]:
        options = {**self._parameters, **hop.parameters}
        if hop.model is not None:
            options["model"] = hop.model
        if hop.endpoint is not None:
            options["endpoint"] = hop.endpoint
        if self._left:
            options.setdefault("patience", self._chain.patience)
        if self._deadline_at is not None:
            options["deadline"] = max(1e-9, self._deadline_at - self._began)
        return options

    def failed(self, error: errors.BackendError, *, last: bool = False) -> None:
        """Take note of a failure.

        Raises:
            BackendError: the error itself, where no other hop is to be tried.
        """
        with self._lock:
            self._chain.failed(self._hop, error)
        self._failures.append(HopFailure.of(self._hop, error, self._clock.monotonic() - self._began))
        if last or not self._left or not goes_on(error, self._chain.also):
            error.hops = tuple(self._failures)
            raise error

    def answered(self, reply: T) -> T:
        """Take note of an answer and return it with what was tried before."""
        with self._lock:
            self._chain.answered(self._hop)
        return replace(reply, hops=tuple(self._failures)) if self._failures else reply
