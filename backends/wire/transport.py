"""An httpx transport over aiohttp: one pool per event loop, spoken to with httpx's objects or without.

Each failure comes out as an httpx exception that carries its :class:`~backends.wire.values.Failure`. Nothing is repeated,
followed, decompressed or remembered here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any, Final

import aiohttp
import httpx
from multidict import CIMultiDict

from backends.wire.arrived import Arrived, Body, joined
from backends.wire.broken import broken
from backends.wire.pool import Pool, new_pool
from backends.wire.route import Route
from backends.wire.sending import SMALL, sent, sent_in_time, slices, watch
from backends.wire.values import Failure, Timeouts, WireError

__all__ = ["AiohttpTransport"]

_NO_TIMEOUT: Final[dict[str, float | None]] = {}


class AiohttpTransport(httpx.AsyncBaseTransport):
    """Send httpx requests through aiohttp.

    Args:
        route: how connections are made; None is directly, with the system's certificates.
        keepalive: seconds an idle connection is kept.
    """

    def __init__(self, *, route: Route | None = None, keepalive: float = 30.0) -> None:
        self._route = route or Route()
        self._keepalive = keepalive
        self._pools: dict[asyncio.AbstractEventLoop, Pool] = {}

    async def exchange(
        self, method: str, address: str, headers: Iterable[tuple[str, str]], data: Any, timeouts: Timeouts
    ) -> Arrived:
        """Send one request and return when the answer's headers are there. What our own client uses: no httpx objects.

        Args:
            address: the whole URL, escaped.
            data: bytes, an asynchronous iterable of bytes, or None.

        Raises:
            WireError: the network failed.
        """
        loop = asyncio.get_running_loop()
        pool = self._pools.get(loop)
        if pool is None or pool.session.closed:
            pool = await self._new_pool(loop)
        fields = CIMultiDict(headers)
        if type(data) is bytes and len(data) > SMALL:
            fields.setdefault("Content-Length", str(len(data)))  # slices have no length of their own
            data = slices(data)
        try:
            if data is None or type(data) is bytes or timeouts.write is None:
                answer = await sent(pool, method, address, fields, data, timeouts)
            else:
                answer = await sent_in_time(pool, method, address, fields, data, timeouts)
        except (aiohttp.ClientError, OSError, ValueError) as problem:
            raise broken(problem, body=False) from None
        if timeouts.idle != timeouts.read:
            watch(answer, timeouts.idle)
        return Arrived(answer.status, joined(answer.raw_headers), Body(answer))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Do the same as an httpx transport.

        Raises:
            httpx.TransportError: with a ``failure`` attribute.
        """
        timeout = request.extensions.get("timeout", _NO_TIMEOUT)
        timeouts = Timeouts(
            timeout.get("connect"), timeout.get("write"), timeout.get("read"), timeout.get("idle", timeout.get("read"))
        )
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]
        stream = request.stream
        data: Any = stream
        if isinstance(stream, httpx.ByteStream):
            data = b"".join(stream) or None
        try:
            arrived = await self.exchange(request.method, str(request.url), _unframed(headers), data, timeouts)
        except WireError as problem:
            raise _as_httpx(problem, request) from None
        return httpx.Response(
            arrived.status, headers=arrived.headers, stream=_HttpxBody(arrived.stream, request), request=request
        )

    async def _new_pool(self, loop: asyncio.AbstractEventLoop) -> Pool:
        for other in list(self._pools):  # a copy: other threads add theirs meanwhile
            if other.is_closed():
                self._pools.pop(other, None)
        pool = self._pools[loop] = new_pool(self._route, self._keepalive)
        await pool.guard()
        return pool

    async def aclose(self) -> None:
        """Close the pools of every loop; those of other running loops are told to close themselves."""
        here = asyncio.get_running_loop()
        pools, self._pools = self._pools, {}
        for loop, pool in pools.items():
            if loop is here:
                await pool.close()
            elif not loop.is_closed():
                try:
                    asyncio.run_coroutine_threadsafe(pool.close(), loop)
                except RuntimeError:  # closed between the question and the call: its guard has closed the pool
                    continue

    def abandon(self) -> None:
        """Forget every pool without touching its sockets (they belong to the parent process after a fork)."""
        pools, self._pools = self._pools, {}
        for pool in pools.values():
            pool.disown()


class _HttpxBody(httpx.AsyncByteStream):
    """The same body with httpx's errors."""

    def __init__(self, body: Body, request: httpx.Request) -> None:
        self._body = body
        self._request = request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for data in self._body:
                yield data
        except WireError as problem:
            raise _as_httpx(problem, self._request) from None

    async def aclose(self) -> None:
        await self._body.aclose()


def _unframed(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Leave out how the body is sent: aiohttp says so itself, and refuses a body in pieces that already says it is one."""
    return [(name, value) for name, value in headers if name.lower() != "transfer-encoding"]


_HTTPX: Final[dict[Failure, type[httpx.TransportError]]] = {
    Failure.CONNECT: httpx.ConnectError,
    Failure.TLS: httpx.ConnectError,
    Failure.PROXY: httpx.ProxyError,
    Failure.CONNECT_TIMEOUT: httpx.ConnectTimeout,
    Failure.WRITE_TIMEOUT: httpx.WriteTimeout,
    Failure.READ_TIMEOUT: httpx.ReadTimeout,
    Failure.IDLE_TIMEOUT: httpx.ReadTimeout,
    Failure.CUT_SHORT: httpx.ReadError,
    Failure.RESET_AFTER_SENT: httpx.ReadError,
    Failure.RESET_BEFORE_SENT: httpx.WriteError,
}


def _as_httpx(problem: WireError, request: httpx.Request) -> httpx.TransportError:
    error = _HTTPX.get(problem.failure, httpx.RemoteProtocolError)(problem.message, request=request)
    error.failure = problem.failure  # type: ignore[attr-defined]  # read by whoever knows this transport
    return error
