"""Forms: the bytes of RFC 7578, from every kind of content, with their length where it can be known."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any, BinaryIO

import httpx
import pytest
from wire_bench import Peer, asking, client, error, failure, plain, read, serving

from backends.wire.multipart import FilePart, Multipart
from backends.wire.values import Failure

DATA = bytes(range(256)) * 600


class Pipe(io.RawIOBase):
    """A file that can be read once, in odd pieces."""

    def __init__(self, data: bytes) -> None:
        self._left = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def read(self, size: int = -1) -> bytes:
        return self._left.read(min(size, 10_007) if size >= 0 else -1)


class Bare:
    """Has ``read`` and nothing else."""

    def __init__(self, data: bytes) -> None:
        self._left = io.BytesIO(data)

    def read(self, size: int = -1) -> bytes:
        return self._left.read(size)


def at_middle(data: bytes) -> BinaryIO:
    file = io.BytesIO(b"skipped" + data)
    file.seek(7)
    return file


CONTENTS: dict[str, tuple[Callable[[Path], Any], bool]] = {
    # name: what makes the content, whether it can be sent again
    "bytes": (lambda _: DATA, True),
    "a path": (lambda path: path, True),
    "an open file": (lambda path: path.open("rb"), True),
    "a file in memory, from where it stands": (lambda _: at_middle(DATA), True),
    "a pipe": (lambda _: Pipe(DATA), False),
    "an object that only reads": (lambda _: Bare(DATA), False),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "speech.wav"
    path.write_bytes(DATA)
    return path


def parts(form: Multipart, body: bytes) -> list[tuple[str | None, str | None, str, bytes]]:
    """Read a form as any mail reader would."""
    message = message_from_bytes(
        b"Content-Type: " + form.content_type.encode() + b"\r\n\r\n" + body, policy=policy.HTTP
    )
    return [
        (
            part.get_param("name", header="content-disposition"),
            part.get_filename(),
            part.get_content_type(),
            part.get_payload(decode=True),
        )
        for part in message.iter_parts()
    ]


@pytest.mark.parametrize("case", CONTENTS)
def test_a_form_from_any_content(case: str, path: Path) -> None:
    """Fields first, files last; length and repeatability as promised; pieces of bounded size."""
    make, repeatable = CONTENTS[case]
    content = make(path)
    form = Multipart([("model", "whisper"), ("note", "é")], [FilePart("file", "speech.wav", content)])
    assert form.repeatable is repeatable
    length = form.length
    pieces = list(form.chunks())
    body = b"".join(pieces)
    assert length == (len(body) if repeatable else None)
    assert max(map(len, pieces)) <= 65_536
    assert parts(form, body) == [
        ("model", None, "text/plain", b"whisper"),
        ("note", None, "text/plain", "é".encode()),
        ("file", "speech.wav", "audio/x-wav", DATA),
    ]
    if repeatable:
        assert b"".join(form.chunks()) == body
        assert form.length == length
    if isinstance(content, io.IOBase):
        content.close()


@pytest.mark.parametrize("case", CONTENTS)
async def test_a_form_over_the_wire(case: str, path: Path) -> None:
    """With Content-Length where the size is known, chunked where it is not; the same bytes arrive."""
    seen: dict[str, Any] = {}

    async def behave(peer: Peer) -> None:
        head = (await peer.reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        seen["length"] = int(head.partition("content-length: ")[2].split("\r\n")[0] or -1)
        seen["chunked"] = "transfer-encoding: chunked" in head
        if seen["chunked"]:
            body = b""
            while size := int(await peer.reader.readuntil(b"\r\n"), 16):
                body += await peer.reader.readexactly(size)
                await peer.reader.readexactly(2)
        else:
            body = await peer.reader.readexactly(seen["length"])
        seen["body"] = body
        await peer.answer()

    make, repeatable = CONTENTS[case]
    content = make(path)
    form = Multipart([("a", "b")], [FilePart("file", "f.bin", content)])
    async with serving(behave) as server, client() as made:
        await read(made, asking(server.url, form, headers=(("content-type", form.content_type),)))
    assert seen["chunked"] is not repeatable
    assert parts(form, seen["body"])[1] == ("file", "f.bin", "application/octet-stream", DATA)
    if isinstance(content, io.IOBase):
        content.close()


def test_the_bytes_of_a_form() -> None:
    """Exactly, with a fixed boundary."""
    form = Multipart([("a", "1")], [FilePart("f", "x.json", b"{}")], boundary="line")
    assert form.content_type == "multipart/form-data; boundary=line"
    assert b"".join(form.chunks()) == (
        b'--line\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
        b'--line\r\nContent-Disposition: form-data; name="f"; filename="x.json"\r\nContent-Type: application/json\r\n\r\n{}\r\n'
        b"--line--\r\n"
    )
    empty = Multipart([], boundary="line")
    assert b"".join(empty.chunks()) == b"--line--\r\n"
    assert empty.length == 10
    assert Multipart([]).content_type != Multipart([]).content_type


def test_several_files_keep_their_order() -> None:
    """Also an empty one."""
    form = Multipart(
        [], [FilePart("f", "1", b"one", "text/x"), FilePart("f", "2", b""), FilePart("g", "3", io.BytesIO(b"3"))]
    )
    assert [(name, filename, data) for name, filename, _, data in parts(form, b"".join(form.chunks()))] == [
        ("f", "1", b"one"),
        ("f", "2", b""),
        ("g", "3", b"3"),
    ]


@pytest.mark.parametrize("bad", ["a\r\nX-Evil: 1", "a\nb", "a\x00b", "a\x1fb"], ids=plain)
def test_a_name_cannot_break_out_of_its_header(bad: str) -> None:
    """Field names, file names and types are refused with a line break in them; quotes are escaped."""
    for make in (
        lambda: Multipart([(bad, "1")]),
        lambda: Multipart([], [FilePart(bad, "f", b"")]),
        lambda: Multipart([], [FilePart("f", bad, b"")]),
        lambda: Multipart([], [FilePart("f", "f", b"", bad)]),
    ):
        with pytest.raises(ValueError) as caught:
            make()
        assert str(caught.value) == "a form name, file name or type holds a line break or control character"
    form = Multipart([('a"; filename="evil', "1")], boundary="line")
    assert b'name="a%22; filename=%22evil"\r\n' in b"".join(form.chunks())


def test_a_value_may_hold_anything() -> None:
    """Line breaks and even what looks like a boundary of another form belong to the value."""
    value = "one\r\ntwo\n--line--\r\n"
    form = Multipart([("a", value)])
    assert parts(form, b"".join(form.chunks()))[0][3] == value.encode()


class Changing(io.BytesIO):
    """Says that it is longer or shorter than it is."""

    def __init__(self, data: bytes, more: int) -> None:
        super().__init__(data)
        self._more = more

    def seek(self, offset: int, whence: int = 0) -> int:
        return super().seek(offset, whence) + (self._more if whence == os.SEEK_END else 0)


@pytest.mark.parametrize("more", [-1, 1])
async def test_a_file_that_changes_its_size_ends_the_exchange(more: int) -> None:
    """The server is never left waiting for bytes that do not come, and never sent bytes that were not announced."""
    seen: list[int] = []

    async def behave(peer: Peer) -> None:
        head = (await peer.reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        announced = int(head.partition("content-length: ")[2].split("\r\n")[0])
        seen.append(len(await peer.reader.read(-1)) - announced)

    form = Multipart([], [FilePart("file", "f.bin", Changing(DATA, more))])
    async with serving(behave) as server, client() as made:
        found = await failure(made, asking(server.url, form, headers=(("content-type", form.content_type),)))
        assert found == (Failure.RESET_AFTER_SENT, True)
    assert all(surplus < 0 for surplus in seen)


@pytest.mark.parametrize("more", [-1, 1])
async def test_a_file_that_changes_its_size_ends_the_exchange_over_any_transport(more: int) -> None:
    """As a failure of the wire, and not as an error of files."""
    form = Multipart([], [FilePart("file", "f.bin", Changing(DATA, more))])
    async with client(httpx.MockTransport(lambda _: httpx.Response(200))) as made:
        found = await error(made, asking("https://api.invalid/", form))
    assert (found.failure, found.sent) == (Failure.RESET_AFTER_SENT, True)
    assert found.message == "a file of the form changed its size while it was sent"


async def test_an_empty_form_has_its_end() -> None:
    """And its length."""
    form = Multipart([], boundary="b")
    assert b"".join(form.chunks()) == b"--b--\r\n"
    assert (form.length, form.repeatable, form.content_type) == (7, True, "multipart/form-data; boundary=b")


def test_boundaries_are_not_guessed() -> None:
    """Thirty-two random characters each."""
    first, second = (Multipart([]).content_type.partition("boundary=")[2] for _ in range(2))
    assert len(first) == len(second) == 32
    assert first != second
