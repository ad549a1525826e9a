"""From a posted frame to the engine and back, and from a run to a real worker of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Final

from backends.llvm.transport import Request as Frame
from backends.llvm.worker_pool import WorkerPool
from backends.llvm_worker import frames
from backends.llvm_worker.problems import Problem as Refusal
from conformance.simulators.llvm.errors import error, refuse
from conformance.simulators.llvm.fields import HEADERS, SHARED_HEADERS
from conformance.simulators.provider import Answer, Call, encode
from conformance.simulators.shape import Kind, Problem

__all__ = ["operation"]

_PATIENCE: Final = 30.0
_MEMORY: Final = 4 << 30
_LARGEST: Final = 64 << 20
_STEADY: Final = {"processor_seconds": 0.002, "peak_memory": 64 << 20}
"""What a run cost, as the simulated worker tells it: no two real ones cost the same."""


def operation(name: str) -> Callable[[Call], Answer]:
    """Return the handler of one operation."""

    def handler(call: Call) -> Answer:
        text, rest = frames.part(call.request.body)
        try:
            header = json.loads(text)
            blobs = frames.cut(rest, header.get("blobs", []))
        except (ValueError, AttributeError) as trouble:
            return _refused(Problem(Kind.UNREADABLE, "", "a frame", str(trouble)[:200]))
        shapes = SHARED_HEADERS if header.get("each") and name in SHARED_HEADERS else HEADERS
        problem = shapes[name].check(header, "")
        if problem is None and header["operation"] != name:
            problem = Problem(Kind.CHOICE, "operation", name, header["operation"])
        if problem is not None:
            return _refused(problem)
        if name == "run":
            return _run(call, header, call.request.body)
        return _compiled(call, header, blobs)

    return handler


def _refused(problem: Problem) -> Answer:
    return replace(refuse(problem), problem=str(problem))


def _compiled(call: Call, header: dict[str, Any], blobs: Sequence[bytes]) -> Answer:
    if "name" in header:
        header = {**header, "name": f"{header['name']}-{call.nonce}"}
    engine = call.state.engine
    try:
        told, results = engine.perform(header, blobs)
    except Refusal as refusal:
        return error(refusal.status, refusal.code, refusal.message)
    return _answer({"worker": f"simulated-{call.nonce}", "status": 200, "llvm": engine.version, **told}, results)


def _run(call: Call, header: dict[str, Any], frame: bytes) -> Answer:
    """Let a real worker do it. The loop stands still meanwhile, and with it the time of a check."""
    with ThreadPoolExecutor(1) as thread:
        answer = thread.submit(lambda: asyncio.run(_by_a_real_worker(frame))).result()
    text, rest = frames.part(answer)
    told = json.loads(text)
    if told["status"] >= 400:
        return error(told["status"], told["error"]["code"], told["error"]["message"])
    told |= {**_STEADY, "worker": f"simulated-{call.nonce}", "name": f"{header['name']}-{call.nonce}"}
    told["seconds"] = dict.fromkeys(told["seconds"], 0.001)
    return _answer(told, frames.cut(rest, told.get("blobs", [])))


async def _by_a_real_worker(frame: bytes) -> bytes:
    pool = WorkerPool(_MEMORY)
    try:
        return (await pool.exchange(Frame("run", frame, "", _PATIENCE, _LARGEST, 1))).frame
    finally:
        await pool.aclose()


def _answer(told: dict[str, Any], blobs: Sequence[bytes]) -> Answer:
    if not blobs:
        return Answer(payload=told)
    told["blobs"] = [len(blob) for blob in blobs]
    return Answer(body=frames.join(encode(told), blobs), content_type="application/octet-stream")
