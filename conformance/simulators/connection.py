"""One client connection: reads requests strictly, writes bytes exactly as told, and knows when the client has left.

Requests are parsed by h11, which refuses what is not HTTP/1.x; answers bypass it so that they can be as wrong as a
fault wants. Only asyncio primitives are used: in a loop with virtual time everything here is virtual too.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable

import h11

from conformance.simulators.delivery import Abort, Body, Close, End, Hang, Head, Raw, Sleep, Steps, head_bytes

__all__ = ["BodyTooLargeError", "Connection", "Incoming"]

MAX_BODY = 64 << 20
"""Bytes of a request body that are read before the request is refused."""

_MAX_HEAD = 64 << 10
_HIGH_WATER = 1 << 18


class BodyTooLargeError(Exception):
    """The client sent more than :data:`MAX_BODY` bytes."""


class Incoming:
    """A request whose head has arrived; ``await body()`` reads the rest."""

    def __init__(self, connection: Connection, parser: h11.Connection, head: h11.Request) -> None:
        self._connection = connection
        self._parser = parser
        self.method = head.method.decode("ascii").upper()
        self.target = head.target.decode("latin-1")
        self.headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in head.headers)
        self.chunked_answer = head.http_version >= b"1.1"
        connection_header = next((value.lower() for name, value in self.headers if name == "connection"), "")
        self.keep_alive = self.chunked_answer and "close" not in connection_header

    async def body(self) -> bytes:
        """The whole body; a client waiting for ``100 Continue`` is told to go on.

        Raises:
            BodyTooLargeError: more than the server is willing to hold.
            h11.RemoteProtocolError: the body does not follow its framing.
        """
        if self._parser.they_are_waiting_for_100_continue:
            self._connection.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        pieces: list[bytes] = []
        size = 0
        while True:
            event = await self._connection.next_event(self._parser)
            if isinstance(event, h11.Data):
                pieces.append(bytes(event.data))
                size += len(event.data)
                if size > MAX_BODY:
                    raise BodyTooLargeError
            elif isinstance(event, h11.EndOfMessage):
                return b"".join(pieces)
            else:
                raise h11.RemoteProtocolError("the body ended early")


class Connection(asyncio.Protocol):
    """``serve`` is started once connected and cancelled when the client leaves."""

    def __init__(self, serve: Callable[[Connection], Awaitable[None]], known: set[Connection]) -> None:
        self._serve = serve
        self._known = known
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None
        self._arrived = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._received: list[bytes] = []
        self._left_over = b""
        self.sent = 0
        """Bytes of bodies handed to the transport, over the life of the connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start serving."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=_HIGH_WATER)
        raw = transport.get_extra_info("socket")
        if raw is not None and raw.family in (socket.AF_INET, socket.AF_INET6):
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._known.add(self)
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        try:
            await self._serve(self)
        finally:
            if self._transport is not None:
                self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Keep it for the parser; stop reading while much is waiting."""
        self._received.append(data)
        self._arrived.set()
        if self._transport is not None and sum(map(len, self._received)) > MAX_BODY:
            self._transport.pause_reading()

    def eof_received(self) -> None:
        """A client that closed its side is taken to have left."""
        self._leave()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop serving."""
        self._known.discard(self)
        self._writable.set()
        self._leave()

    def pause_writing(self) -> None:
        """The client is slower than we are."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """The client has caught up."""
        self._writable.set()

    def _leave(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def abort(self) -> None:
        """Drop the connection and whatever was to be written."""
        if self._transport is not None:
            self._transport.abort()

    async def finish(self) -> None:
        """Abort the connection and wait until nothing of it is left."""
        self.abort()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def reset(self) -> None:
        """Close with RST instead of FIN."""
        if self._transport is not None:
            raw = self._transport.get_extra_info("socket")
            if raw is not None:
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()

    def write(self, data: bytes) -> None:
        """Hand bytes to the transport."""
        if self._transport is not None and data:
            self._transport.write(data)

    async def next_event(self, parser: h11.Connection) -> object:
        """The parser's next event, reading as needed."""
        while True:
            event = parser.next_event()
            if event is not h11.NEED_DATA:
                return event
            if not self._received:
                self._arrived.clear()
                await self._arrived.wait()
            data, self._received = b"".join(self._received), []
            if self._transport is not None and not self._transport.is_closing():
                self._transport.resume_reading()
            parser.receive_data(data)

    async def next_request(self) -> Incoming:
        """The head of the next request; raises ``h11.RemoteProtocolError`` for what is not HTTP."""
        parser = h11.Connection(h11.SERVER, max_incomplete_event_size=_MAX_HEAD)
        if self._left_over:
            parser.receive_data(self._left_over)
            self._left_over = b""
        event = await self.next_event(parser)
        if not isinstance(event, h11.Request):
            raise h11.RemoteProtocolError("a request was expected")
        self._parser = parser
        return Incoming(self, parser, event)

    async def perform(self, steps: Steps, request: Incoming) -> bool:
        """Carry out a delivery; True when the connection can serve another request."""
        chunked = keep = request.chunked_answer
        for step in steps:
            match step:
                case Head():
                    chunked = step.length is None and request.chunked_answer
                    keep = request.keep_alive and (chunked or step.length is not None)
                    self.write(head_bytes(step, chunked=chunked, close=not keep))
                case Body(data):
                    if request.method != "HEAD" and data:
                        self.sent += len(data)
                        self.write(b"%x\r\n%b\r\n" % (len(data), data) if chunked else data)
                        # Let the pieces travel one by one, and let a client in the same loop take its turn.
                        await asyncio.sleep(0)
                        await self._writable.wait()
                case Raw(data):
                    self.write(data)
                case Sleep(seconds):
                    await asyncio.sleep(seconds)
                case End():
                    if chunked and request.method != "HEAD":
                        self.write(b"0\r\n\r\n")
                case Hang():
                    await asyncio.Event().wait()
                case Close():
                    return False
                case Abort():
                    # What was written must leave first: RST throws away what is still buffered here.
                    await self._flushed()
                    self.reset()
                    return False
        self._left_over = self._parser.trailing_data[0]
        return keep

    async def _flushed(self) -> None:
        if self._transport is not None:
            self._transport.set_write_buffer_limits(high=0)
            await self._writable.wait()
