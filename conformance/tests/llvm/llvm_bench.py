"""What the tests of the LLVM row share: small modules, and a transport that answers as a test tells it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from backends.llvm import LLVM, Request, Returned
from backends.llvm_worker import frames

SEVEN = "define i32 @seven() {\n  ret i32 7\n}\n"
SQUARE = """
define i32 @square(i32 %n) {
  %kept = alloca i32
  store i32 %n, ptr %kept
  %again = load i32, ptr %kept
  %product = mul i32 %again, %n
  ret i32 %product
}
"""
CALLER = """
declare i32 @square(i32)
define i32 @fourth(i32 %n) {
  %once = call i32 @square(i32 %n)
  %twice = call i32 @square(i32 %once)
  ret i32 %twice
}
"""
ENDLESS = "define void @code() {\n  br label %again\nagain:\n  br label %again\n}\n"
BAD_ADDRESS = "define void @code() {\n  store volatile i32 1, ptr null\n  ret void\n}\n"

COUNTS = {"functions": 1, "blocks": 1, "instructions": 5}
VERIFIED = {
    "worker": "42-1",
    "status": 200,
    "llvm": "22.1.0",
    "name": "module",
    "counts": COUNTS,
    "seconds": {"parse": 0.25},
}
RAN = {
    "worker": "42-1",
    "status": 200,
    "llvm": "22.1.0",
    "name": "module",
    "compiled": True,
    "size": 700,
    "value": {"int": 7},
    "processor_seconds": 0.5,
    "peak_memory": 1 << 26,
    "confined": True,
    "seconds": {"run": 0.5},
}


def code(body: str, *declarations: str) -> str:
    return "\n".join((*declarations, "define i32 @code() {", body, "}", ""))


def calling(name: str, arguments: str = "", returns: str = "void") -> str:
    """A function that calls one of the C library and returns 0."""
    kinds = ", ".join(one.split()[0] for one in arguments.split(", ") if one)
    return code(f"  call {returns} @{name}({arguments})\n  ret i32 0", f"declare {returns} @{name}({kinds})")


class Told:
    """A transport that hands every request to a function and returns what it gives: bytes, a Returned or an error."""

    def __init__(self, answer: Callable[[Request], Any]) -> None:
        self.answer = answer
        self.requests: list[Request] = []
        self.closed = False

    async def exchange(self, request: Request) -> Returned:
        self.requests.append(request)
        given = self.answer(request)
        if isinstance(given, Exception):
            raise given
        return given if isinstance(given, Returned) else Returned(given)

    async def aclose(self) -> None:
        self.closed = True

    def abandon(self) -> None:
        self.requests.clear()

    @property
    def headers(self) -> list[dict[str, Any]]:
        return [json.loads(frames.part(request.frame)[0]) for request in self.requests]


def framed(header: Any, *blobs: bytes) -> bytes:
    if blobs:
        header = {**header, "blobs": [len(blob) for blob in blobs]}
    return frames.join(json.dumps(header).encode(), blobs)


def backend_told(answer: Any, **settings: Any) -> tuple[LLVM, Told]:
    transport = Told(answer if callable(answer) else lambda _: answer)
    settings = {"max_retries": 0, "environ": {}, **settings}
    return LLVM(transport=transport, **settings), transport
