"""TGI's error bodies: ``{"error", "error_type"}``, plain text of the web framework, and nothing at all for a bad key."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.simulators.openai.framing import DONE
from conformance.simulators.provider import Answer, Event, Part, Request
from conformance.simulators.shape import Kind, Problem

__all__ = [
    "authenticate",
    "chat_error_event",
    "error",
    "error_event",
    "failure",
    "find_key",
    "invalid",
    "not_found",
    "plain",
    "refuse",
]

_USUAL: dict[int, tuple[str, str]] = {
    422: ("validation", "Input validation error: `inputs` cannot be empty"),
    424: ("generation", "Request failed during generation: Server error: out of memory"),
    500: ("incomplete_generation", "Incomplete generation"),
    503: ("healthcheck", "unhealthy"),
}
_OF_KIND = {
    "overloaded": "Model is overloaded",
    "generation": _USUAL[424][1],
    "incomplete_generation": "Incomplete generation",
    "incomplete_generation_stream": "Incomplete generation stream",
    "template_error": "Template error: unknown method",
    "tool_error": "Tool error: Tool choice not found",
}
_FRONT_END = "Rate limit reached. Please log in or use a HF access token"
_PLAIN = {
    400: "Failed to parse the request body as JSON: EOF while parsing a value at line 1 column 0",
    413: "Failed to buffer the request body: length limit exceeded",
    415: "Expected request with `Content-Type: application/json`",
}
_EMPTY = frozenset({401, 404, 405})


def failure(status: int, kind: str, text: str) -> Answer:
    """An error of the server's own."""
    return Answer(status, payload={"error": text, "error_type": kind}, problem=text)


def invalid(text: str) -> Answer:
    """What the validation found."""
    return failure(422, "validation", f"Input validation error: {text}")


def plain(status: int, text: str) -> Answer:
    """A refusal of the web framework."""
    return Answer(status, body=text.encode(), content_type="text/plain; charset=utf-8", problem=text)


def _words(status: int, code: str | None, message: str | None) -> tuple[str, str]:
    kind, text = _USUAL.get(status, ("incomplete_generation", "Something went wrong"))
    return code or kind, message or _OF_KIND.get(code or "") or text


def error(status: int, code: str | None, message: str | None) -> Answer:
    """The usual body of a status; a code is its kind."""
    if status in _EMPTY:
        return Answer(status, content_type=None, problem=f"HTTP {status}")
    if code is None and status in _PLAIN:
        return plain(status, message or _PLAIN[status])
    if code is None and status == 429:
        return Answer(429, payload={"error": message or _FRONT_END}, problem="the front end's rate limit")
    return failure(status, *_words(status, code, message))


def error_event(status: int, code: str | None, message: str | None) -> Sequence[Event]:
    """The event that takes the place of the next token; the stream closes behind it."""
    kind, text = _words(status, code, message)
    return (Event({"error": text, "error_type": kind}, part=Part.CLOSING),)


def chat_error_event(status: int, code: str | None, message: str | None, sent: int = 0) -> Sequence[Event]:
    """The same on the OpenAI side: always 422, and the terminator still follows."""
    text = _words(status, code, message)[1]
    return (Event({"error": {"message": text, "http_status_code": 422}}, part=Part.CLOSING), DONE)


def refuse(problem: Problem) -> Answer:
    """A body that the web framework could not turn into the request's type."""
    path, expected, got = problem.path, problem.expected, problem.got
    match problem.kind:
        case Kind.UNREADABLE if "content type" in expected:
            return plain(415, _PLAIN[415])
        case Kind.UNREADABLE:
            return plain(400, f"Failed to parse the request body as JSON: {got}")
        case Kind.MISSING:
            reason = f"missing field `{expected}`"
        case Kind.UNKNOWN:
            reason = f"{path}: unknown field `{got}`"
        case Kind.TYPE:
            reason = f"{path}: invalid type: {got}, expected {expected}"
        case _:
            reason = f"{path}: invalid value: {got}, expected {expected}"
    return plain(422, f"Failed to deserialize the JSON body into the target type: {reason} at line 1 column 1")


def not_found(request: Request, nearest: str) -> Answer:
    """An unknown path, or a method the path does not take: no body either way."""
    status = 405 if nearest.partition(" ")[2] == request.path else 404
    return Answer(status, content_type=None, problem=f"no such route; the nearest is {nearest}")


def find_key(request: Request) -> str | None:
    """The bearer token, or None; the scheme's case does not matter."""
    scheme, _, token = (request.header("authorization") or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def authenticate(request: Request, key: str | None) -> Answer | None:
    """A key that contains ``invalid`` is refused without a word."""
    return Answer(401, content_type=None, problem="the key was refused") if key and "invalid" in key else None
