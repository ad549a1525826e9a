"""Objects, listings, buckets and multipart calls, over real sockets against the simulated store."""

from __future__ import annotations

import asyncio
import hashlib
import io
from typing import Any

import httpx
import pytest

from backends import errors
from backends.s3_kit import S3Kit
from conformance.simulators.faults import Fault, Status
from conformance.simulators.server import Simulator

from .conftest import BUCKET, ID, MIB, SECRET


async def test_an_object_goes_there_and_back_with_all_that_belongs_to_it(kit: S3Kit, sim: Simulator) -> None:
    key = "tiny/é b+c%20&?#.json"
    stored = await kit.aupload(key, b"hello world", metadata={"purpose": "test"})
    assert (stored.size, stored.parts, stored.etag) == (11, 1, '"5eb63bbbe01eeed093cb22bb8f5acdc3"')
    assert stored.sha256 == hashlib.sha256(b"hello world").hexdigest()
    assert stored.checksums == {"CRC32": "DUoRhQ=="}
    about = await kit.ahead(key)
    assert (about.size, about.content_type, about.etag) == (11, "application/json", stored.etag)
    assert about.metadata["purpose"] == "test"
    assert about.sha256 == stored.sha256
    found = await kit.adownload(key)
    assert (found.content, found.verified, found.sha256) == (b"hello world", "sha256", stored.sha256)
    assert found.attempts == 1
    assert found.provider_request_id == f"SIM{sim.requests[-1].nonce.upper()}"
    assert {seen.key_fingerprint for seen in sim.requests} == {hashlib.sha256(ID.encode()).hexdigest()[:8]}
    assert SECRET not in repr(found) + repr(stored) + repr(kit)


async def test_the_answer_comes_from_the_server(kit: S3Kit, sim: Simulator) -> None:
    found = await kit.adownload("nonce/anything")
    assert sim.requests[-1].nonce.encode() in found.content
    assert b"anything" in found.content


async def test_exists_tells_missing_from_failed(kit: S3Kit, sim: Simulator) -> None:
    await kit.aupload("here", b"x")
    assert await kit.aexists("here") is True
    assert await kit.aexists("not-here") is False
    sim.script(Fault(Status(403, code="AccessDenied"), method="HEAD"))
    with pytest.raises(errors.PermissionDeniedError):
        await kit.aexists("here")
    assert kit.report()["keys"][0]["state"] == "ready"


async def test_a_missing_object_is_not_found_and_asked_for_once(kit: S3Kit, sim: Simulator) -> None:
    with pytest.raises(errors.NotFoundError) as caught:
        await kit.adownload("nothing")
    assert (caught.value.code, caught.value.status, caught.value.attempts) == ("NoSuchKey", 404, 1)
    with pytest.raises(errors.NotFoundError):
        await kit.ahead("nothing")
    assert len(sim.requests) == 2


async def test_if_none_match_stores_once(kit: S3Kit) -> None:
    await kit.aupload("once", b"first", if_none_match=True)
    with pytest.raises(errors.InvalidRequestError) as caught:
        await kit.aupload("once", b"second", if_none_match=True)
    assert caught.value.code == "PreconditionFailed"
    assert (await kit.adownload("once")).content == b"first"


async def test_a_conditional_upload_is_not_repeated_when_it_may_have_worked(kit: S3Kit, sim: Simulator) -> None:
    sim.script(Fault(Status(500), method="PUT", nth=1))
    with pytest.raises(errors.ServerError):
        await kit.aupload("once", b"first", if_none_match=True)
    assert len(sim.requests) == 1
    sim.script(Fault(Status(503), method="PUT", nth=1))
    assert (await kit.aupload("once", b"first", if_none_match=True)).attempts == 2


async def test_listing_by_pages_and_whole(kit: S3Kit, sim: Simulator) -> None:
    assert (await kit.alist()).objects == ()
    for name in ("a/1", "a/2", "b/1", "c d+é"):
        await kit.aupload(name, name.encode())
    whole = await kit.alist()
    assert whole.keys == ("a/1", "a/2", "b/1", "c d+é")
    assert whole.objects[0].size == 3
    assert [page.keys for page in [page async for page in kit.alist_pages(page_size=3)]] == [
        ("a/1", "a/2", "b/1"),
        ("c d+é",),
    ]
    folders = await kit.alist(delimiter="/")
    assert (folders.prefixes, folders.keys) == (("a/", "b/"), ("c d+é",))
    some = await kit.alist("a/", limit=1)
    assert (some.keys, some.truncated) == (("a/1",), True)
    assert (await kit.alist("a/", start_after="a/1")).keys == ("a/2",)
    with pytest.raises(errors.NotFoundError) as caught:
        await kit.alist(bucket="no-such-bucket")
    assert caught.value.code == "NoSuchBucket"


async def test_a_listing_that_never_ends_is_refused(kit: S3Kit, sim: Simulator) -> None:
    body = (
        "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>same</NextContinuationToken>"
        "</ListBucketResult>"
    )
    sim.script(Fault(Status(200, body=body), path="/models*"))
    with pytest.raises(errors.ResponseFormatError, match="no new token"):
        await kit.alist()
    assert len(sim.requests) == 2


async def test_deleting_one_many_and_on_an_old_store(kit: S3Kit, sim: Simulator) -> None:
    for name in "abcd":
        await kit.aupload(name, b"x")
    assert (await kit.adelete("a")).keys == ("a",)
    assert (await kit.adelete("a")).keys == ("a",)
    assert (await kit.adelete_many(["b", "never-there"])).keys == ("b", "never-there")
    sim.script(Fault(Status(400, code="MissingContentMD5"), method="POST"))
    assert (await kit.adelete_many(["c", "d"])).keys == ("c", "d")
    assert (await kit.alist()).keys == ()
    assert [seen.method for seen in sim.requests][-3:] == ["DELETE", "DELETE", "GET"]


async def test_what_could_not_be_deleted_raises_with_the_rest(kit: S3Kit, sim: Simulator) -> None:
    body = (
        "<DeleteResult><Deleted><Key>a</Key></Deleted>"
        "<Error><Key>b</Key><Code>AccessDenied</Code><Message>no</Message></Error></DeleteResult>"
    )
    sim.script(Fault(Status(200, body=body), method="POST"))
    with pytest.raises(errors.PermissionDeniedError, match="1 of 2") as caught:
        await kit.adelete_many(["a", "b"])
    assert caught.value.partial.keys == ("a",)
    assert caught.value.partial.failed == {"b": ("AccessDenied", "no")}


async def test_copy_keeps_or_replaces_metadata(kit: S3Kit) -> None:
    await kit.aupload("from é", b"bytes", metadata={"kept": "yes"})
    await kit.acopy("from é", "to")
    assert (await kit.ahead("to")).metadata["kept"] == "yes"
    await kit.acopy("from é", "other", metadata={"new": "1"}, content_type="text/x-new")
    about = await kit.ahead("other")
    assert (about.metadata, about.content_type) == ({"new": "1"}, "text/x-new")


async def test_an_error_inside_a_200_is_an_error_and_repeated(kit: S3Kit, sim: Simulator) -> None:
    await kit.aupload("from", b"bytes")
    body = "<?xml version='1.0'?><Error><Code>InternalError</Code><Message>again</Message></Error>"
    sim.script(Fault(Status(200, body=body), path="/models/to", method="PUT", nth=1))
    assert (await kit.acopy("from", "to")).attempts == 2


async def test_presigned_urls_work_for_whoever_holds_them(kit: S3Kit, sim: Simulator) -> None:
    put = await kit.apresign("shared.bin", method="put", content_type="application/x-test")
    before = len(sim.requests)
    assert before == 0, "signing sends nothing"
    async with httpx.AsyncClient() as client:
        answer = await client.put(put.url, content=b"over http", headers=dict(put.headers))
        assert answer.status_code == 200
        get = await kit.apresign("shared.bin", expires_in=60)
        answer = await client.get(get.url)
    assert (answer.content, answer.headers["content-type"]) == (b"over http", "application/x-test")
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in get.url
    assert "X-Amz-Expires=60" in get.url
    signature = get.url.partition("X-Amz-Signature=")[2]
    assert signature
    assert signature not in repr(get) + str(get)
    assert SECRET not in get.url


@pytest.mark.parametrize("bad", [0, -1, 604_801, True, 1.5])
async def test_a_presigned_url_lives_a_week_at_most(kit: S3Kit, bad: Any) -> None:
    with pytest.raises(errors.InvalidRequestError, match="expires_in"):
        await kit.apresign("k", expires_in=bad)


async def test_buckets(kit: S3Kit) -> None:
    await kit.acreate_bucket("another-one")
    assert set((await kit.alist_buckets()).names) == {"another-one", BUCKET}
    assert (await kit.ahead_bucket("another-one")).bucket == "another-one"
    await kit.aupload("k", b"x", bucket="another-one")
    with pytest.raises(errors.InvalidRequestError) as caught:
        await kit.adelete_bucket("another-one")
    assert (caught.value.code, caught.value.attempts) == ("BucketNotEmpty", 1)
    await kit.adelete("k", bucket="another-one")
    await kit.adelete_bucket("another-one")
    with pytest.raises(errors.NotFoundError):
        await kit.ahead_bucket("another-one")


async def test_multipart_by_hand(kit: S3Kit) -> None:
    begun = await kit.acreate_multipart("by-hand", content_type="text/plain")
    assert [upload.upload_id for upload in (await kit.alist_multiparts()).uploads] == [begun.upload_id]
    first, last = b"a" * (5 * MIB), b"end"
    two = await kit.aupload_part("by-hand", begun.upload_id, 2, last)
    one = await kit.aupload_part("by-hand", begun.upload_id, 1, first)
    done = await kit.acomplete_multipart("by-hand", begun.upload_id, [two, one])
    parts = hashlib.md5(hashlib.md5(first).digest() + hashlib.md5(last).digest()).hexdigest()
    assert done.etag == f'"{parts}-2"'
    assert (await kit.adownload("by-hand")).content == first + last
    with pytest.raises(errors.NotFoundError) as caught:
        await kit.aupload_part("by-hand", "unknown", 1, b"x")
    assert caught.value.code == "NoSuchUpload"
    begun = await kit.acreate_multipart("never")
    await kit.aabort_multipart("never", begun.upload_id)
    assert (await kit.alist_multiparts()).uploads == ()


async def test_the_blocking_twins_do_the_same(kit: S3Kit, tmp_path: Any) -> None:
    def work() -> None:
        kit.upload("twin", io.BytesIO(b"twin"))
        assert kit.download("twin").content == b"twin"
        assert kit.exists("twin")
        assert [page.keys for page in kit.list_pages(page_size=1)] == [("twin",)]
        assert kit.list().keys == ("twin",)
        assert kit.presign("twin").method == "GET"
        kit.delete("twin")

    await asyncio.to_thread(work)


@pytest.mark.parametrize(
    "call",
    [
        lambda kit: kit.adownload("a/../b"),
        lambda kit: kit.adownload("../other/k"),
        lambda kit: kit.ahead(""),
        lambda kit: kit.ahead("a\0b"),
        lambda kit: kit.ahead("a\r\nb"),
        lambda kit: kit.ahead("\ud800"),
        lambda kit: kit.ahead("k" * 1025),
        lambda kit: kit.ahead(7),
        lambda kit: kit.ahead("k", bucket="UPPER"),
        lambda kit: kit.ahead("k", bucket="a/b"),
        lambda kit: kit.ahead("k", bucket="127.0.0.1"),
        lambda kit: kit.ahead("k", priorty=1),
        lambda kit: kit.ahead("k", deadline=-1),
        lambda kit: kit.aupload("k", "no-such-file"),
        lambda kit: kit.aupload("k", io.StringIO("text")),
        lambda kit: kit.aupload("k", 7),
        lambda kit: kit.aupload("k", b"", metadata={"a": "line\nbreak"}),
        lambda kit: kit.aupload("k", b"", metadata={"a": "x" * 3000}),
        lambda kit: kit.aupload("k", b"", content_type="a\r\nb"),
        lambda kit: kit.aupload("k", b"", part_size=1),
        lambda kit: kit.adownload("k", byte_range=(5, 2)),
        lambda kit: kit.adownload("k", byte_range=(-5, 9)),
        lambda kit: kit.adownload("k", byte_range=(None, 3)),
        lambda kit: kit.adownload("k", expected_sha256="nope"),
        lambda kit: kit.adownload("k", failover="two"),
        lambda kit: kit.adelete_many([]),
        lambda kit: kit.adelete_many("abc"),
        lambda kit: kit.alist(limit=0),
        lambda kit: kit.acreate_bucket("ab"),
        lambda kit: kit.aupload_part("k", "id", 0, b"x"),
        lambda kit: kit.acomplete_multipart("k", "id", []),
    ],
)
async def test_bad_arguments_never_reach_the_wire(kit: S3Kit, sim: Simulator, call: Any) -> None:
    with pytest.raises(errors.InvalidRequestError):
        await call(kit)
    assert sim.requests == []
