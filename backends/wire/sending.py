"""How one request goes out over a pool, in time: connecting, writing piece by piece, waiting for the headers.

A request is sent once. Nothing is followed or repeated, and errors of the network pass through as aiohttp raises them.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import lru_cache
from typing import Any, Final

import aiohttp
import yarl
from multidict import CIMultiDict

from backends.wire.pool import Pool
from backends.wire.values import Failure, Timeouts, WireError

__all__ = ["SMALL", "sent", "sent_in_time", "slices", "watch"]

_LARGE: Final = 512 * 1024
SMALL: Final = 64 * 1024
"""What the event loop buffers without waiting for the peer."""


async def sent(
    pool: Pool, method: str, address: str, headers: CIMultiDict[str], data: Any, timeouts: Timeouts
) -> aiohttp.ClientResponse:
    """Send a request and return when the headers of the answer are there."""
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


async def sent_in_time(
    pool: Pool, method: str, address: str, headers: CIMultiDict[str], data: Any, timeouts: Timeouts
) -> aiohttp.ClientResponse:
    """Send a long body; aiohttp measures nothing before the last piece of it is written."""
    assert timeouts.write is not None
    try:
        async with asyncio.timeout(None) as limit:
            return await sent(pool, method, address, headers, _paced(data, limit, timeouts.write), timeouts)
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


async def slices(data: bytes) -> AsyncIterator[bytes]:
    """Yield a long body in pieces, so that the time for each can be measured."""
    for start in range(0, len(data), _LARGE):
        yield data[start : start + _LARGE]


def watch(answer: aiohttp.ClientResponse, idle: float | None) -> None:
    """From here on, silence is measured by another limit than the wait for the headers was."""
    connection = answer.connection
    protocol = connection.protocol if connection is not None else None
    if protocol is not None and not answer.content.is_eof():
        protocol.read_timeout = idle
        protocol.start_timeout()


@lru_cache(maxsize=1024)
def _address(url: str) -> yarl.URL:
    return yarl.URL(url, encoded=True)


@lru_cache(maxsize=256)
def _timeout(connect: float | None, read: float | None) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=None, connect=None, sock_connect=connect, sock_read=read)
