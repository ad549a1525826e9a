"""Callers that share a frame: each has a result of its own, whatever became of the others and of the worker."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from llvm_bench import SEVEN, SQUARE, VERIFIED, backend_told, framed

from backends import errors
from backends.llvm import LLVM, Request
from backends.llvm_worker import frames
from backends.llvm_worker.each import each
from backends.llvm_worker.problems import Problem
from backends.wire.values import Failure, WireError

SHARING = {"max_batch_size": 8, "batch_timeout": 0.001}
RESULT = {name: VERIFIED[name] for name in ("status", "name", "counts", "seconds")}


def sizes(told: Any) -> list[int]:
    return [len(header["modules"]) for header in told.headers]


def compiler(spoil: Callable[[list[str], list[Any]], Any] | None = None) -> Callable[[Request], Any]:
    """A worker that verifies whatever it is sent; ``spoil`` sees the modules and what it would say of each."""

    def answer(request: Request) -> Any:
        header = json.loads(frames.part(request.frame)[0])
        modules = [module["ir"] for module in header["modules"]]
        results: list[Any] = [dict(RESULT) for _ in modules]
        found = spoil(modules, results) if spoil is not None else None
        if found is not None:
            return found
        about = {"worker": "42-1", "llvm": "22.1.0"}
        if header.get("each"):
            return framed({**about, "status": 200, "results": results})
        return framed({**about, **results[0]})

    return answer


async def shared(answer: Any, modules: list[str], **settings: Any) -> tuple[list[Any], Any, dict[str, Any]]:
    backend, told = backend_told(answer, **{**SHARING, **settings})
    async with backend:
        found = await asyncio.gather(*[backend.averify(one) for one in modules], return_exceptions=True)
        return list(found), told, backend.report()


async def test_a_real_worker_gives_each_its_own() -> None:
    """Text and bitcode, objects and refusals, in one frame; without sharing the answers are the same."""
    async with LLVM(environ={}, **SHARING) as backend:
        bitcode = (await backend.aoptimize(SQUARE, level="O0", output="bitcode")).data
        modules = [SEVEN, bitcode, "define i32 @broken(", SQUARE, bitcode]
        before = backend.report()["batching"]
        found = await asyncio.gather(*[backend.aemit(one) for one in modules], return_exceptions=True)
        assert backend.report()["batching"] == {"wire_calls": 1, "requests": 5, "largest": 5}
        assert before["wire_calls"] == 0
        alone = [await backend.aemit(one) for one in (SEVEN, SQUARE)]
        assert isinstance(found[2], errors.InvalidRequestError)
        assert (found[2].code, found[2].status, found[2].attempts) == ("parse", 400, 1)
        assert "line 1" in found[2].message
        assert [one.data for one in found if not isinstance(one, Exception)] == [
            alone[0].data,
            alone[1].data,
            alone[1].data,
            alone[1].data,
        ]
        assert len({one.request_id for one in found}) == 5
        assert found[0].raw["name"] == "module"
        assert "results" not in found[0].raw
        counted = backend.report()
        assert (counted["successes"], counted["failures"]) == (7, 1)


@pytest.mark.parametrize(
    "failure", [Failure.RESET_AFTER_SENT, Failure.CUT_SHORT, Failure.READ_TIMEOUT, Failure.TOO_LARGE]
)
async def test_a_module_that_takes_the_worker_down_stands_alone_in_the_end(failure: Failure) -> None:
    def spoil(modules: list[str], _: Any) -> Any:
        return WireError(failure, "gone", sent=True) if any("killer" in one for one in modules) else None

    modules = [SEVEN, SEVEN, SEVEN, "; killer\n" + SEVEN, SEVEN]
    found, told, report = await shared(compiler(spoil), modules, failure_threshold=2)
    assert [isinstance(one, errors.BackendError) for one in found] == [False, False, False, True, False]
    assert not isinstance(found[3], errors.InvalidRequestError)
    assert "divided" not in str(found[3])
    assert sizes(told) == [5, 2, 3, 1, 2, 1, 1]
    assert report["circuit_breaker"]["state"] == "closed"


async def test_a_worker_that_cannot_be_reached_is_an_outage_for_all() -> None:
    def spoil(_: Any, __: Any) -> Any:
        return WireError(Failure.CONNECT, "no more processes", sent=False)

    found, told, report = await shared(compiler(spoil), [SEVEN] * 3)
    assert [type(one) for one in found] == [errors.TransportError] * 3
    assert (sizes(told), report["circuit_breaker"]["failures"]) == ([3], 1)


def _fewer(modules: list[str], results: list[Any]) -> None:
    if len(results) > 1:
        results.pop()


def _foreign(modules: list[str], results: list[Any]) -> None:
    if len(results) > 1:
        results[0]["blobs"] = [4]


def _nonsense(modules: list[str], results: list[Any]) -> None:
    results[-1] = [] if len(results) > 1 else results[-1]


def _no_counts(modules: list[str], results: list[Any]) -> None:
    if len(results) > 1:
        results[0].pop("counts")


def _bytes_of_nobody(modules: list[str], results: list[Any]) -> Any:
    return framed({"worker": "w", "llvm": "1", "status": 200, "results": results}, b"x") if len(results) > 1 else None


@pytest.mark.parametrize("spoil", [_fewer, _foreign, _nonsense, _no_counts, _bytes_of_nobody])
async def test_a_shared_answer_that_cannot_be_read_is_asked_for_again_in_halves(spoil: Any) -> None:
    found, told, _ = await shared(compiler(spoil), [SEVEN] * 2)
    assert [one.counts.functions for one in found] == [1, 1]
    assert sizes(told) == [2, 1, 1]


async def test_a_fault_of_the_worker_over_one_module_reaches_its_caller_alone() -> None:
    def spoil(modules: list[str], results: list[Any]) -> None:
        for place, module in enumerate(modules):
            if "heavy" in module:
                results[place] = {"status": 500, "error": {"code": "internal", "message": "MemoryError: "}}

    found, told, _ = await shared(compiler(spoil), [SEVEN, "; heavy\n" + SEVEN])
    assert found[0].counts.functions == 1
    assert isinstance(found[1], errors.ServerError)
    assert sizes(told) == [2, 1, 1]


async def test_large_modules_and_others_options_travel_apart() -> None:
    large = "; " + "x" * (1 << 20) + "\n" + SEVEN
    backend, told = backend_told(compiler(), **SHARING)
    async with backend:
        calls = [backend.averify(one) for one in (SEVEN, large, SEVEN)]
        await asyncio.gather(*calls, backend.averify(SEVEN, name="other"), backend.averify(SEVEN))
    assert sorted(sizes(told)) == [1, 1, 1, 2]


async def test_what_is_kept_is_looked_up_before_callers_share() -> None:
    backend, told = backend_told(compiler(), cache=8, **SHARING)
    async with backend:
        await asyncio.gather(backend.averify(SEVEN), backend.averify(SQUARE))
        again = await asyncio.gather(*[backend.averify(one) for one in (SQUARE, SEVEN, SEVEN + "\n")])
    assert [one.cached for one in again] == [True, True, False]
    assert sizes(told) == [2, 1]
    assert len({one.request_id for one in again}) == 3


async def test_many_modules_of_one_caller_share_frames_too() -> None:
    backend, told = backend_told(compiler(), max_concurrent_requests=2, **SHARING)
    async with backend:
        done = await backend.abatch([SEVEN] * 20, call="verify")
    assert (len(list(done)), done.failed) == (20, {})
    assert sum(sizes(told)) == 20
    assert max(sizes(told)) == 8


def test_the_worker_takes_no_other_operation_and_no_more_modules() -> None:
    def operation(asked: Any, blobs: Any) -> Any:
        (module,) = asked["modules"]
        if module == "bad":
            raise Problem("parse", "no")
        if module == "worse":
            raise MemoryError
        return {"name": module}, ((b"1", b"23") if module == "bytes" else ())

    for asked in ({"operation": "link", "modules": ["a"]}, {"operation": "emit", "modules": ["a"] * 65}):
        with pytest.raises(Problem, match="64 modules at most"):
            each(operation, asked, ())
    modules = ["good", "bad", "bytes", "worse"]
    told, blobs = each(operation, {"operation": "emit", "modules": modules}, ())
    assert [one["status"] for one in told["results"]] == [200, 400, 200, 500]
    assert (told["results"][2]["blobs"], blobs) == ([1, 2], (b"1", b"23"))
