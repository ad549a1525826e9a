"""Strangers' code in real workers: what it may, what it may not, and that the next call never notices."""

from __future__ import annotations

import array
import math
import os
import signal
import struct
import time

import numpy
import pytest
from llvm_bench import BAD_ADDRESS, ENDLESS, SEVEN, calling, code

from backends import errors
from backends.llvm import LLVM

CALLED = """
define TYPE @code(TYPE %n) {
  ret TYPE %n
}
"""


@pytest.mark.parametrize(
    ("kind", "value", "result"),
    [
        ("i1", 1, 1),
        ("i1", 0, 0),
        ("i8", -128, -128),
        ("i8", 255, -1),
        ("i16", 65_535, -1),
        ("i32", -5, -5),
        ("i64", (1 << 64) - 1, -1),
        ("i64", -(1 << 63), -(1 << 63)),
        ("float", 0.5, 0.5),
        ("float", 0.1, struct.unpack("f", struct.pack("f", 0.1))[0]),
        ("double", 0.1, 0.1),
        ("double", -math.inf, -math.inf),
        ("double", 3, 3.0),
        ("double", 5e-324, 5e-324),
    ],
)
async def test_values_come_back_exactly(llvm: LLVM, kind: str, value: float, result: float) -> None:
    reply = await llvm.arun(CALLED.replace("TYPE", kind), "code", [value])
    assert (reply.value, type(reply.value)) == (result, type(result))


async def test_not_a_number_comes_back(llvm: LLVM) -> None:
    assert math.isnan((await llvm.arun(CALLED.replace("TYPE", "double"), "code", [math.nan])).value)


async def test_buffers_are_changed_there_and_not_here(llvm: LLVM) -> None:
    module = """
    define void @code(ptr %values, i64 %n, ptr %nothing) {
      %last = sub i64 %n, 1
      %place = getelementptr i32, ptr %values, i64 %last
      store i32 -9, ptr %place
      %none = icmp eq ptr %nothing, null
      %flag = zext i1 %none to i32
      store i32 %flag, ptr %values
      ret void
    }
    """
    for kind, expected in (
        (array.array("i", [4, 5, 6]), array.array("i", [1, 5, -9])),
        (numpy.array([4, 5, 6], dtype="i4"), numpy.array([1, 5, -9], dtype="i4")),
        (struct.pack("3i", 4, 5, 6), struct.pack("3i", 1, 5, -9)),
        (memoryview(array.array("i", [4, 5, 6])), memoryview(array.array("i", [1, 5, -9]))),
    ):
        before = bytes(memoryview(kind).cast("B"))
        reply = await llvm.arun(module, "code", [kind, 3, None])
        assert reply.value is None
        assert bytes(memoryview(reply.buffers[0]).cast("B")) == bytes(memoryview(expected).cast("B"))
        assert type(reply.buffers[0]) is type(kind)
        assert bytes(memoryview(kind).cast("B")) == before


async def test_an_empty_buffer_and_an_aligned_one(llvm: LLVM) -> None:
    module = "define i64 @code(ptr %a, ptr %b) {\n  %n = ptrtoint ptr %b to i64\n  %r = and i64 %n, 63\n  ret i64 %r\n}"
    reply = await llvm.arun(module, "code", [b"", array.array("d", [1.0])])
    assert (reply.value, reply.buffers) == (0, (b"", array.array("d", [1.0])))


@pytest.mark.parametrize(
    ("module", "arguments", "words"),
    [
        (CALLED.replace("TYPE", "i8"), [256], "does not fit into i8"),
        (CALLED.replace("TYPE", "i8"), [-129], "does not fit into i8"),
        (CALLED.replace("TYPE", "i32"), [1.5], "must be a whole number for i32"),
        (CALLED.replace("TYPE", "i32"), [b"four"], "must be a whole number"),
        (CALLED.replace("TYPE", "double"), [b"eight..."], "must be a number"),
        (CALLED.replace("TYPE", "i32"), [], "takes 1 arguments, 0 were given"),
        (CALLED.replace("TYPE", "i32"), [1, 2], "takes 1 arguments, 2 were given"),
        (CALLED.replace("TYPE", "i128"), [1], "i128"),
        (CALLED.replace("TYPE", "<2 x i32>"), [1], "<2 x i32>"),
        (CALLED.replace("TYPE", "ptr"), [b"x"], "a pointer as result"),
        ("define i32 @code(ptr %p) { ret i32 1 }", [5], "must be a buffer for ptr"),
        ("define i32 @code(i32 %n, ...) { ret i32 1 }", [5], "a variable number of arguments"),
    ],
)
async def test_arguments_that_do_not_fit_the_function(llvm: LLVM, module: str, arguments: list, words: str) -> None:
    with pytest.raises(errors.InvalidRequestError) as caught:
        await llvm.arun(module, "code", arguments)
    assert caught.value.code == "signature"
    assert words in caught.value.message


async def test_what_is_not_there_is_not_found(llvm: LLVM) -> None:
    with pytest.raises(errors.NotFoundError, match=r"does not define @eight; it defines @seven"):
        await llvm.arun(SEVEN, "eight")
    with pytest.raises(errors.NotFoundError, match=r"does not define @exp"):
        await llvm.arun("declare double @exp(double)", "exp", [1.0])
    with pytest.raises(errors.NotFoundError, match="nobody defines @nowhere_to_be_found"):
        await llvm.arun(calling("nowhere_to_be_found"), "code")


async def test_the_c_library_is_there(llvm: LLVM) -> None:
    module = "declare double @pow(double, double)\n" + CALLED.replace("TYPE", "double").replace(
        "ret double %n", "%p = call double @pow(double %n, double 3.0)\n  ret double %p"
    )
    assert (await llvm.arun(module, "code", [2.0])).value == 8.0
    printing = code(
        "  %r = call i32 (ptr, ...) @printf(ptr @text, i32 5)\n  ret i32 %r",
        "declare i32 @printf(ptr, ...)",
        '@text = constant [4 x i8] c"%d\\0A\\00"',
    )
    assert (await llvm.arun(printing, "code")).value == 2


async def test_code_is_compiled_once_per_worker(llvm: LLVM) -> None:
    module = SEVEN + "; said once\n"
    replies = [await llvm.arun(module, "seven") for _ in range(2)]
    assert [reply.value for reply in replies] == [7, 7]
    assert [("emit" in reply.seconds, reply.compiled) for reply in replies] == [(True, True), (False, False)]
    assert (await llvm.arun(module, "seven", level="O0")).compiled, "another level is another code"
    assert replies[0].provider_request_id.partition("-")[0] == replies[1].provider_request_id.partition("-")[0]


STACK = """
define i32 @code(i32 %n) {
  %room = alloca [4096 x i8]
  call void @touch(ptr %room)
  %more = add i32 %n, 1
  %r = call i32 @code(i32 %more)
  call void @touch(ptr %room)
  ret i32 %r
}
define void @touch(ptr %p) noinline {
  store volatile i8 1, ptr %p
  ret void
}
"""
LEAK = """
declare ptr @malloc(i64)
define i32 @code() {
  br label %again
again:
  %memory = call ptr @malloc(i64 65536)
  store volatile i8 1, ptr %memory
  br label %again
}
"""
HUGE = """
@huge = global [99999999999 x i8] zeroinitializer
define ptr @other() {
  ret ptr @huge
}
define i32 @code() {
  ret i32 1
}
"""
FORKING = code("  br label %again\nagain:\n  %r = call i32 @fork()\n  br label %again", "declare i32 @fork()")
SLEEPING = code("  %r = call i32 @sleep(i32 60)\n  ret i32 %r", "declare i32 @sleep(i32)")
CONSTRUCTED = (
    "@llvm.global_ctors = appending global [1 x { i32, ptr, ptr }] [{ i32, ptr, ptr } { i32 1, ptr @first, ptr null }]\n"
    "declare void @abort()\ndefine void @first() {\n  call void @abort()\n  ret void\n}\n" + code("  ret i32 1")
)


@pytest.mark.parametrize(
    ("module", "arguments", "options", "wanted"),
    [
        (ENDLESS, [], {"time_limit": 0.2}, "time_limit"),
        (SLEEPING, [], {"time_limit": 0.2}, "time_limit"),
        (FORKING, [], {"time_limit": 0.2}, "time_limit"),
        (BAD_ADDRESS, [], {}, "crashed"),
        (STACK, [1], {}, "crashed"),
        (calling("abort"), [], {}, "crashed"),
        (calling("exit", "i32 0"), [], {}, "exited"),
        (calling("_exit", "i32 0"), [], {}, "exited"),
        (calling("_exit", "i32 1"), [], {}, "exited"),
        (calling("raise", "i32 9", "i32"), [], {}, "memory_limit"),
        (calling("raise", "i32 19", "i32"), [], {"time_limit": 0.2}, "time_limit"),
        (LEAK, [], {"memory_limit": 64 << 20}, "memory_limit"),
        (HUGE, [], {"memory_limit": 64 << 20}, "memory_limit"),
    ],
    ids=str,
)
async def test_code_that_does_not_end_well(
    llvm: LLVM, module: str, arguments: list, options: dict, wanted: str
) -> None:
    started = time.monotonic()
    with pytest.raises(errors.InvalidRequestError) as caught:
        await llvm.arun(module, "code", arguments, **options)
    assert time.monotonic() - started < 10
    error = caught.value
    assert (error.code, error.fault, error.attempts) == (wanted, "caller", 1), error
    assert llvm.report()["circuit_breaker"]["failures"] == 0
    assert (await llvm.arun(SEVEN, "seven")).value == 7


async def test_constructors_of_a_module_are_not_run(llvm: LLVM) -> None:
    assert (await llvm.arun(CONSTRUCTED, "code")).value == 1


async def test_no_signal_file_or_process_gets_out(llvm: LLVM, tmp_path) -> None:
    assert (await llvm.arun(SEVEN, "seven")).confined, (
        "else the attempts below would succeed, the first on this process"
    )
    kept = tmp_path / "kept.txt"
    kept.write_text("kept")
    name = str(kept).encode() + b"\0"
    escaped = "".join("\\" + f"{byte:02X}" for byte in name)
    path = f'@path = constant [{len(name)} x i8] c"{escaped}"'
    caller = os.getpid()
    attempts = {
        "kill": code(
            f"  %r = call i32 @kill(i32 {caller}, i32 {int(signal.SIGKILL)})\n  ret i32 %r",
            "declare i32 @kill(i32, i32)",
        ),
        "unlink": code("  %r = call i32 @unlink(ptr @path)\n  ret i32 %r", "declare i32 @unlink(ptr)", path),
        "open": code(
            "  %r = call i32 (ptr, i32, ...) @open(ptr @path, i32 512)\n  ret i32 %r",
            "declare i32 @open(ptr, i32, ...)",
            path,
        ),
        "socket": code(
            "  %r = call i32 @socket(i32 2, i32 1, i32 0)\n  ret i32 %r", "declare i32 @socket(i32, i32, i32)"
        ),
        "fork": code("  %r = call i32 @fork()\n  ret i32 %r", "declare i32 @fork()"),
        "system": code("  %r = call i32 @system(ptr @path)\n  ret i32 %r", "declare i32 @system(ptr)", path),
    }
    for what, module in attempts.items():
        reply = await llvm.arun(module, "code")
        assert reply.confined
        assert reply.value in (-1, 127 << 8), what  # the second is what a shell that cannot be started gives
    assert kept.read_text() == "kept"


async def test_the_environment_is_not_there(llvm: LLVM, monkeypatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-somebody")
    module = code(
        "  %r = call ptr @getenv(ptr @name)\n  %n = icmp eq ptr %r, null\n  %z = zext i1 %n to i32\n  ret i32 %z",
        "declare ptr @getenv(ptr)",
        '@name = constant [15 x i8] c"OPENAI_API_KEY\\00"',
    )
    async with LLVM() as fresh:
        assert (await fresh.arun(module, "code")).value == 1


async def test_statistics_of_a_run(llvm: LLVM) -> None:
    busy = """
    define i64 @code(i64 %n) {
    entry:
      %place = alloca i64
      br label %loop
    loop:
      %i = phi i64 [ 0, %entry ], [ %next, %loop ]
      %next = add i64 %i, 1
      store volatile i64 %next, ptr %place
      %more = icmp slt i64 %next, %n
      br i1 %more, label %loop, label %end
    end:
      ret i64 %next
    }
    """
    reply = await llvm.arun(busy, "code", [20_000_000])
    assert reply.value == 20_000_000
    assert reply.seconds["run"] > 0.001
    assert reply.processor_seconds > 0.001
    assert reply.peak_memory > 1 << 20
    assert reply.size > 100
