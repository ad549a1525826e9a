"""Calls that go along a chain: each hop is asked in turn, until one answers or none is left.

Which hop is next and when to go on is the chain's (:mod:`backends.failover`), what a call meets on its way its journey's
(:mod:`backends.journey`). Nothing waits or is retried here: each hop's backend does that.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from typing import Any

from backends import errors
from backends.clients import Clients
from backends.failover import Chain, Hop, Order
from backends.journey import Journey
from backends.settings import nearest
from backends.streams import AsyncStream, StreamState
from backends.twins import blocking, blocking_stream
from backends.types import ChatReply, Chunk, CompletionReply, Embeddings, Message, Texts

__all__ = ["ChainedCalls"]


class ChainedCalls(Clients):
    """Adds chains, and calls along them, to clients."""

    _ids: Callable[[], str]
    _chains: dict[str, Chain]

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
