"""OpenAI's error bodies: ``{"error": {"message", "type", "param", "code"}}``, and the wording of schema violations."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.simulators.openai.framing import data_only
from conformance.simulators.provider import Answer, Event, Part, Request
from conformance.simulators.shape import Kind, Problem

__all__ = ["authenticate", "error", "error_event", "find_key", "frame", "not_found", "problem_answer", "refuse"]

frame = data_only

_BY_STATUS: dict[int, tuple[str, str | None, str]] = {
    400: ("invalid_request_error", None, "The request is not valid."),
    401: ("invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    403: (
        "invalid_request_error",
        "unsupported_country_region_territory",
        "Country, region, or territory not supported",
    ),
    404: ("invalid_request_error", None, "Not found."),
    408: ("timeout", None, "The request timed out."),
    409: ("invalid_request_error", "conflict", "The resource was changed by another request."),
    413: ("invalid_request_error", None, "Maximum content size limit exceeded."),
    422: ("invalid_request_error", None, "The request could not be processed."),
    429: ("requests", "rate_limit_exceeded", "Rate limit reached for requests."),
    500: ("server_error", None, "The server had an error while processing your request. Sorry about that!"),
    502: ("server_error", None, "Bad gateway."),
    503: (
        "service_unavailable_error",
        "server_is_overloaded",
        "The engine is currently overloaded, please try again later",
    ),
    504: ("server_error", None, "Gateway timeout."),
}
_BY_CODE: dict[str, tuple[str, str]] = {
    "insufficient_quota": (
        "insufficient_quota",
        "You exceeded your current quota, please check your plan and billing details.",
    ),
    "credit_balance_exhausted": ("insufficient_quota", "Your credit balance is exhausted."),
    "context_length_exceeded": ("invalid_request_error", "This model's maximum context length was exceeded."),
    "content_policy_violation": ("invalid_request_error", "Your request was rejected by the safety system."),
}


def problem_answer(
    status: int, message: str, *, kind: str = "invalid_request_error", param: str | None = None, code: str | None = None
) -> Answer:
    """An error whose every field is given."""
    body = {"error": {"message": message, "type": kind, "param": param, "code": code}}
    return Answer(status, payload=body, problem=message)


def error(status: int, code: str | None, message: str | None) -> Answer:
    """The usual body of a status; a known ``code`` brings its own type and words."""
    kind, usual, text = _BY_STATUS.get(
        status, ("server_error" if status >= 500 else "invalid_request_error", None, "Error.")
    )
    if code in _BY_CODE:
        kind, text = _BY_CODE[code]
    return problem_answer(status, message or text, kind=kind, code=code or usual)


def error_event(status: int, code: str | None, message: str | None) -> Sequence[Event]:
    """The same object inside a stream, where it ends the stream."""
    return (Event(error(status, code, message).payload, part=Part.CLOSING),)


def refuse(problem: Problem) -> Answer:
    """The 400 of a body that does not fit the field tables."""
    message, code = _worded(problem)
    return problem_answer(400, message, param=problem.path or None, code=code)


def _worded(problem: Problem) -> tuple[str, str | None]:
    path, expected, got = problem.path, problem.expected, problem.got
    match problem.kind:
        case Kind.MISSING:
            return f"Missing required parameter: '{path}'.", "missing_required_parameter"
        case Kind.UNKNOWN:
            return f"Unknown parameter: '{path}'.", "unknown_parameter"
        case Kind.TYPE:
            return f"Invalid type for '{path}': expected {expected}, but got {got} instead.", "invalid_type"
        case Kind.BELOW:
            kind = _number(got)
            text = f"{kind} below minimum value. Expected a value >= {expected}, but got {got} instead."
            return f"Invalid '{path}': {text}", f"{kind}_below_min_value"
        case Kind.ABOVE:
            kind = _number(got)
            text = f"{kind} above maximum value. Expected a value <= {expected}, but got {got} instead."
            return f"Invalid '{path}': {text}", f"{kind}_above_max_value"
        case Kind.SHORT:
            return (
                f"Invalid '{path}': too short. Expected minimum length {expected}, but got length {got}.",
                "too_short",
            )
        case Kind.LONG:
            return f"Invalid '{path}': too long. Expected maximum length {expected}, but got length {got}.", "too_long"
        case Kind.CHOICE:
            return f"Invalid value: '{got}'. Supported values are: {expected}.", "invalid_value"
        case Kind.FORMAT:
            return (
                f"Invalid '{path}': does not match pattern. Expected a string that matches '{expected}'.",
                "invalid_value",
            )
        case Kind.UNREADABLE:
            return f"We could not parse the body of your request (expected {expected}: {got}).", None


def _number(text: str) -> str:
    return "integer" if text.lstrip("-").isdigit() else "decimal"


def not_found(request: Request, nearest: str) -> Answer:
    """An unknown path, or a method the path does not take; names the nearest route."""
    if nearest.partition(" ")[2] == request.path:
        message = (
            f"Not allowed to {request.method} on {request.path}. (HINT: Perhaps you meant to use another HTTP method?)"
        )
        return problem_answer(405, message, code="method_not_supported")
    return problem_answer(404, f"Invalid URL ({request.method} {request.path}). The nearest route is {nearest}.")


def find_key(request: Request) -> str | None:
    """The bearer token, or None."""
    scheme, _, token = (request.header("authorization") or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def authenticate(request: Request, key: str | None) -> Answer | None:
    """Any bearer token is good unless it contains ``invalid``."""
    if key is None:
        return problem_answer(
            401,
            "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer "
            "auth (i.e. Authorization: Bearer YOUR_KEY).",
        )
    if "invalid" in key:
        return problem_answer(401, "Incorrect API key provided: ****.", code="invalid_api_key")
    return None
