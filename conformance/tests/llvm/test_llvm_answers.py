"""Answers that a transport makes up: what is believed of them, and what becomes of everything else."""

from __future__ import annotations

import array
import copy

import pytest
from llvm_bench import COUNTS, RAN, SEVEN, VERIFIED, backend_told, framed

from backends import errors
from backends.llvm import Returned, reading
from backends.llvm.failures import CODES
from backends.llvm_worker.problems import STATUSES
from backends.wire.values import Failure, WireError

OPTIMIZED = {**VERIFIED, "ir": "; done", "size": 6, "triple": "t", "before": COUNTS, "after": COUNTS}
EMITTED = {**OPTIMIZED, "sections": [{"name": ".text", "size": 4, "code": True}]}
INSPECTED = {
    **VERIFIED,
    "module": {
        "source_file": "s",
        "triple": "t",
        "data_layout": "e",
        "functions": [
            {
                "name": "f",
                "type": "i32 (ptr)",
                "returns": "i32",
                "parameters": ["ptr"],
                "variadic": False,
                "declaration": False,
                "linkage": "external",
                "attributes": ["nounwind"],
                "blocks": 1,
                "instructions": 2,
            }
        ],
        "globals": [{"name": "g", "type": "i32", "declaration": True, "linkage": "internal"}],
        "structs": [{"name": "T", "type": "{ i32 }"}],
    },
}


async def test_replies_are_read_in_full():
    async with backend_told(framed({**VERIFIED, "new": [1]}))[0] as backend:
        reply = await backend.averify(SEVEN)
    assert (reply.counts.functions, reply.counts.instructions, reply.seconds) == (1, 5, {"parse": 0.25})
    assert (reply.model, reply.provider_request_id, reply.attempts) == ("LLVM 22.1.0", "42-1", 1)
    assert reply.raw["new"] == [1]
    async with backend_told(framed(INSPECTED))[0] as backend:
        made = await backend.ainspect(SEVEN)
    assert made.function("f").parameters == ("ptr",)
    assert made.function("g") is None
    assert (made.globals[0].name, made.globals[0].declaration, made.structs) == ("g", True, {"T": "{ i32 }"})
    async with backend_told(framed(EMITTED, b"\x7fELF"))[0] as backend:
        emitted = await backend.aemit(SEVEN)
    assert (emitted.data, emitted.text, emitted.sections[0].name) == (b"\x7fELF", "", ".text")


def _spoilt(good):
    """Every field of a good answer left out, and of another type."""
    for name in good:
        if name not in ("worker", "status"):
            yield {key: value for key, value in good.items() if key != name}
        for wrong in (None, [], "text", -1, True, {}, 1.5):
            if type(wrong) is not type(good[name]):
                bad = copy.deepcopy(good)
                bad[name] = wrong
                yield bad


@pytest.mark.parametrize(
    ("call", "good", "fine"),
    [
        ("averify", VERIFIED, ()),
        ("aoptimize", OPTIMIZED, ("counts",)),
        ("aemit", {**EMITTED, "assembly": ""}, ("ir", "counts")),
        ("ainspect", INSPECTED, ()),
        ("arun", RAN, ()),
    ],
)
async def test_answers_of_another_shape_are_one_typed_error(call, good, fine):
    arguments = (SEVEN, "seven") if call == "arun" else (SEVEN,)
    refused = 0
    for bad in _spoilt(good):
        unread = any(bad.get(name) != good.get(name) for name in fine)
        optional = call == "aemit" and "sections" not in bad
        async with backend_told(framed(bad), failure_threshold=1)[0] as backend:
            if unread or optional:
                await getattr(backend, call)(*arguments)
                continue
            with pytest.raises(errors.BackendError) as caught:
                await getattr(backend, call)(*arguments)
            assert type(caught.value) in (errors.ResponseFormatError, errors.ServerError), (bad, caught.value)
            assert backend.report()["circuit_breaker"]["failures"] == 0 or bad.get("status") != 200
            refused += 1
    assert refused > 20


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\n",
        b"null",
        b"[]",
        b'"text"',
        b"{",
        b'{"a": NaN}',
        b'{"a": "\xff"}',
        b"[" * 100_000,
        b'{"status":200}',
        framed(VERIFIED)[:-1],
        framed(VERIFIED) + b"\nmore",
        framed({**VERIFIED, "blobs": [4]}) + b"\nfive!",
        framed({**VERIFIED, "blobs": [1 << 60]}),
        framed({**VERIFIED, "blobs": {"0": 4}}) + b"\nfour",
        framed({**VERIFIED, "worker": ["x"]}),
        framed({**VERIFIED, "status": "200"}),
    ],
    ids=lambda frame: str(frame[:20]),
)
async def test_what_is_no_frame_is_one_typed_error(frame):
    async with backend_told(frame, failure_threshold=1)[0] as backend:
        with pytest.raises(errors.ResponseFormatError, match="cannot be read") as caught:
            await backend.averify(SEVEN)
        assert (caught.value.attempts, caught.value.fault) == (1, "provider")
        assert backend.report()["circuit_breaker"]["state"] == "closed"
        assert backend.queue_status()["active"] == 0


@pytest.mark.parametrize("blobs", [(), (bytes(7),), (bytes(9),), (bytes(8), b""), (bytes(4), bytes(4))], ids=len)
async def test_buffers_must_be_as_long_as_they_were(blobs):
    async with backend_told(framed(RAN, *blobs))[0] as backend:
        with pytest.raises(errors.ResponseFormatError, match="not as long"):
            await backend.arun(SEVEN, "seven", [array.array("d", [1.0])])


async def test_lists_are_bounded(monkeypatch):
    monkeypatch.setattr(reading, "_MOST_ENTRIES", 3)
    for count, fine in ((3, True), (4, False)):
        entry = INSPECTED["module"]["globals"][0]
        made = {**INSPECTED, "module": {**INSPECTED["module"], "globals": [entry] * count}}
        async with backend_told(framed(made))[0] as backend:
            if fine:
                assert len((await backend.ainspect(SEVEN)).globals) == count
            else:
                with pytest.raises(errors.ResponseFormatError, match="longer than allowed"):
                    await backend.ainspect(SEVEN)


@pytest.mark.parametrize("code", sorted(STATUSES))
async def test_every_code_of_a_worker_has_its_class(code):
    answer = framed({"worker": "7-1", "status": STATUSES[code], "error": {"code": code, "message": "words of LLVM"}})
    backend, transport = backend_told(answer, max_retries=1, initial_retry_delay=0.0, failure_threshold=5)
    async with backend:
        with pytest.raises(errors.BackendError) as caught:
            await backend.averify(SEVEN)
        error = caught.value
        assert type(error) is CODES.get(code, errors.ServerError)
        assert "words of LLVM" in error.message
        assert (error.code, error.status, error.provider, error.provider_request_id) == (
            code,
            STATUSES[code],
            "llvm",
            "7-1",
        )
        caller = code != "internal"
        assert (error.fault == "caller") is caller
        assert len(transport.requests) == (1 if caller else 2)
        assert backend.report()["circuit_breaker"]["failures"] == (0 if caller else 2)


def test_every_code_but_one_is_mapped():
    assert set(STATUSES) - set(CODES) == {"internal"}


async def test_an_error_without_sense_is_an_error_all_the_same():
    for header in ({"status": 503}, {"worker": 5, "status": 500, "error": []}, {"status": 422, "error": {"code": []}}):
        async with backend_told(framed(header))[0] as backend:
            with pytest.raises(errors.BackendError) as caught:
                await backend.averify(SEVEN)
            assert caught.value.status == header["status"]


async def test_what_stands_in_the_way_of_a_transport_is_passed_on():
    page = Returned(b"<html>busy</html>", 503, {"retry-after": "120"})
    async with backend_told(page, max_retries=3)[0] as backend:
        with pytest.raises(errors.OverloadedError, match="HTML page") as caught:
            await backend.averify(SEVEN)
        assert (caught.value.retry_after, caught.value.attempts) == (120.0, 1)


@pytest.mark.parametrize(
    "failure", [Failure.CONNECT, Failure.RESET_BEFORE_SENT, Failure.RESET_AFTER_SENT, Failure.READ_TIMEOUT]
)
async def test_a_worker_lost_while_compiling_is_an_outage(failure):
    sent = failure in (Failure.RESET_AFTER_SENT, Failure.READ_TIMEOUT)
    settings = {"max_retries": 2, "initial_retry_delay": 0.0, "failure_threshold": 3}
    backend, transport = backend_told(WireError(failure, "gone", sent=sent), **settings)
    async with backend:
        with pytest.raises(errors.TransportError):
            await backend.averify(SEVEN)
        assert len(transport.requests) == 3
        with pytest.raises(errors.ServiceUnavailableError):
            await backend.averify(SEVEN)


async def test_a_worker_lost_while_running_is_the_work_of_the_code():
    backend, transport = backend_told(
        WireError(Failure.RESET_AFTER_SENT, "gone", sent=True), max_retries=5, failure_threshold=1
    )
    async with backend:
        with pytest.raises(errors.InvalidRequestError, match="took its worker down") as caught:
            await backend.arun(SEVEN, "seven")
        assert (caught.value.code, caught.value.attempts, len(transport.requests)) == ("crashed", 1, 1)
        assert backend.report()["circuit_breaker"]["state"] == "closed"
    never = WireError(Failure.CONNECT, "no process", sent=False)
    async with backend_told(never, max_retries=1, initial_retry_delay=0.0)[0] as backend:
        with pytest.raises(errors.TransportError) as caught:
            await backend.arun(SEVEN, "seven")
        assert caught.value.attempts == 2, "code that no worker has seen is no reason to give up"


# -- the compile cache -------------------------------------------------------------------------------------------------


async def test_the_cache_answers_what_was_asked_before():
    backend, transport = backend_told(framed(VERIFIED), cache=2, max_concurrent_requests=1)
    async with backend:
        first = await backend.averify(SEVEN)
        again = await backend.averify(SEVEN)
        assert (first.cached, first.attempts, again.cached, again.attempts, again.cost) == (False, 1, True, 0, 0.0)
        assert again.counts == first.counts
        assert again.request_id != first.request_id
        for other in (SEVEN + " ", SEVEN + "  "):
            assert not (await backend.averify(other)).cached
        assert not (await backend.averify(SEVEN)).cached, "the least recently used goes first"
        assert not (await backend.averify(SEVEN, name="other")).cached
        report = backend.report()
        assert (report["total_requests"], report["successes"], report["attempts"]) == (6, 6, 5)
        assert backend.cache_status() == {
            "entries": 2,
            "bytes": backend.cache_status()["bytes"],
            "hits": 1,
            "misses": 5,
        }
        backend.clear_cache()
        assert backend.cache_status()["entries"] == backend.cache_status()["bytes"] == 0
    assert len(transport.requests) == 5


async def test_errors_runs_and_other_endpoints_are_not_cached():
    answers = iter([framed({"status": 422, "error": {"code": "verify"}}), framed(VERIFIED), framed(VERIFIED)])
    backend, transport = backend_told(lambda _: next(answers), cache=10)
    backend.create_endpoint("other")
    async with backend:
        with pytest.raises(errors.InvalidRequestError):
            await backend.averify(SEVEN)
        assert not (await backend.averify(SEVEN)).cached
        assert not (await backend.averify(SEVEN, endpoint="other")).cached
        assert (await backend.averify(SEVEN, endpoint="other")).cached
    backend, transport = backend_told(framed(RAN), cache=10)
    async with backend:
        for _ in range(2):
            assert not (await backend.arun(SEVEN, "seven")).cached
    assert len(transport.requests) == 2


async def test_a_hit_needs_no_slot_and_a_wrong_request_no_cache():
    backend, _ = backend_told(framed(VERIFIED), cache=10, max_concurrent_requests=1, queue_size=0)
    async with backend:
        await backend.averify(SEVEN)
        await backend.endpoint().enter(1)
        try:
            assert (await backend.averify(SEVEN)).cached
            with pytest.raises(errors.InvalidRequestError, match="priority"):
                await backend.averify(SEVEN, priority="urgent")
        finally:
            backend.endpoint().leave()


async def test_no_cache_unless_asked():
    backend, transport = backend_told(framed(VERIFIED))
    async with backend:
        for _ in range(2):
            assert not (await backend.averify(SEVEN)).cached
    assert len(transport.requests) == 2
