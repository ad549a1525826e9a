"""One run of a stranger's function: a child forked for it, limited, watched, and read only after it has ended.

The worker has one thread, so forking it is sound. Child and worker share one piece of memory that holds the buffers and
a small head; whatever the child writes into it is read as numbers of a known size. The child has no pipe to anybody.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import select
import signal
import struct
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, NoReturn

import llvmlite.binding as llvm

from backends.llvm_worker import limits, system_calls
from backends.llvm_worker.problems import Problem, UncleanEnd
from backends.llvm_worker.signatures import Signature, read_result, told_arguments

__all__ = ["Ran", "Run", "execute"]

_HEAD: Final = 4096
_DONE, _STAGE, _CONFINED, _RESULT, _SECONDS, _LINKED, _REFUSED, _ERROR = 0, 1, 2, 8, 16, 24, 32, 64
"""Offsets in the head: finished, linking or running, system calls confined, the result, two durations, malloc had
nothing to give, and a text whose length stands before it."""
_LINKING, _RUNNING = 1, 2
_ALIGNMENT: Final = 64
_MAXRSS_UNIT: Final = 1 if sys.platform == "darwin" else 1024
_ALLOCATOR_NAMES: Final = ("malloc", "calloc", "realloc")
_ALLOCATORS: Final = """
@refused = external global i32
declare ptr @malloc(i64)
declare ptr @calloc(i64, i64)
declare ptr @realloc(ptr, i64)

define ptr @noted_malloc(i64 %size) {
  %memory = call ptr @malloc(i64 %size)
  call void @note(ptr %memory)
  ret ptr %memory
}

define ptr @noted_calloc(i64 %count, i64 %size) {
  %memory = call ptr @calloc(i64 %count, i64 %size)
  call void @note(ptr %memory)
  ret ptr %memory
}

define ptr @noted_realloc(ptr %old, i64 %size) {
  %memory = call ptr @realloc(ptr %old, i64 %size)
  call void @note(ptr %memory)
  ret ptr %memory
}

define private void @note(ptr %memory) {
  %none = icmp eq ptr %memory, null
  br i1 %none, label %failed, label %fine

failed:
  store volatile i32 1, ptr @refused
  ret void

fine:
  ret void
}
"""
"""The C library's allocators, which also note that they had nothing to give: what follows is usually a bad address."""


@dataclass(frozen=True, slots=True)
class Run:
    """What is to be run: an object file, a function in it, its arguments, and what it may use.

    ``externals`` are the names that the code expects others to define.
    """

    code: bytes
    externals: Sequence[str]
    function: str
    signature: Signature
    arguments: Sequence[Mapping[str, Any]]
    buffers: Sequence[bytes]
    seconds: float
    memory: int


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of it: the result as it is told, the buffers, what it cost, and whether system calls were confined."""

    value: dict[str, Any]
    buffers: tuple[bytes, ...]
    link_seconds: float
    run_seconds: float
    processor_seconds: float
    peak_memory: int
    confined: bool


def execute(run: Run, caller: int) -> Ran:
    """Run it and wait.

    Args:
        caller: the descriptor that ends when the caller does; then the child is killed, too.

    Raises:
        Problem: it cannot be run, or did not end well (an :class:`UncleanEnd`).
    """
    places, size = _placed(run.buffers)
    told_arguments(run.signature, run.arguments, places)  # what does not fit is said before anything is started
    allocators = _allocators()
    with mmap.mmap(-1, size) as area:
        for place, data in zip(places, run.buffers, strict=True):
            area[place : place + len(data)] = data
        awake, ending = os.pipe()
        child = os.fork()
        if child == 0:
            _in_child(run, area, places, ending, allocators)
        os.close(ending)
        try:
            status, usage = _watched(child, awake, caller, run.seconds)
        finally:
            os.close(awake)
        head = area[:_HEAD]
        if not (os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0 and head[_DONE] == 1):
            raise _complaint(run, status, head)
        return Ran(
            read_result(run.signature, _result(run.signature, head)),
            tuple(area[place : place + len(data)] for place, data in zip(places, run.buffers, strict=True)),
            struct.unpack_from("<d", head, _LINKED)[0],
            struct.unpack_from("<d", head, _SECONDS)[0],
            usage.ru_utime + usage.ru_stime,
            usage.ru_maxrss * _MAXRSS_UNIT,
            head[_CONFINED] == 1,
        )


def _placed(buffers: Sequence[bytes]) -> tuple[list[int], int]:
    """Return where each buffer begins in the shared memory, and its size; vectors want their memory aligned."""
    places, end = [], _HEAD
    for data in buffers:
        places.append(end)
        end += -(-max(1, len(data)) // _ALIGNMENT) * _ALIGNMENT
    return places, end


# -- in the child ------------------------------------------------------------------------------------------------------


def _in_child(run: Run, area: mmap.mmap, places: Sequence[int], ending: int, allocators: bytes) -> NoReturn:
    """Link and call; never returns, and answers through the shared memory alone."""
    status = 1
    try:
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nothing, descriptor)
        # The pipes to the caller among them: nothing that runs here can write a frame.
        os.closerange(3, ending)
        os.closerange(ending + 1, limits.MOST_FILES)
        base = ctypes.addressof(ctypes.c_char.from_buffer(area))
        limits.confine(run.memory, run.seconds)
        area[_CONFINED] = system_calls.confine()
        _call(run, area, base, [base + place for place in places], allocators)
        status = 0
    except Problem as problem:
        _tell(area, f"{problem.code}\n{problem.message}")
    except MemoryError:
        _tell(area, f"memory_limit\nthe code does not fit into {run.memory} bytes of memory")
    except BaseException as error:  # whatever it is, it is told, and the child ends here
        _tell(area, f"emit\n{type(error).__name__}: {error}")
    finally:
        os._exit(status)


def _call(run: Run, area: mmap.mmap, base: int, addresses: Sequence[int], allocators: bytes) -> None:
    area[_STAGE] = _LINKING
    started = time.perf_counter()
    library, address = _linked(run, allocators, base + _REFUSED)
    function = run.signature.prototype()(address)
    arguments = told_arguments(run.signature, run.arguments, addresses)
    struct.pack_into("<d", area, _LINKED, time.perf_counter() - started)
    area[_STAGE] = _RUNNING
    started = time.perf_counter()
    value = function(*arguments)
    struct.pack_into("<d", area, _SECONDS, time.perf_counter() - started)
    if isinstance(value, float):
        struct.pack_into("<d", area, _RESULT, value)
    elif value is not None:
        struct.pack_into("<q", area, _RESULT, value)
    area[_DONE] = 1
    del library  # its code must not go before here


def _linked(run: Run, allocators: bytes, refused: int) -> tuple[Any, int]:
    try:
        compiler = llvm.create_lljit_compiler(suppress_errors=True)
        noted = llvm.JITLibraryBuilder().add_object_img(allocators).add_current_process()
        noted.import_symbol("refused", refused)
        for name in _ALLOCATOR_NAMES:
            noted.export_symbol(f"noted_{name}")
        known = noted.link(compiler, "allocators")
        builder = llvm.JITLibraryBuilder().add_object_img(run.code).add_current_process().export_symbol(run.function)
        for name in _ALLOCATOR_NAMES:
            builder.import_symbol(name, known[f"noted_{name}"])
        library = builder.link(compiler, "code")
    except RuntimeError as error:
        missing = [name for name in run.externals if llvm.address_of_symbol(name) is None]
        if missing:
            raise Problem("missing_symbol", f"nobody defines @{', @'.join(missing[:10])}") from None
        raise Problem("emit", str(error)) from None
    return (compiler, known, library), library[run.function]


def _tell(area: mmap.mmap, text: str) -> None:
    said = text.encode("utf-8", "replace")[: _HEAD - _ERROR]
    struct.pack_into("<I", area, _ERROR - 4, len(said))
    area[_ERROR : _ERROR + len(said)] = said


@cache
def _allocators() -> bytes:
    """Return the noted allocators as an object file, made once per worker."""
    module = llvm.parse_assembly(_ALLOCATORS, llvm.create_context())
    code: bytes = llvm.Target.from_default_triple().create_target_machine(reloc="pic").emit_object(module)
    return code


# -- in the worker -----------------------------------------------------------------------------------------------------


def _watched(child: int, awake: int, caller: int, seconds: float) -> tuple[int, Any]:
    """Wait for the child for so long, then kill it; return its status and what it used.

    ``awake`` ends with the child, unless the code closed it or handed it on: so it only says when to look again.
    """
    ends = time.monotonic() + seconds
    waiting = [awake, caller]
    pause = seconds
    while True:
        ready, _, _ = select.select(waiting, [], [], max(0.0, min(pause, ends - time.monotonic())))
        ended, status, usage = os.wait4(child, os.WNOHANG)
        if ended:
            return status, usage
        gone = caller in ready
        if gone or time.monotonic() >= ends:
            os.kill(child, signal.SIGKILL)
            _, status, usage = os.wait4(child, 0)
            if gone:
                os._exit(0)
            raise UncleanEnd("time_limit", f"the function was stopped after {seconds:g} s")
        if awake in ready:
            waiting, pause = [caller], 0.001


def _complaint(run: Run, status: int, head: bytes) -> Problem:
    length = min(struct.unpack_from("<I", head, _ERROR - 4)[0], _HEAD - _ERROR)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 1 and length:
        code, _, message = head[_ERROR : _ERROR + length].decode("utf-8", "replace").partition("\n")
        return Problem(code if code in ("missing_symbol", "memory_limit") else "emit", message)
    if os.WIFEXITED(status):
        return UncleanEnd("exited", f"@{run.function} ended its process with status {os.WEXITSTATUS(status)}")
    number = os.WTERMSIG(status)
    name = signal.Signals(number).name if number in list(signal.Signals) else f"signal {number}"
    # LLVM aborts where it has no memory to link into, and a system without memory kills. (That the code killed itself
    # looks the same.)
    no_room = number == signal.SIGKILL or (number == signal.SIGABRT and head[_STAGE] == _LINKING)
    if no_room or struct.unpack_from("<i", head, _REFUSED)[0]:
        return UncleanEnd("memory_limit", f"@{run.function} wanted more than {run.memory} bytes of memory ({name})")
    if number == signal.SIGXCPU:
        return UncleanEnd("time_limit", f"@{run.function} used more processor time than {run.seconds:g} s allow")
    doing = "run" if head[_STAGE] == _RUNNING else "linked"
    return UncleanEnd("crashed", f"@{run.function} was ended by {name} while it was {doing}")


def _result(signature: Signature, head: bytes) -> Any:
    if signature.returns == "void":
        return None
    return struct.unpack_from("<d" if signature.returns in ("float", "double") else "<q", head, _RESULT)[0]
