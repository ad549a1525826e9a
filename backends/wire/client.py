"""One request out, one answer in, over any httpx transport: bounds, decompression, redirects and typed failures.

A redirect is followed only within the same origin, so a key never reaches another host. Nothing is repeated here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from functools import lru_cache
from typing import Any, Final

import httpx

from backends.wire.arrived import Arrived, Body, joined
from backends.wire.broken import broken
from backends.wire.decompression import Decompressor, decompressor
from backends.wire.multipart import Multipart
from backends.wire.route import Route
from backends.wire.transport import AiohttpTransport
from backends.wire.values import Failure, Limits, WireError, WireRequest, check_header

__all__ = ["Client", "Response"]

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS: Final = 5
_OFFERED: Final = ("accept-encoding", "gzip, deflate")


class Client:
    """Sends requests; serves many threads and event loops at once.

    Args:
        transport: any httpx transport; None is aiohttp underneath.
        limits: bounds on answers.
        route: how connections are made, where no transport was given.
    """

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport | None = None,
        *,
        limits: Limits | None = None,
        route: Route | None = None,
        keepalive: float = 30.0,
    ) -> None:
        self._owns = transport is None
        self._transport = transport if transport is not None else AiohttpTransport(route=route, keepalive=keepalive)
        # Our own transport is spoken to directly: httpx's objects would cost as much as the rest of the exchange.
        self._native = self._transport if isinstance(self._transport, AiohttpTransport) else None
        self._limits = limits or Limits()

    async def open(self, request: WireRequest) -> Response:
        """Send and return when the answer's headers are there.

        Raises:
            WireError: the network failed, or a redirect was refused.
        """
        method, body = request.method, request.body
        address = request.url
        for _ in range(_MOST_REDIRECTS + 1):
            arrived = await self._once(request, method, address, body)
            if arrived.status not in _REDIRECTS or "location" not in arrived.headers:
                return Response(arrived, self._limits, bodiless=method == "HEAD")
            await arrived.stream.aclose()
            url = _url(address)
            target = _target(url, arrived.headers["location"])
            if (target.scheme, target.host, target.port) != (url.scheme, url.host, url.port):
                raise WireError(Failure.REDIRECT, f"the server pointed to another host, {target.host[:200]}", sent=True)
            if arrived.status in (301, 302, 303):
                if method not in ("GET", "HEAD"):
                    raise WireError(Failure.REDIRECT, f"a {method} was answered by a {arrived.status}", sent=True)
            elif isinstance(body, Multipart) and not body.repeatable:
                raise WireError(Failure.REDIRECT, "the body can be sent only once", sent=True)
            address = str(target)
        raise WireError(Failure.REDIRECT, f"more than {_MOST_REDIRECTS} in a row", sent=True)

    async def _once(self, request: WireRequest, method: str, address: str, body: bytes | Multipart | None) -> Arrived:
        headers = [_OFFERED, *request.headers]
        content: Any = body
        if isinstance(body, Multipart):
            content = _pieces(body)
            if body.length is not None:
                headers.append(("content-length", str(body.length)))
        if self._native is not None:
            return await self._native.exchange(method, address, headers, content, request.timeouts)
        # httpx takes text for ASCII; what check_header lets through may be any Latin-1.
        for name, value in headers:
            check_header(name, value)
        fields: Any = [(name, value if value.isascii() else value.encode("latin-1")) for name, value in headers]
        timeouts = request.timeouts
        limits = {"connect": timeouts.connect, "read": timeouts.read, "write": timeouts.write, "idle": timeouts.idle}
        try:
            built = httpx.Request(
                method, _url(address), headers=fields, content=content, extensions={"timeout": limits}
            )
            response = await self._transport.handle_async_request(built)
        except (httpx.TransportError, httpx.InvalidURL) as problem:
            raise _translated(problem) from None
        except OSError as problem:  # a file of the form went away, or changed its size, while it was sent
            raise broken(problem, body=False) from None
        return Arrived(response.status_code, joined(response.headers.raw), response.stream)

    async def aclose(self) -> None:
        """Close the connections of every loop; a transport that was passed in stays its owner's."""
        if self._owns:
            await self._transport.aclose()

    def abandon(self) -> None:
        """Forget all connections without touching their sockets, after a fork."""
        if isinstance(self._transport, AiohttpTransport):
            self._transport.abandon()


class Response:
    """One answer whose body has not been read yet."""

    __slots__ = ("_bodiless", "_closed", "_limits", "_stream", "headers", "status")

    def __init__(self, arrived: Arrived, limits: Limits, *, bodiless: bool = False) -> None:
        self._bodiless = bodiless
        self._stream = arrived.stream
        self._limits = limits
        self._closed = False
        self.status: int = arrived.status
        self.headers: Mapping[str, str] = arrived.headers
        """Lower-case names; repeated ones are joined with a comma."""

    async def read(self) -> bytes:
        """Return the whole body, decoded.

        Raises:
            WireError: it is larger than allowed, cannot be decompressed, or was cut short.
        """
        most = self._limits.max_body_bytes
        announced = self.headers.get("content-length", "")
        if announced.isascii() and announced.isdigit() and not self._bodiless and int(announced[:20]) > most:
            await self.aclose()
            raise WireError(Failure.TOO_LARGE, f"{announced} bytes were announced, {most} are allowed", sent=True)
        if isinstance(self._stream, Body) and "content-encoding" not in self.headers:
            whole = self._stream.at_once()
            if whole is not None and len(whole) <= most:
                return whole
            if whole is not None:
                raise WireError(Failure.TOO_LARGE, f"more than the {most} bytes that are allowed", sent=True)
        pieces: list[bytes] = []
        size = 0
        async for piece in self.chunks():
            size += len(piece)
            if size > most:
                await self.aclose()
                raise WireError(Failure.TOO_LARGE, f"more than the {most} bytes that are allowed", sent=True)
            pieces.append(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the decoded body as it arrives.

        Raises:
            WireError: nothing came for too long, it was cut short, or cannot be decompressed.
        """
        inflate: Decompressor | None = None
        encoding = self.headers.get("content-encoding")
        if encoding is not None:
            inflate = decompressor(encoding, self._limits.max_decompression_ratio, self._limits.max_body_bytes)
        try:
            async for piece in self._stream:
                if inflate is not None:
                    piece = inflate.feed(piece)
                if piece:
                    yield piece
        except httpx.TransportError as problem:
            raise _translated(problem, body=True) from None
        if inflate is not None:
            inflate.finish()

    async def aclose(self) -> None:
        """Give the connection back, or close it when the body was not read to its end; idempotent."""
        if not self._closed:
            self._closed = True
            await self._stream.aclose()


@lru_cache(maxsize=1024)
def _url(text: str) -> httpx.URL:
    return httpx.URL(text)


def _target(url: httpx.URL, location: str) -> httpx.URL:
    try:
        return url.join(location)
    except (httpx.InvalidURL, ValueError):
        raise WireError(Failure.REDIRECT, "the server pointed to what is no address", sent=True) from None


async def _pieces(body: Multipart) -> AsyncIterator[bytes]:
    """Yield a form, and end the exchange when a file is not as long as was announced: the server would wait for ever."""
    announced, sent = body.length, 0
    for piece in body.chunks():
        sent += len(piece)
        if announced is not None and sent > announced:
            break
        yield piece
    if announced is not None and sent != announced:
        raise ConnectionAbortedError(0, "a file of the form changed its size while it was sent")


_BY_CLASS: Final[tuple[tuple[type[Exception], Failure, bool], ...]] = (
    (httpx.ConnectTimeout, Failure.CONNECT_TIMEOUT, False),
    (httpx.PoolTimeout, Failure.CONNECT_TIMEOUT, False),
    (httpx.ConnectError, Failure.CONNECT, False),
    (httpx.ProxyError, Failure.PROXY, False),
    (httpx.WriteTimeout, Failure.WRITE_TIMEOUT, True),
    (httpx.WriteError, Failure.RESET_BEFORE_SENT, False),
    (httpx.ReadTimeout, Failure.READ_TIMEOUT, True),
    (httpx.ReadError, Failure.RESET_AFTER_SENT, True),
    (httpx.RemoteProtocolError, Failure.PROTOCOL, True),
    (httpx.UnsupportedProtocol, Failure.INSECURE, False),
)
_UNSENT: Final = frozenset(
    {Failure.CONNECT, Failure.CONNECT_TIMEOUT, Failure.TLS, Failure.RESET_BEFORE_SENT, Failure.PROXY}
)


def _translated(problem: Exception, *, body: bool = False) -> WireError:
    failure = getattr(problem, "failure", None)
    if failure is None:
        failure, sent = next(
            ((found, sent) for kind, found, sent in _BY_CLASS if isinstance(problem, kind)), (Failure.PROTOCOL, True)
        )
        if body and failure in (Failure.RESET_AFTER_SENT, Failure.PROTOCOL):
            failure = Failure.CUT_SHORT
        if body and failure is Failure.READ_TIMEOUT:
            failure = Failure.IDLE_TIMEOUT
    else:
        sent = failure not in _UNSENT
    return WireError(failure, str(problem)[:300], sent=sent)
