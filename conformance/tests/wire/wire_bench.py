"""What the tests of the wire share: servers that misbehave on purpose, byte by byte, and requests to them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from backends.wire.client import Client
from backends.wire.multipart import Multipart
from backends.wire.values import Failure, Limits, Timeouts, WireError, WireRequest

Behave = Callable[["Peer"], Awaitable[None]]


def plain(value: object) -> str:
    """An identifier for a parameter, without backslashes: pytest escapes those once more each time it collects."""
    return ascii(value).replace("\\", "/")


class Peer:
    """One connection as the server sees it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        self.reader = reader
        self.writer = writer
        self.number = number

    async def request(self) -> tuple[str, dict[str, str], bytes]:
        """Read one request with a Content-Length: its first line, its headers, its body."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")[:-2]
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        return first, headers, body

    async def say(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, body: bytes = b"{}", status: str = "200 OK", *headers: str) -> None:
        """Send a whole answer."""
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
        await self.say("\r\n".join(lines).encode("latin-1") + body)

    def reset(self) -> None:
        """Break the connection off with a RST."""
        self.writer.transport.abort()

    async def gone(self) -> None:
        """Wait until the client has closed its side."""
        while await self.reader.read(65_536):
            pass


class Server:
    """Counts connections; each behaves as told until it is over."""

    def __init__(self, behave: Behave) -> None:
        self._behave = behave
        self.peers = 0
        self.port = 0
        self.closed_by_client = asyncio.Event()
        self.problems: list[BaseException] = []

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.peers += 1
        try:
            await self._behave(Peer(reader, writer, self.peers))
        except (asyncio.IncompleteReadError, ConnectionError):
            self.closed_by_client.set()
        except Exception as problem:
            self.problems.append(problem)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    @property
    def url(self) -> str:
        """The server's address."""
        return f"http://127.0.0.1:{self.port}"


@contextlib.asynccontextmanager
async def serving(behave: Behave) -> AsyncIterator[Server]:
    """Run a server that behaves like this on every connection."""
    server = Server(behave)
    tasks: set[asyncio.Task[Any]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(server._serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    listening = await asyncio.start_server(accept, "127.0.0.1", 0, limit=1 << 20)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert server.problems == []


def asking(
    url: str,
    body: bytes | Multipart | None = b"{}",
    *,
    method: str = "POST",
    headers: tuple[tuple[str, str], ...] = (("authorization", "Bearer sk-planted-7Hq2"),),
    **timeouts: float | None,
) -> WireRequest:
    """A request with short patience where it is told."""
    return WireRequest(method, url, headers, body, Timeouts(**{"read": 5.0, "idle": 5.0, **timeouts}))


@contextlib.asynccontextmanager
async def client(transport: Any = None, **limits: int) -> AsyncIterator[Client]:
    """A client that is closed at the end."""
    made = Client(transport, limits=Limits(**limits))
    try:
        yield made
    finally:
        await made.aclose()


async def read(made: Client, request: WireRequest) -> bytes:
    """Ask and read the whole answer."""
    response = await made.open(request)
    try:
        return await response.read()
    finally:
        await response.aclose()


async def error(made: Client, request: WireRequest) -> WireError:
    """Ask, expect to fail, and return the error, which shows no key."""
    with pytest.raises(WireError) as caught:
        await read(made, request)
    assert "sk-planted" not in f"{caught.value} {caught.value.message} {vars(caught.value)}"
    return caught.value


async def failure(made: Client, request: WireRequest) -> tuple[Failure, bool]:
    """Ask, expect to fail, and return how, and whether the server may have begun to work."""
    found = await error(made, request)
    return found.failure, found.sent
