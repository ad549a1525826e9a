"""Claude's error bodies: ``{"type": "error", "error": {"type", "message", "details"}, "request_id"}``.

The request id is there where a handler made the error; what is refused before that has none, as at the service's edge.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from conformance.simulators.provider import Answer, Call, Event, Part, Request
from conformance.simulators.shape import Kind, Problem

__all__ = [
    "VERSIONS",
    "authenticate",
    "clipped",
    "error",
    "error_event",
    "find_key",
    "not_found",
    "problem_answer",
    "refuse",
    "refused",
]

VERSIONS = ("2023-06-01", "2026-10-21")

_BY_STATUS: dict[int, tuple[str, str]] = {
    400: ("invalid_request_error", "The request is not valid."),
    401: ("authentication_error", "invalid x-api-key"),
    402: ("billing_error", "There is an issue with your billing."),
    403: ("permission_error", "Your API key does not have permission to use the specified resource."),
    404: ("not_found_error", "Not found"),
    408: ("timeout_error", "The request timed out."),
    409: ("conflict_error", "The resource was changed by another request."),
    413: ("request_too_large", "Request exceeds the maximum size"),
    422: ("invalid_request_error", "The request could not be processed."),
    429: ("rate_limit_error", "This request would exceed your organization's rate limit."),
    500: ("api_error", "Internal server error"),
    504: ("timeout_error", "The request timed out while processing."),
    529: ("overloaded_error", "Overloaded"),
}

_OWN_CODES = {"insufficient_quota": "enforced_spend_limit_reached"}
"""What faults call by the words of another provider, in this one's."""


def problem_answer(
    status: int, kind: str, message: str, *, code: str | None = None, request_id: str | None = None
) -> Answer:
    """An error whose every field is given."""
    inner: dict[str, Any] = {"type": kind, "message": message}
    if code is not None:
        inner["details"] = {"error_code": code}
    payload = {"type": "error", "error": inner, "request_id": request_id}
    return Answer(status, payload=payload, problem=message)


def refused(call: Call, status: int, message: str, code: str | None = None) -> Answer:
    """A handler's refusal, with the type of its status."""
    return problem_answer(status, _BY_STATUS[status][0], message, code=code, request_id=f"req_{call.nonce}")


def error(status: int, code: str | None, message: str | None) -> Answer:
    """The usual body of a status."""
    kind, text = _BY_STATUS.get(status, ("api_error" if status >= 500 else "invalid_request_error", "Error"))
    return problem_answer(status, kind, message or text, code=_OWN_CODES.get(code or "", code))


def error_event(status: int, code: str | None, message: str | None) -> Sequence[Event]:
    """The same object inside a stream, named ``error``; nothing follows it."""
    payload = error(status, code, message).payload
    return (Event({"type": "error", "error": payload["error"]}, part=Part.CLOSING),)


def refuse(problem: Problem) -> Answer:
    """The 400 of a body or query that does not fit the field tables."""
    return problem_answer(400, "invalid_request_error", _worded(problem))


def _worded(problem: Problem) -> str:
    path = problem.path.replace("[", ".").replace("]", "")
    expected, got = problem.expected, problem.got
    match problem.kind:
        case Kind.MISSING:
            return f"{path}: Field required"
        case Kind.UNKNOWN:
            return f"{path}: Extra inputs are not permitted"
        case Kind.TYPE:
            return f"{path}: Input should be {expected}, not {got}"
        case Kind.BELOW:
            return f"{path}: Input should be greater than or equal to {expected}"
        case Kind.ABOVE:
            return f"{path}: Input should be less than or equal to {expected}"
        case Kind.SHORT:
            return f"{path}: should have at least {expected} items or characters, not {got}"
        case Kind.LONG:
            return f"{path}: should have at most {expected} items or characters, not {got}"
        case Kind.CHOICE:
            return f"{path}: Input should be one of {expected}, not '{got}'"
        case Kind.FORMAT:
            return f"{path}: String should match pattern '{expected}'"
        case Kind.UNREADABLE:
            return f"The request body is not {expected}: {got}"


def clipped(text: str) -> str:
    """At most two hundred characters of what a client sent."""
    return text if len(text) <= 200 else text[:200] + "…"


def not_found(request: Request, nearest: str) -> Answer:
    """An unknown path, or a method the path does not take; names the nearest route."""
    if nearest.partition(" ")[2] == request.path:
        return problem_answer(405, "invalid_request_error", "Method Not Allowed")
    return problem_answer(404, "not_found_error", f"Not found: {clipped(request.path)}; the nearest is {nearest}")


def find_key(request: Request) -> str | None:
    """The bearer token or the ``x-api-key``, or None."""
    scheme, _, token = (request.header("authorization") or "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    return (request.header("x-api-key") or "").strip() or None


def authenticate(request: Request, key: str | None) -> Answer | None:
    """Any credential is good unless it contains ``invalid``; the version must be one that exists."""
    if key is None:
        return problem_answer(401, "authentication_error", "x-api-key header is required")
    if "invalid" in key:
        return problem_answer(401, "authentication_error", "invalid x-api-key")
    version = request.header("anthropic-version")
    if version is None:
        return problem_answer(400, "invalid_request_error", "anthropic-version: header is required")
    if version not in VERSIONS:
        message = f'anthropic-version: "{clipped(version)}" is not a valid version'
        return problem_answer(400, "invalid_request_error", message)
    return None
