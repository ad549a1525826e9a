"""The simulated workers' table of routes: one per operation."""

from __future__ import annotations

from conformance.simulators.llvm.answers import operation
from conformance.simulators.llvm.errors import error
from conformance.simulators.llvm.fields import HEADERS
from conformance.simulators.provider import Answer, Request, Route

__all__ = ["ROUTES", "not_found"]

ROUTES: tuple[Route, ...] = tuple(Route("POST", f"/{name}", operation(name), raw=True) for name in HEADERS)


def not_found(request: Request, nearest: str) -> Answer:
    """There is no such operation."""
    return error(404, "invalid_frame", f"there is no {request.method} {request.path[:100]}; the nearest is {nearest}")
