"""One worker process and the two pipes to it. Nothing here blocks but the start of a process, and nothing repeats.

The pipes are read and written from whatever event loop is running, by its readers and writers, so one process serves
several loops in turn and no thread is needed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from backends.errors import ConfigurationError
from backends.llvm_worker import frames
from backends.wire.values import Failure, WireError

__all__ = ["WorkerProcess"]

_PROGRAM: Final = (
    "import sys; sys.path.insert(0, sys.argv[1]); sys.path.append(sys.argv[2]); "
    "from backends.llvm_worker.program import main; main()"
)
"""This library goes first, so that the program is the one that belongs to its caller."""
_INHERITED: Final = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR", "SYSTEMROOT")
"""What a process may need to start at all; nothing else of the environment is told, for keys stand in it."""
_PIECE: Final = 1 << 20
_LARGEST_LAST_WORDS: Final = 4096
_MOST_LOOKS: Final = 20
_BETWEEN_LOOKS: Final = 0.005


class WorkerProcess:
    """A process of :mod:`backends.llvm_worker`, started at once.

    Args:
        memory: bytes of address space that it may have.

    Raises:
        ConfigurationError: llvmlite is not installed, or this system cannot limit a process.
        WireError: it could not be started.
    """

    def __init__(self, memory: int) -> None:
        command = [sys.executable, "-I", "-c", _PROGRAM, *_places(), str(memory)]
        environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        self._log = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed with the process
        try:
            self._process = subprocess.Popen(  # noqa: S603 - this very interpreter, our own program
                command,
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                cwd=os.sep,
                env=environment,
                start_new_session=True,  # so that it can be ended with whatever it has started
            )
        except OSError as error:
            self._log.close()
            raise WireError(Failure.CONNECT, f"a worker process cannot be started: {error}", sent=False) from None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests, self._answers = self._process.stdin, self._process.stdout
        for pipe in (self._requests, self._answers):
            os.set_blocking(pipe.fileno(), False)
            _widen(pipe.fileno())
        self.exchanges = 0
        """How many it has begun."""

    async def exchange(self, frame: bytes, largest: int) -> tuple[bytes, bool]:
        """Send a frame; return the answer, and whether this process will give no other.

        Raises:
            WireError: the process is gone, or its answer is larger than allowed.
        """
        self.exchanges += 1
        try:
            await self._write(frames.PREFIX.pack(len(frame), 0))
            await self._write(frame)
        except OSError:
            raise await self._gone(Failure.RESET_BEFORE_SENT, sent=False) from None
        length, last = frames.PREFIX.unpack(await self._read(frames.PREFIX.size))
        if length > largest:
            raise WireError(Failure.TOO_LARGE, f"{length} bytes were announced, {largest} are allowed", sent=True)
        return await self._read(length), bool(last)

    async def _write(self, data: bytes) -> None:
        view, descriptor = memoryview(data), self._requests.fileno()
        while view:
            try:
                view = view[os.write(descriptor, view[:_PIECE]) :]
            except BlockingIOError:
                loop = asyncio.get_running_loop()
                await _ready(descriptor, loop.add_writer, loop.remove_writer)

    async def _read(self, count: int) -> bytes:
        pieces: list[bytes] = []
        left, descriptor = count, self._answers.fileno()
        while left:
            try:
                piece = os.read(descriptor, min(left, _PIECE))
            except BlockingIOError:
                loop = asyncio.get_running_loop()
                await _ready(descriptor, loop.add_reader, loop.remove_reader)
                continue
            if not piece:
                raise await self._gone(Failure.CUT_SHORT if pieces else Failure.RESET_AFTER_SENT, sent=True)
            pieces.append(piece)
            left -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def _gone(self, failure: Failure, *, sent: bool) -> WireError:
        """Return the error of a process that has ended, with its last words."""
        for _ in range(_MOST_LOOKS):  # its pipes close a moment before its status is there
            if self.ended:
                break
            await asyncio.sleep(_BETWEEN_LOOKS)
        status = self._process.returncode
        how = "it closed its pipe"
        if status is not None and status < 0:
            known = -status in list(signal.Signals)
            how = f"it was ended by {signal.Signals(-status).name if known else f'signal {-status}'}"
        elif status is not None:
            how = f"it ended with status {status}"
        self._log.seek(0)
        said = self._log.read(_LARGEST_LAST_WORDS).decode("utf-8", "replace").strip().splitlines()
        words = "".join(one for one in said[-1][:300] if one.isprintable()) if said else ""
        return WireError(failure, f"the worker is gone, {how}{': ' + words if words else ''}", sent=sent)

    @property
    def ended(self) -> bool:
        """True once the process is gone and its status was collected."""
        return self._process.poll() is not None

    def kill(self) -> None:
        """End the process and whatever it has started, at once; harmless when it is gone.

        Whoever waits for its answer sees its pipe end.
        """
        if self._process.returncode is None:  # a number that was collected may be somebody else's by now
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def wait(self) -> None:
        """Wait until a killed process is gone: an instant."""
        self._process.wait()

    def close(self) -> None:
        """Close our ends of its pipes, when nobody waits on them; a worker that nobody holds ends by itself."""
        for pipe in (self._requests, self._answers, self._log):
            pipe.close()


def _places() -> list[str]:
    """Return where a fresh interpreter finds this library and llvmlite.

    Raises:
        ConfigurationError: it would not find one, or this is no system that can limit a process.
    """
    if find_spec("resource") is None:
        raise ConfigurationError("LLVM needs a POSIX system: a worker's memory and time are limited by setrlimit.")
    found = find_spec("llvmlite")
    if found is None or found.origin is None:
        raise ConfigurationError('LLVM needs llvmlite: pip install "backends-conformance[llvm]"')
    return [str(Path(__file__).resolve().parents[2]), str(Path(found.origin).resolve().parents[1])]


def _widen(descriptor: int) -> None:
    """Let a pipe hold more, where the system lets us: each filling costs a change between two processes."""
    import fcntl

    with contextlib.suppress(AttributeError, OSError):
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIECE)


def _settle(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


async def _ready(descriptor: int, watch: Callable[..., Any], forget: Callable[[int], Any]) -> None:
    """Wait until a pipe can be read or written."""
    ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    watch(descriptor, _settle, ready)
    try:
        await ready
    finally:
        forget(descriptor)
