"""An httpx transport over aiohttp: one pool per event loop, failures told apart.

Refused, reset before sending, reset after sending and each timeout come out as different httpx exceptions that carry a
:class:`~backends.wire.values.Failure`. Nothing is repeated, followed, decompressed or remembered here.
"""

from __future__ import annotations

import asyncio
import contextlib
from base64 import b64encode
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from functools import lru_cache
from typing import Any, Final

import aiohttp
import httpx
import yarl
from multidict import CIMultiDict

from backends.wire.route import Proxy, Route
from backends.wire.values import Failure, Timeouts, WireError

__all__ = ["AiohttpTransport", "Arrived", "Body", "joined"]

_LARGE: Final = 512 * 1024
_SMALL: Final = 64 * 1024
"""What the event loop buffers without waiting for the peer."""
_NO_TIMEOUT: Final[dict[str, float | None]] = {}
_FORSAKEN: Final[list[object]] = []
"""What belongs to a parent process; kept so that its collection closes nothing."""


class AiohttpTransport(httpx.AsyncBaseTransport):
    """Send httpx requests through aiohttp.

    Args:
        route: how connections are made; None is directly, with the system's certificates.
        keepalive: seconds an idle connection is kept.
    """

    def __init__(self, *, route: Route | None = None, keepalive: float = 30.0) -> None:
        self._route = route or Route()
        self._keepalive = keepalive
        self._pools: dict[asyncio.AbstractEventLoop, _Pool] = {}

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
        if type(data) is bytes and len(data) > _SMALL:
            fields.setdefault("Content-Length", str(len(data)))  # slices have no length of their own
            data = _slices(data)
        try:
            if data is None or type(data) is bytes or timeouts.write is None:
                answer = await _sent(pool, method, address, fields, data, timeouts)
            else:
                answer = await _sent_in_time(pool, method, address, fields, data, timeouts)
        except (aiohttp.ClientError, OSError, ValueError) as problem:
            raise _failed(problem, body=False) from None
        if timeouts.idle != timeouts.read:
            _watch(answer, timeouts.idle)
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
            arrived = await self.exchange(request.method, str(request.url), headers, data, timeouts)
        except WireError as problem:
            raise _as_httpx(problem, request) from None
        return httpx.Response(
            arrived.status, headers=arrived.headers, stream=_HttpxBody(arrived.stream, request), request=request
        )

    async def _new_pool(self, loop: asyncio.AbstractEventLoop) -> _Pool:
        for other in list(self._pools):  # a copy: other threads add theirs meanwhile
            if other.is_closed():
                self._pools.pop(other, None)
        try:
            pool = _Pool(self._route, self._keepalive)
        except OSError as problem:  # a certificate that is not there, or is none
            raise WireError(Failure.TLS, _certificate_problem(problem, self._route), sent=False) from None
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
        pools, self._pools = self._pools, {}
        for pool in pools.values():
            pool.disown()


class _Connector(aiohttp.TCPConnector):
    """Hands out a kept connection only while nothing has come on it.

    aiohttp looks whether it is still open. What a server said meanwhile, although nobody had asked, would be taken for the
    answer to the next request: another caller's answer, or an attacker's.
    """

    async def _get(self, *arguments: Any) -> Any:  # its own choice among kept connections; there is no public one
        while True:
            kept = await super()._get(*arguments)
            if kept is None or kept.protocol is None or not kept.protocol.should_close:
                return kept
            kept.close()


class _Pool:
    """The connections of one event loop, closed with it at the latest."""

    def __init__(self, route: Route, keepalive: float) -> None:
        proxy = route.proxy
        self.proxy_headers = _proxy_headers(proxy)
        self.session = aiohttp.ClientSession(
            connector=_Connector(
                limit=0,
                ssl=route.context(),
                keepalive_timeout=keepalive,
                enable_cleanup_closed=False,
                use_dns_cache=True,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            max_line_size=65_536,
            max_field_size=65_536,
            proxy=proxy.address if proxy is not None else None,
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
        """Let go of the session so that its end neither warns nor closes anything.

        A forked child shares the parent's epoll set: closing a connection here would make the parent deaf on it.
        """
        connector = self.session.connector
        self.session.detach()
        if connector is not None:
            connector._closed = True  # noqa: SLF001 - its public close would close the sockets
        _FORSAKEN.append((self, connector))


class Body:
    """The answer's body as it arrives, still compressed."""

    __slots__ = ("_answer",)

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        content = self._answer.content
        try:
            while data := await content.readany():
                yield data
        except (aiohttp.ClientError, OSError, ValueError) as problem:
            # aiohttp raises before it hands over what had come; a caller is owed both, in the order in which they came.
            rest = content._read_nowait(-1)  # noqa: SLF001 - its public twin raises the same error
            failure = _failed(problem, body=True)
        else:
            return
        if rest:
            yield rest
        raise failure

    def at_once(self) -> bytes | None:
        """Return the whole body if it has arrived whole, None if it has not: saves the common case a generator."""
        content = self._answer.content
        if content.is_eof() and content.exception() is None:
            return content.read_nowait(-1)
        return None

    async def aclose(self) -> None:
        """Give the connection back when the body was read whole, close it otherwise."""
        answer = self._answer
        if answer.content.at_eof() and answer.content.exception() is None:
            answer.release()
        else:
            answer.close()


class Arrived:
    """An answer whose headers are there: status, headers (lower-case names, repeated ones joined), body."""

    __slots__ = ("headers", "status", "stream")

    def __init__(self, status: int, headers: dict[str, str], stream: Any) -> None:
        self.status = status
        self.headers = headers
        self.stream = stream


def joined(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return headers by lower-case name; repeated ones are joined with a comma."""
    headers: dict[str, str] = {}
    for name, value in raw:
        key = name.decode("latin-1").lower()
        text = value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


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


async def _sent(
    pool: _Pool, method: str, address: str, headers: CIMultiDict[str], data: Any, timeouts: Timeouts
) -> aiohttp.ClientResponse:
    target = _address(address)
    if pool.proxy_headers is not None and target.scheme == "http":
        headers.update(pool.proxy_headers)  # no tunnel is asked for: the proxy reads the request itself
    return await pool.session.request(
        method,
        target,
        headers=headers,
        data=data,
        allow_redirects=False,
        timeout=_timeout(timeouts.connect, timeouts.read),
        proxy_headers=pool.proxy_headers,
    )


async def _sent_in_time(
    pool: _Pool, method: str, address: str, headers: CIMultiDict[str], data: Any, timeouts: Timeouts
) -> aiohttp.ClientResponse:
    """Send a long body; aiohttp measures nothing before the last piece of it is written."""
    assert timeouts.write is not None
    try:
        async with asyncio.timeout(None) as limit:
            return await _sent(pool, method, address, headers, _paced(data, limit, timeouts.write), timeouts)
    except TimeoutError:
        if not limit.expired():
            raise
        raise WireError(Failure.WRITE_TIMEOUT, "the server does not read", sent=True) from None


async def _paced(data: AsyncIterator[bytes], limit: asyncio.Timeout, seconds: float) -> AsyncIterator[bytes]:
    """Yield the pieces of a body and let ``limit`` expire when one is not taken in time."""
    loop = asyncio.get_running_loop()
    async for piece in data:
        with contextlib.suppress(RuntimeError):  # an answer that came before the body's end has ended the limit
            limit.reschedule(loop.time() + seconds)
        yield piece
        with contextlib.suppress(RuntimeError):
            limit.reschedule(None)


@lru_cache(maxsize=1024)
def _address(url: str) -> yarl.URL:
    return yarl.URL(url, encoded=True)


@lru_cache(maxsize=256)
def _timeout(connect: float | None, read: float | None) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=None, connect=None, sock_connect=connect, sock_read=read)


def _proxy_headers(proxy: Proxy | None) -> dict[str, str] | None:
    credentials = proxy.credentials() if proxy is not None else None
    if credentials is None:
        return None
    return {"Proxy-Authorization": "Basic " + b64encode(":".join(credentials).encode()).decode()}


def _certificate_problem(problem: OSError, route: Route) -> str:
    files = [route.verify] if isinstance(route.verify, str) else []
    files.extend(route.client_certificate or ())
    return f"{' or '.join(files)}: {problem.strerror or 'no certificate, or no key that fits'}"


def _watch(answer: aiohttp.ClientResponse, idle: float | None) -> None:
    """From here on, silence is measured by another limit than the wait for the headers was."""
    connection = answer.connection
    protocol = connection.protocol if connection is not None else None
    if protocol is not None and not answer.content.is_eof():
        protocol.read_timeout = idle
        protocol.start_timeout()


async def _slices(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), _LARGE):
        yield data[start : start + _LARGE]


_UNSENT: Final = frozenset(
    {Failure.CONNECT, Failure.CONNECT_TIMEOUT, Failure.TLS, Failure.RESET_BEFORE_SENT, Failure.PROXY}
)
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


def _failed(problem: Exception, *, body: bool) -> WireError:
    failure = _kind(problem, body)
    return WireError(failure, _brief(problem), sent=failure not in _UNSENT)


def _as_httpx(problem: WireError, request: httpx.Request) -> httpx.TransportError:
    error = _HTTPX.get(problem.failure, httpx.RemoteProtocolError)(problem.message, request=request)
    error.failure = problem.failure  # type: ignore[attr-defined]  # read by whoever knows this transport
    return error


def _kind(problem: Exception, body: bool) -> Failure:
    if isinstance(problem, (aiohttp.ClientConnectorSSLError, aiohttp.ClientConnectorCertificateError)):
        return Failure.TLS
    if isinstance(problem, aiohttp.ClientHttpProxyError):
        return Failure.PROXY
    if isinstance(problem, aiohttp.ConnectionTimeoutError):
        return Failure.CONNECT_TIMEOUT
    if isinstance(problem, aiohttp.ClientConnectorError):
        return Failure.CONNECT
    if isinstance(problem, (aiohttp.SocketTimeoutError, TimeoutError)):
        return Failure.IDLE_TIMEOUT if body else Failure.READ_TIMEOUT
    if isinstance(problem, (aiohttp.ClientPayloadError, aiohttp.http_exceptions.TransferEncodingError)):
        return Failure.CUT_SHORT
    if isinstance(problem, aiohttp.ServerDisconnectedError):
        return Failure.CUT_SHORT if body else Failure.RESET_AFTER_SENT
    if isinstance(problem, aiohttp.ClientConnectionResetError):
        return Failure.RESET_BEFORE_SENT
    if isinstance(problem, OSError):
        return Failure.CUT_SHORT if body else Failure.RESET_AFTER_SENT
    return Failure.PROTOCOL


def _brief(problem: Exception) -> str:
    if isinstance(problem, aiohttp.ClientHttpProxyError):
        return f"the proxy answered {problem.status}"
    if isinstance(problem, aiohttp.ClientConnectorError):
        return f"{problem.host}:{problem.port}: {problem.os_error.strerror or type(problem.os_error).__name__}"
    if isinstance(problem, OSError) and problem.strerror and "://" not in problem.strerror:
        return problem.strerror  # some of aiohttp's own texts hold the whole URL, which may hold a query
    return type(problem).__name__
