"""The port that connections come to: open, closed, or deaf. What is said on a connection is not its affair."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

__all__ = ["Door"]

_FULL = 3
"""Connections that fill the queue of a listener that takes none."""


class Door:
    """Closed at first.

    Args:
        host: address to listen on.
        port: 0 takes a free one when it opens, and keeps it.
    """

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self._server: asyncio.Server | None = None
        self._deaf: list[socket.socket] = []

    async def open(self, protocol: Callable[[], asyncio.BaseProtocol]) -> None:
        """Take connections, each with a protocol of its own; again after :meth:`close` on the same port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(protocol, self.host, self.port, reuse_address=True)
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Refuse new connections; those that exist go on."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for ears in self._deaf:
            ears.close()
        self._deaf.clear()

    def deafen(self) -> None:
        """Listen without taking connections: whoever makes a new one waits, and is neither let in nor refused."""
        self.close()
        self._deaf.append(socket.create_server((self.host, self.port), backlog=0, reuse_port=False))
        for _ in range(_FULL):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex((self.host, self.port))
            self._deaf.append(filler)
