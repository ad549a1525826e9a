"""An httpx transport over aiohttp: one pool per event loop, failures told apart.

Refused, reset before sending, reset after sending and each timeout come out as different httpx exceptions that carry a
:class:`~backends.wire.values.Failure`. Nothing is repeated, followed, decompressed or remembered here.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncGenerator, AsyncIterator
from functools import lru_cache
from typing import Any, Final

import aiohttp
import httpx
import yarl
from multidict import CIMultiDict

from backends.wire.values import Failure

__all__ = ["AiohttpTransport"]

_LARGE: Final = 512 * 1024
_NO_TIMEOUT: Final[dict[str, float | None]] = {}


class AiohttpTransport(httpx.AsyncBaseTransport):
    """Send httpx requests through aiohttp.

    Args:
        verify: True for the system's CA bundle, False for none, a path or a context.
        keepalive: seconds an idle connection is kept.
    """

    def __init__(self, *, verify: bool | str | ssl.SSLContext = True, keepalive: float = 30.0) -> None:
        self._verify = verify
        self._keepalive = keepalive
        self._pools: dict[asyncio.AbstractEventLoop, _Pool] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request and return when the answer's headers are there.

        Raises:
            httpx.TransportError: with a ``failure`` attribute.
        """
        loop = asyncio.get_running_loop()
        pool = self._pools.get(loop)
        if pool is None or pool.session.closed:
            pool = await self._new_pool(loop)
        timeout = request.extensions.get("timeout", _NO_TIMEOUT)
        try:
            answer = await pool.session.request(
                request.method,
                _address(str(request.url)),
                headers=CIMultiDict(
                    [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]
                ),
                data=await _body(request),
                allow_redirects=False,
                timeout=_timeout(timeout.get("connect"), timeout.get("read")),
            )
        except (aiohttp.ClientError, OSError, ValueError) as problem:
            raise _translated(problem, request) from None
        idle = timeout.get("idle", timeout.get("read"))
        if idle != timeout.get("read"):
            _watch(answer, idle)
        return httpx.Response(
            answer.status,
            headers=answer.raw_headers,
            stream=_Body(answer, request),
            request=request,
        )

    async def _new_pool(self, loop: asyncio.AbstractEventLoop) -> _Pool:
        for other in [known for known in self._pools if known.is_closed()]:
            del self._pools[other]
        pool = _Pool(self._verify, self._keepalive)
        self._pools[loop] = pool
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
        for pool in self._pools.values():
            pool.disown()
        self._pools = {}


class _Pool:
    """The connections of one event loop, closed with it at the latest."""

    def __init__(self, verify: bool | str | ssl.SSLContext, keepalive: float) -> None:
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0,
                ssl=_context(verify),
                keepalive_timeout=keepalive,
                enable_cleanup_closed=False,
                use_dns_cache=True,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            max_line_size=65_536,
            max_field_size=65_536,
        )
        # aiohttp repeats idempotent requests on a stale connection by itself; there is one owner of retries, and it is not here.
        self.session._retry_connection = False  # noqa: SLF001 - there is no public switch for it
        self._guard = self._close_with_loop()

    async def guard(self) -> None:
        """Register with the loop: ``shutdown_asyncgens`` closes what a caller forgot."""
        await anext(self._guard)

    async def _close_with_loop(self) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            await self.session.close()

    async def close(self) -> None:
        """Close every connection."""
        await self._guard.aclose()
        await self.session.close()

    def disown(self) -> None:
        """Let go of the session so that its end neither warns nor closes anything."""
        self.session.detach()


class _Body(httpx.AsyncByteStream):
    """The answer's body as it arrives, still compressed."""

    def __init__(self, answer: aiohttp.ClientResponse, request: httpx.Request) -> None:
        self._answer = answer
        self._request = request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        content = self._answer.content
        try:
            while True:
                data = await content.readany()
                if not data:
                    return
                yield data
        except (aiohttp.ClientError, OSError, ValueError) as problem:
            raise _translated(problem, self._request, body=True) from None

    async def read_all(self) -> bytes:
        """Return the body in one piece when it has arrived whole; saves a generator on the common path."""
        try:
            return await self._answer.content.read()
        except (aiohttp.ClientError, OSError, ValueError) as problem:
            raise _translated(problem, self._request, body=True) from None

    async def aclose(self) -> None:
        """Give the connection back when the body was read whole, close it otherwise."""
        answer = self._answer
        if answer.content.at_eof() and answer.content.exception() is None:
            answer.release()
        else:
            answer.close()


@lru_cache(maxsize=1024)
def _address(url: str) -> yarl.URL:
    return yarl.URL(url, encoded=True)


@lru_cache(maxsize=256)
def _timeout(connect: float | None, read: float | None) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=None, connect=None, sock_connect=connect, sock_read=read)


@lru_cache(maxsize=16)
def _context(verify: bool | str | ssl.SSLContext) -> ssl.SSLContext | bool:
    if isinstance(verify, ssl.SSLContext):
        return verify
    if isinstance(verify, str):
        return (
            ssl.create_default_context(capath=verify)
            if os.path.isdir(verify)
            else ssl.create_default_context(cafile=verify)
        )
    return verify


def _watch(answer: aiohttp.ClientResponse, idle: float | None) -> None:
    """From here on, silence is measured by another limit than the wait for the headers was."""
    connection = answer.connection
    protocol = connection.protocol if connection is not None else None
    if protocol is not None and not answer.content.is_eof():
        protocol.read_timeout = idle
        protocol.start_timeout()


async def _body(request: httpx.Request) -> Any:
    stream = request.stream
    if isinstance(stream, httpx.ByteStream):
        data = b"".join(stream)
        return (data if len(data) <= _LARGE else _slices(data)) if data else None
    return stream


async def _slices(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), _LARGE):
        yield data[start : start + _LARGE]


def _translated(problem: Exception, request: httpx.Request, *, body: bool = False) -> httpx.TransportError:
    kind, failure = _kind(problem, body)
    error = kind(_brief(problem), request=request)
    error.failure = failure  # type: ignore[attr-defined]  # read by the client of this module
    return error


def _kind(problem: Exception, body: bool) -> tuple[type[httpx.TransportError], Failure]:
    if isinstance(problem, (aiohttp.ClientConnectorSSLError, aiohttp.ClientConnectorCertificateError)):
        return httpx.ConnectError, Failure.TLS
    if isinstance(problem, aiohttp.ConnectionTimeoutError):
        return httpx.ConnectTimeout, Failure.CONNECT_TIMEOUT
    if isinstance(problem, aiohttp.ClientConnectorError):
        return httpx.ConnectError, Failure.CONNECT
    if isinstance(problem, (aiohttp.SocketTimeoutError, TimeoutError)):
        return httpx.ReadTimeout, Failure.IDLE_TIMEOUT if body else Failure.READ_TIMEOUT
    if isinstance(problem, (aiohttp.ClientPayloadError, aiohttp.http_exceptions.TransferEncodingError)):
        return httpx.ReadError, Failure.CUT_SHORT
    if isinstance(problem, aiohttp.ServerDisconnectedError):
        return httpx.ReadError, Failure.CUT_SHORT if body else Failure.RESET_AFTER_SENT
    if isinstance(problem, aiohttp.ClientConnectionResetError):
        return httpx.WriteError, Failure.RESET_BEFORE_SENT
    if isinstance(problem, OSError):
        return httpx.ReadError, Failure.CUT_SHORT if body else Failure.RESET_AFTER_SENT
    return httpx.RemoteProtocolError, Failure.PROTOCOL


def _brief(problem: Exception) -> str:
    if isinstance(problem, aiohttp.ClientConnectorError):
        return f"{problem.host}:{problem.port}: {problem.os_error.strerror or type(problem.os_error).__name__}"
    if isinstance(problem, OSError) and problem.strerror:
        return problem.strerror
    return type(problem).__name__
