"""The bridge from the LLVM backend's seam to its simulated workers: a frame is posted, a body is a frame.

What the network does to the exchange becomes the same failure that a pipe has: lost, cut short, silent, too large.
"""

from __future__ import annotations

from backends.llvm import Request, Returned
from backends.wire.client import Client
from backends.wire.values import Limits, Timeouts, WireRequest

__all__ = ["Bridge"]


class Bridge:
    """A :class:`~backends.llvm.Transport` over HTTP."""

    def __init__(self) -> None:
        self._clients: dict[int, Client] = {}

    async def exchange(self, request: Request) -> Returned:
        """Post a frame to ``<address>/<operation>``."""
        timeouts = Timeouts(read=request.seconds, idle=request.seconds)
        kind = (("content-type", "application/octet-stream"),)
        wanted = WireRequest("POST", f"{request.address}/{request.operation}", kind, request.frame, timeouts)
        response = await self._client(request.largest).open(wanted)
        try:
            return Returned(await response.read(), response.status, response.headers)
        finally:
            await response.aclose()

    def _client(self, largest: int) -> Client:
        return self._clients.setdefault(largest, Client(limits=Limits(max_body_bytes=largest)))

    async def aclose(self) -> None:
        """Close every connection."""
        for client in self._clients.values():
            await client.aclose()

    def abandon(self) -> None:
        """Forget every connection, after a fork."""
        for client in self._clients.values():
            client.abandon()
