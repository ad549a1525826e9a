"""Connections: kept, found stale, closed when an answer is not read, and one pool for each loop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import threading
import time
import warnings
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from wire_bench import Peer, Server, asking, client, failure, read, serving

from backends.wire.client import Client
from backends.wire.pool import new_pool
from backends.wire.route import Route
from backends.wire.transport import AiohttpTransport
from backends.wire.values import Failure, Timeouts, WireError


async def _polite(peer: Peer) -> None:
    while True:
        await peer.request()
        await peer.answer(b"%d" % peer.number)


async def _gone(server: Server) -> None:
    async with asyncio.timeout(5):
        await server.closed_by_client.wait()


async def test_a_connection_is_used_again() -> None:
    """Calls in a row share one; calls at once have one each."""
    async with serving(_polite) as server, client() as made:
        for _ in range(5):
            assert await read(made, asking(server.url)) == b"1"
        await asyncio.gather(*(read(made, asking(server.url)) for _ in range(4)))
        assert server.peers in (3, 4)


async def test_a_kept_connection_that_the_server_closed_is_not_used() -> None:
    """The end of file was seen before the next request: it goes over a new connection."""

    async def behave(peer: Peer) -> None:
        await peer.request()
        await peer.answer(b"%d" % peer.number)

    async with serving(behave) as server, client() as made:
        assert await read(made, asking(server.url)) == b"1"
        pool = next(iter(made._transport._pools.values()))  # type: ignore[attr-defined]
        connections = pool.session.connector._conns
        for _ in range(1000):
            await asyncio.sleep(0.001)
            if all(not protocol.is_connected() for kept in connections.values() for protocol, _ in kept):
                break
        assert await read(made, asking(server.url)) == b"2"


async def test_a_kept_connection_that_the_server_spoke_on_is_not_used() -> None:
    """An answer that nobody asked for is never the answer to the next request."""
    spoken = asyncio.Event()

    async def behave(peer: Peer) -> None:
        await peer.request()
        await peer.answer(b"%d" % peer.number)
        await spoken.wait()
        with contextlib.suppress(ConnectionError):
            await peer.answer(b"for somebody else")
            await peer.gone()

    async with serving(behave) as server, client() as made:
        assert await read(made, asking(server.url)) == b"1"
        pool = next(iter(made._transport._pools.values()))  # type: ignore[attr-defined]
        kept = [protocol for waiting in pool.session.connector._conns.values() for protocol, _ in waiting]
        spoken.set()
        for _ in range(1000):
            await asyncio.sleep(0.001)
            if all(protocol.should_close for protocol in kept):
                break
        assert await read(made, asking(server.url)) == b"2"
        assert [protocol.is_connected() for protocol in kept] == [False]


async def test_a_kept_connection_that_dies_under_the_request_is_not_repeated_here() -> None:
    """It is a reset after sending: whether the server had begun, only the caller's policy can judge."""

    async def behave(peer: Peer) -> None:
        await peer.request()
        await peer.answer(b"%d" % peer.number)
        await peer.request()
        peer.reset()

    async with serving(behave) as server, client() as made:
        assert await read(made, asking(server.url)) == b"1"
        assert await failure(made, asking(server.url, method="GET", body=None)) == (Failure.RESET_AFTER_SENT, True)
        assert await read(made, asking(server.url)) == b"2"


async def test_a_server_that_says_close_is_believed() -> None:
    """The next request opens a new connection."""

    async def behave(peer: Peer) -> None:
        await peer.request()
        await peer.answer(b"%d" % peer.number, "200 OK", "Connection: close")
        await peer.gone()

    async with serving(behave) as server, client() as made:
        assert [await read(made, asking(server.url)) for _ in range(3)] == [b"1", b"2", b"3"]


async def _endless(peer: Peer) -> None:
    await peer.request()
    await peer.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        await peer.say(b"1\r\nx\r\n")
        await asyncio.sleep(0.001)


async def test_a_cancelled_body_closes_its_connection() -> None:
    """The server is not left to write for nobody."""
    async with serving(_endless) as server, client() as made:

        async def reading() -> None:
            response = await made.open(asking(server.url))
            try:
                async for _ in response.chunks():
                    begun.set()
            finally:
                await response.aclose()

        begun = asyncio.Event()
        task = asyncio.create_task(reading())
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await _gone(server)


async def test_a_cancelled_wait_for_headers_closes_its_connection() -> None:
    """A provider that thinks is told that nobody waits any more."""
    asked = asyncio.Event()

    async def behave(peer: Peer) -> None:
        await peer.request()
        asked.set()
        await peer.gone()
        server.closed_by_client.set()

    async with serving(behave) as server, client() as made:
        task = asyncio.create_task(read(made, asking(server.url)))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await _gone(server)


async def test_an_unread_answer_closes_its_connection() -> None:
    """Closing twice is closing once."""
    async with serving(_endless) as server, client() as made:
        response = await made.open(asking(server.url))
        await response.aclose()
        await response.aclose()
        await _gone(server)


async def test_a_half_read_generator_does_not_hold_the_connection() -> None:
    """``aclose`` of the answer is enough, even while its chunks are still iterated somewhere."""
    async with serving(_endless) as server, client() as made:
        response = await made.open(asking(server.url))
        chunks = response.chunks()
        assert await anext(chunks)
        await response.aclose()
        await _gone(server)
        with contextlib.suppress(WireError):
            async for piece in chunks:
                assert piece


async def test_closing_the_client_closes_its_connections() -> None:
    """And a client that is closed can be used again: it opens new ones."""

    async def behave(peer: Peer) -> None:
        await peer.request()
        await peer.answer()
        await peer.gone()
        server.closed_by_client.set()

    async with serving(behave) as server:
        made = Client()
        await read(made, asking(server.url))
        (pool,) = made._transport._pools.values()  # type: ignore[attr-defined]
        await made.aclose()
        assert pool.session.closed, "and not only some time later"
        await made.aclose()
        await _gone(server)
        assert await read(made, asking(server.url)) == b"{}"
        await made.aclose()


@pytest.mark.parametrize(
    ("make", "seconds"),
    [(Client, 30.0), (lambda: Client(AiohttpTransport()), 30.0), (lambda: Client(keepalive=7.0), 7.0)],
    ids=["by default", "under any client", "as told"],
)
async def test_an_idle_connection_is_kept_for_a_while(
    make: Callable[[], Client], seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no longer: who knows what stands between, and what it has forgotten."""
    later = 0.0
    monkeypatch.setattr("aiohttp.connector.monotonic", lambda: time.monotonic() + later)
    async with serving(_polite) as server:
        made = make()
        for pause, number in ((0.0, b"1"), (seconds - 0.5, b"1"), (seconds + 0.5, b"2")):
            later += pause
            assert await read(made, asking(server.url)) == number
        await made._transport.aclose()


async def test_any_number_of_calls_at_once() -> None:
    """A connection each: how many there may be is judged where calls are admitted, and nobody waits here unseen."""

    async def behave(peer: Peer) -> None:
        await peer.request()
        if peer.number == 101:
            all_there.set()
        await all_there.wait()
        await peer.answer()

    all_there = asyncio.Event()
    async with serving(behave) as server, client() as made:
        async with asyncio.timeout(5.0):
            await asyncio.gather(*(read(made, asking(server.url)) for _ in range(101)))


async def test_a_name_is_looked_up_once_and_no_cookie_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also for a host that is no mere number, where a browser would keep them."""
    asked: list[str] = []
    cookies: list[str | None] = []

    async def lookup(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    async def behave(peer: Peer) -> None:
        _, headers, _ = await peer.request()
        cookies.append(headers.get("cookie"))
        await peer.answer(b"%d" % peer.number, "200 OK", "Set-Cookie: session=1", "Connection: close")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", lookup)
    async with serving(behave) as server, client() as made:
        url = f"http://api.invalid:{server.port}/"
        assert [await read(made, asking(url)) for _ in range(2)] == [b"1", b"2"]
    assert (asked, cookies) == (["api.invalid"], [None, None])


async def test_nothing_is_said_that_was_not_asked_for() -> None:
    """No header is added but those without which it would be no request."""
    seen: list[dict[str, str]] = []

    async def behave(peer: Peer) -> None:
        _, headers, _ = await peer.request()
        seen.append(headers)
        await peer.answer()

    transport = AiohttpTransport()
    async with serving(behave) as server:
        await transport.exchange("POST", server.url, [], b"{}", Timeouts())
        await transport.aclose()
        assert seen == [{"host": f"127.0.0.1:{server.port}", "content-length": "2"}]


async def test_an_abandoned_connection_is_left_as_it_is() -> None:
    """After a fork it is the parent's: nothing is closed, no warning is given, and the next request has one of its own."""
    async with serving(_polite) as server:
        made = Client()
        assert await read(made, asking(server.url)) == b"1"
        (pool,) = made._transport._pools.values()  # type: ignore[attr-defined]
        connector = weakref.ref(pool.session.connector)
        kept = [protocol for waiting in pool.session.connector._conns.values() for protocol, _ in waiting]
        made.abandon()
        assert pool.session.closed
        del pool
        gc.collect()
        forsaken = connector()
        assert forsaken is not None, "what nobody holds any more would be taken apart, and its sockets with it"
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            forsaken.__del__()  # as at the end of the process
        assert await read(made, asking(server.url)) == b"2"
        assert [protocol.is_connected() for protocol in kept] == [True]
        await made.aclose()
        assert [protocol.is_connected() for protocol in kept] == [True]
        for protocol in kept:
            protocol.close()


class _InThread:
    """A polite server in a loop and thread of its own."""

    def __enter__(self) -> _InThread:
        self._ready, self._loop = threading.Event(), asyncio.new_event_loop()
        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._run()), daemon=True)
        self._thread.start()
        assert self._ready.wait(5)
        return self

    async def _run(self) -> None:
        self._over = asyncio.Event()
        async with serving(_polite) as self.server:
            self._ready.set()
            await self._over.wait()

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(5)
        self._loop.close()


def test_two_runs_of_a_loop_leave_nothing_behind() -> None:
    """Each has a pool of its own, closed with its loop though nobody asked for it: no warning, no pool that stays."""
    made = Client()
    with _InThread() as side, warnings.catch_warnings():
        warnings.simplefilter("error")
        for number in (b"1", b"2", b"3"):
            assert asyncio.run(read(made, asking(side.server.url))) == number
            gc.collect()
        assert len(made._transport._pools) == 1  # type: ignore[attr-defined]
        assert all(pool.session.closed for pool in made._transport._pools.values())  # type: ignore[attr-defined]
        asyncio.run(made.aclose())


def test_many_loops_in_many_threads_share_one_client() -> None:
    """Loops come and go in eight threads at once; each gets its answers."""
    made, failures = Client(), []

    async def several() -> None:
        await asyncio.gather(*(read(made, asking(side.server.url)) for _ in range(4)))

    def work() -> None:
        try:
            for _ in range(6):
                asyncio.run(several())
        except BaseException as error:
            failures.append(error)

    with _InThread() as side:
        threads = [threading.Thread(target=work, daemon=True) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert not any(thread.is_alive() for thread in threads)
        assert failures == []
        asyncio.run(made.aclose())


def test_a_client_is_closed_from_another_loop() -> None:
    """The pool of a loop that runs elsewhere is closed over there."""
    made = Client()
    with _InThread() as side:
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, daemon=True)
        thread.start()
        assert asyncio.run_coroutine_threadsafe(read(made, asking(side.server.url)), loop).result(5)
        pool = made._transport._pools[loop]  # type: ignore[attr-defined]
        asyncio.run(made.aclose())

        async def closed() -> None:
            for _ in range(10_000):
                if pool.session.closed:
                    return
                await asyncio.sleep(0)
            raise AssertionError("it stayed open")

        asyncio.run_coroutine_threadsafe(closed(), loop).result(6)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


class _Gone:
    """A loop elsewhere that ends between a question and what is done upon its answer."""

    def __init__(self, pools: dict[Any, Any], closed: bool) -> None:
        self._pools = pools
        self._closed = closed

    def is_closed(self) -> bool:
        if self._closed:
            self._pools.pop(self, None)  # as another thread does that has noticed it as well
        return self._closed

    def call_soon_threadsafe(self, *_: object) -> None:
        raise RuntimeError("Event loop is closed")


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
@pytest.mark.parametrize("closed", [True, False], ids=["noticed by two", "while it is told"])
async def test_a_loop_that_ends_at_the_wrong_moment(closed: bool) -> None:
    """Harms nobody: the requests of other loops go out, and their pools are closed."""
    async with serving(_polite) as server:
        made = AiohttpTransport()
        lost = new_pool(Route(), 1.0)
        made._pools[_Gone(made._pools, closed)] = lost  # type: ignore[index]
        assert (await made.exchange("POST", server.url, [], b"{}", Timeouts())).status == 200
        pool = made._pools[asyncio.get_running_loop()]
        await made.aclose()
        assert pool.session.closed
        await lost.close()
