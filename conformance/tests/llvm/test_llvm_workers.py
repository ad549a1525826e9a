"""Worker processes: how many there are, how long they live, and that none is left."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import pytest
from llvm_bench import ENDLESS, SEVEN

from backends import errors
from backends.llvm import LLVM, Request, kernel
from backends.llvm import worker_process as process_module
from backends.llvm.worker_pool import WorkerPool
from backends.wire.values import Failure, WireError

ROOT = Path(process_module.__file__).resolve().parents[2]


def worker_of(reply) -> int:
    return int(reply.provider_request_id.partition("-")[0])


def is_gone(process: int) -> bool:
    """True once a process has ended, collected by its parent or not yet."""
    ends = time.monotonic() + 5
    while time.monotonic() < ends:
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False


async def until(condition) -> None:
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never happened")


def children(process: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


async def test_nothing_starts_before_the_first_call_and_nothing_is_left():
    backend = LLVM()
    assert not backend._holds_wire()
    reply = await backend.averify(SEVEN)
    process = worker_of(reply)
    assert process != os.getpid()
    assert os.getpgid(process) == process, "it can be ended with whatever it has started"
    await backend.aclose()
    assert is_gone(process)
    with pytest.raises(errors.ClosedError):
        await backend.averify(SEVEN)


async def test_a_healthy_worker_is_used_again_and_no_more_are_started_than_needed():
    async with LLVM(max_concurrent_requests=2, queue_size=50) as backend:
        first, second = await backend.averify(SEVEN), await backend.averify(SEVEN)
        assert worker_of(first) == worker_of(second)
        replies = await asyncio.gather(*(backend.aoptimize(kernel("softmax")) for _ in range(12)))
        assert 1 <= len({worker_of(reply) for reply in replies}) <= 2
        assert len(backend._workers._all) <= 2
        backend.resize(max_concurrent_requests=1)
        await asyncio.gather(*(backend.averify(SEVEN) for _ in range(3)))
        assert len(backend._workers._idle) <= 2


async def test_a_cancelled_call_ends_its_worker():
    async with LLVM() as backend:
        process = worker_of(await backend.averify(SEVEN))
        task = asyncio.create_task(backend.arun(ENDLESS, "code", time_limit=60))
        await until(lambda: children(process))
        (run,) = children(process)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert backend.queue_status()["active"] == 0
        assert worker_of(await backend.averify(SEVEN)) != process
        assert is_gone(process)
        assert is_gone(run)


async def test_a_deadline_ends_the_worker():
    async with LLVM() as backend:
        process = worker_of(await backend.averify(SEVEN))
        started = time.monotonic()
        with pytest.raises(errors.DeadlineExceededError):
            await backend.arun(ENDLESS, "code", time_limit=60, deadline=0.2)
        assert time.monotonic() - started < 5
        assert worker_of(await backend.arun(SEVEN, "seven")) != process
        assert is_gone(process)


async def test_a_worker_that_died_idle_is_replaced_without_a_word():
    async with LLVM(max_retries=0) as backend:
        process = worker_of(await backend.averify(SEVEN))
        os.kill(process, signal.SIGKILL)
        next(iter(backend._workers._all)).wait()
        assert worker_of(await backend.averify(SEVEN)) != process


async def test_a_worker_killed_while_compiling_is_an_outage_and_is_repeated():
    async with LLVM(max_retries=1, initial_retry_delay=0.0) as backend:
        process = worker_of(await backend.averify(SEVEN))
        os.kill(process, signal.SIGSTOP)  # it has the request and cannot answer
        task = asyncio.create_task(backend.averify(SEVEN))
        await until(lambda: next(iter(backend._workers._all)).exchanges == 2)
        os.kill(process, signal.SIGKILL)
        reply = await task
        assert (reply.attempts, worker_of(reply) != process) == (2, True)
        assert backend.report()["attempts"] == 3


async def test_a_worker_that_cannot_start_opens_the_breaker(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    async with LLVM(max_retries=0, failure_threshold=2) as backend:
        for _ in range(2):
            with pytest.raises(errors.TransportError, match="cannot be started"):
                await backend.averify(SEVEN)
        with pytest.raises(errors.ServiceUnavailableError):
            await backend.averify(SEVEN)
        assert backend._workers._all == set()


async def test_a_worker_that_is_none_gives_its_last_words(monkeypatch):
    monkeypatch.setattr(
        process_module, "_PROGRAM", "import sys; print('first', file=sys.stderr); sys.exit('no worker here')"
    )
    async with LLVM(max_retries=0) as backend:
        with pytest.raises(errors.TransportError, match="status 1: no worker here") as caught:
            await backend.averify(SEVEN)
        assert caught.value.fault == "network"


@pytest.mark.parametrize(
    ("program", "failure"),
    [
        ("import sys; sys.stdout.buffer.write(b'\\xff' * 9)", Failure.TOO_LARGE),
        ("import sys; sys.stdout.buffer.write(b'\\0\\0\\0\\x09\\0half')", Failure.CUT_SHORT),
        ("import sys; sys.stdout.buffer.write(b'\\0\\0')", Failure.CUT_SHORT),
        ("import sys", Failure.RESET_AFTER_SENT),
        ("import time; time.sleep(60)", Failure.READ_TIMEOUT),
        ("import os; os.kill(os.getpid(), 9)", Failure.RESET_AFTER_SENT),
    ],
)
async def test_what_a_process_can_do_to_its_pipe(monkeypatch, program, failure):
    monkeypatch.setattr(process_module, "_PROGRAM", program)
    pool = WorkerPool(1 << 30)
    try:
        with pytest.raises(WireError) as caught:
            await pool.exchange(Request("verify", b"{}", "", 0.5, 1_000, 1))
        gone_before = caught.value.failure is Failure.RESET_BEFORE_SENT
        assert caught.value.failure is failure or gone_before
        assert pool._all == set()
    finally:
        await pool.aclose()


async def test_an_answer_larger_than_allowed_is_refused_unread():
    async with LLVM(max_response_bytes=500) as backend:
        with pytest.raises(errors.ResponseFormatError, match="larger than allowed"):
            await backend.aoptimize(kernel("softmax"))
        assert (await backend.averify(SEVEN)).counts.functions == 1


async def test_a_large_request_and_a_large_answer_pass():
    data = bytes(range(256)) * (20 << 10)
    module = "define i8 @code(ptr %p, ptr %q) {\n  store i8 7, ptr %p\n  ret i8 7\n}"
    async with LLVM() as backend:
        reply = await backend.arun(module, "code", [data, data])
        assert reply.buffers == (b"\x07" + data[1:], data)


async def test_a_worker_has_a_limit_of_its_own_memory():
    async with LLVM(worker_memory=256 << 20, max_retries=0) as backend:
        assert (await backend.averify(SEVEN)).counts.functions == 1
        with pytest.raises(errors.BackendError) as caught:
            await backend.arun("define i8 @code(ptr %p) { ret i8 7 }", "code", [bytes(50 << 20)])
        assert isinstance(caught.value, errors.TransportError | errors.ServerError | errors.InvalidRequestError)
        assert (await backend.averify(SEVEN)).counts.functions == 1


async def test_llvmlite_missing_is_said_with_what_to_install(monkeypatch):
    find_spec = process_module.find_spec
    monkeypatch.setattr(process_module, "find_spec", lambda name: None if name == "llvmlite" else find_spec(name))
    async with LLVM(failure_threshold=1) as backend:
        for _ in range(2):
            with pytest.raises(errors.ConfigurationError, match=r'pip install "backends-conformance\[llvm\]"'):
                await backend.averify(SEVEN)
        assert backend.report()["circuit_breaker"]["state"] == "closed"


async def test_a_broken_llvmlite_is_said_too(monkeypatch, tmp_path):
    (tmp_path / "llvmlite").mkdir()
    (tmp_path / "llvmlite" / "__init__.py").write_text("raise ImportError('no library of that name')")
    monkeypatch.setattr(process_module, "_places", lambda: [str(ROOT), str(tmp_path)])
    program = process_module._PROGRAM.replace("sys.path.append(", "sys.path.insert(0, ")
    monkeypatch.setattr(process_module, "_PROGRAM", program)
    async with LLVM() as backend:
        with pytest.raises(errors.ConfigurationError, match="no library of that name") as caught:
            await backend.averify(SEVEN)
        assert 'pip install "backends-conformance[llvm]"' in caught.value.message


def test_importing_the_backend_imports_no_llvmlite():
    code = "import sys; import backends.llvm; print([n for n in sys.modules if n.partition('.')[0] in ('llvmlite', 'numpy', 'httpx')])"
    ended = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
    )
    assert ended.stdout.strip() == "[]"


# -- loops, threads, forks ---------------------------------------------------------------------------------------------


def test_one_object_over_two_runs_two_threads_and_its_own_portal():
    with LLVM(max_concurrent_requests=2) as backend:
        first = worker_of(asyncio.run(backend.averify(SEVEN)))
        assert worker_of(asyncio.run(backend.averify(SEVEN))) == first, "a worker belongs to no loop"
        assert worker_of(backend.verify(SEVEN)) == first
        found: list[int] = []

        def several() -> None:
            found.extend(backend.run(SEVEN, "seven").value for _ in range(3))

        threads = [threading.Thread(target=several) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [7] * 9
        assert backend.queue_status()["peak_active"] <= 2


def test_a_fork_has_workers_of_its_own():
    with LLVM() as backend:
        parents = worker_of(backend.verify(SEVEN))
        reading, writing = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # forking beside threads is what is being tried
            child = os.fork()
        if child == 0:
            told = b"?"
            try:
                told = str(worker_of(asyncio.run(backend.averify(SEVEN)))).encode()
                asyncio.run(backend.aclose())
            except BaseException as error:
                told = repr(error).encode()
            finally:
                os.write(writing, told)
                os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            childs = int(pipe.read())
        os.waitpid(child, 0)
        assert childs != parents
        assert is_gone(childs)
        assert worker_of(backend.verify(SEVEN)) == parents, "the child has not touched the parent's"


def test_closing_from_another_loop_ends_what_is_under_way():
    backend = LLVM(max_retries=0)
    outcome: list[BaseException] = []
    begun = threading.Event()

    async def endless() -> None:
        begun.set()
        try:
            await backend.arun(ENDLESS, "code", time_limit=60)
        except errors.BackendError as error:
            outcome.append(error)

    thread = threading.Thread(target=lambda: asyncio.run(endless()))
    thread.start()
    begun.wait(5)
    while not backend._holds_wire() or not backend._workers._all:
        time.sleep(0.01)
    time.sleep(0.05)
    backend.close()
    thread.join(5)
    assert not thread.is_alive()
    assert len(outcome) == 1


def test_a_backend_that_nobody_closed_ends_its_workers():
    backend = LLVM()
    process = worker_of(asyncio.run(backend.averify(SEVEN)))
    del backend
    gc.collect()
    assert is_gone(process)


@pytest.mark.parametrize("busy", [False, True])
def test_a_worker_ends_with_its_caller(busy):
    code = f"""
import asyncio, os, sys, threading
from backends.llvm import LLVM
backend = LLVM()
print(asyncio.run(backend.averify({SEVEN!r})).provider_request_id.partition("-")[0], flush=True)
if {busy}:
    threading.Thread(target=lambda: backend.run({ENDLESS!r}, "code", time_limit=60), daemon=True).start()
print("ready", flush=True)
threading.Event().wait(60)
"""
    caller = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    with caller:
        process = int(caller.stdout.readline())
        assert caller.stdout.readline() == "ready\n"
        ends = time.monotonic() + 5
        while busy and not children(process) and time.monotonic() < ends:
            time.sleep(0.01)
        runs = children(process)
        assert len(runs) == int(busy)
        caller.send_signal(signal.SIGKILL)
    assert is_gone(process)
    assert all(is_gone(run) for run in runs)
