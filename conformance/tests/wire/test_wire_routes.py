"""Routes: whom a connection trusts and who it says it is, a proxy that wants a password, and files that are not there."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from wire_bench import Peer, asking, plain, read, serving

from backends.wire.client import Client
from backends.wire.route import Proxy, Route, proxy_for
from backends.wire.values import Failure, WireError

TLS = Path(__file__).resolve().parents[3] / "conformance" / "data" / "tls"
GOOD = str(TLS / "good.pem")  # a certificate of 127.0.0.1 that signed itself, and its key


@contextlib.asynccontextmanager
async def over_tls(*, clients: str | None = None) -> AsyncIterator[str]:
    """A server that answers with whether it was shown a certificate; ``clients`` signs those that it asks for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(GOOD)
    if clients is not None:
        context.load_verify_locations(clients)
        context.verify_mode = ssl.CERT_REQUIRED

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            peer = Peer(reader, writer, 1)
            await peer.request()
            await peer.answer(b"shown" if writer.get_extra_info("peercert") else b"not shown")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with server:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


async def through(route: Route, url: str) -> bytes:
    """Ask over a route."""
    made = Client(route=route)
    try:
        return await read(made, asking(url))
    finally:
        await made.aclose()


@pytest.mark.parametrize(
    "verify", [False, GOOD, ssl.create_default_context(cafile=GOOD)], ids=["no", "file", "context"]
)
async def test_whom_a_route_trusts(verify: bool | str | ssl.SSLContext) -> None:
    """Everybody when told so; else whom a file or a context names."""
    async with over_tls() as url:
        assert await through(Route(verify=verify), url) == b"not shown"


@pytest.mark.parametrize("verify", [False, GOOD], ids=["no", "file"])
async def test_a_route_shows_its_certificate(verify: bool | str) -> None:
    """In one file with its key, or in two."""
    async with over_tls(clients=GOOD) as url:
        for certificate in ((GOOD,), (GOOD, GOOD)):
            assert await through(Route(verify=verify, client_certificate=certificate), url) == b"shown"


async def test_a_certificate_of_ones_own_does_not_make_others_trusted() -> None:
    async with over_tls(clients=GOOD) as url:
        with pytest.raises(WireError) as caught:
            await through(Route(client_certificate=(GOOD,)), url)
        assert (caught.value.failure, caught.value.sent) == (Failure.TLS, False)


def test_what_a_route_checks() -> None:
    """Equal routes share what they check with; a folder of certificates is one, and names are checked unless nothing is."""
    assert Route().context() is True
    assert Route(verify=False).context() is False
    own = ssl.create_default_context()
    assert Route(verify=own).context() is own
    by_file, by_folder = Route(verify=GOOD).context(), Route(verify=str(TLS)).context()
    assert Route(verify=GOOD).context() is by_file
    for context in (by_file, by_folder, Route(client_certificate=(GOOD,)).context()):
        assert isinstance(context, ssl.SSLContext)
        assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)
    unchecked = Route(verify=False, client_certificate=(GOOD,)).context()
    assert isinstance(unchecked, ssl.SSLContext)
    assert (unchecked.check_hostname, unchecked.verify_mode) == (False, ssl.CERT_NONE)


@pytest.mark.parametrize(
    ("route", "names"),
    [
        (Route(verify="/nowhere/ca.pem"), "/nowhere/ca.pem"),
        (Route(client_certificate=("/nowhere/c.pem", "/nowhere/k.pem")), "/nowhere/c.pem or /nowhere/k.pem"),
        (Route(verify=GOOD, client_certificate=("/nowhere/c.pem",)), f"{GOOD} or /nowhere/c.pem"),
    ],
)
async def test_a_file_that_is_not_there_is_named(route: Route, names: str) -> None:
    """Before anything is sent."""
    with pytest.raises(WireError) as caught:
        await through(route, "https://127.0.0.1:1/")
    assert (caught.value.failure, caught.value.sent) == (Failure.TLS, False)
    assert caught.value.message == f"{names}: No such file or directory"


async def test_a_file_that_the_system_says_nothing_about(monkeypatch: pytest.MonkeyPatch) -> None:
    """Is named all the same, with what is most likely wrong."""

    def context(_: Route) -> None:
        raise OSError

    monkeypatch.setattr(Route, "context", context)
    with pytest.raises(WireError) as caught:
        await through(Route(client_certificate=("c.pem", "k.pem")), "https://127.0.0.1:1/")
    assert caught.value.message == "c.pem or k.pem: no certificate, or no key that fits"


@pytest.mark.parametrize(
    ("userinfo", "expected"),
    [("", None), ("us%40er:pa%2Fss@", "us@er:pa/ss"), ("user@", "user:"), ("z%C3%B6:w@", "zö:w")],
    ids=plain,
)
async def test_a_proxy_is_told_who_asks(userinfo: str, expected: str | None) -> None:
    """It sees the whole address; the password goes to it alone."""
    seen: list[tuple[str, str | None]] = []

    async def behave(peer: Peer) -> None:
        first, headers, _ = await peer.request()
        seen.append((first, headers.get("proxy-authorization")))
        await peer.answer()

    async with serving(behave) as server:
        proxy = Proxy(server.url.replace("http://", f"http://{userinfo}"))
        assert await through(Route(proxy=proxy), "http://api.invalid/v1") == b"{}"
    told = None if expected is None else f"Basic {b64encode(expected.encode()).decode()}"
    assert seen == [("POST http://api.invalid/v1 HTTP/1.1", told)]


async def test_a_proxy_that_refuses() -> None:
    """Says no before the server was reached; it was asked for a tunnel, and told who asks."""

    async def behave(peer: Peer) -> None:
        first, headers, _ = await peer.request()
        seen.append((first, headers.get("proxy-authorization"), headers.get("authorization")))
        await peer.answer(b"", "407 Proxy Authentication Required")

    seen: list[tuple[str, str | None, str | None]] = []
    async with serving(behave) as server:
        with pytest.raises(WireError) as caught:
            await through(Route(proxy=Proxy(server.url.replace("//", "//user:word@"))), "https://api.invalid/v1")
    assert (caught.value.failure, caught.value.sent) == (Failure.PROXY, False)
    assert caught.value.message == "the proxy answered 407"
    told = f"Basic {b64encode(b'user:word').decode()}"
    assert seen == [("CONNECT api.invalid:443 HTTP/1.1", told, None)]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://p:port", "must be a URL such as http://host:port"),
        (7, "must be a URL such as http://host:port"),
        ("https://p:1", "must be http://host:port; other kinds of proxy are not spoken"),
        ("http://u%0A:word@p:1", "holds control characters in its user or password"),
    ],
)
def test_what_is_no_proxy_is_told_what_one_is(url: Any, words: str) -> None:
    """Without the address: it may hold a password."""
    with pytest.raises(ValueError) as caught:
        Proxy(url)
    assert str(caught.value) == words


def test_a_proxy_is_compared_and_kept_but_not_pickled() -> None:
    """Equal ones are one; others are told apart by host, user and password."""
    urls = ("http://p:1", "http://q:1", "http://u@p:1", "http://u:v@p:1")
    proxies = [Proxy(url) for url in urls]
    assert {*proxies, *map(Proxy, urls)} == set(proxies)
    assert len(set(map(hash, proxies))) == len(urls)
    with pytest.raises(TypeError) as caught:
        pickle.dumps(proxies[3])
    assert str(caught.value) == "A Proxy is not pickled: a pickle would carry its password."


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "xxxx"])
def test_without_exceptions_every_host_has_the_proxy(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the process's own environment, too."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HTTPS_PROXY", "http://p:1")
    for environ in (os.environ, {"HTTPS_PROXY": "http://p:1"}):
        assert proxy_for(f"https://{host}/v1", environ) == Proxy("http://p:1")
