"""Resumable uploads in pieces, from every kind of file; sessions that lead elsewhere; downloads."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import httpx
import pytest
from gemini_bench import backend_at, mocked

from backends import errors
from backends.gemini import Gemini
from backends.gemini.uploads import PIECE, content_of, session_path
from backends.wire.values import FormatError
from conformance.simulators import Fault, Simulator
from conformance.simulators.faults import Reset, Status

LARGE = bytes(range(256)) * (PIECE // 256 * 2) + b"the rest"


def commands(sim: Simulator) -> list[tuple[str | None, str | None]]:
    return [(seen.header("x-goog-upload-command"), seen.header("x-goog-upload-offset")) for seen in sim.requests]


async def test_a_small_file_is_two_requests(sim: Simulator, gemini: Gemini) -> None:
    file = await gemini.aupload_file(("notes.txt", b"some notes"), display_name="Notes", name="my-notes")
    start, piece = sim.requests
    assert start.json == {
        "file": {"mimeType": "text/plain", "sizeBytes": 10, "displayName": "Notes", "name": "files/my-notes"}
    }
    assert start.header("x-goog-upload-protocol") == "resumable"
    assert start.header("x-goog-upload-header-content-length") == "10"
    assert start.header("x-goog-upload-header-content-type") == "text/plain"
    assert piece.query.startswith("upload_id=")
    assert (piece.body, commands(sim)[1]) == (b"some notes", ("upload, finalize", "0"))
    assert (file.id, file.filename, file.size, file.status) == ("files/my-notes", "Notes", 10, "ACTIVE")
    assert (file.mime_type, file.source) == ("text/plain", "UPLOADED")
    assert (file.uri or "").endswith("/v1/files/my-notes")
    assert (file.expires or 0) - (file.created or 0) == 48 * 3600
    assert file.raw.keys() == {"file"}
    reply = await gemini.achat([{"role": "user", "content": ["What is it?", file]}])
    assert reply.usage.input_tokens
    assert sim.requests[2].json["contents"][0]["parts"][1] == {
        "fileData": {"mimeType": "text/plain", "fileUri": file.uri}
    }


@pytest.mark.parametrize("kind", ["bytes", "path", "open", "half read"])
async def test_large_files_go_in_pieces(sim: Simulator, gemini: Gemini, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "large.bin"
    source: Any = LARGE
    if kind == "path":
        path.write_bytes(LARGE)
        source = path
    elif kind != "bytes":
        source = io.BytesIO((b"skipped" if kind == "half read" else b"") + LARGE)
        source.seek(7 if kind == "half read" else 0)
    file = await gemini.aupload_file(source)
    assert file.size == len(LARGE)
    assert commands(sim) == [
        ("start", None),
        ("upload", "0"),
        ("upload", str(PIECE)),
        ("upload, finalize", str(2 * PIECE)),
    ]
    assert [seen.problem for seen in sim.requests] == [None] * 4


async def test_a_piece_is_sent_again(sim: Simulator, gemini: Gemini) -> None:
    sim.script(Fault(Status(503), path="/upload/*", nth=2), Fault(Reset("headers"), path="/upload/*", nth=4))
    file = await gemini.aupload_file(LARGE)
    assert file.size == len(LARGE)
    assert [offset for _, offset in commands(sim)] == [None, "0", "0", str(PIECE), str(PIECE), str(2 * PIECE)]
    assert not sim.unfired()


@pytest.mark.parametrize(
    ("file", "options", "names"),
    [
        (b"", {}, "file must not be empty"),
        ("/nonexistent/file", {}, "file: there is no file"),
        (5, {}, "file must be a path"),
        (io.StringIO("text"), {}, "file must be opened for reading bytes"),
        (b"x", {"mime_type": "a/b\r\nx: y"}, "mime_type"),
        (b"x", {"mime_type": 5}, "mime_type"),
        (b"x", {"display_name": ""}, "display_name"),
        (b"x", {"purpose": "batch"}, "purpose"),
        (b"x", {"extra_body": {"a": 1}}, "extra_body"),
    ],
)
async def test_files_that_are_none(sim: Simulator, gemini: Gemini, file: Any, options: Any, names: str) -> None:
    with pytest.raises(errors.InvalidRequestError) as caught:
        await gemini.aupload_file(file, **options)
    assert names in str(caught.value)
    assert sim.requests == []


class Pipe(io.BytesIO):
    def seekable(self) -> bool:
        return False


def test_a_pipe_and_a_file_that_shrinks(tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidRequestError, match="seekable"):
        content_of(Pipe(b"x"), None)
    path = tmp_path / "shrinks.txt"
    path.write_bytes(b"long enough")
    content = content_of(path, None)
    path.write_bytes(b"short")
    with pytest.raises(errors.InvalidRequestError, match="changed its size"):
        content.piece(0)
    path.unlink()
    with pytest.raises(errors.InvalidRequestError, match="cannot be read"):
        content.piece(0)
    path.touch()
    with pytest.raises(errors.InvalidRequestError, match="must not be empty"):
        content_of(path, None)


@pytest.mark.parametrize(
    ("url", "base", "path"),
    [
        ("https://h/upload/v1/files?upload_id=a", "https://h", "/upload/v1/files?upload_id=a"),
        ("https://elsewhere/upload/v1/files?a=%2F", "https://h", "/upload/v1/files?a=%2F"),
        ("http://h/gem/upload/v1/files", "http://h/gem", "/upload/v1/files"),
        ("https://h/upload/v1/files?u=1", "http://proxy/gem", "/upload/v1/files?u=1"),
    ],
)
def test_sessions_keep_path_and_query(url: str, base: str, path: str) -> None:
    assert session_path(url, base) == path


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "https://h/",
        "https://h/v1/models?x",
        "https://h/upload/../v1/files",
        "https://h/upload/v1/fi les",
        "https://h/upload/\r\nx",
        "https://h/upload/ü",
        "https://h/upload/" + "a" * 9000,
    ],
)
def test_sessions_that_lead_elsewhere(url: Any) -> None:
    with pytest.raises(FormatError, match="upload session"):
        session_path(url, "https://h")


async def test_the_key_stays_at_the_base_address() -> None:
    seen: list[httpx.Request] = []
    opened = httpx.Response(200, headers={"x-goog-upload-url": "https://elsewhere.example/upload/v1/files?upload_id=a"})
    async with mocked((200, opened), (200, {"file": {"name": "files/a", "sizeBytes": "x"}}), seen=seen) as gemini:
        file = await gemini.aupload_file(b"content")
    assert {request.url.host for request in seen} == {"generativelanguage.googleapis.com"}
    assert (file.id, file.size, file.status) == ("files/a", None, None)


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([httpx.Response(200)], "no upload session"),
        ([{"x-goog-upload-status": "final"}], "the upload is None before its end"),
    ],
)
async def test_uploads_that_go_wrong(answers: list[Any], said: str) -> None:
    opened = httpx.Response(200, headers={"x-goog-upload-url": "https://h/upload/v1/files?upload_id=a"})
    given = [(200, opened if isinstance(answer, dict) else answer) for answer in answers]
    async with mocked(*given, (200, {})) as gemini:
        with pytest.raises(errors.ResponseFormatError, match=said):
            await gemini.aupload_file(LARGE)


@pytest.mark.parametrize("data", [{}, {"file": {}}, {"file": {"name": 5}}, {"file": 5}])
async def test_files_that_cannot_be_read(data: Any) -> None:
    opened = httpx.Response(200, headers={"x-goog-upload-url": "https://h/upload/v1/files?upload_id=a"})
    async with mocked((200, opened), (200, data)) as gemini:
        with pytest.raises(errors.ResponseFormatError):
            await gemini.aupload_file(b"content")


async def test_list_get_delete(sim: Simulator, gemini: Gemini) -> None:
    made = [await gemini.aupload_file((f"{number}.txt", b"x")) for number in range(3)]
    assert [file.id async for file in gemini.alist_files(limit=2)] == [file.id for file in made]
    assert (await gemini.aget_file(made[0].id)).uri == made[0].uri
    gone = await gemini.adelete_file(made[0].id)
    assert (gone.id, gone.deleted, gone.raw) == (made[0].id, True, {})
    with pytest.raises(errors.NotFoundError):
        await gemini.adelete_file(made[0].id)


async def test_what_was_uploaded_cannot_be_had_back(sim: Simulator, gemini: Gemini, tmp_path: Path) -> None:
    made = await gemini.aupload_file(b"content")
    with pytest.raises(errors.InvalidRequestError, match="Only generated files"):
        await gemini.afile_content(made.id)
    with pytest.raises(errors.InvalidRequestError, match="Only generated files"):
        await gemini.adownload_file(made.id, tmp_path / "copy")
    assert os.listdir(tmp_path) == []


async def test_downloads(sim: Simulator, tmp_path: Path) -> None:
    async with backend_at(sim) as gemini:
        line = b'{"key":"a","request":{"contents":[{"parts":[{"text":"hi"}]}]}}\n'
        file = await gemini.aupload_file(("b.jsonl", line * 3))
        batch = await gemini.acreate_batch(file)
        for _ in range(2):
            batch = await gemini.aget_batch(batch.id)
        whole = await gemini.afile_content(batch.output_file_id or "")
        target = tmp_path / "results.jsonl"
        written = await gemini.adownload_file(batch.output_file_id or "", target)
    assert target.read_bytes() == whole.data
    assert (written.size, written.data, whole.content_type) == (whole.size, b"", "application/jsonl")
    assert len(whole.data.splitlines()) == 3
