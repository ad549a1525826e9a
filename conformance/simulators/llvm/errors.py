"""Refusals as a worker writes them: a frame whose ``status`` is 400 or more, with a code and a message."""

from __future__ import annotations

from http import HTTPStatus

from backends.llvm_worker.problems import STATUSES
from conformance.simulators.provider import Answer, Request
from conformance.simulators.shape import Problem

__all__ = ["authenticate", "error", "find_key", "refuse"]

_CODES = {400: "parse", 404: "missing_symbol", 422: "verify", 500: "internal"}
_WORDS = {
    "parse": "line 1, column 1: expected top-level entity",
    "missing_symbol": "nobody defines @nowhere",
    "verify": "PHINode should have one entry for each predecessor of its parent basic block!",
    "internal": "RuntimeError: the engine is jammed",
}


def error(status: int, code: str | None, message: str | None) -> Answer:
    """A refusal; code and message are the usual ones of the status unless given. A real worker has no other codes than
    those of :data:`~backends.llvm_worker.problems.STATUSES`."""
    code = code or (_CODES.get(status) if message is None else None)
    usual = _WORDS.get(code or "") or (HTTPStatus(status).phrase if status in list(HTTPStatus) else "Unknown")
    said = {"code": code, "message": message or usual}
    return Answer(status, payload={"worker": "simulated-0", "status": status, "error": said})


def refuse(problem: Problem) -> Answer:
    """A header that no worker would understand."""
    return error(STATUSES["invalid_frame"], "invalid_frame", str(problem))


def find_key(request: Request) -> str | None:
    """Nobody shows a worker a key."""
    return None


def authenticate(request: Request, key: str | None) -> Answer | None:
    """Whoever holds the pipe may ask."""
    return None
