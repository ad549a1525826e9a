"""The worker process: one frame in, one frame out, until its caller is gone.

Requests come on descriptor 0, answers leave on 1; both are moved away at once, so that what LLVM or a library prints
goes nowhere. Descriptor 2 is a file that the caller gave: LLVM explains itself there before it gives up.
"""

from __future__ import annotations

import json
import os
import signal
import struct
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from backends.llvm_worker import frames, limits
from backends.llvm_worker.problems import Problem, UncleanEnd

if TYPE_CHECKING:
    from backends.llvm_worker.engine import Built

__all__ = ["main"]

_PIECE: Final = 1 << 20
_LARGEST: Final = 1 << 30
_LOG: Final = 2


def main() -> None:
    """Serve; the only argument is the memory of this process in bytes."""
    limits.settle(int(sys.argv[-1]))
    requests, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    worker = _Worker(requests)
    while (frame := _received(requests)) is not None:
        answer, last = worker.answer(frame)
        _send(answers, frames.PREFIX.pack(len(answer), last) + answer)
        if last:
            return


class _Worker:
    def __init__(self, requests: int) -> None:
        self._requests = requests
        self._served = 0
        self._engine: Any = None

    def answer(self, frame: bytes) -> tuple[bytes, bool]:
        """Return the answer to a frame, and whether it is the last one that this process gives."""
        self._served += 1
        told: dict[str, Any] = {"worker": f"{os.getpid()}-{self._served}"}
        blobs: Sequence[bytes] = ()
        last = False
        try:
            fields, blobs = self._performed(frame)
            told |= {"status": 200, **fields}
            last = any(result["status"] >= 500 for result in fields.get("results", ()))
        except Problem as problem:
            told |= problem.told()
            last = isinstance(problem, UncleanEnd)
        except Exception as error:  # a fault of this program must reach the caller as one
            told |= Problem("internal", f"{type(error).__name__}: {error}"[:1000]).told()
            last = True
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        if blobs:
            told["blobs"] = [len(blob) for blob in blobs]
        text = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        return frames.join(text, blobs), last

    def _performed(self, frame: bytes) -> tuple[dict[str, Any], Sequence[bytes]]:
        text, rest = frames.part(frame)
        try:
            asked = json.loads(text)
            blobs = frames.cut(rest, asked.get("blobs", []))
        except (ValueError, AttributeError) as error:
            raise Problem("invalid_frame", str(error)[:200]) from None
        # Nobody can interrupt LLVM from within; the signal's default ends the process, wherever it is.
        # The caller's patience ends a moment earlier; this is for a worker that has lost its caller.
        seconds = asked.get("seconds")
        signal.setitimer(signal.ITIMER_REAL, seconds + 1 if seconds else 0)
        engine = self._engine or self._started()
        fields, results = engine.perform(asked, blobs)
        return {"llvm": engine.version, **fields}, results

    def _started(self) -> Any:
        try:
            from backends.llvm_worker.engine import Engine
        except (ImportError, OSError) as error:
            raise Problem("llvmlite_missing", f"{type(error).__name__}: {error}"[:500]) from None
        self._engine = Engine(self._run, _said)
        return self._engine

    def _run(
        self, built: Built, asked: Mapping[str, Any], buffers: Sequence[bytes]
    ) -> tuple[dict[str, Any], tuple[bytes, ...]]:
        from backends.llvm_worker.runs import Run, execute

        run = Run(
            built.code,
            built.externals,
            asked["function"],
            built.signature,
            asked["arguments"],
            buffers,
            asked["time_limit"],
            asked["memory_limit"],
        )
        ran = execute(run, self._requests)
        told = {
            "value": ran.value,
            "processor_seconds": ran.processor_seconds,
            "peak_memory": ran.peak_memory,
            "confined": ran.confined,
            "seconds": {"link": ran.link_seconds, "run": ran.run_seconds},
        }
        return told, ran.buffers


def _said() -> str:
    """Return what stands in the log, and empty it."""
    text = os.pread(_LOG, 65_536, 0).decode("utf-8", "replace")
    if text:
        os.ftruncate(_LOG, 0)
        os.lseek(_LOG, 0, os.SEEK_SET)
    return text


def _received(descriptor: int) -> bytes | None:
    """Return the next frame, None when the caller is gone or says nonsense."""
    try:
        length, _ = frames.PREFIX.unpack(_read(descriptor, frames.PREFIX.size))
    except struct.error:
        return None
    if length > _LARGEST:
        return None
    frame = _read(descriptor, length)
    return frame if len(frame) == length else None


def _read(descriptor: int, count: int) -> bytes:
    pieces, left = [], count
    while left and (piece := os.read(descriptor, min(left, _PIECE))):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def _send(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view[:_PIECE]) :]
