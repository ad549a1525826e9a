"""The calls that S3 Kit declares. Every one is made in both modes, on a store that is empty but for one bucket."""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any, Final

from backends.s3_kit.manifest import MANIFEST_NAME
from conformance.simulators.record import Seen
from conformance.simulators.s3_kit.models import BUCKET
from conformance.subject import CallCase
from conformance.subjects.stories import Story, do, once, story
from conformance.trial import Trial

__all__ = ["DECLARED"]

_CONTENT: Final = b"hello world"
_CRC32: Final = "DUoRhQ=="
_ETAG: Final = '"5eb63bbbe01eeed093cb22bb8f5acdc3"'
_PART: Final = bytes(5 << 20)
_KEY: Final = "tiny/con fig+é.json"
_PATH: Final = f"/{BUCKET}/tiny/con%20fig%2B%C3%A9.json"


def _stored(name: str, *arguments: Any, **options: Any) -> Any:
    """A story: store an object, then do something with it."""

    def plan() -> Story:
        yield do("upload", _KEY, _CONTENT, metadata={"purpose": "contract"})
        return (yield do(name, *arguments, **options))

    return plan


def _in_file() -> Story:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "source.bin", Path(folder) / "target.bin"
        source.write_bytes(_PART * 2)
        yield do("upload", "large.bin", source, part_size=5 << 20)
        reply = yield do("download", "large.bin", target)
        assert target.read_bytes() == _PART * 2, "what came back is not what was stored"
        assert [path.name for path in sorted(Path(folder).iterdir())] == ["source.bin", "target.bin"]
        return reply


def _begun(name: str) -> Any:
    def plan() -> Story:
        begun = yield do("create_multipart", "parts")
        if name == "abort_multipart":
            return (yield do(name, "parts", begun.upload_id))
        if name == "list_multiparts":
            return (yield do(name))
        part = yield do("upload_part", "parts", begun.upload_id, 1, _CONTENT)
        if name == "upload_part":
            return part
        return (yield do("complete_multipart", "parts", begun.upload_id, [part]))

    return plan


def _presigned() -> Story:
    yield do("upload", _KEY, _CONTENT)
    signed = yield do("presign", _KEY, expires_in=60)
    assert "X-Amz-Signature=" in signed.url, "the URL is not signed by version 4"
    assert "X-Amz-Signature" not in f"{signed!r} {signed}", "the signature is shown"
    return (yield do("head", _KEY))


def _bucket(name: str) -> Any:
    def plan() -> Story:
        made = yield do("create_bucket", "contract-bucket")
        return made if name == "create_bucket" else (yield do(name, "contract-bucket"))

    return plan


def _model(name: str) -> Any:
    def plan() -> Story:
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder) / "source", Path(folder) / "target"
            (source / "shards").mkdir(parents=True)
            (source / "config.json").write_bytes(b"{}")
            (source / "shards" / "one.bin").write_bytes(_CONTENT)
            done = yield do("store_model", source, "llm/tiny")
            if name == "store_model":
                return done
            done = yield do("fetch_model", "llm/tiny", target)
            assert (target / "shards" / "one.bin").read_bytes() == _CONTENT, "what came back is not what was stored"
            return done

    return plan


def _pages(backend: Any) -> Any:
    for name in ("a", "b", "c"):
        backend.upload(name, _CONTENT)
    return [page.keys for page in backend.list_pages(page_size=2)]


async def _apages(backend: Any) -> Any:
    for name in ("a", "b", "c"):
        await backend.aupload(name, _CONTENT)
    return [page.keys async for page in backend.alist_pages(page_size=2)]


# -- judgements --------------------------------------------------------------------------------------------------------


def _judge_upload(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(seen.body, _CONTENT, "bytes at the server")
    trial.equal(seen.header("x-amz-checksum-crc32"), _CRC32, "checksum sent")
    trial.equal(seen.header("content-type"), "application/json", "content type sent")
    trial.equal(seen.header("x-amz-meta-purpose"), "contract", "metadata sent")
    trial.equal((reply.etag, reply.size), (_ETAG, 11), "what the reply says was stored")


def _judge_condition(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(seen.header("if-none-match"), "*", "condition sent")


def _judge_download(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(reply.content, _CONTENT, "content")
    trial.equal(reply.verified, "sha256", "what the content was checked against")
    trial.equal((reply.etag, reply.metadata.get("purpose")), (_ETAG, "contract"), "ETag and metadata")
    trial.equal(seen.header("x-amz-checksum-mode"), "ENABLED", "checksum mode asked for")


def _judge_range(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal((seen.header("range"), reply.content), ("bytes=6-", b"world"), "range and content")


def _judge_head(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal((reply.size, reply.etag), (11, _ETAG), "size and ETag")
    trial.equal(reply.sha256, hashlib.sha256(_CONTENT).hexdigest(), "digest recorded with the object")


def _judge_list(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(reply.keys, (_KEY,), "keys")
    trial.equal(reply.objects[0].size, 11, "size of the object")
    trial.expect("list-type=2" in seen.query, f"the listing is not of version 2: {seen.query}")


def _judge_pages(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(reply, [("a", "b"), ("c",)], "keys by page")
    trial.expect("continuation-token=" in seen.query, "the second page was not asked for with the first one's token")


def _judge_deleted(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.expect(seen.header("x-amz-checksum-crc32"), "deleting many needs a checksum")
    trial.equal(reply.keys, (_KEY, "never-there"), "keys that are gone")


def _judge_parts(trial: Trial, reply: Any, seen: Seen) -> None:
    sent = [one for one in trial.requests if one.method == "PUT"]
    trial.equal([one.body_length for one in sent], [5 << 20, 5 << 20], "sizes of the parts")
    trial.equal((reply.size, reply.verified), (10 << 20, "sha256"), "size, and what it was checked against")


def _judge_stored_model(trial: Trial, reply: Any, seen: Seen) -> None:
    listed = [one for one in trial.requests if one.method == "PUT" and one.path.endswith(MANIFEST_NAME)]
    trial.equal(len(listed), 1, "manifests stored")
    files = json.loads(listed[0].body)["files"]
    trial.equal(sorted(files), ["config.json", "shards/one.bin"], "files in the manifest")
    trial.equal(files["shards/one.bin"]["sha256"], hashlib.sha256(_CONTENT).hexdigest(), "digest in the manifest")
    trial.equal(trial.requests[-1].path, listed[0].path, "last request")


def _judge_moved(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(reply.moved, ("config.json", "shards/one.bin"), "files fetched")


DECLARED: Final[dict[str, CallCase]] = {
    "upload": once(
        f"PUT {_PATH}",
        "upload",
        _KEY,
        _CONTENT,
        options={"metadata": {"purpose": "contract"}},
        judge=_judge_upload,
    ),
    "upload if it is not there": once(
        f"PUT {_PATH}", "upload", _KEY, _CONTENT, options={"if_none_match": True}, nonce=False, judge=_judge_condition
    ),
    "upload and download in parts": story("GET */large.bin", _in_file, judge=_judge_parts),
    "download": story(f"GET {_PATH}", _stored("download", _KEY), judge=_judge_download),
    "download a range": story(f"GET {_PATH}", _stored("download", _KEY, byte_range=(6, None)), judge=_judge_range),
    "head": story(f"HEAD {_PATH}", _stored("head", _KEY), judge=_judge_head),
    "exists": story(f"HEAD {_PATH}", _stored("exists", _KEY), nonce=False),
    "delete": story(f"DELETE {_PATH}", _stored("delete", _KEY)),
    "delete_many": story(
        f"POST /{BUCKET}", _stored("delete_many", [_KEY, "never-there"]), judge=_judge_deleted, headers=False
    ),
    "copy": story(f"PUT /{BUCKET}/copied", _stored("copy", _KEY, "copied")),
    "presign": story(f"HEAD {_PATH}", _presigned),
    "list": story(f"GET /{BUCKET}", _stored("list"), judge=_judge_list, headers=False),
    "list_pages": CallCase(route=f"GET /{BUCKET}", run=_apages, twin=_pages, nonce=False, judge=_judge_pages),
    "create_multipart": once(f"POST /{BUCKET}/parts", "create_multipart", "parts"),
    "upload_part": story(f"PUT /{BUCKET}/parts", _begun("upload_part")),
    "complete_multipart": story(f"POST /{BUCKET}/parts", _begun("complete_multipart")),
    "abort_multipart": story(f"DELETE /{BUCKET}/parts", _begun("abort_multipart")),
    "list_multiparts": story(f"GET /{BUCKET}", _begun("list_multiparts")),
    "create_bucket": story("PUT /contract-bucket", _bucket("create_bucket")),
    "head_bucket": story("HEAD /contract-bucket", _bucket("head_bucket")),
    "list_buckets": once("GET /", "list_buckets"),
    "delete_bucket": story("DELETE /contract-bucket", _bucket("delete_bucket")),
    "store_model": story(
        f"PUT */llm/tiny/{MANIFEST_NAME}", _model("store_model"), nonce=False, judge=_judge_stored_model
    ),
    "fetch_model": story("GET */shards/one.bin", _model("fetch_model"), nonce=False, judge=_judge_moved),
}
