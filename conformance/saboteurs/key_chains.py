"""Saboteurs of chapter KEY: backends that make named keys and chains over several of them go wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from backends import errors
from backends.streams import AsyncStream, StreamState
from conformance.saboteurs import saboteur


def _changed_options(backend: Any, **changes: Any) -> None:
    make = backend._call

    def spoilt(name: Any, model: Any, attempt: Any, options: Any, endpoint: Any) -> Any:
        return make(name, model, attempt, {**options, **changes}, endpoint)

    backend._call = spoilt


@saboteur("KEY-15", "takes any key, whichever was named")
def any_key_will_do(backend: Any) -> None:
    """They are all the same account."""
    _changed_options(backend, use_key=None)


@saboteur("KEY-15", "goes without a key when the last one is gone")
def goes_keyless(backend: Any) -> None:
    """The server will say something."""
    remove = backend.remove_key

    def spoilt(which: str, **options: Any) -> None:
        remove(which, **options)
        backend.endpoint().has_keys = len(backend.endpoint().pool) > 0

    backend.remove_key = spoilt


@saboteur("KEY-16", "waits however impatient the call is")
def waits_anyway(backend: Any) -> None:
    """Sixteen seconds are nothing."""
    make = backend._call

    def spoilt(*arguments: Any) -> Any:
        call = make(*arguments)
        call.patience = None
        return call

    backend._call = spoilt


@saboteur("KEY-17", "gives every hop an id of its own")
def a_fresh_id_at_each_hop(backend: Any) -> None:
    """Who should find that again."""
    _changed_options(backend, request_id=None)


@saboteur("KEY-17", "calls a bad request an outage")
def blames_the_provider(backend: Any) -> None:
    """And so it is sent to everybody in turn."""
    read = backend.read_error

    def spoilt(status: int, *facts: Any) -> Any:
        error = read(status, *facts)
        return errors.ServerError(error.message, status=status) if status == 400 else error

    backend.read_error = spoilt


@saboteur("KEY-18", "gives the chunks out when the stream has ended")
def holds_chunks_back(backend: Any) -> None:
    """What came before it broke is lost, so it is begun again elsewhere, and paid for twice."""
    stream_chat = backend.astream_chat

    def spoilt(*arguments: Any, **options: Any) -> Any:
        inner = stream_chat(*arguments, **options)
        state: StreamState[Any] = StreamState(inner.request_id)

        async def late() -> AsyncIterator[Any]:
            try:
                chunks = [chunk async for chunk in inner]
            except errors.StreamInterruptedError as error:
                raise errors.TransportError(error.message) from None
            for chunk in chunks:
                yield chunk
            state.reply = inner.reply

        return AsyncStream(late(), state)  # type: ignore[arg-type]  # the generator of a saboteur need not be closed early

    backend.astream_chat = spoilt
