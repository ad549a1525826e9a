"""Answers larger, deeper or elsewhere than allowed: bounded, decoded, and never followed to another host."""

from __future__ import annotations

import gzip
import io
import tracemalloc
import zlib

import httpx
import pytest
from wire_bench import Peer, asking, client, error, failure, plain, read, serving

from backends.wire.decompression import Decompressor, decompressor
from backends.wire.multipart import FilePart, Multipart
from backends.wire.values import Failure, WireError

TEXT = b'{"text":"' + b"parrot " * 2000 + b'"}'


def _deflated(data: bytes) -> bytes:
    bare = zlib.compressobj(wbits=-15)
    return bare.compress(data) + bare.flush()


# -- sizes -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", ["1001", "99999999999999999999", "9" * 200])
async def test_an_answer_announced_too_large(length: str) -> None:
    """Refused before its body is read."""

    async def behave(peer: Peer) -> None:
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: " + length.encode() + b"\r\n\r\n")
        await peer.gone()

    async with serving(behave) as server, client(max_body_bytes=1000) as made:
        found = await error(made, asking(server.url))
        assert found.failure is Failure.TOO_LARGE or (len(length) > 19 and found.failure is Failure.PROTOCOL)
        if found.failure is Failure.TOO_LARGE:
            assert (found.message, found.sent) == (f"{length} bytes were announced, 1000 are allowed", True)


async def test_an_answer_that_grows_too_large_unannounced() -> None:
    """Ended at the bound; the connection is closed, and memory stays near the bound."""

    async def behave(peer: Peer) -> None:
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            await peer.say(b"10000\r\n" + b"x" * 65_536 + b"\r\n")

    async with serving(behave) as server, client(max_body_bytes=1_000_000) as made:
        tracemalloc.start()
        found = await error(made, asking(server.url))
        assert (found.failure, found.sent) == (Failure.TOO_LARGE, True)
        assert found.message == "more than the 1000000 bytes that are allowed"
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 6_000_000
        await server.closed_by_client.wait()


@pytest.mark.parametrize("size", [999, 1000])
async def test_an_answer_at_the_bound(size: int) -> None:
    """Belongs to what is allowed, announced or not."""

    async def behave(peer: Peer) -> None:
        await peer.request()
        await peer.answer(b"x" * size)
        await peer.request()
        await peer.say(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (size, b"x" * size)
        )

    async with serving(behave) as server, client(max_body_bytes=1000) as made:
        assert [await read(made, asking(server.url)) for _ in range(2)] == [b"x" * size] * 2


@pytest.mark.parametrize(
    ("head", "foot", "words"),
    [
        (b"Content-Length: 1001\r\n\r\n", b"", "1001 bytes were announced, 1000 are allowed"),
        (b"Transfer-Encoding: chunked\r\n\r\n3e9\r\n", b"\r\n0\r\n\r\n", "more than the 1000 bytes that are allowed"),
    ],
    ids=["announced", "chunked"],
)
async def test_an_answer_one_byte_beyond_the_bound(head: bytes, foot: bytes, words: str) -> None:
    """Is refused, although all of it has come."""

    async def behave(peer: Peer) -> None:
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\n" + head + b"x" * 1001 + foot)
        await peer.gone()

    async with serving(behave) as server, client(max_body_bytes=1000) as made:
        found = await error(made, asking(server.url))
        assert (found.failure, found.message, found.sent) == (Failure.TOO_LARGE, words, True)


async def test_the_head_of_a_large_thing_is_small() -> None:
    """A HEAD says how large the body would be; it has none, compressed or not."""

    async def behave(peer: Peer) -> None:
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 5000000000\r\nContent-Encoding: gzip\r\n\r\n")
        await peer.gone()

    async with serving(behave) as server, client(max_body_bytes=1000) as made:
        assert await read(made, asking(server.url, None, method="HEAD")) == b""


async def test_no_content_is_no_broken_content() -> None:
    """A 204, and an empty body that claims to be compressed."""

    async def behave(peer: Peer) -> None:
        await peer.request()
        await peer.say(b"HTTP/1.1 204 No Content\r\nContent-Encoding: gzip\r\n\r\n")
        await peer.request()
        await peer.answer(b"", "200 OK", "Content-Encoding: gzip")

    async with serving(behave) as server, client() as made:
        for _ in range(2):
            assert await read(made, asking(server.url)) == b""


# -- compression -------------------------------------------------------------------------------------------------------

ENCODED = {
    "gzip": ("gzip", gzip.compress(TEXT)),
    "x-gzip": ("x-gzip", gzip.compress(TEXT)),
    "in capitals": ("GZIP", gzip.compress(TEXT)),
    "deflate": ("deflate", zlib.compress(TEXT)),
    "deflate without zlib's head": ("deflate", _deflated(TEXT)),
    "identity": ("identity", TEXT),
    "two members": ("gzip", gzip.compress(TEXT[:700]) + gzip.compress(TEXT[700:])),
}


@pytest.mark.parametrize("case", ENCODED)
@pytest.mark.parametrize("size", [1, 7, 1 << 20], ids=["a byte at a time", "seven at a time", "whole"])
async def test_an_encoded_answer_is_decoded(case: str, size: int) -> None:
    """However its bytes arrive."""
    encoding, data = ENCODED[case]
    inflate = decompressor(encoding, 200, 1 << 20)
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    assert b"".join(inflate.feed(piece) if inflate else piece for piece in pieces) == TEXT
    assert inflate is None or inflate.finish() == b""


async def test_an_encoded_answer_over_the_wire() -> None:
    """What was offered is what is understood."""

    async def behave(peer: Peer) -> None:
        _, headers, _ = await peer.request()
        assert headers["accept-encoding"] == "gzip, deflate"
        await peer.answer(gzip.compress(TEXT), "200 OK", "Content-Encoding: gzip")

    async with serving(behave) as server, client() as made:
        assert await read(made, asking(server.url)) == TEXT


VARIED = gzip.compress(b" ".join(b"%d" % number**2 for number in range(500)))
SPOILT, EARLY, FOREIGN = "the data is broken", "the data ends early", "it uses an encoding that was not offered"
BROKEN = {
    "not gzip": ("gzip", b"plain text, really", SPOILT),
    "cut short": ("gzip", gzip.compress(TEXT)[:-20], EARLY),
    "a wrong checksum": ("gzip", gzip.compress(TEXT)[:-8] + b"\x00" * 8, SPOILT),
    "a broken middle": ("gzip", VARIED[:100] + b"\xff" * 30 + VARIED[130:], SPOILT),
    "something behind the end": ("gzip", gzip.compress(TEXT) + b"and more", SPOILT),
    "a second member cut short": ("gzip", gzip.compress(TEXT) + gzip.compress(TEXT)[:-9], EARLY),
    "an encoding that was not offered": ("br", b"\x0b\x02\x80", FOREIGN),
    "twice encoded": ("gzip, gzip", gzip.compress(gzip.compress(TEXT)), FOREIGN),
}


@pytest.mark.parametrize("case", BROKEN)
async def test_a_badly_encoded_answer_is_refused(case: str) -> None:
    """Never handed out in part, and never taken for whole."""
    encoding, data, words = BROKEN[case]

    async def behave(peer: Peer) -> None:
        await peer.request()
        await peer.answer(data, "200 OK", f"Content-Encoding: {encoding}")
        await peer.gone()

    async with serving(behave) as server, client() as made:
        found = await error(made, asking(server.url))
        assert (found.failure, found.message, found.sent) == (Failure.DECOMPRESSION, words, True)


@pytest.mark.parametrize("members", [1, 50], ids=["one member", "many members"])
async def test_a_bomb_is_defused(members: int) -> None:
    """A small body that inflates to a hundred megabytes is refused within bounded memory."""
    bomb = gzip.compress(b"\0" * (100_000_000 // members)) * members

    async def behave(peer: Peer) -> None:
        await peer.request()
        await peer.answer(bomb, "200 OK", "Content-Encoding: gzip")
        await peer.gone()

    async with serving(behave) as server, client() as made:
        tracemalloc.start()
        assert await failure(made, asking(server.url)) == (Failure.DECOMPRESSION, True)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 60_000_000


def test_the_bounds_of_inflation() -> None:
    """A mebibyte is free, then the ratio counts, then the whole."""
    small = gzip.compress(b"\0" * 1_048_576)
    assert len(Decompressor(47, 2, 1 << 30).feed(small)) == 1_048_576
    with pytest.raises(WireError, match="inflates to more than 1048576 bytes"):
        Decompressor(47, 2, 1 << 30).feed(gzip.compress(b"\0" * 1_048_577))
    assert len(Decompressor(47, 10**6, 2_000_000).feed(gzip.compress(b"\0" * 2_000_000))) == 2_000_000
    with pytest.raises(WireError):
        Decompressor(47, 10**6, 2_000_000).feed(gzip.compress(b"\0" * 2_000_001))


BOMBS = {
    "one member": gzip.compress(b"\0" * 3_000_000),
    "without a head": _deflated(b"\0" * 3_000_000),
    "behind a small member": gzip.compress(b"\0" * 1000) + gzip.compress(b"\0" * 3_000_000),
    "behind a member that is one byte too large": gzip.compress(b"\0" * 1_048_577) + gzip.compress(b"\0" * 3_000_000),
}


@pytest.mark.parametrize("case", BOMBS)
def test_nothing_is_inflated_beyond_the_first_byte_too_many(case: str) -> None:
    """However the bomb is wrapped: the error names the bound, which is where inflating ended."""
    with pytest.raises(WireError) as caught:
        Decompressor(47, 2, 1 << 30).feed(BOMBS[case])
    assert caught.value.message == "it inflates to more than 1048576 bytes"


@pytest.mark.parametrize("size", [2_000_000, 2_000_001])
def test_the_bounds_hold_over_many_pieces(size: int) -> None:
    """What came out before counts, and so does what came in."""
    inflate, data = Decompressor(47, 10**6, 2_000_000), gzip.compress(b"\0" * size)
    pieces = (inflate.feed(data[start : start + 100]) for start in range(0, len(data), 100))
    if size <= 2_000_000:
        assert sum(map(len, pieces)) == size
    else:
        with pytest.raises(WireError, match=r"^it inflates to more than 2000000 bytes$"):
            list(pieces)
    even, stored = Decompressor(47, 1, 1 << 30), zlib.compress(b"\0" * size, level=0)
    assert sum(len(even.feed(stored[start : start + 65_536])) for start in range(0, len(stored), 65_536)) == size


def test_only_the_head_tells_one_format_from_another() -> None:
    """Bytes that would be deflate of their own are not taken for it later on; two bytes may be a whole answer."""
    inflate = Decompressor(47, 200, 1 << 20)
    assert inflate.feed(zlib.compress(b"genuine")[:-4]) == b"genuine"
    with pytest.raises(WireError, match=r"^the data is broken$"):
        inflate.feed(_deflated(b"forged"))
    empty = Decompressor(47, 200, 1 << 20)
    assert empty.feed(_deflated(b"")) == b""
    assert empty.finish() == b""


@pytest.mark.parametrize("encoding", [None, "", " ", "identity", " Identity "])
def test_an_encoding_that_is_none(encoding: str | None) -> None:
    """There is nothing to undo."""
    assert decompressor(encoding, 200, 1 << 20) is None


# -- redirects ---------------------------------------------------------------------------------------------------------


async def _redirected(status: str, location: str, **options: object) -> list[tuple[str, bytes, str]]:
    """Follow one redirect; return what the server saw."""
    seen: list[tuple[str, bytes, str]] = []

    async def behave(peer: Peer) -> None:
        while True:
            first, headers, body = await peer.request()
            seen.append((first, body, headers.get("authorization", "")))
            if "/there" in first:
                await peer.answer(b"arrived")
            else:
                await peer.answer(
                    b"moved",
                    status,
                    f"Location: {location.replace('HERE', server.url).replace('//HOST', server.url[5:])}",
                )

    async with serving(behave) as server, client() as made:
        assert await read(made, asking(server.url + "/a/b", **options)) == b"arrived"  # type: ignore[arg-type]
    return seen


@pytest.mark.parametrize("location", ["/there", "there", "../there?x=1", "HERE/there", "//HOST/there"])
@pytest.mark.parametrize("status", ["307 Temporary Redirect", "308 Permanent Redirect"])
async def test_a_redirect_within_the_origin_keeps_everything(status: str, location: str) -> None:
    """Method, body and key arrive at the new place."""
    seen = await _redirected(status, location, body=b"payload")
    assert [first.split()[0] for first, _, _ in seen] == ["POST", "POST"]
    assert [body for _, body, _ in seen] == [b"payload"] * 2
    assert all(key == "Bearer sk-planted-7Hq2" for _, _, key in seen)


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other"])
async def test_a_get_follows_older_redirects(status: str) -> None:
    """And so does a HEAD. A POST does not: what it would become differs between servers."""
    assert len(await _redirected(status, "/there", body=None, method="GET")) == 2
    headers = {"location": "/there"}
    moved = httpx.MockTransport(
        lambda asked: (
            httpx.Response(204) if "there" in str(asked.url) else httpx.Response(int(status[:3]), headers=headers)
        )
    )
    async with client(moved) as made:
        assert (await made.open(asking("http://127.0.0.1/", None, method="HEAD"))).status == 204

    async def behave(peer: Peer) -> None:
        await peer.request()
        await peer.answer(b"", status, "Location: /there")
        await peer.gone()

    async with serving(behave) as server, client() as made:
        found = await error(made, asking(server.url))
        assert (found.failure, found.sent) == (Failure.REDIRECT, True)
        assert found.message == f"a POST was answered by a {status[:3]}"


ELSEWHERE = (
    "http://127.0.0.1:1/there",
    "http://localhost:PORT/there",
    "https://127.0.0.1:PORT/there",
    "http://elsewhere.invalid/there",
    "//elsewhere.invalid/there",
    "file:///etc/passwd",
    "ftp://127.0.0.1:PORT/there",
    "javascript:alert(1)",
    pytest.param("http://[::1", id="half an IPv6 address"),  # two colons in an identifier hide a test from its own name
    "http://127.0.0.1:notaport/",
    "http://xn--\u00ff.invalid/",
    "http://" + "a" * 70_000,
)


@pytest.mark.parametrize("location", ELSEWHERE, ids=lambda location: plain(location)[:40])
async def test_a_redirect_to_elsewhere_is_refused(location: str) -> None:
    """Other hosts, ports and schemes, up or down, and what is no address at all: nothing is sent there."""

    async def behave(peer: Peer) -> None:
        await peer.request()
        target = location.replace("PORT", str(server.port))
        await peer.answer(b"", "307 Temporary Redirect", f"Location: {target}")
        await peer.gone()

    async with serving(behave) as server, client() as made:
        found = await error(made, asking(server.url))
        failed = Failure.PROTOCOL if len(location) > 65_536 else Failure.REDIRECT
        assert (found.failure, found.sent) == (failed, True)
        assert server.peers == 1


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("https://elsewhere.invalid/there?key=secret", "the server pointed to another host, elsewhere.invalid"),
        (f"http://{'a' * 250}/", f"the server pointed to another host, {'a' * 200}"),
        pytest.param("http://[::1", "the server pointed to what is no address", id="half an IPv6 address"),
        ("/round", "more than 5 in a row"),
    ],
)
async def test_a_redirect_that_is_not_followed_says_where_it_led(location: str, words: str) -> None:
    """To which host and no further: what follows in the address may be secret."""
    transport = httpx.MockTransport(lambda _: httpx.Response(307, headers={"location": location}))
    async with client(transport) as made:
        found = await error(made, asking("http://127.0.0.1/"))
    assert (found.failure, found.message, found.sent) == (Failure.REDIRECT, words, True)


async def test_a_redirect_in_a_circle_ends() -> None:
    """After five."""
    asked = 0

    async def behave(peer: Peer) -> None:
        nonlocal asked
        while True:
            await peer.request()
            asked += 1
            await peer.answer(b"", "307 Temporary Redirect", f"Location: /{asked}")

    async with serving(behave) as server, client() as made:
        assert await failure(made, asking(server.url)) == (Failure.REDIRECT, True)
    assert asked == 6


async def test_a_redirect_without_a_place_is_an_answer() -> None:
    """Nothing to follow: the caller sees the status."""

    async def behave(peer: Peer) -> None:
        await peer.request()
        await peer.answer(b"", "304 Not Modified")
        await peer.request()
        await peer.answer(b"choose", "300 Multiple Choices", "Location: /there")

    async with serving(behave) as server, client() as made:
        for status in (304, 300):
            response = await made.open(asking(server.url, None, method="GET"))
            assert response.status == status
            await response.aclose()


async def test_a_body_that_can_be_sent_once_is_not_sent_twice() -> None:
    """A redirect of such a form is refused; a form from bytes is sent again."""

    class Once(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def read(self, size: int = -1) -> bytes:
            return b""

    async def behave(peer: Peer) -> None:
        while True:
            head = (await peer.reader.readuntil(b"\r\n\r\n")).lower()
            if b"content-length: " in head:
                await peer.reader.readexactly(int(head.partition(b"content-length: ")[2].split(b"\r\n")[0]))
            else:
                await peer.reader.readuntil(b"\r\n0\r\n\r\n")
            if head.startswith(b"post /there"):
                await peer.answer(b"arrived")
            else:
                await peer.answer(b"", "307 Temporary Redirect", "Location: /there")

    async with serving(behave) as server, client() as made:
        once = Multipart([("a", "b")], [FilePart("file", "f.txt", Once())])  # type: ignore[arg-type]
        found = await error(made, asking(server.url, once))
        assert (found.failure, found.message, found.sent) == (Failure.REDIRECT, "the body can be sent only once", True)
        again = Multipart([("a", "b")], [FilePart("file", "f.txt", b"x")])
        assert await read(made, asking(server.url, again)) == b"arrived"
