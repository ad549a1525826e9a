"""A provider in memory whose every answer is decided by the walk: held, given, refused, cut off.

Well-behaved answers are those of the simulated provider, so the backend under test reads what it would read from a socket.
It judges nothing; it only knows what arrived, with which key, and what is still open.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from typing import Final

import httpx

from backends.secret import Key
from conformance.simulators.delivery import Body, steps
from conformance.simulators.dispatch import Mounted, make_nonce
from conformance.simulators.provider import Provider, Request

__all__ = ["ANSWERS", "Exchange", "WalkServer"]

_STATUSES: Final[dict[str, tuple[int, float | None]]] = {
    "400": (400, None),
    "401": (401, None),
    "429": (429, None),
    "429 hint": (429, 3.0),
    "429 far": (429, 1e6),
    "500": (500, None),
    "503 hint": (503, 2.0),
}
_FAILURES: Final[dict[str, Callable[[str], Exception]]] = {
    "refused": httpx.ConnectError,
    "reset": httpx.ReadError,
    "timeout": httpx.ReadTimeout,
}
ANSWERS: Final = ("good", "slow 0", "slow 1", "slow 2", "slow 3", *_STATUSES, *_FAILURES)
"""How a request may be answered: well; a stream that pauses after so many pieces; a status, with or without a hint; a failure
of the network."""
_MARK: Final = re.compile(rb"call-number-(\d{4})")


class Exchange:
    """One request at the server, open until its answer was read, given up, or refused.

    Attributes:
        number: in the order of arrival.
        at: monotonic seconds of its arrival.
        endpoint: name of the endpoint that it came to.
        rides: numbers of the calls that it carries.
        key: fingerprint of its key, None when it carried none.
        decided: how it is to be answered, once that is known.
        pause: of a stream: resolved with ``rest`` or ``cut`` when it goes on.
    """

    def __init__(self, number: int, endpoint: str, rides: tuple[int, ...], key: str | None) -> None:
        loop = asyncio.get_running_loop()
        self.number = number
        self.at = loop.time()
        self.endpoint = endpoint
        self.rides = rides
        self.key = key
        self.decided: asyncio.Future[str] = loop.create_future()
        self.pause: asyncio.Future[str] = loop.create_future()
        self.paused = False


class WalkServer(httpx.AsyncBaseTransport):
    """See the module docstring.

    Args:
        provider: whose answers.
        arrived: told of every request as it arrives, before anything is decided.
    """

    def __init__(self, provider: Provider, arrived: Callable[[Exchange], None]) -> None:
        self._provider = provider
        self._mounted = Mounted(provider, self.base_url("default"))
        self._arrived = arrived
        self._mood, self._moody = "", 0
        self.arrivals: list[Exchange] = []
        self.open: list[Exchange] = []

    def base_url(self, endpoint: str) -> str:
        """Return the address of an endpoint; its name is the host."""
        return f"https://{endpoint}.example{self._provider.mount}{self._provider.suffix}"

    def mood(self, how: str, requests: int) -> None:
        """Answer the next so many requests in this way, as they arrive; later ones are held until it is decided."""
        self._mood, self._moody = how, requests

    def undecided(self) -> list[Exchange]:
        """Return what waits for its answer, oldest first."""
        return [exchange for exchange in self.open if not exchange.decided.done()]

    def paused(self) -> list[Exchange]:
        """Return the streams that wait to go on."""
        return [exchange for exchange in self.open if exchange.paused]

    def close(self, exchange: Exchange) -> None:
        """Note that nobody waits for it any more."""
        if exchange in self.open:
            self.open.remove(exchange)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Take a request, wait for what is decided, and do it."""
        content = request.read()
        path = request.url.raw_path.decode("ascii").removeprefix(self._provider.mount)
        path, _, query = path.partition("?")
        headers = tuple(
            (name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in request.headers.raw
        )
        asked = Request(request.method, path, query, headers, content)
        text = self._provider.find_key(asked)
        exchange = Exchange(
            len(self.arrivals),
            request.url.host.partition(".")[0],
            tuple(int(number) for number in _MARK.findall(content)),
            None if text is None else Key(text).fingerprint,
        )
        self.arrivals.append(exchange)
        self.open.append(exchange)
        try:
            self._arrived(exchange)
            if not exchange.rides:  # a backend's own question, as for the server's limits: not the walk's to decide
                exchange.decided.set_result("good")
            elif self._moody:
                self._moody -= 1
                exchange.decided.set_result(self._mood)
            return await self._answered(asked, exchange, await exchange.decided)
        except BaseException:
            self.close(exchange)
            raise

    async def _answered(self, asked: Request, exchange: Exchange, how: str) -> httpx.Response:
        if how in _FAILURES:
            raise _FAILURES[how](how)
        if how in _STATUSES:
            status, hint = _STATUSES[how]
            answer = self._provider.error(status, None, None)
            extra = [] if hint is None else [("retry-after", f"{hint:g}")]
        else:
            answer = await self._mounted.answer(asked, make_nonce(self._provider.name, asked.body, exchange.number))
            extra = []
        pieces = [step.data for step in steps(answer) if isinstance(step, Body)]
        slow = int(how.removeprefix("slow ")) if how.startswith("slow") and answer.stream is not None else None
        headers = [*answer.headers, *extra, ("content-type", answer.content_type or "")]
        return httpx.Response(answer.status, headers=headers, stream=_Answer(self, exchange, pieces, slow))


class _Answer(httpx.AsyncByteStream):
    """The body of an answer; a slow one waits after so many pieces."""

    def __init__(self, server: WalkServer, exchange: Exchange, pieces: list[bytes], slow: int | None) -> None:
        self._server = server
        self._exchange = exchange
        self._pieces = pieces
        self._slow = slow

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for number, piece in enumerate(self._pieces):
            if number == self._slow and await self._wait() == "cut":
                raise httpx.RemoteProtocolError("the peer closed the connection")
            yield piece

    async def _wait(self) -> str:
        self._exchange.paused = True
        try:
            return await self._exchange.pause
        finally:
            self._exchange.paused = False

    async def aclose(self) -> None:
        """Nobody reads on."""
        self._server.close(self._exchange)
