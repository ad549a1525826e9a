"""Whole model folders: stored, fetched, only what changed moved, and nothing written where it does not belong."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends import errors
from backends.s3_kit import S3Kit, manifest
from backends.s3_kit.manifest import MANIFEST_NAME, FileFacts, Manifest
from backends.s3_kit.names import name_problem
from conformance.simulators.faults import CutAfter, Fault, Status
from conformance.simulators.server import Simulator

SCHEMA = json.loads((Path(manifest.__file__).parent / "manifest.schema.json").read_text())
DIGEST = "0" * 64


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "shards" / "deep").mkdir(parents=True)
    (folder / "config.json").write_bytes(b'{"a": 1}')
    (folder / "empty").write_bytes(b"")
    (folder / "shards" / "1 of 2.bin").write_bytes(b"one" * 1000)
    (folder / "shards" / "deep" / "é.bin").write_bytes(b"two")
    return folder


async def put_manifest(kit: S3Kit, files: Any, **more: Any) -> None:
    document = {"format": "backends-model-manifest", "version": 1, "files": files} | more
    await kit.aupload(f"m/{MANIFEST_NAME}", json.dumps(document).encode())


async def test_a_model_goes_there_and_back(kit: S3Kit, sim: Simulator, folder: Path, tmp_path: Path) -> None:
    stored = await kit.astore_model(folder, "llm/tiny")
    assert stored.moved == ("config.json", "empty", "shards/1 of 2.bin", "shards/deep/é.bin")
    assert (stored.bytes_moved, stored.total_bytes) == (3011, 3011)
    listed = json.loads((await kit.adownload(f"llm/tiny/{MANIFEST_NAME}")).content)
    jsonschema.validate(listed, SCHEMA)
    assert sim.requests[-2].path.endswith(MANIFEST_NAME), "the manifest is stored last"
    fetched = await kit.afetch_model("llm/tiny/", tmp_path / "copy")
    assert fetched.moved == stored.moved
    assert tree(tmp_path / "copy") == tree(folder)


async def test_only_what_changed_is_moved(kit: S3Kit, sim: Simulator, folder: Path, tmp_path: Path) -> None:
    await kit.astore_model(folder, "m")
    before = len(sim.requests)
    assert (await kit.astore_model(folder, "m")).moved == ()
    assert not [seen for seen in sim.requests[before:] if seen.method == "PUT"]
    await kit.afetch_model("m", tmp_path / "copy")
    before = len(sim.requests)
    again = await kit.afetch_model("m", tmp_path / "copy")
    assert (again.moved, len(again.unchanged), len(sim.requests) - before) == ((), 4, 1)
    (folder / "config.json").write_bytes(b'{"a": 2}')
    (folder / "empty").unlink()
    assert (await kit.astore_model(folder, "m", prune=True)).removed == ("m/empty",)
    (tmp_path / "copy" / "shards" / "deep" / "é.bin").write_bytes(b"2wo")
    fetched = await kit.afetch_model("m", tmp_path / "copy")
    assert fetched.moved == ("config.json", "shards/deep/é.bin")
    assert (tmp_path / "copy" / "config.json").read_bytes() == b'{"a": 2}'
    assert not await kit.aexists("m/empty")


async def test_an_object_that_was_lost_is_stored_again(kit: S3Kit, folder: Path) -> None:
    await kit.astore_model(folder, "m")
    await kit.adelete("m/config.json")
    assert (await kit.astore_model(folder, "m")).moved == ("config.json",)


async def test_links_in_the_source_are_refused_followed_or_left_out(kit: S3Kit, folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "blob"
    outside.write_bytes(b"blob")
    (folder / "link.bin").symlink_to(outside)
    with pytest.raises(errors.InvalidRequestError, match=r"link\.bin is a symbolic link"):
        await kit.astore_model(folder, "m")
    assert "link.bin" not in (await kit.astore_model(folder, "m", symlinks="skip")).moved
    assert (await kit.astore_model(folder, "m", symlinks="follow")).moved == ("link.bin",)
    assert (await kit.adownload("m/link.bin")).content == b"blob"
    (folder / "loop").symlink_to(folder)
    with pytest.raises(errors.InvalidRequestError, match="links back"):
        await kit.astore_model(folder, "m", symlinks="follow")


async def test_what_is_neither_file_nor_folder_is_refused(kit: S3Kit, folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    with pytest.raises(errors.InvalidRequestError, match="pipe is neither"):
        await kit.astore_model(folder, "m")


BAD_NAMES = (
    "../out",
    "a/../../out",
    "/etc/passwd",
    "C:/x",
    "C:x",
    "a\\b",
    "..\\x",
    "a\0b",
    "a\nb",
    "",
    ".",
    "..",
    "a//b",
    "a/",
    "./a",
    "a/./b",
    "a/..",
    "x ",
    "x.",
    " x",
    "n" * 300,
)


@pytest.mark.parametrize("name", BAD_NAMES)
async def test_names_that_lead_out_of_the_folder_are_refused(
    kit: S3Kit, sim: Simulator, tmp_path: Path, name: str
) -> None:
    await put_manifest(kit, {"good": {"size": 1, "sha256": DIGEST}, name: {"size": 1, "sha256": DIGEST}})
    before = len(sim.requests)
    with pytest.raises(errors.ResponseFormatError, match="manifest is refused"):
        await kit.afetch_model("m", tmp_path / "deep" / "copy")
    assert len(sim.requests) == before + 1, "nothing but the manifest was fetched"
    assert tree(tmp_path) == {}


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b"{}",
        b"not json",
        b'{"format": "other", "version": 1, "files": {}}',
        b'{"format": "backends-model-manifest", "version": 2, "files": {}}',
        b'{"format": "backends-model-manifest", "version": true, "files": {}}',
        b'{"format": "backends-model-manifest", "version": 1, "files": []}',
        b'{"format": "backends-model-manifest", "version": 1, "files": {}, "more": 1}',
        b'{"format": "backends-model-manifest", "version": 1, "files": {"a": 1}}',
        b'{"format": "backends-model-manifest", "version": 1, "files": {"a": {"size": -1, "sha256": "%s"}}}',
        b'{"format": "backends-model-manifest", "version": 1, "files": {"a": {"size": 1.5, "sha256": "%s"}}}',
        b'{"format": "backends-model-manifest", "version": 1, "files": {"a": {"size": 1, "sha256": "short"}}}',
        b'{"format": "backends-model-manifest", "version": 1, "files": {"a": {"size": 1}}}',
        b"[" * 100_000,
    ],
)
def test_manifests_that_are_none_are_refused(document: bytes) -> None:
    with pytest.raises(errors.ResponseFormatError, match="manifest is refused"):
        Manifest.decode(document.replace(b"%s", DIGEST.encode()))


def test_names_that_stand_in_each_others_way_are_refused() -> None:
    def encoded(*names: str) -> bytes:
        return Manifest({name: FileFacts(1, DIGEST) for name in names}).encode()

    with pytest.raises(errors.ResponseFormatError, match="beside another"):
        Manifest.decode(encoded("a", "a/b"))
    with pytest.raises(errors.ResponseFormatError, match="beside another"):
        Manifest.decode(encoded("A", "a"), fold_case=True)
    assert set(Manifest.decode(encoded("A", "a")).files) == {"A", "a"}


@given(st.text(st.characters(exclude_categories=()), max_size=40))
def test_a_name_that_passes_stays_inside_and_fits_the_schema(name: str) -> None:
    if name_problem(name) is None:
        inside = os.path.normpath(os.path.join("/folder", name))
        assert inside.startswith("/folder/")
        assert inside == "/folder/" + name
        jsonschema.validate(json.loads(Manifest({name: FileFacts(1, DIGEST)}).encode()), SCHEMA)


async def test_links_inside_the_target_are_not_written_through(kit: S3Kit, folder: Path, tmp_path: Path) -> None:
    await kit.astore_model(folder, "m")
    outside = tmp_path / "outside"
    outside.mkdir()
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / "shards").symlink_to(outside)
    with pytest.raises(errors.InvalidRequestError, match="nothing is written through"):
        await kit.afetch_model("m", copy)
    assert tree(outside) == {}
    (copy / "shards").unlink()
    (outside / "f").write_bytes(b"kept")
    (copy / "config.json").symlink_to(outside / "f")
    with pytest.raises(errors.InvalidRequestError, match="not a regular file"):
        await kit.afetch_model("m", copy)
    assert (outside / "f").read_bytes() == b"kept"


async def test_a_file_that_does_not_match_the_manifest_is_not_kept(
    kit: S3Kit, sim: Simulator, folder: Path, tmp_path: Path
) -> None:
    await kit.astore_model(folder, "m")
    await kit.aupload("m/config.json", b'{"a": 9}')
    with pytest.raises(errors.ResponseFormatError, match="sha256"):
        await kit.afetch_model("m", tmp_path / "copy")
    assert "config.json" not in tree(tmp_path / "copy")
    assert not [name for name in tree(tmp_path / "copy") if "partial" in name and "config" in name]


async def test_a_fetch_that_broke_off_goes_on(kit: S3Kit, sim: Simulator, folder: Path, tmp_path: Path) -> None:
    await kit.astore_model(folder, "m")
    sim.script(Fault(CutAfter(1500), path="*of*", method="GET", nth=1), Fault(Status(503), path="*empty", nth=1))
    await kit.afetch_model("m", tmp_path / "copy")
    assert tree(tmp_path / "copy") == tree(folder)
    assert sim.unfired() == []


async def test_no_model_there(kit: S3Kit, tmp_path: Path) -> None:
    with pytest.raises(errors.NotFoundError):
        await kit.afetch_model("nothing", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


async def test_the_blocking_twins(kit: S3Kit, folder: Path, tmp_path: Path) -> None:
    def work() -> None:
        kit.store_model(folder, "m")
        kit.fetch_model("m", tmp_path / "copy")

    await asyncio.to_thread(work)
    assert tree(tmp_path / "copy") == tree(folder)
