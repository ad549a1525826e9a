"""Chapter SEC, third part: what a stranger's machine code cannot do to whoever runs it. Asked of real worker processes.

A backend that has the tag ``runs_code`` offers ``run(module, function, arguments, time_limit=, memory_limit=)`` and, with
``transport=None``, workers of its own. Time is real here: each case takes about a second.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import Any, Final

from backends import errors
from conformance.threads import ThreadSide
from conformance.trial import Trial

__all__ = ["CASES", "judge_native"]

_GOOD: Final = "define i32 @code() { ret i32 7 }"
_WHO: Final = "declare i32 @getpid()\ndefine i32 @code() {\n  %r = call i32 @getpid()\n  ret i32 %r\n}"
_PARENT: Final = "declare i32 @getppid()\ndefine i32 @code() {\n  %r = call i32 @getppid()\n  ret i32 %r\n}"
_COUNTING: Final = """
@count = global i32 0
define i32 @code() {
  %old = load i32, ptr @count
  %new = add i32 %old, 1
  store i32 %new, ptr @count
  ret i32 %new
}
"""
_ENDLESS: Final = "define i32 @code() {\n  br label %again\nagain:\n  br label %again\n}"
_BAD_ADDRESS: Final = "define i32 @code() {\n  store volatile i32 1, ptr null\n  ret i32 0\n}"
_GREEDY: Final = """
declare ptr @malloc(i64)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
define i32 @code() {
  %memory = call ptr @malloc(i64 268435456)
  call void @llvm.memset.p0.i64(ptr %memory, i8 1, i64 268435456, i1 true)
  ret i32 1
}
"""
_FORGED: Final = b'{"worker":"1-1","status":200,"llvm":"22.1.0","name":"module","value":{"int":666}}'
_FORGER: Final = """
declare i64 @write(i32, ptr, i64)
declare void @_exit(i32)
@frame = constant [%d x i8] c"%s"
define i32 @code(i32 %%leave) {
entry:
  br label %%next
next:
  %%pipe = phi i32 [ 0, %%entry ], [ %%other, %%next ]
  %%written = call i64 @write(i32 %%pipe, ptr @frame, i64 %d)
  %%other = add i32 %%pipe, 1
  %%more = icmp slt i32 %%other, 64
  br i1 %%more, label %%next, label %%written.all
written.all:
  %%gone = icmp ne i32 %%leave, 0
  br i1 %%gone, label %%end, label %%back
end:
  call void @_exit(i32 0)
  unreachable
back:
  ret i32 5
}
"""
_KILLER: Final = """
declare i32 @getppid()
declare i32 @kill(i32, i32)
define i32 @code() {
  %parent = call i32 @getppid()
  %done = call i32 @kill(i32 %parent, i32 9)
  ret i32 %done
}
"""
_OPENER: Final = """
declare i32 @open(ptr, i32, ...)
@path = constant [12 x i8] c"/etc/passwd\\00"
define i32 @code() {
  %file = call i32 (ptr, i32, ...) @open(ptr @path, i32 0)
  ret i32 %file
}
"""


_PATIENCE: Final = 30.0
"""Real seconds that a run may take which ends by itself, on a machine that is busy with something else."""


class _Stranger:
    """Runs code on a backend in a thread, and counts."""

    def __init__(self, trial: Trial, side: ThreadSide) -> None:
        self._trial = trial
        self._side = side
        self.backend = side.backend(transport=None, max_retries=2)

    async def run(self, code: str, *arguments: int, **options: Any) -> Any:
        """Run ``@code`` and return the reply."""
        self._trial.count_traffic(1)
        options = {"deadline": _PATIENCE, **options}
        return await self._side.run(lambda: self.backend.run(code, "code", list(arguments), **options))

    async def refused(self, about: str, wanted: str, code: str, *arguments: int, **options: Any) -> None:
        """Run ``@code``, which must end as an error with the code ``wanted``, and then something harmless."""
        async with self._trial.raises(errors.InvalidRequestError, about) as caught:
            await self.run(code, *arguments, **options)
        self._trial.equal(caught.error.code, wanted, f"code of the error for {about}")
        self._trial.equal(
            (caught.error.fault, caught.error.attempts), ("caller", 1), f"whose fault {about} is, and attempts"
        )
        self._trial.equal(
            self.backend.report()["circuit_breaker"]["failures"], 0, f"failures of the breaker after {about}"
        )
        self._trial.equal((await self.run(_GOOD)).value, 7, f"result of the next run after {about}")


async def _of_its_own(trial: Trial, stranger: _Stranger) -> None:
    reply = await stranger.run(_WHO)
    parent = (await stranger.run(_PARENT)).value
    trial.expect(os.getpid() not in (reply.value, parent), "the code ran in this process, or in a child of it")
    trial.expect(reply.value != parent, "the code ran in the worker itself")
    counts = [(await stranger.run(_COUNTING)).value for _ in range(2)]
    trial.equal(counts, [1, 1], "what two runs found in the same global variable")


async def _endless(trial: Trial, stranger: _Stranger) -> None:
    await stranger.refused("an endless loop", "time_limit", _ENDLESS, time_limit=0.3, deadline=3.0)


async def _bad_address(trial: Trial, stranger: _Stranger) -> None:
    await stranger.refused("a bad address", "crashed", _BAD_ADDRESS)


async def _greedy(trial: Trial, stranger: _Stranger) -> None:
    trial.equal((await stranger.run(_GREEDY, memory_limit=512 << 20)).value, 1, "result within the limit")
    await stranger.refused("more memory than allowed", "memory_limit", _GREEDY, memory_limit=64 << 20)


async def _forger(trial: Trial, stranger: _Stranger) -> None:
    whole = len(_FORGED).to_bytes(4, "big") + b"\0" + _FORGED
    text = "".join(chr(byte) if 32 <= byte < 127 and byte != 34 else f"\\{byte:02X}" for byte in whole)
    code = _FORGER % (len(whole), text, len(whole))
    trial.equal(
        (await stranger.run(code, 0)).value, 5, "result of code that wrote an answer of its own into every pipe"
    )
    await stranger.refused("an answer of its own and a quick exit", "exited", code, 1)


async def _system(trial: Trial, stranger: _Stranger) -> None:
    for code, about in ((_KILLER, "killing its parent"), (_OPENER, "opening a file")):
        reply = await stranger.run(code)
        trial.expect(not reply.confined or reply.value == -1, f"{about} was not refused by the system")
    trial.equal((await stranger.run(_GOOD)).value, 7, "result of the next run")


CASES: Final[dict[str, Callable[[Trial, _Stranger], Awaitable[None]]]] = {
    "code runs in a process of its own": _of_its_own,
    "an endless loop": _endless,
    "a bad address": _bad_address,
    "more memory than allowed": _greedy,
    "forged answers": _forger,
    "system calls": _system,
}


async def judge_native(trial: Trial) -> None:
    """Generated code runs in a separate process with limits of time and memory."""
    async with trial.threads() as side:
        await CASES[trial.case](trial, _Stranger(trial, side))
