"""Errors, retries, keys, failover, deadlines and lifecycle of the S3 backend."""

from __future__ import annotations

import asyncio
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backends import errors
from backends.s3_kit import CredentialPair, S3Kit
from backends.s3_kit.failures import CODES
from conformance.simulators.faults import (
    Coded,
    CutAfter,
    CutHead,
    EmptyBody,
    Fault,
    Garbage,
    Hang,
    Html,
    Oversized,
    Redirect,
    Reset,
    Status,
    WrongLength,
)
from conformance.simulators.s3_kit import PROVIDER
from conformance.simulators.server import Simulator
from conformance.virtual_time import JumpClock

from .conftest import ID, SECRET, arguments

PROBE = "nonce/probe"

# Sheet: status and code -> class, and how often it is put on the wire with max_retries=2.
TABLE = [
    (301, "PermanentRedirect", errors.InvalidRequestError, 1),
    (400, "InvalidRequest", errors.InvalidRequestError, 1),
    (400, "InvalidBucketName", errors.InvalidRequestError, 1),
    (400, "BadDigest", errors.InvalidRequestError, 1),
    (400, "InvalidDigest", errors.InvalidRequestError, 1),
    (400, "EntityTooSmall", errors.InvalidRequestError, 1),
    (400, "EntityTooLarge", errors.InvalidRequestError, 1),
    (400, "InvalidPart", errors.InvalidRequestError, 1),
    (400, "MalformedXML", errors.InvalidRequestError, 1),
    (400, "ExpiredToken", errors.AuthenticationError, 1),
    (400, "RequestTimeout", errors.ServerError, 3),
    (400, "AuthorizationHeaderMalformed", errors.InvalidRequestError, 1),
    (403, "AccessDenied", errors.PermissionDeniedError, 1),
    (403, "InvalidAccessKeyId", errors.AuthenticationError, 1),
    (403, "SignatureDoesNotMatch", errors.AuthenticationError, 1),
    (403, "RequestTimeTooSkewed", errors.AuthenticationError, 1),
    (403, "InvalidObjectState", errors.InvalidRequestError, 1),
    (404, "NoSuchKey", errors.NotFoundError, 1),
    (404, "NoSuchBucket", errors.NotFoundError, 1),
    (404, "NoSuchUpload", errors.NotFoundError, 1),
    (404, "NoSuchVersion", errors.NotFoundError, 1),
    (405, "MethodNotAllowed", errors.UnsupportedError, 1),
    (409, "BucketNotEmpty", errors.InvalidRequestError, 1),
    (409, "OperationAborted", errors.ServerError, 3),
    (409, "ConditionalRequestConflict", errors.ServerError, 3),
    (411, "MissingContentLength", errors.InvalidRequestError, 1),
    (412, "PreconditionFailed", errors.InvalidRequestError, 1),
    (416, "InvalidRange", errors.InvalidRequestError, 1),
    (429, "TooManyRequests", errors.RateLimitError, 3),
    (500, "InternalError", errors.ServerError, 3),
    (501, "NotImplemented", errors.UnsupportedError, 1),
    (502, "BadGateway", errors.ServerError, 3),
    (503, "SlowDown", errors.OverloadedError, 3),
    (503, "ServiceUnavailable", errors.OverloadedError, 3),
    (503, "XMinioServerNotInitialized", errors.OverloadedError, 3),
    (507, "XMinioStorageFull", errors.ServerError, 1),
    (418, "SomethingNew", errors.InvalidRequestError, 1),
    (599, "SomethingNew", errors.ServerError, 3),
]


@pytest.mark.parametrize(("status", "code", "kind", "attempts"), TABLE)
async def test_every_code_has_its_class(
    make_kit: Callable[..., S3Kit], sim: Simulator, status: int, code: str, kind: type, attempts: int
) -> None:
    sim.script(Fault(Status(status, code=code, message="the store's own words"), path="*probe"))
    async with make_kit(max_retries=2) as kit:
        with pytest.raises(errors.BackendError) as caught:
            await kit.adownload(PROBE)
    error = caught.value
    assert type(error) is kind
    assert (error.status, error.code, error.provider) == (status, code, "s3_kit")
    assert "the store's own words" in error.message
    assert error.attempts == attempts == len(sim.requests)
    assert str(error.provider_request_id).startswith("SIM")
    assert pickle.loads(pickle.dumps(error)).code == code


def test_the_table_and_the_codes_agree() -> None:
    for _, code, kind, _ in TABLE:
        assert CODES.get(code, kind) is kind


@pytest.mark.parametrize("status", [400, 403, 404, 412, 500, 503])
async def test_a_head_has_no_body_and_the_status_speaks(
    make_kit: Callable[..., S3Kit], sim: Simulator, status: int
) -> None:
    sim.script(Fault(Status(status), method="HEAD"))
    async with make_kit(max_retries=0) as kit:
        with pytest.raises(errors.BackendError) as caught:
            await kit.ahead("k")
    expected = {
        400: errors.InvalidRequestError,
        403: errors.PermissionDeniedError,
        404: errors.NotFoundError,
        412: errors.InvalidRequestError,
        500: errors.ServerError,
        503: errors.OverloadedError,
    }
    assert type(caught.value) is expected[status]
    assert caught.value.code == str(status)


@pytest.mark.parametrize(
    ("action", "kind", "code"),
    [
        (Reset("headers"), errors.TransportError, "reset_after_sent"),
        (Reset("headers", 20), errors.TransportError, None),
        (Garbage("http"), errors.TransportError, "protocol"),
        (CutAfter(10), errors.TransportError, "cut_short"),
        (WrongLength(7), errors.TransportError, "cut_short"),
        (Html(502), errors.ServerError, None),
        (EmptyBody(500), errors.ServerError, None),
    ],
)
async def test_broken_answers_to_a_download_are_repeated(
    make_kit: Callable[..., S3Kit], sim: Simulator, action: Any, kind: type, code: str | None
) -> None:
    sim.script(Fault(action, path="*probe"))
    async with make_kit(max_retries=1) as kit:
        with pytest.raises(kind) as caught:
            await kit.adownload(PROBE)
    assert code in (None, caught.value.code)
    assert caught.value.attempts == 2


@pytest.mark.parametrize("action", [Garbage(), Html(200), Oversized(200_000)])
async def test_a_listing_that_cannot_be_read(make_kit: Callable[..., S3Kit], sim: Simulator, action: Any) -> None:
    sim.script(Fault(action, path="/models"))
    async with make_kit(max_retries=0, max_response_bytes=100_000) as kit:
        with pytest.raises((errors.ResponseFormatError, errors.ServerError)) as caught:
            await kit.alist()
    if isinstance(action, Oversized):
        assert isinstance(caught.value, errors.ResponseFormatError)
        assert "100000" in caught.value.message


async def test_a_listing_cut_short_is_a_transport_error(make_kit: Callable[..., S3Kit], sim: Simulator) -> None:
    sim.script(Fault(CutAfter(30), path="/models"))
    async with make_kit(max_retries=0) as kit:
        with pytest.raises(errors.TransportError) as caught:
            await kit.alist()
    assert caught.value.code == "cut_short"


async def test_nobody_listens_there() -> None:
    async with Simulator([PROVIDER]) as sim:
        sim.refuse()
        async with S3Kit(**arguments(sim, max_retries=2)) as kit:
            with pytest.raises(errors.TransportError) as caught:
                await kit.adownload(PROBE)
    assert (caught.value.code, caught.value.attempts) == ("connect", 3)


async def test_a_server_that_does_not_answer_in_time(make_kit: Callable[..., S3Kit], sim: Simulator) -> None:
    sim.script(Fault(Hang(), path="*probe"))
    async with make_kit(max_retries=1, read_timeout=0.05) as kit:
        with pytest.raises(errors.TransportError) as caught:
            await kit.adownload(PROBE)
    assert (caught.value.code, caught.value.attempts) == ("read_timeout", 2)


async def test_a_redirect_to_another_host_is_not_followed(make_kit: Callable[..., S3Kit], sim: Simulator) -> None:
    async with Simulator([PROVIDER]) as other:
        for turn, status in enumerate((301, 302, 307, 308), 1):
            sim.script(Fault(Redirect(f"{other.origin}/s3_kit/models/nonce/probe", status), path="*probe", nth=turn))
        async with make_kit(max_retries=0) as kit:
            for _ in range(4):
                with pytest.raises(errors.BackendError):
                    await kit.adownload(PROBE)
        assert (other.requests, len(sim.requests)) == ([], 4)


async def test_a_hint_is_a_floor(make_kit: Callable[..., S3Kit], sim: Simulator) -> None:
    clock = JumpClock()
    sim.script(Fault(Status(503, headers=(("retry-after", "7"),)), path="*probe", nth=1))
    async with make_kit(clock=clock) as kit:
        await kit.adownload(PROBE)
    assert 7.0 <= clock.slept[0] <= 7.0 * 1.2


async def test_the_breaker_opens_on_outages_only(make_kit: Callable[..., S3Kit], sim: Simulator) -> None:
    async with make_kit(max_retries=0, failure_threshold=2) as kit:
        sim.script(Fault(Status(403, code="AccessDenied"), path="*denied"), Fault(Status(500), path="*broken"))
        for _ in range(5):
            with pytest.raises(errors.PermissionDeniedError):
                await kit.adownload("nonce/denied")
        for _ in range(2):
            with pytest.raises(errors.ServerError):
                await kit.adownload("nonce/broken")
        before = len(sim.requests)
        with pytest.raises(errors.ServiceUnavailableError):
            await kit.adownload(PROBE)
        assert len(sim.requests) == before


# -- credentials -------------------------------------------------------------------------------------------------------


async def test_several_pairs_take_turns_and_a_refused_one_is_retired(
    make_kit: Callable[..., S3Kit], sim: Simulator
) -> None:
    pairs = [
        CredentialPair("AKIAONE", "s1"),
        "AKIAinvalid:s2",
        CredentialPair("ASIATHREE", "s3", "token", name="third"),
    ]
    async with make_kit(api_keys=pairs) as kit:
        for _ in range(4):
            await kit.adownload(PROBE)
        states = {key["name"]: (key["state"], key["requests"]) for key in kit.report()["keys"]}
        assert states[CredentialPair("AKIAinvalid", "x").fingerprint] == ("retired", 1)
        assert states["third"] == ("ready", 2)
        assert sim.requests[-1].header("x-amz-security-token") is not None or any(
            seen.header("x-amz-security-token") for seen in sim.requests
        )
        old = CredentialPair("AKIAONE", "s1").fingerprint
        new = kit.rotate_key(old, "AKIANEW:s9")
        assert kit.rotate_key(new, CredentialPair("AKIANEW", "other-secret")) == new
        await kit.adownload(PROBE)
        await kit.adownload(PROBE)
        assert new in {seen.key_fingerprint for seen in sim.requests[-2:]}
        with pytest.raises(errors.ConfigurationError, match="pair"):
            kit.add_key("no-pair")


async def test_nothing_shows_a_pair(make_kit: Callable[..., S3Kit], sim: Simulator) -> None:
    pair = CredentialPair(ID, SECRET, "planted-token")
    sim.script(Fault(Status(403, code="AccessDenied", message=f"User {ID} with {SECRET} may not"), path="*probe"))
    async with make_kit(api_key=pair) as kit:
        with pytest.raises(errors.PermissionDeniedError) as caught:
            await kit.adownload(PROBE)
        texts = [repr(pair), str(pair), f"{pair}", str(caught.value), repr(caught.value), repr(kit.report())]
        assert "****" in caught.value.message
    for text in texts:
        for part in (ID, SECRET, "planted-token"):
            assert part not in text
    with pytest.raises(TypeError):
        pickle.dumps(pair)


async def test_the_debug_log_shows_no_pair(
    make_kit: Callable[..., S3Kit], sim: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    sim.script(Fault(Status(500), path="*probe", nth=1))
    async with make_kit(api_key=CredentialPair(ID, SECRET, "planted-token")) as kit:
        await kit.adownload(PROBE)
        signed = await kit.apresign("k")
    signature = signed.url.partition("X-Amz-Signature=")[2]
    for part in (ID, SECRET, "planted-token", signature, "Authorization"):
        assert part not in caplog.text
    assert "s3_kit" in caplog.text, "something was logged"


def chain(**sources: Any) -> str:
    kit = S3Kit(base_url="http://127.0.0.1:1", **{"environ": {}, "credentials_path": "/nonexistent"} | sources)
    (key,) = kit.endpoint().pool.keys()
    assert isinstance(key, CredentialPair)
    return ":".join(key.secrets())


def test_the_first_source_wins_whole(tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    file.write_text('[s3_kit]\naccess_key_id = "F"\nsecret_access_key = "f"\nregion = "eu-west-9"\n')
    file.chmod(0o600)
    environ = {"AWS_ACCESS_KEY_ID": "E", "AWS_SECRET_ACCESS_KEY": "e", "AWS_SESSION_TOKEN": "t"}
    metadata = {"s3_kit_access_key_id": "M", "s3_kit_secret_access_key": "m"}
    sources: dict[str, Any] = {"credentials_path": file, "environ": environ, "metadata": metadata}
    assert chain(**sources, access_key_id="A", secret_access_key="a") == "A:a"
    assert chain(**sources) == "M:m"
    del sources["metadata"]
    assert chain(**sources) == "E:e:t"
    sources["environ"] = {}
    assert chain(**sources) == "F:f"
    assert chain(metadata={"s3_kit_api_keys": ["K:k"]}) == "K:k"


@pytest.mark.parametrize(
    "sources",
    [
        {"access_key_id": "A"},
        {"secret_access_key": "planted-secret"},
        {"access_key_id": "A", "secret_access_key": "planted-secret", "api_key": "B:planted-secret"},
        {"api_key": "planted-secret"},
        {"api_key": "A:"},
        {"api_keys": "A:planted-secret"},
        {"access_key_id": "A", "secret_access_key": "planted-secret\n\x01"},
        {"environ": {"AWS_ACCESS_KEY_ID": "A"}},
        {"environ": {"AWS_SECRET_ACCESS_KEY": "planted-secret"}},
        {"metadata": {"s3_kit_access_key_id": "A"}},
        {"metadata": {"s3_kit_access_key_id": "A", "s3_kit_secret_access_key": 7}},
        {},
    ],
)
def test_half_a_pair_or_none_is_said_before_the_wire(sources: dict[str, Any]) -> None:
    with pytest.raises(errors.ConfigurationError) as caught:
        chain(**sources)
    assert caught.value.provider == "s3_kit"
    assert "planted-secret" not in str(caught.value)
    if not sources:
        assert "AWS_ACCESS_KEY_ID" in caught.value.message
        assert "AWS_SECRET_ACCESS_KEY" in caught.value.message


async def test_without_any_credentials_boto3_is_asked_last(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given = arguments(sim, environ=None)
    del given["access_key_id"], given["secret_access_key"]
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "shared"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    async with S3Kit(**given) as kit:
        with pytest.raises(errors.ConfigurationError, match="AWS_SECRET_ACCESS_KEY") as caught:
            await kit.adownload(PROBE)
        assert (caught.value.provider, sim.requests) == ("s3_kit", [])
    (tmp_path / "shared").write_text("[default]\naws_access_key_id = AKIASHARED\naws_secret_access_key = s\n")
    async with S3Kit(**given) as kit:
        await kit.adownload(PROBE)
    assert sim.requests[-1].key_fingerprint == CredentialPair("AKIASHARED", "s").fingerprint


async def test_explicit_credentials_do_not_depend_on_profiles(
    kit: S3Kit, monkeypatch: pytest.MonkeyPatch, sim: Simulator
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "does-not-exist")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "9")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    sim.script(Fault(Status(500), path="*probe", nth=1))
    assert (await kit.adownload(PROBE)).attempts == 2
    assert len(sim.requests) == 2


async def test_anonymous_sends_no_credentials(make_kit: Callable[..., S3Kit], sim: Simulator) -> None:
    async with make_kit(anonymous=True) as kit:
        with pytest.raises(errors.PermissionDeniedError):
            await kit.adownload(PROBE)
        with pytest.raises(errors.InvalidRequestError, match="anonymous"):
            await kit.apresign("k")
    assert sim.requests[0].header("authorization") is None


@pytest.mark.parametrize(
    "settings",
    [
        {"style": "gcs"},
        {"part_size": 5},
        {"region": "eu west"},
        {"bucket": "A"},
        {"addressing": "host"},
        {"failover": "two"},
        {"transport": object()},
        {"multipart_treshold": 1},
        {"base_url": "ftp://x"},
    ],
)
def test_wrong_settings_are_named(settings: dict[str, Any]) -> None:
    with pytest.raises(errors.ConfigurationError, match=next(iter(settings)).split("_")[0]):
        S3Kit(**settings)


# -- several stores ----------------------------------------------------------------------------------------------------


async def test_reads_fall_back_to_other_stores_with_their_own_credentials(
    make_kit: Callable[..., S3Kit], sim: Simulator, tmp_path: Path
) -> None:
    async with Simulator([PROVIDER]) as second, Simulator([PROVIDER]) as third:
        async with make_kit(max_retries=0, failover=["two", "three"]) as kit:
            for name, other, pair in (("two", second, "AKIATWO:s2"), ("three", third, "AKIATHREE:s3")):
                kit.create_endpoint(name, other.base_url("s3_kit"), api_key=pair, style="minio", region="eu-central-1")
                await kit.aupload("k", b"content", endpoint=name)
            await kit.aupload("k", b"content")
            sim.script(Fault(Status(500), path="/models*", method="GET"), Fault(Status(500), method="HEAD"))
            second.script(Fault(CutAfter(3), path="/models/k", method="GET"))
            found = await kit.adownload("k", tmp_path / "k")
            assert (found.endpoint, (tmp_path / "k").read_bytes()) == ("three", b"content")
            assert (await kit.alist()).keys == ("k",)
            assert await kit.aexists("k")
            third.script(Fault(Status(503), path="*k"))
            with pytest.raises(errors.OverloadedError) as caught:
                await kit.adownload("k")
            for hop in ("default: ServerError", "two: TransportError", "three: OverloadedError"):
                assert hop in caught.value.message
            with pytest.raises(errors.ServerError):
                await kit.ahead("k", failover=[])
            with pytest.raises(errors.ConfigurationError, match="fourth"):
                await kit.ahead("k", failover=["fourth"])
        seen = {one: {request.key_fingerprint for request in one.requests} for one in (sim, second, third)}
        assert seen[second] == {CredentialPair("AKIATWO", "s2").fingerprint}
        assert seen[third] == {CredentialPair("AKIATHREE", "s3").fingerprint}
        assert seen[sim] == {CredentialPair(ID, SECRET).fingerprint}


async def test_missing_objects_do_not_hop(make_kit: Callable[..., S3Kit], sim: Simulator) -> None:
    async with make_kit() as kit:
        kit.create_endpoint("two")
        with pytest.raises(errors.NotFoundError):
            await kit.adownload("missing", failover=["two"])
    assert len(sim.requests) == 1


async def test_another_address_needs_its_own_credentials(make_kit: Callable[..., S3Kit]) -> None:
    async with make_kit() as kit:
        with pytest.raises(errors.ConfigurationError, match="own api_key"):
            kit.create_endpoint("two", "http://127.0.0.1:9")


# -- deadlines, threads, lifecycle -------------------------------------------------------------------------------------


async def test_a_deadline_ends_the_call_and_its_thread(make_kit: Callable[..., S3Kit], sim: Simulator) -> None:
    sim.script(Fault(Hang(), path="*probe"))
    async with make_kit() as kit:
        with pytest.raises(errors.DeadlineExceededError):
            await kit.adownload(PROBE, deadline=0.05)
        await sim.until(in_flight=0)
        assert kit.queue_status()["active"] == 0
        assert kit.report()["circuit_breaker"]["failures"] == 0
        sim.forget_faults()
        await kit.adownload(PROBE)


async def test_cancelling_frees_slot_key_and_connection(make_kit: Callable[..., S3Kit], sim: Simulator) -> None:
    sim.script(Fault(Hang(), path="*probe"))
    async with make_kit(max_concurrent_requests=1) as kit:
        for turn in range(1, 4):
            task = asyncio.create_task(kit.adownload(PROBE))
            await sim.until(seen=turn, in_flight=1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await sim.until(in_flight=0)
        assert kit.queue_status()["active"] == 0
        assert kit.report()["keys"][0]["in_flight"] == 0
        assert all(seen.aborted for seen in sim.requests)


async def test_never_more_at_once_than_allowed_and_in_order_of_priority(
    make_kit: Callable[..., S3Kit], sim: Simulator
) -> None:
    sim.hold()
    async with make_kit(max_concurrent_requests=2) as kit:
        tasks = [asyncio.create_task(kit.adownload(f"nonce/low-{n}", priority=2)) for n in range(4)]
        await sim.until(held=2)
        tasks.append(asyncio.create_task(kit.adownload("nonce/high", priority=0)))
        await asyncio.sleep(0)
        assert sim.in_flight == 2
        sim.let_go(1)
        await sim.until(seen=3)
        assert sim.requests[2].path.endswith("high")
        sim.let_go()
        await asyncio.gather(*tasks)
    assert sim.peak_in_flight == 2


async def test_closing_ends_what_runs_and_leaves_no_thread(make_kit: Callable[..., S3Kit], sim: Simulator) -> None:
    before = set(threading.enumerate())
    sim.script(Fault(Hang(), path="*probe"))
    kit = make_kit()
    assert set(threading.enumerate()) == before
    task = asyncio.create_task(kit.adownload(PROBE))
    await sim.until(seen=1, in_flight=1)
    await kit.aclose()
    with pytest.raises(errors.BackendError):
        await task
    assert set(threading.enumerate()) == before
    with pytest.raises(errors.ClosedError):
        await kit.adownload(PROBE)
    await kit.aclose()


async def test_one_object_in_many_threads_and_loops(kit: S3Kit) -> None:
    async def several() -> None:
        await asyncio.gather(*(kit.adownload(PROBE) for _ in range(3)))

    def own_loop() -> None:
        asyncio.run(several())
        asyncio.run(several())
        assert kit.download(PROBE).size > 0

    await asyncio.gather(*(asyncio.to_thread(own_loop) for _ in range(3)))
    await several()
    assert kit.report()["endpoints"]["default"]["counters"]["requests"] == 24


async def test_live_resizing_lets_more_through(make_kit: Callable[..., S3Kit], sim: Simulator) -> None:
    sim.hold()
    async with make_kit(max_concurrent_requests=1) as kit:
        tasks = [asyncio.create_task(kit.adownload(PROBE)) for _ in range(3)]
        await sim.until(held=1)
        kit.resize(max_concurrent_requests=3)
        await sim.until(held=3)
        sim.let_go()
        await asyncio.gather(*tasks)


def test_importing_and_building_load_and_start_nothing() -> None:
    code = (
        "import sys, threading\n"
        "from backends.s3_kit import S3Kit\n"
        "S3Kit(access_key_id='A', secret_access_key='s').create_endpoint('two')\n"
        "loaded = {'boto3', 'botocore', 'httpx', 'aiohttp', 'urllib3'} & set(sys.modules)\n"
        "assert not loaded, loaded\n"
        "assert threading.active_count() == 1\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_without_boto3_the_error_says_what_to_install() -> None:
    code = (
        "import sys\n"
        "sys.modules['boto3'] = None\n"
        "from backends.s3_kit import S3Kit\n"
        "kit = S3Kit(access_key_id='A', secret_access_key='s', bucket='models')\n"
        "try:\n"
        "    kit.head('k')\n"
        "except Exception as error:\n"
        "    assert type(error).__name__ == 'ConfigurationError', type(error)\n"
        "    assert \"pip install 'backends-conformance[s3]'\" in str(error), error\n"
        "else:\n"
        "    raise AssertionError\n"
        "kit.close()\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


async def test_a_head_that_was_cut_is_a_lost_connection(sim: Simulator, make_kit: Callable[..., S3Kit]) -> None:
    """The standard library takes it for a whole one; the download is made again."""
    sim.script(Fault(CutHead(20), nth=1))
    async with make_kit() as kit:
        assert (await kit.adownload(PROBE)).attempts == 2
    assert len(sim.requests) == 2


async def test_an_answer_without_a_length_is_no_object(sim: Simulator, make_kit: Callable[..., S3Kit]) -> None:
    """The error says what is missing."""
    sim.script(Fault(Coded("identity")))
    async with make_kit() as kit:
        with pytest.raises(errors.ResponseFormatError, match="how long the object is"):
            await kit.adownload(PROBE)


async def test_an_error_without_words_is_told_by_its_status(sim: Simulator, make_kit: Callable[..., S3Kit]) -> None:
    """Never by the word None."""
    sim.script(Fault(Status(529)))
    async with make_kit(max_retries=0) as kit:
        with pytest.raises(errors.ServerError) as caught:
            await kit.adownload(PROBE)
    assert caught.value.message == "HTTP 529"
