"""Other transports under the same client: httpx's mock, respx in both of its ways, httpx's own, and ours under httpx."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
import respx
from wire_bench import Peer, asking, client, error, failure, read, serving

from backends import OpenAI, errors
from backends.wire.client import Client
from backends.wire.transport import AiohttpTransport
from backends.wire.values import Failure, Timeouts, WireError

URL = "https://api.invalid/v1/chat"
ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-5.5",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "mocked"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}
RAISED: list[tuple[Callable[[httpx.Request], Exception], Failure, bool]] = [
    (lambda request: httpx.ConnectError("no", request=request), Failure.CONNECT, False),
    (lambda request: httpx.ConnectTimeout("no", request=request), Failure.CONNECT_TIMEOUT, False),
    (lambda request: httpx.PoolTimeout("no", request=request), Failure.CONNECT_TIMEOUT, False),
    (lambda request: httpx.WriteError("no", request=request), Failure.RESET_BEFORE_SENT, False),
    (lambda request: httpx.WriteTimeout("no", request=request), Failure.WRITE_TIMEOUT, True),
    (lambda request: httpx.ReadError("no", request=request), Failure.RESET_AFTER_SENT, True),
    (lambda request: httpx.ReadTimeout("no", request=request), Failure.READ_TIMEOUT, True),
    (lambda request: httpx.RemoteProtocolError("no", request=request), Failure.PROTOCOL, True),
    (lambda request: httpx.UnsupportedProtocol("no", request=request), Failure.INSECURE, False),
    (lambda request: httpx.ProxyError("no", request=request), Failure.PROXY, False),
    (lambda request: httpx.CloseError("no", request=request), Failure.PROTOCOL, True),
]


@pytest.mark.parametrize(
    ("make", "expected", "sent"), RAISED, ids=lambda value: str(value) if isinstance(value, Failure) else ""
)
async def test_an_error_of_any_transport_gets_its_name(
    make: Callable[[httpx.Request], Exception], expected: Failure, sent: bool
) -> None:
    """By its class, where it carries no name of its own."""

    def handle(request: httpx.Request) -> httpx.Response:
        raise make(request)

    async with client(httpx.MockTransport(handle)) as made:
        assert await failure(made, asking(URL)) == (expected, sent)


async def test_a_mock_is_bounded_and_decoded_like_the_network() -> None:
    """Sizes, compression and redirects are the client's matter, whatever is underneath."""

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/large":
            return httpx.Response(200, content=b"x" * 1001)
        if request.url.path == "/away":
            return httpx.Response(307, headers={"location": "https://elsewhere.invalid/"})
        if request.url.path == "/moved":
            return httpx.Response(308, headers={"location": "/v1/chat"})
        return httpx.Response(200, content=gzip.compress(b"small"), headers={"content-encoding": "gzip"})

    async with client(httpx.MockTransport(handle), max_body_bytes=1000) as made:
        assert await read(made, asking(URL)) == b"small"
        assert await read(made, asking("https://api.invalid/moved")) == b"small"
        assert (await failure(made, asking("https://api.invalid/large")))[0] is Failure.TOO_LARGE
        assert (await failure(made, asking("https://api.invalid/away")))[0] is Failure.REDIRECT


class Pieces(httpx.AsyncByteStream):
    """A body in pieces that counts how often it is closed."""

    def __init__(self, *sizes: int) -> None:
        self._sizes = sizes
        self.closed = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for size in self._sizes:
            yield b"x" * size

    async def aclose(self) -> None:
        self.closed += 1


@pytest.mark.parametrize("sizes", [(), (1000,), (600, 400), (400, 400, 200)])
async def test_a_body_in_pieces_is_put_together(sizes: tuple[int, ...]) -> None:
    """As large as is allowed; closed once, however often that is asked for."""
    pieces = Pieces(*sizes)
    async with client(httpx.MockTransport(lambda _: httpx.Response(200, stream=pieces)), max_body_bytes=1000) as made:
        response = await made.open(asking(URL))
        assert await response.read() == b"x" * sum(sizes)
        for _ in range(2):
            await response.aclose()
    assert pieces.closed == 1


@pytest.mark.parametrize("sizes", [(1001,), (600, 401), (400, 400, 200, 1)])
async def test_a_body_in_pieces_is_bounded(sizes: tuple[int, ...]) -> None:
    """Together, and not each for itself; what follows is not waited for."""
    pieces = Pieces(*sizes)
    async with client(httpx.MockTransport(lambda _: httpx.Response(200, stream=pieces)), max_body_bytes=1000) as made:
        found = await error(made, asking(URL))
    assert (found.failure, found.sent) == (Failure.TOO_LARGE, True)
    assert found.message == "more than the 1000 bytes that are allowed"
    assert pieces.closed == 1


async def test_a_mock_sees_the_timeouts() -> None:
    """Each phase, in the place where httpx puts them."""
    seen = {}

    def handle(request: httpx.Request) -> httpx.Response:
        seen.update(request.extensions["timeout"])
        return httpx.Response(200)

    async with client(httpx.MockTransport(handle)) as made:
        await read(made, asking(URL, connect=1.0, write=2.0, read=3.0, idle=4.0))
    assert seen == {"connect": 1.0, "write": 2.0, "read": 3.0, "idle": 4.0}


async def test_a_mock_takes_latin_1_headers() -> None:
    """What ``check_header`` lets through reaches every transport."""
    seen: list[bytes] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.extend(value for name, value in request.headers.raw if name == b"x-title")
        return httpx.Response(200)

    async with client(httpx.MockTransport(handle)) as made:
        await read(made, asking(URL, headers=(("x-title", "Zoë"),)))
    assert seen == ["Zoë".encode("latin-1")]


async def test_a_transport_that_was_passed_in_stays_open() -> None:
    """Its owner closes it."""

    class Owned(httpx.MockTransport):
        closed = False

        async def aclose(self) -> None:
            self.closed = True

    transport = Owned(lambda _: httpx.Response(200))
    made = Client(transport)
    await read(made, asking(URL))
    await made.aclose()
    assert not transport.closed
    await transport.aclose()


async def test_respx_as_the_handler_of_a_mock() -> None:
    """A router's ``async_handler`` answers, and knows what was asked."""
    router = respx.MockRouter(assert_all_called=True)
    route = router.post(URL).respond(200, json={"ok": True})
    async with client(httpx.MockTransport(router.async_handler)) as made:
        assert await read(made, asking(URL, b'{"a":1}')) == b'{"ok":true}'
    assert route.call_count == 1
    assert route.calls.last.request.content == b'{"a":1}'


@respx.mock
async def test_respx_over_httpx_own_transport() -> None:
    """``@respx.mock`` patches httpx's transport; ours is told to use that one."""
    respx.post(URL).mock(side_effect=[httpx.ConnectError, httpx.Response(200, text="second")])
    async with httpx.AsyncHTTPTransport() as transport, client(transport) as made:
        assert await failure(made, asking(URL)) == (Failure.CONNECT, False)
        assert await read(made, asking(URL)) == b"second"


@pytest.mark.parametrize("way", ["router", "patched"])
async def test_a_backend_is_tested_with_respx(way: str) -> None:
    """As a user would: the transport goes in at the constructor, answers and failures come out as ours."""
    router = respx.MockRouter(assert_all_called=False, assert_all_mocked=True)
    router.post("https://api.openai.com/v1/chat/completions").mock(
        side_effect=[
            httpx.Response(200, json=ANSWER),
            httpx.Response(401, json={"error": {"message": "no", "code": "invalid_api_key"}}),
        ]
    )
    if way == "patched":
        with respx.mock(assert_all_called=False) as patched:
            patched.routes = router.routes
            await _ask_twice(httpx.AsyncHTTPTransport())
    else:
        await _ask_twice(httpx.MockTransport(router.async_handler))
    assert router.calls.call_count == 2 or way == "patched"


async def _ask_twice(transport: httpx.AsyncBaseTransport) -> None:
    async with OpenAI(api_key="sk-1", transport=transport, environ={}) as backend:
        assert (await backend.achat([{"role": "user", "content": "hi"}])).text == "mocked"
        with pytest.raises(errors.AuthenticationError):
            await backend.achat([{"role": "user", "content": "hi"}])
    await transport.aclose()


async def test_httpx_own_transport_on_a_real_socket() -> None:
    """The client works over httpcore as well, with its own names for failures."""

    async def behave(peer: Peer) -> None:
        _, _, body = await peer.request()
        await peer.answer(body)
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")

    async with serving(behave) as server, httpx.AsyncHTTPTransport() as transport, client(transport) as made:
        assert await read(made, asking(server.url, b"echo")) == b"echo"
        assert await failure(made, asking(server.url)) == (Failure.CUT_SHORT, True)


async def test_our_transport_under_an_httpx_client() -> None:
    """It is an httpx transport: answers, streams, long bodies with their length, and failures with httpx's classes."""
    lengths: list[str] = []

    async def behave(peer: Peer) -> None:
        while True:
            first, headers, body = await peer.request()
            lengths.append(headers.get("content-length", "none"))
            if "/slow" in first:
                await peer.gone()
            await peer.answer(b"%d" % len(body), "200 OK", "Set-Cookie: a=1", "X-One: 1", "X-One: 2")

    async with serving(behave) as server, httpx.AsyncClient(transport=AiohttpTransport()) as made:
        assert (await made.get(server.url)).text == "0"
        assert (await made.post(server.url, content=b"x" * 2_000_000)).text == "2000000"
        async with made.stream("POST", server.url, json={"a": 1}) as answer:
            assert b"".join([piece async for piece in answer.aiter_bytes()]) == b"7"
            assert answer.headers["x-one"] == "1, 2"
        with pytest.raises(httpx.ReadTimeout) as caught:
            await made.get(server.url + "/slow", timeout=0.02)
        assert caught.value.failure is Failure.READ_TIMEOUT  # type: ignore[attr-defined]
    assert lengths[:3] == ["none", "2000000", "7"]


@pytest.mark.parametrize("size", [10, 65_536, 65_537, 600_000, 2_000_000])
async def test_a_body_of_bytes_has_its_length(size: int) -> None:
    """However long it is: some servers take no chunked requests."""
    seen: list[dict[str, str]] = []

    async def behave(peer: Peer) -> None:
        _, headers, body = await peer.request()
        seen.append(headers)
        await peer.answer(b"%d" % len(body))

    async with serving(behave) as server, client() as made:
        assert await read(made, asking(server.url, b"x" * size)) == b"%d" % size
    assert seen[0]["content-length"] == str(size)
    assert "transfer-encoding" not in seen[0]
    assert "user-agent" not in seen[0]
    assert "cookie" not in seen[0]


class Refused(AiohttpTransport):
    """Keeps what it is asked to send, and fails as it is told."""

    def __init__(self, failure: Failure) -> None:
        super().__init__()
        self._failure = failure
        self.asked: list[Any] = []

    async def exchange(self, *asked: Any) -> Any:
        self.asked = list(asked)
        raise WireError(self._failure, "details", sent=True)


@pytest.mark.parametrize(
    ("extensions", "expected"),
    [
        ({"timeout": {"connect": 1.0, "read": 2.0, "write": 3.0, "pool": 4.0}}, Timeouts(1.0, 3.0, 2.0, 2.0)),
        ({"timeout": {"connect": 1.0, "read": 2.0, "write": 3.0, "idle": 5.0}}, Timeouts(1.0, 3.0, 2.0, 5.0)),
        ({"timeout": {}}, Timeouts(None, None, None, None)),
        ({}, Timeouts(None, None, None, None)),
    ],
)
async def test_httpx_timeouts_are_ours(extensions: dict[str, Any], expected: Timeouts) -> None:
    """A silence within the body may be as long as one before it, unless it is said otherwise."""
    transport = Refused(Failure.CONNECT)
    headers = [(b"X-Title", "Zoë".encode("latin-1"))]
    request = httpx.Request("POST", URL, headers=headers, content=b"{}", extensions=extensions)
    with pytest.raises(httpx.ConnectError):
        await transport.handle_async_request(request)
    method, address, sent, data, timeouts = transport.asked
    assert (method, address, data, timeouts) == ("POST", URL, b"{}", expected)
    assert ("X-Title", "Zoë") in sent


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (Failure.CONNECT, httpx.ConnectError),
        (Failure.TLS, httpx.ConnectError),
        (Failure.PROXY, httpx.ProxyError),
        (Failure.CONNECT_TIMEOUT, httpx.ConnectTimeout),
        (Failure.WRITE_TIMEOUT, httpx.WriteTimeout),
        (Failure.READ_TIMEOUT, httpx.ReadTimeout),
        (Failure.IDLE_TIMEOUT, httpx.ReadTimeout),
        (Failure.CUT_SHORT, httpx.ReadError),
        (Failure.RESET_AFTER_SENT, httpx.ReadError),
        (Failure.RESET_BEFORE_SENT, httpx.WriteError),
        (Failure.PROTOCOL, httpx.RemoteProtocolError),
    ],
)
async def test_our_failures_are_httpxs(failure: Failure, kind: type[httpx.TransportError]) -> None:
    """With the name of the failure, what happened, and the request."""
    request = httpx.Request("GET", URL)
    with pytest.raises(kind, match="details") as caught:
        await Refused(failure).handle_async_request(request)
    assert (caught.value.failure, caught.value.request) == (failure, request)
    assert caught.value.__cause__ is None


class Around(httpx.AsyncBaseTransport):
    """What a user puts around ours, to log or to measure."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._inner.handle_async_request(request)


UNSENT = (Failure.CONNECT, Failure.CONNECT_TIMEOUT, Failure.TLS, Failure.RESET_BEFORE_SENT, Failure.PROXY)


@pytest.mark.parametrize("failed", [one for one in Failure if one not in (Failure.TOO_LARGE, Failure.REDIRECT)])
async def test_our_failures_keep_their_names_through_another_transport(failed: Failure) -> None:
    """By httpx's class alone, a certificate that is not trusted would be any connection that was not made."""
    async with client(Around(Refused(failed))) as made:
        found = await error(made, asking(URL))
    assert (found.failure, found.message, found.sent) == (failed, "details", failed not in UNSENT)


async def test_what_a_transport_says_is_cut() -> None:
    """Its first three hundred characters are kept: somebody else's words may be any number."""

    def handle(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("".join(map(str, range(1000))), request=request)

    async with client(httpx.MockTransport(handle)) as made:
        assert (await error(made, asking(URL))).message == "".join(map(str, range(1000)))[:300]


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (httpx.ReadTimeout("no"), Failure.IDLE_TIMEOUT),
        (httpx.ReadError("no"), Failure.CUT_SHORT),
        (httpx.RemoteProtocolError("no"), Failure.CUT_SHORT),
        (httpx.CloseError("no"), Failure.CUT_SHORT),
        (httpx.WriteTimeout("no"), Failure.WRITE_TIMEOUT),
    ],
    ids=lambda value: value if isinstance(value, Failure) else "",
)
async def test_an_error_within_a_body_is_another_than_one_before_it(raised: Exception, expected: Failure) -> None:
    """What had come is handed over first."""

    class Broken(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"first "
            raise raised

    async with client(httpx.MockTransport(lambda _: httpx.Response(200, stream=Broken()))) as made:
        response = await made.open(asking(URL))
        chunks = response.chunks()
        assert await anext(chunks) == b"first "
        with pytest.raises(WireError) as caught:
            await anext(chunks)
        await response.aclose()
    assert (caught.value.failure, caught.value.message, caught.value.sent) == (expected, "no", True)


async def test_our_answers_are_httpxs() -> None:
    """With their status and their request; a body that comes in pieces is sent, and one that is cut short is httpx's error."""

    async def behave(peer: Peer) -> None:
        head = await peer.reader.readuntil(b"\r\n\r\n")
        assert b"chunked" in head
        assert await peer.reader.readuntil(b"0\r\n\r\n") == b"4\r\none \r\n3\r\ntwo\r\n0\r\n\r\n"
        await peer.say(b"HTTP/1.1 418 Teapot\r\nContent-Length: 100\r\n\r\nshort")

    async def pieces() -> AsyncIterator[bytes]:
        yield b"one "
        yield b"two"

    transport = AiohttpTransport()
    async with serving(behave) as server:
        request = httpx.Request("POST", server.url, content=pieces())
        answer = await transport.handle_async_request(request)
        assert (answer.status_code, answer.request) == (418, request)
        body = aiter(answer.stream)
        assert await anext(body) == b"short"
        with pytest.raises(httpx.ReadError) as caught:
            await anext(body)
        assert (caught.value.failure, caught.value.request) == (Failure.CUT_SHORT, request)  # type: ignore[attr-defined]
        assert str(caught.value) == "ClientPayloadError"
        await answer.aclose()
        await transport.aclose()
