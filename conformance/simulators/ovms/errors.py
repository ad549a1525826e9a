"""OVMS's error bodies: ``{"error": text}`` everywhere, statuses as ``src/http_server.cpp`` maps them, bare in streams."""

from __future__ import annotations

import json
from collections.abc import Sequence

from conformance.simulators.provider import Answer, Event, Part, Request
from conformance.simulators.shape import Kind, Problem

__all__ = ["authenticate", "error", "error_event", "find_key", "problem_answer", "refuse"]

_TEXTS = {
    400: "Invalid request URL",
    404: "Requested REST resource not found",
    406: "Unsupported method",
    412: "The file is not valid json",
    500: "Unknown error",
    503: "Server is not ready",
}
UNAUTHORIZED = "Unauthorized request due to invalid or missing api-key"


def problem_answer(status: int, text: str) -> Answer:
    """An error of this server."""
    return Answer(status, payload={"error": text}, problem=text)


def error(status: int, code: str | None, message: str | None) -> Answer:
    """The usual body of a status; there are no codes."""
    return problem_answer(status, message or _TEXTS.get(status, "Unknown error"))


def error_event(status: int, code: str | None, message: str | None) -> Sequence[Event]:
    """The object bare: without ``data:``, without a line end, and nothing after it."""
    text = message or _TEXTS.get(status, "Unknown error")
    return (Event(raw=json.dumps({"error": text}).encode(), part=Part.CLOSING),)


def refuse(problem: Problem) -> Answer:
    """What the server says to a body that does not fit; a body that is no JSON, or names no model, fails before that."""
    if problem.kind is Kind.UNREADABLE:
        return problem_answer(412, f"The file is not valid json - Cannot parse JSON body: {problem.got}")
    if problem.kind is Kind.MISSING and problem.path == "model":
        return problem_answer(412, "The file is not valid json - model field is missing in JSON body")
    return problem_answer(400, f"Mediapipe execution failed. MP status - INVALID_ARGUMENT: {problem}")


def find_key(request: Request) -> str | None:
    """The bearer token, or None."""
    scheme, _, token = (request.header("authorization") or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def authenticate(request: Request, key: str | None) -> Answer | None:
    """Generative calls only (other routes are open); the status table has no entry for it, so it is a 500."""
    return problem_answer(500, UNAUTHORIZED) if key is not None and "invalid" in key else None
