"""Saboteurs of chapter STR, second part: streams that choke on noise, mix up tool calls, wait for ever and hoard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from typing import Any

from backends.resilience.endpoint import Endpoint
from backends.types import Chunk
from backends.wire.values import FormatError
from conformance.saboteurs import saboteur
from conformance.saboteurs.common import patched_endpoint
from conformance.saboteurs.str_reading import Reading, reading, taking


@saboteur("STR-06", "chokes on comments")
def chokes_on_comments(backend: Any) -> None:
    """Every line is data."""

    class Strict(Reading):
        def feed(self, data: bytes) -> Iterable[Chunk]:
            if b"\n:" in data or data.startswith(b":"):
                raise FormatError("a line is not data")
            return super().feed(data)

    reading(backend, Strict)


@saboteur("STR-06", "chokes on events it does not know")
def chokes_on_unknown_events(backend: Any) -> None:
    """KeyError: choices."""

    def strict(payload: Any) -> Any:
        payload["choices"]
        return payload

    taking(backend, strict)


@saboteur("STR-06", "chokes on blank choices")
def chokes_on_blank_choices(backend: Any) -> None:
    """IndexError: choices[0]."""

    def strict(payload: Any) -> Any:
        if payload.get("choices") == [] and not payload.get("usage"):
            raise FormatError("an event has no choice")
        return payload

    taking(backend, strict)


def _tool_pieces(payload: Any) -> Iterable[tuple[dict[str, Any], list[Any]]]:
    for choice in payload.get("choices") or ():
        pieces = choice["delta"].get("tool_calls")
        if pieces:
            yield choice["delta"], pieces


@saboteur("STR-07", "puts the pieces of all tool calls into one")
def ignores_the_index(backend: Any) -> None:
    """Two calls become one with arguments that are not JSON."""

    def mixed(payload: Any) -> Any:
        for _, pieces in _tool_pieces(payload):
            for piece in pieces:
                piece["index"] = 0
        return payload

    taking(backend, mixed)


@saboteur("STR-07", "keeps only the pieces that name their call")
def drops_nameless_pieces(backend: Any) -> None:
    """The arguments never arrive."""

    def named(payload: Any) -> Any:
        for delta, pieces in _tool_pieces(payload):
            delta["tool_calls"] = [piece for piece in pieces if piece.get("id")]
        return payload

    taking(backend, named)


@saboteur("STR-07", "leaves the tool calls off the reply")
def reply_without_calls(backend: Any) -> None:
    """They were only ever in chunks."""

    class Careless(Reading):
        def reply(self, answer: Any) -> Any:
            return replace(super().reply(answer), tool_calls=())

    reading(backend, Careless)


def _with_settings(backend: Any, **values: Any) -> None:
    def change(endpoint: Endpoint) -> None:
        endpoint.settings = replace(endpoint.settings, **values)

    patched_endpoint(backend, change)


@saboteur("STR-08", "waits for the first content as long as for anything")
def no_first_token_limit(backend: Any) -> None:
    """The setting is accepted and inert."""
    _with_settings(backend, first_token_timeout=None)


@saboteur("STR-08", "waits for the next chunk as long as for anything")
def no_idle_limit(backend: Any) -> None:
    """A stalled stream holds its slot for ten minutes."""
    _with_settings(backend, idle_timeout=None)


@saboteur("STR-08", "limits the whole stream where the pause was meant")
def idle_limit_in_all(backend: Any) -> None:
    """Long answers are cut off although they flow."""
    flow = backend._flow

    async def spoilt(call: Any, work: Any, state: Any) -> Any:
        call.deadline_at = backend._clock.monotonic() + work.endpoint.settings.idle_timeout + 3.0
        async for chunk in flow(call, work, state):
            yield chunk

    backend._flow = spoilt


@saboteur("STR-09", "reads ahead as fast as the server sends")
def reads_ahead(backend: Any) -> None:
    """A task fills a queue that nobody bounds."""
    open_stream = backend._open

    async def spoilt(*arguments: Any) -> Any:
        opened = await open_stream(*arguments)
        opened.chunks = _pumped(opened.chunks)
        return opened

    backend._open = spoilt


def _pumped(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    queue: asyncio.Queue[bytes | Exception | None] = asyncio.Queue()

    async def pump() -> None:
        try:
            async for data in chunks:
                queue.put_nowait(data)
            queue.put_nowait(None)
        except Exception as problem:  # handed to whoever reads
            queue.put_nowait(problem)

    task = asyncio.ensure_future(pump())

    async def read() -> AsyncIterator[bytes]:
        try:
            while (data := await queue.get()) is not None:
                if isinstance(data, Exception):
                    raise data
                yield data
        finally:
            task.cancel()

    return read()
