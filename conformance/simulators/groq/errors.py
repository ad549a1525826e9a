"""Groq's error bodies: ``{"error": {"message", "type", "code"?, "param"?}}``; fields that say nothing are left out."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.simulators.openai.errors import find_key
from conformance.simulators.provider import Answer, Event, Part, Request
from conformance.simulators.shape import Kind, Problem

__all__ = ["authenticate", "error", "error_event", "find_key", "not_found", "problem_answer", "refuse", "unknown_model"]

_REQUEST = "invalid_request_error"
_SERVER = "internal_server_error"
_BY_STATUS: dict[int, tuple[str, str | None, str]] = {
    400: (_REQUEST, None, "The request is not valid."),
    401: (_REQUEST, "invalid_api_key", "Invalid API Key"),
    403: (_REQUEST, "permissions_error", "This key may not do that."),
    404: (_REQUEST, None, "The requested resource was not found."),
    413: (_REQUEST, "request_too_large", "Request Entity Too Large"),
    422: (_REQUEST, None, "The request is well-formed, but cannot be followed."),
    424: (_REQUEST, "failed_dependency", "A dependent request failed: the remote MCP server refused."),
    429: ("requests", "rate_limit_exceeded", "Rate limit reached for requests."),
    498: (_SERVER, "capacity_exceeded", "The flex tier is at capacity; try again later."),
    499: (_REQUEST, "request_cancelled", "The request was cancelled by the caller."),
    500: (_SERVER, None, "Internal Server Error"),
    502: (_SERVER, None, "Bad Gateway"),
    503: (_SERVER, "service_unavailable", "Service Unavailable"),
}


def problem_answer(
    status: int, message: str, *, kind: str = _REQUEST, code: str | None = None, param: str | None = None
) -> Answer:
    """An error whose every field is given."""
    body = {"message": message, "type": kind, "code": code, "param": param}
    told = {name: value for name, value in body.items() if value is not None}
    return Answer(status, payload={"error": told}, problem=message)


def error(status: int, code: str | None, message: str | None) -> Answer:
    """The usual body of a status."""
    kind, usual, text = _BY_STATUS.get(status, (_SERVER if status >= 500 else _REQUEST, None, "Error."))
    return problem_answer(status, message or text, kind=kind, code=code or usual)


def error_event(status: int, code: str | None, message: str | None) -> Sequence[Event]:
    """The same object inside a stream, where it ends the stream; the only event with a name."""
    return (Event(error(status, code, message).payload, name="error", part=Part.CLOSING),)


def refuse(problem: Problem) -> Answer:
    """The 400 of a body that does not fit the field tables."""
    return problem_answer(400, _worded(problem), param=problem.path or None)


def _worded(problem: Problem) -> str:
    path, expected, got = problem.path, problem.expected, problem.got
    match problem.kind:
        case Kind.MISSING:
            return f"'{path}' : property '{path}' is missing"
        case Kind.UNKNOWN:
            return f"property '{path}' is unsupported"
        case Kind.TYPE:
            return f"'{path}' : value must be {expected}, not {got}"
        case Kind.BELOW:
            return f"'{path}' : number must be at least {expected}"
        case Kind.ABOVE:
            return f"'{path}' : number must be at most {expected}"
        case Kind.SHORT:
            return f"'{path}' : minimum length is {expected}, not {got}"
        case Kind.LONG:
            return f"'{path}' : maximum length is {expected}, not {got}"
        case Kind.CHOICE:
            return f"'{path}' : value must be one of {expected}"
        case Kind.FORMAT:
            return f"'{path}' : value does not match {expected}"
        case Kind.UNREADABLE:
            return f"could not parse the request (expected {expected}: {got})"


def unknown_model(name: str, *, decommissioned: bool = False) -> Answer:
    """The refusal of a model: 400 for one that was switched off lately, 404 for the others."""
    if decommissioned:
        message = (
            f"The model `{name}` has been decommissioned and is no longer supported. Please refer to "
            "https://console.groq.com/docs/deprecations for a recommendation on which model to use instead."
        )
        return problem_answer(400, message, code="model_decommissioned")
    message = f"The model `{name}` does not exist or you do not have access to it."
    return problem_answer(404, message, code="model_not_found")


def not_found(request: Request, nearest: str) -> Answer:
    """An unknown path, or a method the path does not take; names the nearest route."""
    message = f"Unknown request URL: {request.method} {request.path}. The nearest route is {nearest}."
    return problem_answer(404, message, code="unknown_url")


def authenticate(request: Request, key: str | None) -> Answer | None:
    """Any bearer token is good unless it contains ``invalid``."""
    del request
    return problem_answer(401, "Invalid API Key", code="invalid_api_key") if key is None or "invalid" in key else None
