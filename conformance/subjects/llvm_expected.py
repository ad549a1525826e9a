"""What LLVM's workers refuse and what its arguments may be; see :mod:`conformance.expectations`."""

from __future__ import annotations

import struct
from typing import Final

from backends import errors
from backends.llvm.failures import CODES
from backends.llvm_worker.problems import STATUSES
from conformance.expectations import BadCall, ErrorCase, Expectations

__all__ = ["EXPECTED"]

_GOOD: Final = "define i32 @f() { ret i32 7 }"

EXPECTED: Final = Expectations(
    spared={
        "connect timeout": "a pipe to a process of this machine is there or not: nobody waits for it",
        "chunks": "a frame is not sent in chunks",
        "codings": "a frame is never compressed",
        "bombs": "a frame is never compressed, and one whose announced length is too large is not read: LLVM's own tests",
        "lengths": "a frame has one length, before it",
        "byte order mark": "a frame is not text",
        "wrong type": "a frame has no type",
        "error inside 200": "the status stands in the frame itself",
    },
    content=None,
    errors=(
        ErrorCase(422, errors.InvalidRequestError, "verify"),
        ErrorCase(400, errors.InvalidRequestError, "parse"),
        ErrorCase(422, errors.UnsupportedError, "unknown_target"),
        ErrorCase(404, errors.NotFoundError, "missing_symbol"),
        ErrorCase(422, errors.InvalidRequestError, "time_limit"),
        ErrorCase(422, errors.InvalidRequestError, "memory_limit"),
        ErrorCase(422, errors.InvalidRequestError, "crashed"),
        ErrorCase(422, errors.ConfigurationError, "no_executable_memory"),
        ErrorCase(500, errors.ServerError, "internal"),
        *(ErrorCase(STATUSES[code], kind, code) for code, kind in CODES.items()),
    ),
    bad_calls=(
        BadCall("module", lambda backend: backend.aoptimize(5)),
        BadCall("module", lambda backend: backend.averify("")),
        BadCall("module", lambda backend: backend.ainspect(b"")),
        BadCall("module", lambda backend: backend.aoptimize("define\0")),
        BadCall("modules[0].ir", lambda backend: backend.aoptimize("; half of a \ud83d character")),
        BadCall("modules", lambda backend: backend.alink([])),
        BadCall("modules", lambda backend: backend.alink(_GOOD)),
        BadCall("modules[1]", lambda backend: backend.alink([_GOOD, None])),
        BadCall("modules", lambda backend: backend.abatch(_GOOD)),
        BadCall("call", lambda backend: backend.abatch([_GOOD], call="run")),
        BadCall("level", lambda backend: backend.abatch([_GOOD], level="O9")),
        BadCall("request_id", lambda backend: backend.abatch([_GOOD], request_id="5" * 8)),
        BadCall("level", lambda backend: backend.aoptimize(_GOOD, level="O4")),
        BadCall("level", lambda backend: backend.aoptimize(_GOOD, level=2)),
        BadCall("output", lambda backend: backend.aoptimize(_GOOD, output="assembly")),
        BadCall("kind", lambda backend: backend.aemit(_GOOD, kind="exe")),
        BadCall("reloc", lambda backend: backend.aemit(_GOOD, reloc="none")),
        BadCall("code_model", lambda backend: backend.aemit(_GOOD, code_model="tiny")),
        BadCall("triple", lambda backend: backend.aemit(_GOOD, triple="x86_64\nlinux")),
        BadCall("cpu", lambda backend: backend.aemit(_GOOD, cpu=5)),
        BadCall("name", lambda backend: backend.averify(_GOOD, name="")),
        BadCall("passes[0]", lambda backend: backend.aoptimize(_GOOD, passes=["sroaa"])),
        BadCall("passes[0]", lambda backend: backend.aoptimize(_GOOD, passes=[5])),
        BadCall("inline_threshold", lambda backend: backend.aoptimize(_GOOD, inline_threshold=-1)),
        BadCall("function", lambda backend: backend.arun(_GOOD, "")),
        BadCall("function", lambda backend: backend.arun(_GOOD, 5)),
        BadCall("arguments", lambda backend: backend.arun(_GOOD, "f", 5)),
        BadCall("arguments[0]", lambda backend: backend.arun(_GOOD, "f", ["text"])),
        BadCall("arguments[0]", lambda backend: backend.arun(_GOOD, "f", [1 << 64])),
        BadCall("arguments[1]", lambda backend: backend.arun(_GOOD, "f", [1, [1.0, 2.0]])),
        BadCall(
            "arguments[0]", lambda backend: backend.arun(_GOOD, "f", [memoryview(struct.pack("4d", 0, 1, 2, 3))[::2]])
        ),
        BadCall("time_limit", lambda backend: backend.arun(_GOOD, "f", time_limit=0)),
        BadCall("memory_limit", lambda backend: backend.arun(_GOOD, "f", memory_limit=1)),
        BadCall("triple", lambda backend: backend.arun(_GOOD, "f", triple="wasm32")),
        BadCall("triple", lambda backend: backend.atarget("")),
        BadCall("levl", lambda backend: backend.aoptimize(_GOOD, levl="O2")),
        BadCall("extra_body", lambda backend: backend.aoptimize(_GOOD, extra_body={})),
    ),
)
