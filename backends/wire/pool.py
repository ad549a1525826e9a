"""The connections of one event loop: made by a route, kept for a while, closed with their loop, left alone after a fork.

No request is made here, and no connection is handed out on which something has come that nobody asked for.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncGenerator
from functools import partial
from typing import Any, Final

import aiohttp

from backends.wire.route import Proxy, Route
from backends.wire.values import Failure, WireError

__all__ = ["Pool", "new_pool"]

_FORSAKEN: Final[list[object]] = []
"""What belongs to a parent process; kept so that its collection closes nothing."""


def new_pool(route: Route, keepalive: float) -> Pool:
    """Return a pool for the running event loop; :meth:`Pool.guard` makes the loop close it.

    Args:
        route: how connections are made.
        keepalive: seconds an idle connection is kept.

    Raises:
        WireError: a certificate is not there, or is none.
    """
    try:
        return Pool(route, keepalive)
    except OSError as problem:
        raise WireError(Failure.TLS, _certificate_problem(problem, route), sent=False) from None


class _Protocol(aiohttp.client_proto.ResponseHandler):
    """Tells whoever reads a body what became of its connection.

    aiohttp notes an error of its parser at the connection, stops every timeout and says nothing to a reader who waits for
    more of a body: that one would wait for ever when a broken chunk comes after the head.
    """

    def set_exception(self, exc: Any, *cause: Any) -> None:
        super().set_exception(exc, *cause)
        body = self._payload
        if body is not None and body.exception() is None and not body.is_eof():
            body.set_exception(exc if isinstance(exc, aiohttp.ClientError | OSError) else aiohttp.ClientError(str(exc)))


class _Connector(aiohttp.TCPConnector):
    """Hands out a kept connection only while nothing has come on it.

    aiohttp looks whether it is still open. What a server said meanwhile, although nobody had asked, would be taken for the
    answer to the next request: another caller's answer, or an attacker's.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._factory: Any = partial(_Protocol, loop=self._loop)  # there is no public way to choose it

    async def _get(self, *arguments: Any) -> Any:  # its own choice among kept connections; there is no public one
        while True:
            kept = await super()._get(*arguments)
            if kept is None or kept.protocol is None or not kept.protocol.should_close:
                return kept
            kept.close()


class Pool:
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


def _proxy_headers(proxy: Proxy | None) -> dict[str, str] | None:
    credentials = proxy.credentials() if proxy is not None else None
    if credentials is None:
        return None
    return {"Proxy-Authorization": "Basic " + b64encode(":".join(credentials).encode()).decode()}


def _certificate_problem(problem: OSError, route: Route) -> str:
    files = [route.verify] if isinstance(route.verify, str) else []
    files.extend(route.client_certificate or ())
    return f"{' or '.join(files)}: {problem.strerror or 'no certificate, or no key that fits'}"
