"""Many keys of many providers behind one object: named keys with limits of their own, clients by name, chains that fail over.

Each provider has one backend here, and its key pool chooses among its keys (:mod:`backends.clients`); a chain chooses among
backends (:mod:`backends.chained`). Nothing is retried here: a backend does, and a chain only goes on to the next hop.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import Any

from backends.base import Backend
from backends.chained import ChainedCalls
from backends.failover import Chain
from backends.portal import Portal
from backends.resilience.clock import Clock, SystemClock

__all__ = ["ApiKeyMultiplexer"]


class ApiKeyMultiplexer(ChainedCalls):
    """Keys, clients and chains over every provider. One object serves many threads and event loops, as a backend does.

    Args:
        clock: where time comes from; also that of the backends made here.
        ids: returns a fresh UUID text per call of a chain.
        **settings: of every backend made here; see :class:`backends.settings.Settings`.

    ``max_concurrent_requests`` of a backend made here grows with the limits of its keys, unless it was given.
    """

    def __init__(self, *, clock: Clock | None = None, ids: Callable[[], str] | None = None, **settings: Any) -> None:
        self._clock = clock or SystemClock()
        self._ids = ids or (lambda: str(uuid.uuid4()))
        self._settings = settings
        self._lock = threading.Lock()
        self._portal = Portal()
        self._closed = False
        self._backends: dict[str, Backend] = {}
        self._limits: dict[str, dict[str, int]] = {}
        self._chains: dict[str, Chain] = {}

    def report(self) -> dict[str, Any]:
        """Return the reports of all clients, the state and usage of every key, and what chains did, as JSON-ready values."""
        with self._lock:
            backends, chains = dict(self._backends), {name: chain.status() for name, chain in self._chains.items()}
        clients = {name: backend.report() for name, backend in backends.items()}
        keys = [
            {"client": name, "endpoint": endpoint, **key}
            for name, report in clients.items()
            for endpoint, described in report["endpoints"].items()
            for key in described["keys"]
        ]
        return {"clients": clients, "keys": keys, "chains": chains}

    def __repr__(self) -> str:
        return f"ApiKeyMultiplexer(clients={list(self._backends)!r}, chains={list(self._chains)!r})"
