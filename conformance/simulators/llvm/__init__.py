"""Workers of the LLVM backend behind HTTP: a frame is posted to ``/<operation>``, the answer's body is a frame.

The real one is a process at the other end of a pipe. This one has the same engine, and the faults, log and gate of every
simulated provider: what a worker can suffer (it dies, its pipe breaks, it says nonsense, it is slow) is scripted as what
a server can. Compiling happens in this process, with a clock that counts; a function is never run in it, but by a real
worker that lives for that one request. Every answer carries the nonce as the name of the worker, and a module that
comes back as text in its own name, too. llvmlite is imported with the first request.
"""

from __future__ import annotations

from collections.abc import Sequence

from conformance.simulators.llvm import errors
from conformance.simulators.llvm.models import Workshop
from conformance.simulators.llvm.routes import ROUTES, not_found
from conformance.simulators.provider import Event, Provider

__all__ = ["PROVIDER"]


def _no_events(status: int, code: str | None, message: str | None) -> Sequence[Event]:
    return ()


def _no_frame(event: Event) -> bytes:
    return event.raw or b""


PROVIDER = Provider(
    name="llvm",
    mount="/llvm",
    routes=ROUTES,
    new_state=Workshop,
    error=errors.error,
    refuse=errors.refuse,
    error_event=_no_events,
    frame=_no_frame,
    not_found=not_found,
    authenticate=errors.authenticate,
    find_key=errors.find_key,
)
