"""boto3, the official client, against the simulated store, and our backend against moto itself."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError
from moto import mock_aws

from backends import errors
from backends.s3_kit import S3Kit
from conformance.simulators.faults import Fault, Status
from conformance.simulators.s3 import PlainStore
from conformance.simulators.server import Simulator

from .conftest import BUCKET, MIB


def official(url: str, key_id: str = "AKIAOFFICIAL") -> Any:
    return boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=key_id,
        aws_secret_access_key="secret",
        config=Config(signature_version="s3v4", retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )


@pytest.fixture
async def in_thread(sim: Simulator) -> Any:
    """Runs a function with boto3's client in a thread: the simulator lives in this loop."""
    client = official(sim.base_url("s3_kit"))

    async def run(work: Callable[[Any], Any]) -> Any:
        return await asyncio.to_thread(work, client)

    yield run
    client.close()


async def test_files_in_parts(in_thread: Any, sim: Simulator, tmp_path: Path) -> None:
    data = os.urandom(9 * MIB)
    (tmp_path / "up").write_bytes(data)

    def work(client: Any) -> None:
        client.upload_file(str(tmp_path / "up"), BUCKET, "big file+é.bin", ExtraArgs={"Metadata": {"under_score": "1"}})
        client.download_file(BUCKET, "big file+é.bin", str(tmp_path / "down"))
        about = client.head_object(Bucket=BUCKET, Key="big file+é.bin", ChecksumMode="ENABLED")
        assert about["ContentLength"] == len(data)
        assert about["Metadata"] == {"under_score": "1"}
        assert about["ETag"].endswith('-2"')

    await in_thread(work)
    assert (tmp_path / "down").read_bytes() == data
    methods = [seen.method for seen in sim.requests]
    assert sorted(methods[:4]) == ["POST", "POST", "PUT", "PUT"]
    ranged = [seen for seen in sim.requests if seen.method == "GET"]
    assert len(ranged) == 2
    assert all(seen.header("if-match") for seen in ranged)


async def test_small_objects_ranges_conditions_and_listing(in_thread: Any) -> None:
    def work(client: Any) -> None:
        for number in range(7):
            client.put_object(Bucket=BUCKET, Key=f"list/{number} é", Body=b"hello world")
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, PaginationConfig={"PageSize": 3})
        assert [len(page["Contents"]) for page in pages] == [3, 3, 1]
        answer = client.get_object(Bucket=BUCKET, Key="list/0 é", Range="bytes=0-4")
        assert (answer["Body"].read(), answer["ContentRange"]) == (b"hello", "bytes 0-4/11")
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206
        for arguments, code in (
            ({"Range": "bytes=50-"}, "InvalidRange"),
            ({"IfMatch": '"other"'}, "PreconditionFailed"),
            ({"Key": "none"}, "NoSuchKey"),
            ({"Bucket": "no-such-bucket"}, "NoSuchBucket"),
        ):
            with pytest.raises(ClientError) as caught:
                client.get_object(**{"Bucket": BUCKET, "Key": "list/0 é"} | arguments)
            assert caught.value.response["Error"]["Code"] == code
        file = io.BytesIO()
        client.download_fileobj(BUCKET, "list/1 é", file, Config=TransferConfig(multipart_threshold=4))
        assert file.getvalue() == b"hello world"
        deleted = client.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "list/0 é"}, {"Key": "none"}]})
        assert len(deleted["Deleted"]) == 2

    await in_thread(work)


async def test_presigned_urls(in_thread: Any, sim: Simulator) -> None:
    def sign(client: Any) -> tuple[str, str]:
        place = {"Bucket": BUCKET, "Key": "shared"}
        return client.generate_presigned_url("put_object", place), client.generate_presigned_url("get_object", place)

    put, get = await in_thread(sign)
    async with httpx.AsyncClient() as client:
        assert (await client.put(put, content=b"over http")).status_code == 200
        assert (await client.get(get)).content == b"over http"
        assert (await client.get(get.partition("?")[0])).status_code == 403
    assert sim.requests[0].key_fingerprint == sim.requests[1].key_fingerprint != ""


async def test_errors_faults_and_refused_keys(in_thread: Any, sim: Simulator) -> None:
    sim.script(Fault(Status(503), path="/models/slow"))

    def work(client: Any) -> None:
        with pytest.raises(ClientError) as caught:
            client.get_object(Bucket=BUCKET, Key="slow")
        assert caught.value.response["Error"]["Code"] == "SlowDown"
        with pytest.raises(ClientError) as caught:
            client.upload_part(Bucket=BUCKET, Key="k", UploadId="unknown", PartNumber=1, Body=b"x")
        assert caught.value.response["Error"]["Code"] == "NoSuchUpload"
        stranger = official(sim.base_url("s3_kit"), "AKIAinvalid")
        with pytest.raises(ClientError) as caught:
            stranger.list_buckets()
        stranger.close()
        assert caught.value.response["Error"]["Code"] == "InvalidAccessKeyId"
        assert caught.value.response["ResponseMetadata"]["RequestId"].startswith("SIM")

    await in_thread(work)


async def test_servers_do_not_share_what_they_store(kit: S3Kit, sim: Simulator) -> None:
    await kit.aupload("k", b"here")
    async with Simulator(list(sim._providers)) as other:
        kit.create_endpoint("other", other.base_url("s3_kit"), api_key="AKIAOTHER:s")
        assert (await kit.alist(endpoint="other")).keys == ()
    assert (await kit.alist()).keys == ("k",)
    sim.reset()
    assert (await kit.alist()).keys == ()


# -- moto itself -------------------------------------------------------------------------------------------------------


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Kit]:
    with mock_aws(), S3Kit(access_key_id="AKIAMOCK", secret_access_key="s", bucket="mocked", region="eu-west-1") as kit:
        yield kit


def test_in_process_as_aws(in_process: S3Kit, tmp_path: Path) -> None:
    kit = in_process
    kit.create_bucket("mocked")
    data = os.urandom(6 * MIB)
    assert kit.upload("k", data).parts == 1
    assert kit.upload("large", data * 2).parts == 2
    assert kit.download("large", tmp_path / "large").verified == "sha256"
    assert kit.download("k").content == data
    assert kit.list().keys == ("k", "large")
    url = kit.presign("k").url
    assert url.startswith("https://mocked.s3.")
    assert "X-Amz-Signature=" in url
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights").write_bytes(data)
    kit.store_model(tmp_path / "model", "m")
    assert kit.fetch_model("m", tmp_path / "copy").moved == ("weights",)
    with pytest.raises(errors.NotFoundError):
        kit.head("none")
    kit.delete_many(kit.list().keys)
    kit.delete_bucket("mocked")


@pytest.mark.parametrize("style", ["aws", "minio", "ceph"])
def test_against_motos_own_server(style: str, tmp_path: Path) -> None:
    bucket = f"served-{style}"
    with PlainStore() as store:
        where = {"base_url": store.url, "access_key_id": "AKIAMOTO", "secret_access_key": "s"}
        with S3Kit(**where, bucket=bucket, style=style) as kit:
            kit.create_bucket(bucket)
            data = os.urandom(9 * MIB)
            kit.upload("k e+y", data)
            assert kit.download("k e+y", tmp_path / "f").size == len(data)
            assert httpx.get(kit.presign("k e+y").url).content == data
            assert kit.download("k e+y", byte_range=(10, 19)).content == data[10:20]
            kit.delete_many(["k e+y"])
            assert kit.list().objects == ()
            kit.delete_bucket(bucket)
