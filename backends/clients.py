"""Backends by the name of their provider, and their keys by names of their own.

Each provider has one backend here, and its key pool chooses among its keys. Nothing is called here, and no key is kept: a
backend has it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from backends import errors
from backends.base import Backend
from backends.closing import Closing
from backends.discretion import discreet
from backends.key_client import KeyClient
from backends.registry import create
from backends.resilience.clock import Clock
from backends.secret import Key
from backends.settings import nearest

__all__ = ["Clients"]


class Clients(Closing):
    """Adds keys and clients to a multiplexer, which sets the attributes declared here in its constructor."""

    _clock: Clock
    _settings: Mapping[str, Any]
    _lock: threading.Lock
    _closed: bool
    _backends: dict[str, Backend]
    _limits: dict[str, dict[str, int]]

    def _check_open(self) -> None:
        if self._closed:
            raise errors.ClosedError("This multiplexer is closed; make a new one.")

    @discreet
    def add_key(self, provider: str, name: str, key: str | Key, *, limit: int | None = None, **options: Any) -> str:
        """Add a named key of a provider; the first one makes the provider's backend. Returns the key's fingerprint.

        Args:
            provider: row name, as :func:`backends.create` takes it.
            name: by which calls and reports know the key.
            key: its text.
            limit: requests in flight on it at once; None for no limit of its own.
            **options: of the backend (``base_url``, ``model``, ``key_strategy``, ...), with its first key only.

        Raises:
            ConfigurationError: the name or the key is there already, or an argument is wrong; the message names it.
        """
        if not isinstance(name, str) or not name.strip():
            raise errors.ConfigurationError("A key needs a name.", provider=provider)
        text = key.reveal() if isinstance(key, Key) else key
        with self._lock:
            self._check_open()
            backend = self._backends.get(provider)
            if backend is None:
                named = Key(text, name)
                backend = create(provider, api_keys=[named], clock=self._clock, **{**self._settings, **options})
                if limit is not None:
                    backend.limit_key(name, limit)
                self._backends[provider] = backend
                fingerprint = named.fingerprint
            elif options:
                raise errors.ConfigurationError(
                    f"{provider} has its backend already; {', '.join(sorted(options))} can be given with its first key only.",
                    provider=provider,
                )
            else:
                fingerprint = backend.add_key(Key(text, name), limit=limit)
            limits = self._limits.setdefault(provider, {})
            if limit is not None:
                limits[name] = limit
            self._make_room(backend, limits)
        return fingerprint

    @discreet
    def rotate_key(self, provider: str, name: str, key: str | Key) -> str:
        """Put a new key under a name; calls in flight finish on the old one. Returns the new fingerprint.

        Raises:
            ConfigurationError: there is no such key, or the new one is malformed or there already.
        """
        text = key.reveal() if isinstance(key, Key) else key
        return self.client(provider).rotate_key(name, Key(text, name))

    def remove_key(self, provider: str, name: str) -> None:
        """Take a key out; calls in flight finish on it.

        Raises:
            ConfigurationError: there is no such key.
        """
        backend = self.client(provider)
        backend.remove_key(name)
        with self._lock:
            self._limits.get(provider, {}).pop(name, None)

    def add_backend(self, name: str, backend: Backend) -> None:
        """Add a backend that was made elsewhere (a local server without keys, a second address of a provider).

        It is closed with this object.

        Raises:
            ConfigurationError: the name is taken, or this is no backend.
        """
        if not isinstance(backend, Backend):
            raise errors.ConfigurationError(f"backend must be a Backend, not {type(backend).__name__}.")
        with self._lock:
            self._check_open()
            if name in self._backends:
                raise errors.ConfigurationError(f"A client named {name!r} exists already.")
            self._backends[name] = backend

    def client(self, provider: str) -> Backend:
        """Return the backend of a provider: each of its calls goes with the key that the strategy chooses.

        Raises:
            ConfigurationError: there is none.
        """
        found = self._backends.get(provider)
        if found is None:
            raise errors.ConfigurationError(
                f"There is no client {str(provider)[:100]!r}; add_key or add_backend makes one.",
                suggestions=nearest(str(provider), self._backends),
            )
        return found

    def key_client(self, provider: str, name: str) -> KeyClient:
        """Return a client all of whose calls go with one key.

        Raises:
            ConfigurationError: there is no such client or key.
        """
        backend = self.client(provider)
        names = [status.name for status in backend.endpoint().key_status() if status.state != "removed"]
        if name not in names:
            raise errors.ConfigurationError(
                f"{provider} has no key named {str(name)[:100]!r}.",
                provider=provider,
                suggestions=nearest(str(name), names),
            )
        return KeyClient(backend, name)

    def _make_room(self, backend: Backend, limits: Mapping[str, int]) -> None:
        if limits and "max_concurrent_requests" not in self._settings:
            backend.resize(max_concurrent_requests=max(backend.settings.max_concurrent_requests, sum(limits.values())))

    # -- closing -------------------------------------------------------------------------------------------------------

    def _begin_close(self) -> bool:
        with self._lock:
            self._closed = True
        return True  # clients that a close was cancelled before are closed by the next; each closes once

    async def _close_held(self) -> None:
        for backend in list(self._backends.values()):
            await backend.aclose()

    def _close_held_here(self) -> None:
        for backend in list(self._backends.values()):
            backend.close()
