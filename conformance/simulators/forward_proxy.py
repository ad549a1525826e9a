"""An HTTP proxy that makes tunnels (``CONNECT``), for checks of clients that go through one.

It notes what it was asked and by whom; it looks into no tunnel and lives for one check.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

__all__ = ["ForwardProxy", "forward_proxy"]

_LARGEST_HEAD: Final = 16_384


@dataclass(slots=True)
class ForwardProxy:
    """A running proxy.

    Attributes:
        port: where it listens, on 127.0.0.1.
        demands: value of ``Proxy-Authorization`` that it demands; None takes everybody.
        asked: request lines, oldest first.
        shown: values of ``Proxy-Authorization`` that came with them, None without one.
    """

    port: int
    demands: str | None
    asked: list[str] = field(default_factory=list)
    shown: list[str | None] = field(default_factory=list)


@asynccontextmanager
async def forward_proxy(demands: str | None = None) -> AsyncIterator[ForwardProxy]:
    """Run a proxy until the end of the block."""
    proxy = ForwardProxy(0, demands)
    tunnels: set[asyncio.Task[None]] = set()

    def came(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(_serve(proxy, reader, writer))
        tunnels.add(task)
        task.add_done_callback(tunnels.discard)

    server = await asyncio.start_server(came, "127.0.0.1", 0, limit=_LARGEST_HEAD)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        for task in list(tunnels):
            task.cancel()
        await asyncio.gather(*tunnels, return_exceptions=True)


async def _serve(proxy: ForwardProxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        lines = (line.partition(":") for line in head[1:])
        fields = {name.lower(): value.strip() for name, _, value in lines}
        proxy.asked.append(head[0])
        proxy.shown.append(fields.get("proxy-authorization"))
        method, target, _ = head[0].split(" ", 2)
        if proxy.demands is not None and fields.get("proxy-authorization") != proxy.demands:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
        elif method != "CONNECT":
            writer.write(b"HTTP/1.1 405 Method Not Allowed\r\ncontent-length: 0\r\n\r\n")
        else:
            await _tunnel(target, reader, writer)
        await writer.drain()
    except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
        return  # a caller that went away, or spoke no HTTP
    finally:
        writer.close()


async def _tunnel(target: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    host, _, port = target.rpartition(":")
    there, back = await asyncio.open_connection(host, int(port))
    try:
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        ways = [asyncio.ensure_future(_pipe(reader, back)), asyncio.ensure_future(_pipe(there, writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
    finally:
        back.close()


async def _pipe(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(65_536):
        sink.write(data)
        await sink.drain()
