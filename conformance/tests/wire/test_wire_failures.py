"""Servers that misbehave: every way of failing has its own name, and says whether work may have begun."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import ssl
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey
from wire_bench import Peer, asking, client, error, failure, plain, read, serving

from backends.wire.broken import broken
from backends.wire.client import Client
from backends.wire.transport import AiohttpTransport
from backends.wire.values import Failure, Timeouts, WireError
from conformance.virtual_time import VirtualTimeLoop

SHORT = 0.05
TLS = Path(__file__).resolve().parents[3] / "conformance" / "data" / "tls"


def virtually(work: Coroutine[Any, Any, None]) -> None:
    """Run in a loop whose time jumps, where patience costs nothing and a slow machine is not a late one."""
    loop = VirtualTimeLoop()
    try:
        loop.run_until_complete(work)
    finally:
        loop.finish()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


async def test_a_refused_connection() -> None:
    """Nothing was sent."""
    async with client() as made:
        assert await failure(made, asking(f"http://127.0.0.1:{free_port()}/")) == (Failure.CONNECT, False)


async def test_a_name_that_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts as not connected."""

    async def lookup(*_: object, **__: object) -> list[object]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", lookup)
    async with client() as made:
        assert await failure(made, asking("http://nobody.invalid/")) == (Failure.CONNECT, False)


async def test_a_connection_that_is_not_made_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Told apart from a refusal; nothing was sent."""

    async def never(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", never)
    async with client() as made:
        assert await failure(made, asking("http://127.0.0.1:9/", connect=0.01)) == (Failure.CONNECT_TIMEOUT, False)


async def test_a_reset_before_anything_was_answered() -> None:
    """The request was sent: the server may have begun."""

    async def behave(peer: Peer) -> None:
        await peer.request()
        peer.reset()

    async with serving(behave) as server, client() as made:
        assert await failure(made, asking(server.url)) == (Failure.RESET_AFTER_SENT, True)


async def test_a_connection_closed_politely_without_an_answer() -> None:
    """An end of file is no better than a reset."""

    async def behave(peer: Peer) -> None:
        await peer.request()

    async with serving(behave) as server, client() as made:
        assert await failure(made, asking(server.url)) == (Failure.RESET_AFTER_SENT, True)


async def test_a_connection_lost_while_the_body_is_sent() -> None:
    """A long body whose reader goes away: the loss is reported, and nothing hangs."""

    async def behave(peer: Peer) -> None:
        await peer.reader.readexactly(1000)
        peer.reset()

    async with serving(behave) as server, client() as made:
        found, _ = await failure(made, asking(server.url, b"x" * 30_000_000))
        assert found in (Failure.RESET_AFTER_SENT, Failure.RESET_BEFORE_SENT)


@pytest.mark.parametrize("size", [300_000, 30_000_000])
async def test_a_server_that_does_not_read(size: int) -> None:
    """The write timeout ends it; what fits into the kernel's buffers is not late, and waits for the answer instead."""

    async def behave(peer: Peer) -> None:
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.Event().wait()

    async with serving(behave) as server, client() as made:
        found = await error(made, asking(server.url, b"x" * size, write=SHORT, read=SHORT))
        assert (found.failure, found.message, found.sent) == (
            (Failure.WRITE_TIMEOUT, "the server does not read", True)
            if size > 20_000_000
            else (Failure.READ_TIMEOUT, "SocketTimeoutError", True)
        )


def test_a_slow_reader_is_not_a_late_one() -> None:
    """Each piece has its own time: an upload longer than the timeout gets through while it moves, and no wait for the
    answer is counted as writing."""

    async def behave(peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        for _ in range(50):
            await peer.reader.readexactly(600_000)
            await asyncio.sleep(2.0)
        await asyncio.sleep(100.0)
        await peer.answer(b"read")

    async def work() -> None:
        async with serving(behave) as server, client() as made:
            assert await read(made, asking(server.url, b"x" * 30_000_000, write=60.0, read=150.0)) == b"read"

    virtually(work())


async def test_an_answer_before_the_body_has_ended() -> None:
    """A server that refuses early is heard, and the rest of the body harms nobody."""

    async def behave(peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.answer(b"too much", "413 Payload Too Large", "Connection: close")
        await peer.gone()

    async with serving(behave) as server, client() as made:
        response = await made.open(asking(server.url, b"x" * 3_000_000, write=1.0))
        assert response.status == 413
        assert await response.read() == b"too much"
        await response.aclose()


async def test_an_answer_may_begin_before_the_body_has_ended() -> None:
    """The rest of the body is sent all the same, and the answer is read to its end."""
    heard = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"one "
        await heard.wait()
        yield b"two "
        yield b"three"

    async def behave(peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n")
        await peer.say(await peer.reader.readexactly(13))

    transport = AiohttpTransport()
    async with serving(behave) as server:
        arrived = await transport.exchange("POST", server.url, [("content-length", "13")], body(), Timeouts(read=5.0))
        heard.set()
        assert b"".join([piece async for piece in arrived.stream]) == b"one two three"
        await transport.aclose()


async def test_headers_that_do_not_come() -> None:
    """Silence, and half a head."""
    for half in (b"", b"HTTP/1.1 200 OK\r\nContent-Le"):

        async def behave(peer: Peer, half: bytes = half) -> None:
            await peer.request()
            await peer.say(half)
            await peer.gone()

        async with serving(behave) as server, client() as made:
            assert await failure(made, asking(server.url, read=SHORT)) == (Failure.READ_TIMEOUT, True)


async def test_a_body_that_stalls() -> None:
    """Silence between two chunks is measured by ``idle``, not by ``read``."""

    async def behave(peer: Peer) -> None:
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\none \r\n")
        await peer.gone()

    async with serving(behave) as server, client() as made:
        response = await made.open(asking(server.url, read=5.0, idle=SHORT))
        chunks = response.chunks()
        assert await anext(chunks) == b"one "
        with pytest.raises(WireError) as caught:
            await anext(chunks)
        await response.aclose()
        assert caught.value.failure is Failure.IDLE_TIMEOUT


@pytest.mark.parametrize("idle", [50.0, None])
def test_a_stream_may_be_slower_than_the_wait_for_its_headers(idle: float | None) -> None:
    """``read`` does not end a stream that ``idle`` allows; None is no limit."""

    async def behave(peer: Peer) -> None:
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\none ")
        await asyncio.sleep(40.0)
        await peer.say(b"two ")
        await peer.gone()

    async def work() -> None:
        async with serving(behave) as server, client() as made:
            assert await read(made, asking(server.url, read=10.0, idle=idle)) == b"one two "

    virtually(work())


CUT = {
    "a chunked body without its end": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\none \r\n",
    "a chunk cut in half": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\none ",
    "fewer bytes than announced": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\none ",
}


@pytest.mark.parametrize("case", CUT)
@pytest.mark.parametrize("rudely", [False, True], ids=["closed", "reset"])
async def test_a_body_that_is_cut_short(case: str, rudely: bool) -> None:
    """Never taken for a whole one."""

    async def behave(peer: Peer) -> None:
        await peer.request()
        await peer.say(CUT[case])
        if rudely:
            await asyncio.sleep(0.01)
            peer.reset()

    async with serving(behave) as server, client() as made:
        assert await failure(made, asking(server.url)) == (Failure.CUT_SHORT, True)


@pytest.mark.parametrize("closing", [False, True], ids=["stays", "leaves"])
async def test_a_chunk_that_breaks_after_the_head_has_been_read(closing: bool) -> None:
    """Whoever waits for the body is told at once: no timeout runs any more by then."""

    async def behave(peer: Peer) -> None:
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\none \r\n")
        await read_first.wait()
        await peer.say(b"zz\r\ntwo\r\n")
        if not closing:
            await peer.gone()

    read_first = asyncio.Event()
    async with serving(behave) as server, client() as made:
        response = await made.open(asking(server.url))
        chunks = response.chunks()
        assert await anext(chunks) == b"one "
        read_first.set()
        async with asyncio.timeout(5.0):
            with pytest.raises(WireError) as caught:
                await anext(chunks)
        await response.aclose()
        assert (caught.value.failure, caught.value.sent) == (Failure.PROTOCOL, True)


NONSENSE = {
    "not HTTP": b"SSH-2.0-OpenSSH_9.9\r\n\r\n",
    "no status": b"HTTP/1.1 \r\n\r\n",
    "bad status": b"HTTP/1.1 abc OK\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 5\r\n\r\n{}",
    "negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n{}",
    "length in words": b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\n{}",
    "a header without a name": b"HTTP/1.1 200 OK\r\n: x\r\n\r\n",
    "a header with a zero byte": b"HTTP/1.1 200 OK\r\nX: a\x00b\r\nContent-Length: 0\r\n\r\n",
    "an endless header": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000 + b"\r\n\r\n",
    "an endless first line": b"HTTP/1.1 200 " + b"a" * 200_000 + b"\r\n\r\n",
}


async def test_long_lines_are_read() -> None:
    """Several times as long as most servers send: a policy of security, or an account of what was spent, is long."""

    async def behave(peer: Peer) -> None:
        await peer.request()
        await peer.answer(b"{}", f"200 {'a' * 60_000}", f"X-Spent: {'b' * 60_000}")

    async with serving(behave) as server, client() as made:
        response = await made.open(asking(server.url))
        assert response.headers["x-spent"] == "b" * 60_000
        await response.aclose()


@pytest.mark.parametrize("case", NONSENSE)
async def test_an_answer_that_is_not_http(case: str) -> None:
    """Refused as a broken protocol, within bounded memory."""

    async def behave(peer: Peer) -> None:
        await peer.request()
        await peer.say(NONSENSE[case])
        await peer.gone()

    unforeseen: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unforeseen.append(context))
    async with serving(behave) as server, client() as made:
        assert await failure(made, asking(server.url)) == (Failure.PROTOCOL, True)
    assert unforeseen == []


async def test_an_answer_that_is_whole_is_not_harmed_by_what_follows() -> None:
    """Nonsense in the same breath as the last byte of the body: the connection ends, the answer stands."""

    async def behave(peer: Peer) -> None:
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nfirst ")
        await begun.wait()
        await peer.say(b"words\x00\x00 nonsense\r\n\r\n")
        await peer.gone()

    begun = asyncio.Event()
    async with serving(behave) as server, client() as made:
        response = await made.open(asking(server.url))
        chunks = response.chunks()
        assert await anext(chunks) == b"first "
        begun.set()
        assert [piece async for piece in chunks] == [b"words"]
        await response.aclose()


async def test_more_bytes_than_announced() -> None:
    """The answer ends where it said; the rest is not the next answer."""

    async def behave(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.say(
                b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"
            )

    async with serving(behave) as server, client() as made:
        for _ in range(3):
            with contextlib.suppress(WireError):  # the connection with the surplus may be refused
                assert await read(made, asking(server.url)) == b"{}"


async def test_a_certificate_that_is_not_trusted() -> None:
    """TLS is verified unless the caller says otherwise; nothing was sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "good.pem")

    async def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    async with client() as made:
        assert await failure(made, asking(f"https://127.0.0.1:{port}/")) == (Failure.TLS, False)
    server.close()
    await server.wait_closed()


async def test_plain_http_on_a_tls_port_and_the_other_way_round() -> None:
    """Neither hangs; the handshake that fails sends nothing."""

    async def behave(peer: Peer) -> None:
        await peer.reader.read(100)
        await peer.say(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    async with serving(behave) as server, client() as made:
        found, sent = await failure(made, asking(server.url.replace("http", "https")))
        assert found in (Failure.TLS, Failure.CONNECT)
        assert not sent


async def test_an_address_that_cannot_be_used() -> None:
    """A typed failure; nothing was sent."""
    for url in ("http://127.0.0.1/" + "x" * 70_000, "http://127.0.0.1:99999/", "ftp://127.0.0.1/", "no address"):
        made = Client()
        found, _ = await failure(made, asking(url))
        assert found in (Failure.PROTOCOL, Failure.CONNECT, Failure.INSECURE), url
        await made.aclose()


BAD_HEADERS = [
    ("x-a", "b\r\nx-evil: 1"),
    ("x-a", "b\nx-evil: 1"),
    ("x-a", "b\rx-evil: 1"),
    ("x-a", "b\x00"),
    ("x-a\r\nx-evil", "1"),
    ("x-a: 1\r\nx-evil", "1"),
]


@pytest.mark.parametrize("header", BAD_HEADERS, ids=plain)
async def test_a_header_cannot_be_split(header: tuple[str, str]) -> None:
    """Refused here even if nobody before has looked; not a byte reaches the server."""

    async def behave(peer: Peer) -> None:
        first, headers, _ = await peer.request()
        raise AssertionError(f"{first} {headers}")

    async with serving(behave) as server, client() as made:
        found, _ = await failure(made, asking(server.url, headers=(header,)))
        assert found is Failure.PROTOCOL


async def test_a_header_may_hold_latin_1() -> None:
    """What ``check_header`` lets through can be sent."""
    seen: list[dict[str, str]] = []

    async def behave(peer: Peer) -> None:
        _, headers, _ = await peer.request()
        seen.append(headers)
        await peer.answer()

    async with serving(behave) as server, client() as made:
        assert await read(made, asking(server.url, headers=(("x-title", "Zoë"),))) == b"{}"
    assert seen[0]["x-title"].encode("latin-1").decode() == "Zoë"


KEY = ConnectionKey("host.invalid", 443, True, True, None, None, None)
REFUSED = OSError(errno.ECONNREFUSED, "Connection refused")
MEANT: list[tuple[Exception, Failure, Failure, str]] = [
    # what the library raises; what it is before the headers of the answer and after them; what is said of it
    (aiohttp.ClientConnectorSSLError(KEY, ssl.SSLError(1, "wrong")), Failure.TLS, Failure.TLS, "host.invalid:443: wrong"),
    (aiohttp.ClientConnectorError(KEY, REFUSED), Failure.CONNECT, Failure.CONNECT, "host.invalid:443: Connection refused"),
    (aiohttp.ClientConnectorError(KEY, OSError("many words")), Failure.CONNECT, Failure.CONNECT, "host.invalid:443: OSError"),
    (aiohttp.ConnectionTimeoutError("u"), Failure.CONNECT_TIMEOUT, Failure.CONNECT_TIMEOUT, "ConnectionTimeoutError"),
    (aiohttp.SocketTimeoutError("u"), Failure.READ_TIMEOUT, Failure.IDLE_TIMEOUT, "SocketTimeoutError"),
    (TimeoutError(), Failure.READ_TIMEOUT, Failure.IDLE_TIMEOUT, "TimeoutError"),
    (aiohttp.ClientPayloadError("u"), Failure.CUT_SHORT, Failure.CUT_SHORT, "ClientPayloadError"),
    (aiohttp.ServerDisconnectedError(), Failure.RESET_AFTER_SENT, Failure.CUT_SHORT, "ServerDisconnectedError"),
    (aiohttp.ClientConnectionResetError("u"), Failure.RESET_BEFORE_SENT, Failure.RESET_BEFORE_SENT, "ClientConnectionResetError"),
    (ConnectionResetError(104, "Reset by peer"), Failure.RESET_AFTER_SENT, Failure.CUT_SHORT, "Reset by peer"),
    (aiohttp.ClientOSError(5, "of http://h/?key=s"), Failure.RESET_AFTER_SENT, Failure.CUT_SHORT, "ClientOSError"),
    (aiohttp.ClientConnectionError("http://h/?key=s"), Failure.PROTOCOL, Failure.PROTOCOL, "ClientConnectionError"),
    (ValueError("http://h/?key=s"), Failure.PROTOCOL, Failure.PROTOCOL, "ValueError"),
]  # fmt: skip
UNSENT = (Failure.TLS, Failure.CONNECT, Failure.CONNECT_TIMEOUT, Failure.RESET_BEFORE_SENT)


@pytest.mark.parametrize(("problem", "before", "after", "said"), MEANT, ids=lambda value: type(value).__name__)
def test_what_an_error_of_the_library_means(problem: Exception, before: Failure, after: Failure, said: str) -> None:
    """It depends on whether an answer had begun; what is said holds no address but the host's, for a query may be secret."""
    for body, failed in ((False, before), (True, after)):
        found = broken(problem, body=body)
        assert (found.failure, found.message, found.sent) == (failed, said, failed not in UNSENT)


async def test_a_closed_answer_cannot_be_read() -> None:
    """A typed failure, although all of it had come."""

    async def behave(peer: Peer) -> None:
        await peer.request()
        await peer.answer(b"whole")
        await peer.gone()

    async with serving(behave) as server, client() as made:
        response = await made.open(asking(server.url))
        await response.aclose()
        with pytest.raises(WireError):
            await response.read()


async def test_what_had_come_before_a_failure_is_handed_over_first() -> None:
    """All of it, although the failure is known by the time that anybody reads."""

    async def behave(peer: Peer) -> None:
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nfirst words")

    async with serving(behave) as server, client() as made:
        response = await made.open(asking(server.url))
        content = response._stream._answer.content
        for _ in range(1000):
            if content.exception() is not None:
                break
            await asyncio.sleep(0.001)
        chunks = response.chunks()
        assert await anext(chunks) == b"first words"
        with pytest.raises(WireError) as caught:
            await anext(chunks)
        assert (caught.value.failure, caught.value.sent) == (Failure.CUT_SHORT, True)
        await response.aclose()
