"""Uploads in parts and downloads that break off: nothing left behind, nothing wrong under the final name."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from backends import errors
from backends.s3_kit import Progress, S3Kit
from conformance.simulators.faults import CutAfter, Fault, Hang, Reset, Status
from conformance.simulators.server import Simulator

from .conftest import MIB

BIG = bytes(range(256)) * (MIB * 13 // 256)  # 13 MiB: two parts of 8 MiB, three of 5 MiB


def ranges(sim: Simulator) -> list[str | None]:
    return [seen.header("range") for seen in sim.requests if seen.method == "GET"]


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_a_large_object_goes_in_parts_and_comes_back_whole(kit: S3Kit, sim: Simulator, tmp_path: Path) -> None:
    source = tmp_path / "model.safetensors"
    source.write_bytes(BIG)
    seen: list[Progress] = []
    stored = await kit.aupload("m", source, part_size=5 * MIB, progress=seen.append)
    assert (stored.parts, stored.size, stored.sha256) == (3, len(BIG), hashlib.sha256(BIG).hexdigest())
    assert [step.done for step in seen][-1] == len(BIG)
    assert [request.method for request in sim.requests] == ["POST", "PUT", "PUT", "PUT", "POST"]
    assert all(request.header("x-amz-checksum-crc32") for request in sim.requests if request.method == "PUT"), (
        "every part carries a checksum"
    )
    seen.clear()
    found = await kit.adownload("m", tmp_path / "down" / "copy", progress=seen.append)
    await asyncio.sleep(0)
    assert (tmp_path / "down" / "copy").read_bytes() == BIG
    assert (found.verified, found.size, found.content) == ("sha256", len(BIG), b"")
    assert seen[-1] == Progress("m", len(BIG), len(BIG))
    assert left(tmp_path / "down") == ["copy"]


@pytest.mark.parametrize("size", [0, 1, 11 * MIB])
async def test_a_stream_that_can_be_read_once(kit: S3Kit, size: int) -> None:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.inner = io.BytesIO(BIG[:size])

        def read(self, count: int = -1) -> bytes:
            return self.inner.read(min(count, 100_000))

    stored = await kit.aupload("stream", Pipe())
    assert stored.parts == (1 if size < 8 * MIB else 2)
    assert (await kit.adownload("stream")).content == BIG[:size]


async def test_a_file_object_is_read_from_where_it_stands(kit: S3Kit) -> None:
    file = io.BytesIO(b"skip|take")
    file.seek(5)
    await kit.aupload("f", file)
    assert (await kit.adownload("f")).content == b"take"


async def test_a_failed_part_is_repeated_and_a_hopeless_upload_is_aborted(kit: S3Kit, sim: Simulator) -> None:
    sim.script(Fault(Status(500), method="PUT", nth=1))
    assert (await kit.aupload("m", BIG)).parts == 2
    sim.script(Fault(Status(403, code="AccessDenied"), method="PUT", nth=2))
    with pytest.raises(errors.PermissionDeniedError):
        await kit.aupload("n", BIG)
    assert sim.requests[-1].method == "DELETE"
    assert (await kit.alist_multiparts()).uploads == ()
    assert (await kit.alist()).keys == ("m",)


async def test_a_cancelled_upload_is_aborted(kit: S3Kit, sim: Simulator) -> None:
    sim.script(Fault(Hang(), method="PUT"))
    task = asyncio.create_task(kit.aupload("m", BIG))
    await sim.until(seen=3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sim.requests[-1].method == "DELETE"
    await sim.until(in_flight=0)
    assert all(seen.aborted for seen in sim.requests if seen.method == "PUT")
    assert (await kit.alist_multiparts()).uploads == ()
    assert kit.queue_status()["active"] == 0


async def test_an_abort_that_fails_is_told(kit: S3Kit, sim: Simulator) -> None:
    sim.script(Fault(Status(403, code="AccessDenied"), method="PUT"), Fault(Status(405), method="DELETE"))
    with pytest.raises(errors.PermissionDeniedError) as caught:
        await kit.aupload("m", BIG)
    assert "was not aborted" in caught.value.__notes__[0]


async def test_a_completion_whose_answer_was_lost_is_recognised(kit: S3Kit, sim: Simulator) -> None:
    sim.script(Fault(Reset("headers"), method="POST", path="/models/m", nth=2))
    stored = await kit.aupload("m", BIG)
    assert stored.size == len(BIG)
    assert (await kit.adownload("m")).content == BIG


async def test_a_file_that_changes_while_it_is_sent_is_noticed(kit: S3Kit, sim: Simulator, tmp_path: Path) -> None:
    source = tmp_path / "f"
    source.write_bytes(BIG)

    def change(progress: Progress) -> None:
        source.write_bytes(b"shorter")

    with pytest.raises(errors.InvalidRequestError, match="source"):
        await kit.aupload("m", source, part_size=5 * MIB, progress=change)
    assert (await kit.alist()).keys == ()
    assert (await kit.alist_multiparts()).uploads == ()


async def test_old_stores_get_content_md5_and_no_trailers(make_kit: Callable[..., S3Kit], sim: Simulator) -> None:
    async with make_kit(style="minio") as kit:
        await kit.aupload("small", b"hello")
        await kit.aupload("large", BIG)
        assert (await kit.adownload("large")).content == BIG
    for request in sim.requests:
        assert request.header("x-amz-checksum-crc32") is None
        assert request.header("x-amz-trailer") is None
        assert (request.header("content-md5") is not None) == (request.method == "PUT")


# -- downloads ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("to_file", [True, False])
async def test_a_download_that_breaks_off_goes_on_where_it_stopped(
    kit: S3Kit, sim: Simulator, tmp_path: Path, to_file: bool
) -> None:
    await kit.aupload("m", BIG)
    sim.script(Fault(CutAfter(5 * MIB), method="GET", nth=1), Fault(Reset("body", 3 * MIB), method="GET", nth=2))
    target = tmp_path / "m" if to_file else None
    found = await kit.adownload("m", target)
    assert (found.content if target is None else target.read_bytes()) == BIG
    assert found.attempts == 3
    assert found.verified == "sha256"
    first, second, third = ranges(sim)
    assert first is None
    assert second is not None
    assert second.startswith("bytes=")
    begins = [int(text.removeprefix("bytes=").rstrip("-")) for text in (second, third or "")]
    assert 0 < begins[0] <= 5 * MIB < begins[1] + MIB
    assert {seen.header("if-match") for seen in sim.requests[-2:]} == {found.etag}
    if to_file:
        assert left(tmp_path) == ["m"]


async def test_a_later_process_goes_on_with_the_partial_file(
    make_kit: Callable[..., S3Kit], sim: Simulator, tmp_path: Path
) -> None:
    target = tmp_path / "m"
    async with make_kit(max_retries=0) as first:
        await first.aupload("m", BIG)
        sim.script(Fault(CutAfter(6 * MIB), method="GET", nth=1))
        with pytest.raises(errors.TransportError):
            await first.adownload("m", target)
    assert not target.exists()
    partial, note = left(tmp_path)
    assert partial.endswith(".partial")
    assert json.loads((tmp_path / note).read_text())["etag"]
    async with make_kit() as second:
        found = await second.adownload("m", target)
    assert found.resumed_from == (tmp_path / "m").stat().st_size - (len(BIG) - found.resumed_from)
    assert found.resumed_from > 0
    assert target.read_bytes() == BIG
    assert left(tmp_path) == ["m"]


@pytest.mark.parametrize("harm", ["changed object", "damaged partial", "shorter object"])
async def test_a_partial_file_that_does_not_fit_any_more_is_dropped(
    make_kit: Callable[..., S3Kit], sim: Simulator, tmp_path: Path, harm: str
) -> None:
    target = tmp_path / "m"
    async with make_kit(max_retries=0) as kit:
        await kit.aupload("m", BIG)
        sim.script(Fault(CutAfter(6 * MIB), method="GET", nth=1))
        with pytest.raises(errors.TransportError):
            await kit.adownload("m", target)
        now = {"changed object": BIG[::-1], "damaged partial": BIG, "shorter object": b"short"}[harm]
        if harm == "damaged partial":
            partial = tmp_path / left(tmp_path)[0]
            partial.write_bytes(b"X" + partial.read_bytes()[1:])
        else:
            await kit.aupload("m", now)
        found = await kit.adownload("m", target)
    assert target.read_bytes() == now
    assert found.resumed_from == 0
    assert left(tmp_path) == ["m"]


async def test_damaged_bytes_never_get_the_final_name(kit: S3Kit, sim: Simulator, tmp_path: Path) -> None:
    target = tmp_path / "m"
    target.write_bytes(b"the old one")
    await kit.aupload("m", b"the new one")
    sim.script(
        Fault(
            Status(200, body="the bad one", headers=(("etag", '"e"'), ("x-amz-meta-backends-sha256", "0" * 64))),
            method="GET",
        )
    )
    with pytest.raises(errors.ResponseFormatError) as caught:
        await kit.adownload("m", target)
    assert caught.value.code == "checksum_mismatch"
    assert (left(tmp_path), target.read_bytes()) == (["m"], b"the old one")
    sim.forget_faults()
    with pytest.raises(errors.ResponseFormatError):
        await kit.adownload("m", target, expected_sha256="1" * 64)
    assert (left(tmp_path), target.read_bytes()) == (["m"], b"the old one")


async def test_the_checksum_of_the_store_is_checked_by_boto3_and_by_us(kit: S3Kit, sim: Simulator) -> None:
    sim.script(
        Fault(Status(200, body="bytes", headers=(("etag", '"e"'), ("x-amz-checksum-crc32", "AAAAAA=="))), method="GET")
    )
    with pytest.raises(errors.ResponseFormatError):
        await kit.adownload("m")


async def test_ranges(kit: S3Kit) -> None:
    await kit.aupload("m", b"hello world")
    for wanted, content in (((0, 4), b"hello"), ((6, None), b"world"), ((-5, None), b"world"), ((3, 99), b"lo world")):
        assert (await kit.adownload("m", byte_range=wanted)).content == content
    with pytest.raises(errors.InvalidRequestError) as caught:
        await kit.adownload("m", byte_range=(50, None))
    assert caught.value.code == "InvalidRange"


@pytest.mark.parametrize("wanted", [(0, 4), (6, None), (-5, None), (3, 99)])
async def test_a_store_that_ignores_ranges(kit: S3Kit, sim: Simulator, wanted: tuple[int, int | None]) -> None:
    body = b"hello world"
    sim.script(Fault(Status(200, body=body, headers=(("etag", '"e"'),)), method="GET"))
    first, last = wanted
    expected = body[first:] if last is None else body[first : last + 1]
    assert (await kit.adownload("m", byte_range=wanted)).content == expected


async def test_a_store_that_ignores_the_range_of_a_continued_download(
    kit: S3Kit, sim: Simulator, tmp_path: Path
) -> None:
    await kit.aupload("m", BIG)
    etag = (await kit.ahead("m")).etag or ""
    sim.script(
        Fault(CutAfter(6 * MIB), method="GET", nth=1),
        Fault(Status(200, body=BIG, headers=(("etag", etag),)), method="GET", nth=2),
    )
    await kit.adownload("m", tmp_path / "m")
    assert (tmp_path / "m").read_bytes() == BIG


async def test_the_wrong_part_of_an_object_is_refused(kit: S3Kit, sim: Simulator) -> None:
    sim.script(
        Fault(Status(206, body="world", headers=(("etag", '"e"'), ("content-range", "bytes 6-10/11"))), method="GET")
    )
    with pytest.raises(errors.ResponseFormatError, match="were asked for"):
        await kit.adownload("m", byte_range=(0, 4))


async def test_what_is_too_large_for_memory_is_refused(make_kit: Callable[..., S3Kit], tmp_path: Path) -> None:
    async with make_kit(max_response_bytes=1000) as kit:
        await kit.aupload("m", b"x" * 1001)
        with pytest.raises(errors.ResponseFormatError, match="max_response_bytes"):
            await kit.adownload("m")
        assert (await kit.adownload("m", tmp_path / "m")).size == 1001


async def test_two_downloads_to_one_place_do_not_mix(kit: S3Kit, sim: Simulator, tmp_path: Path) -> None:
    await kit.aupload("m", BIG)
    await asyncio.gather(*(kit.adownload("m", tmp_path / "m") for _ in range(4)))
    assert (tmp_path / "m").read_bytes() == BIG
    assert left(tmp_path) == ["m"]


async def test_a_link_at_the_target_is_replaced_and_not_followed(kit: S3Kit, tmp_path: Path) -> None:
    await kit.aupload("m", b"new")
    outside = tmp_path / "outside"
    outside.write_bytes(b"untouched")
    (tmp_path / "m").symlink_to(outside)
    await kit.adownload("m", tmp_path / "m")
    assert outside.read_bytes() == b"untouched"
    assert not (tmp_path / "m").is_symlink()


async def test_a_target_that_cannot_be_written(kit: S3Kit, tmp_path: Path) -> None:
    await kit.aupload("m", b"x")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(errors.ConfigurationError, match="cannot be written"):
        await kit.adownload("m", tmp_path / "file" / "below")
    with pytest.raises(errors.InvalidRequestError, match="folder"):
        await kit.adownload("m", tmp_path)


async def test_a_cancelled_download_leaves_only_what_can_be_continued(
    kit: S3Kit, sim: Simulator, tmp_path: Path
) -> None:
    await kit.aupload("m", b"x" * 300_000)
    sim.script(Fault(Hang(), method="GET"))
    task = asyncio.create_task(kit.adownload("m", tmp_path / "m"))
    await sim.until(seen=2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert kit.queue_status()["active"] == 0
    await sim.until(in_flight=0)
    await kit.aclose()  # by then every thread has left
    assert left(tmp_path) == []


async def test_the_modes_of_files_follow_the_umask(kit: S3Kit, tmp_path: Path) -> None:
    await kit.aupload("m", b"x")
    before = os.umask(0o027)
    try:
        await kit.adownload("m", tmp_path / "m")
    finally:
        os.umask(before)
    assert (tmp_path / "m").stat().st_mode & 0o777 == 0o640
