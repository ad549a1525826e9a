"""Many keys of many providers behind one object: named keys with limits of their own, clients by name, chains that fail over.

Each provider has one backend here, and its key pool chooses among its keys; a chain (:mod:`backends.failover`) chooses
among backends. This module never retries: a backend does, and a chain only goes on to the next hop.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from backends import errors
from backends.base import Backend
from backends.discretion import discreet
from backends.failover import Chain, Hop, Order
from backends.journey import Journey
from backends.key_client import KeyClient
from backends.portal import Portal
from backends.registry import create
from backends.resilience.clock import Clock, SystemClock
from backends.secret import Key
from backends.settings import nearest
from backends.streams import AsyncStream, StreamState
from backends.twins import blocking, blocking_stream
from backends.types import ChatReply, Chunk, CompletionReply, Embeddings, Message, Texts

__all__ = ["ApiKeyMultiplexer"]


class ApiKeyMultiplexer:
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

    @property
    def portal(self) -> Portal:
        """The bridge that synchronous twins run on."""
        return self._portal

    # -- keys and clients ----------------------------------------------------------------------------------------------

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

    # -- chains --------------------------------------------------------------------------------------------------------

    def create_chain(
        self,
        name: str,
        hops: Iterable[Hop | str],
        *,
        order: Order | str = Order.IN_ORDER,
        patience: float = 0.0,
        also: Sequence[type[errors.BackendError]] = (),
    ) -> None:
        """Name a chain of hops, for the calls of this object.

        Args:
            name: a new name.
            hops: where a call may go; text stands for a client with its own model.
            order: ``in_order``, ``round_robin`` or ``least_loaded``.
            patience: the longest, in seconds, that a hop may wait for its own next attempt while another hop is left.
            also: errors after which to go on, besides those that another hop can mend
                (see :func:`backends.failover.goes_on`).

        Raises:
            ConfigurationError: the name is taken, or a hop names no client.
        """
        chain = Chain(
            [Hop(hop) if isinstance(hop, str) else hop for hop in hops], order=order, patience=patience, also=also
        )
        for hop in chain.hops:
            self.client(hop.client)
        with self._lock:
            if name in self._chains:
                raise errors.ConfigurationError(f"A chain named {name!r} exists already.")
            self._chains[name] = chain

    async def achat(self, messages: Sequence[Message] | str, /, *, chain: str, **parameters: Any) -> ChatReply:
        """Chat along a chain.

        Args:
            messages: as the backends of the chain take them.
            chain: its name.
            **parameters: what every hop is asked; ``priority``, ``deadline`` (for the whole chain) and ``request_id`` (one
                for all hops) included.

        Returns:
            the first answer; ``hops`` tells what was tried before it.

        Raises:
            BackendError: of the last hop; ``hops`` tells of all.
        """
        reply: ChatReply = await self._whole("achat", messages, chain, parameters)
        return reply

    async def acomplete(self, prompt: Texts, /, *, chain: str, **parameters: Any) -> CompletionReply:
        """Complete a prompt along a chain; see :meth:`achat`."""
        reply: CompletionReply = await self._whole("acomplete", prompt, chain, parameters)
        return reply

    async def aembed(self, texts: Texts, /, *, chain: str, **parameters: Any) -> Embeddings:
        """Embed texts along a chain; see :meth:`achat`. Vectors of different models cannot be compared."""
        reply: Embeddings = await self._whole("aembed", texts, chain, parameters)
        return reply

    def astream_chat(
        self, messages: Sequence[Message] | str, /, *, chain: str, **parameters: Any
    ) -> AsyncStream[ChatReply]:
        """Stream a chat along a chain: it goes on to the next hop until there is content, never after it."""
        request_id = parameters.get("request_id") or self._ids()
        state: StreamState[ChatReply] = StreamState(request_id)
        return AsyncStream(self._flow(messages, chain, {**parameters, "request_id": request_id}, state), state)

    chat = blocking(achat)
    complete = blocking(acomplete)
    embed = blocking(aembed)
    stream_chat = blocking_stream(astream_chat)

    async def _whole(self, call: str, asked: Any, chain: str, parameters: Mapping[str, Any]) -> Any:
        journey = self._journey(chain, {"request_id": self._ids(), **parameters})
        while True:
            method, options = journey.next(call)
            try:
                reply = await method(asked, **options)
            except errors.BackendError as error:
                journey.failed(error)
            else:
                return journey.answered(reply)

    async def _flow(
        self, messages: Any, chain: str, parameters: Mapping[str, Any], state: StreamState[ChatReply]
    ) -> AsyncGenerator[Chunk, None]:
        journey = self._journey(chain, parameters)
        while True:
            method, options = journey.next("astream_chat")
            stream: AsyncStream[ChatReply] = method(messages, **options)
            given = False
            try:
                async with stream:
                    async for chunk in stream:
                        given = True
                        yield chunk
                    state.reply = journey.answered(stream.reply)
                    return
            except errors.BackendError as error:
                journey.failed(error, last=given)

    def _journey(self, name: str, parameters: Mapping[str, Any]) -> Journey:
        self._check_open()
        found = self._chains.get(name)
        if found is None:
            raise errors.ConfigurationError(
                f"There is no chain {str(name)[:100]!r}; create_chain makes one.",
                suggestions=nearest(str(name), self._chains),
            )
        return Journey(found, self._lock, self._clock, self.client, self._load, parameters)

    def _load(self, hop: Hop) -> float:
        status = self.client(hop.client).queue_status(hop.endpoint)
        return float((status["active"] + status["waiting"]["total"]) / status["max_concurrent_requests"])

    # -- reports and closing -------------------------------------------------------------------------------------------

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

    async def aclose(self) -> None:
        """Close every client; idempotent."""
        for backend in self._begin_close():
            await backend.aclose()
        self._portal.close()

    def close(self) -> None:
        """Synchronous twin of :meth:`aclose`."""
        for backend in self._begin_close():
            backend.close()
        self._portal.close()

    def _begin_close(self) -> list[Backend]:
        with self._lock:
            self._closed = True
            return list(self._backends.values())

    def _check_open(self) -> None:
        if self._closed:
            raise errors.ClosedError("This multiplexer is closed; make a new one.")

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
        return f"ApiKeyMultiplexer(clients={list(self._backends)!r}, chains={list(self._chains)!r})"
