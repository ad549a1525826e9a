"""Backends that do too much when built, leave something behind when closed, or live in one loop only."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Any, Final

from conformance.saboteurs import EVERY_ROW, saboteur


@saboteur("LIFE-01", "starts a thread when it is built", maker=True)
def eager_thread(make: Any) -> Any:
    """Starts a thread when it is built."""

    def spoilt(site: Any, **settings: Any) -> Any:
        thread = threading.Thread(target=lambda: None, name="eager")
        thread.start()
        thread.join()
        return make(site, **settings)

    return spoilt


@saboteur("LIFE-01", "opens a socket when it is built", maker=True)
def eager_socket(make: Any) -> Any:
    """Opens a socket when it is built."""

    def spoilt(site: Any, **settings: Any) -> Any:
        socket.socket().close()
        return make(site, **settings)

    return spoilt


@saboteur("LIFE-01", "reads the environment when it is built", maker=True)
def eager_environment(make: Any) -> Any:
    """Reads the environment when it is built."""

    def spoilt(site: Any, **settings: Any) -> Any:
        settings.get("environ", {}).get("SOME_API_KEY")
        return make(site, **settings)

    return spoilt


@saboteur("LIFE-02", "leaves its connections open")
def keeps_connections(backend: Any) -> None:
    """Leaves its connections open."""

    async def nothing() -> None:
        return

    backend._close_wire = nothing


_KEPT: Final[list[Any]] = []
"""What a backend that is never collected would hold: the library stops the thread of one that is."""


@saboteur("LIFE-02", "leaves its thread running")
def keeps_thread(backend: Any) -> None:
    """Leaves its thread running."""
    backend._portal.close = lambda: None
    _KEPT.append(backend._portal)


@saboteur("LIFE-02", "lets those who wait at close wait for ever")
def forgets_waiters(backend: Any) -> None:
    """Lets those who wait at close wait for ever."""
    backend.endpoint().close = lambda: None


@saboteur("LIFE-02", "can be used after close")
def never_closes(backend: Any) -> None:
    """Can be used after close."""
    backend._begin_close = lambda: None


@saboteur("LIFE-03", "belongs to the first event loop that used it", subjects=EVERY_ROW)
def one_loop_only(backend: Any) -> None:
    """Belongs to the first event loop that used it."""
    run, first = backend._run, []

    async def spoilt(*arguments: Any) -> Any:
        loop = asyncio.get_running_loop()
        first.append(loop)
        if first[0] is not loop:
            raise RuntimeError("got Future attached to a different loop")
        return await run(*arguments)

    backend._run = spoilt


@saboteur("LIFE-03", "keeps the parent's slots after a fork")
def keeps_parents_slots(backend: Any) -> None:
    """Keeps the parent's slots after a fork."""
    backend._after_fork = lambda: None


@saboteur("LIFE-04", "its synchronous twin takes other parameters")
def other_parameters(backend: Any) -> None:
    """Its synchronous twin takes other parameters."""

    def chat(self: Any, messages: Any) -> Any:
        return self.portal.run(self.achat(messages))

    backend.__class__ = type("OtherParameters", (type(backend),), {"chat": chat})


@saboteur("LIFE-04", "its synchronous twin raises an error of its own")
def other_errors(backend: Any) -> None:
    """Its synchronous twin raises an error of its own."""
    chat = backend.chat

    def spoilt(*arguments: Any, **options: Any) -> Any:
        try:
            return chat(*arguments, **options)
        except Exception as error:
            raise RuntimeError(str(error)) from error

    backend.chat = spoilt


@saboteur("LIFE-04", "its synchronous twin returns only the text")
def other_results(backend: Any) -> None:
    """Its synchronous twin returns only the text."""
    chat = backend.chat
    backend.chat = lambda *arguments, **options: chat(*arguments, **options).text


@saboteur("LIFE-04", "its synchronous stream loses a chunk")
def shorter_stream(backend: Any) -> None:
    """Its synchronous stream loses a chunk."""
    stream_chat = backend.stream_chat

    def spoilt(*arguments: Any, **options: Any) -> Any:
        stream = stream_chat(*arguments, **options)
        next(stream)
        return stream

    backend.stream_chat = spoilt
