"""Modules as a frame tells them: those of one call, and those of several callers that share a frame. Pure; nothing is sent.

A shared frame bears the flag ``each``: what it asks is asked of each of its modules, and the answer lists, in their order,
what the answer to each alone would have said, be it a result or a refusal. So a bad module spoils nobody else's. One that
takes the worker down does, and then the frame is sent again in halves (:func:`backends.llvm.failures.divided`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeVar

from backends import errors
from backends.batch_plan import BatchPlan, items_of
from backends.llvm.failures import divided, told_error
from backends.llvm.job import Job
from backends.llvm.options import Module
from backends.llvm_worker.frames import MOST_MODULES
from backends.operation import Answer
from backends.parameters import bad_argument
from backends.types import Reply
from backends.wire import jsontext

__all__ = ["module_job", "told_modules"]

R = TypeVar("R", bound=Reply)
Read = Callable[[Answer, Sequence[bytes]], R]

_LARGEST_MODULE: Final = 512 << 20
_MOST_BYTES: Final = 1 << 20
"""Modules in a shared frame, one after the other in one worker: larger ones are better off with a worker each."""


def module_job(name: str, module: Module, header: Mapping[str, Any], read: Read[R]) -> Job[R]:
    """Return the job of an operation on one module; jobs that differ in nothing but their modules may share a frame.

    Args:
        name: the operation.
        module: of this call.
        header: the other fields of the frame.
        read: reads the answer.

    Raises:
        InvalidRequestError: the module is none.
    """
    told, blobs = told_modules([module])

    def shared(_: Job[R]) -> str:
        return jsontext.dumps(header).decode()

    def join(jobs: Sequence[Job[R]]) -> Job[Any]:
        told, blobs = told_modules([one for job in jobs for one in items_of(job)])
        reads = [job.read for job in jobs]
        return Job(name, {**header, "modules": told, "each": True}, partial(_read_each, reads), blobs, is_shared=True)

    plan: BatchPlan[R] = BatchPlan([module], shared, join, MOST_MODULES, _MOST_BYTES, length_of=_length)
    return Job(name, {**header, "modules": told}, read, blobs, batch=plan)


def _length(module: Module) -> int:
    return len(module) if isinstance(module, bytes) else len(module.encode("utf-8", "replace"))


def _read_each(
    reads: Sequence[Read[Reply]], answer: Answer, blobs: Sequence[bytes]
) -> Sequence[Reply | errors.BackendError]:
    """Read the answer to a shared frame: for each module its reply, or the error that is its own."""
    data = answer.data
    results, left = data["results"], list(blobs)
    if type(results) is not list or len(results) != len(reads):
        raise ValueError(f"there are not as many results as the {len(reads)} modules that were sent")
    outcomes: list[Reply | errors.BackendError] = []
    for read, result in zip(reads, results, strict=True):
        status, sizes = result["status"], result.get("blobs", [])
        own = [left.pop(0) for _ in sizes]
        if type(status) is not int or [len(blob) for blob in own] != sizes:
            raise ValueError("a result does not say its status, or what bytes are its own")
        if status >= 500:
            raise divided("a worker failed at one of the modules that shared its frame")
        if status >= 400:
            outcomes.append(told_error(result, status, data))
        else:
            said = {"worker": data["worker"], "llvm": data["llvm"], **result}
            outcomes.append(read(replace(answer, data=said), own))
    if left:
        raise ValueError("there are bytes behind the answer that belong to no module")
    return outcomes


def told_modules(modules: Sequence[Module]) -> tuple[list[dict[str, Any]], tuple[bytes, ...]]:
    """Return modules as a header tells them, and the bitcode among them.

    Raises:
        InvalidRequestError: one is neither text nor bytes, is empty, or is larger than allowed.
    """
    told: list[dict[str, Any]] = []
    blobs: list[bytes] = []
    for index, module in enumerate(modules):
        name = "module" if len(modules) == 1 else f"modules[{index}]"
        if not isinstance(module, str | bytes):
            bad_argument(f"{name} must be LLVM IR as text or bitcode as bytes, not {type(module).__name__}", "llvm")
        if not module:
            bad_argument(f"{name} is empty", "llvm")
        if len(module) > _LARGEST_MODULE:
            bad_argument(f"{name} is larger than {_LARGEST_MODULE} bytes", "llvm")
        if isinstance(module, str):
            if "\0" in module:
                bad_argument(f"{name} holds a null character, which would end it there", "llvm")
            told.append({"ir": module})
        else:
            told.append({"bitcode": len(blobs)})
            blobs.append(module)
    return told, tuple(blobs)
