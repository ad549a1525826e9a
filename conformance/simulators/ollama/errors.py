"""Ollama's error bodies: ``{"error": text}`` under ``/api``, OpenAI's shape under ``/v1``, Go's words for bad JSON."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.simulators.provider import Answer, Event, Part, Request
from conformance.simulators.shape import Kind, Problem

__all__ = [
    "authenticate",
    "compat_error",
    "compat_error_event",
    "compat_refuse",
    "error",
    "error_event",
    "find_key",
    "problem_answer",
    "refuse",
    "worded",
]

_TEXTS = {
    400: "invalid request",
    401: "unauthorized",
    403: "",
    404: "model 'unknown' not found",
    405: "method not allowed",
    429: "too many requests",
    499: "client closed request",
    500: "llama runner process has terminated: exit status 2",
    502: "upstream model is unreachable",
    503: "server busy, please try again.  maximum pending requests exceeded",
}
_BY_CODE = {
    "insufficient_quota": "you (simulated) have reached your weekly usage limit, upgrade: https://ollama.com/upgrade",
    "context_length": "the input length exceeds the context length",
    "capability": '"tiny" does not support thinking',
    "out_of_memory": "model requires more system memory (9.9 GiB) than is available (3.1 GiB)",
}
SIGNIN_URL = "https://ollama.com/connect?name=simulated&key=c2ltdWxhdGVk"
_TYPES = {"a boolean": "bool", "a string": "string", "an integer": "int", "a decimal": "float64", "an array": "[]T"}
_GIVEN = {"a boolean": "bool", "a string": "string", "an integer": "number", "a decimal number": "number"}


def problem_answer(status: int, text: str) -> Answer:
    """An error of Ollama's own API; 401 says where to sign in, 403 has no body."""
    if status == 403 and not text:
        return Answer(403, content_type=None, problem="forbidden")
    body = {"error": text}
    if status == 401:
        body["signin_url"] = SIGNIN_URL
    return Answer(status, payload=body, content_type="application/json; charset=utf-8", problem=text)


def _text(status: int, code: str | None, message: str | None) -> str:
    return message or _BY_CODE.get(code or "") or _TEXTS.get(status, "something went wrong")


def error(status: int, code: str | None, message: str | None) -> Answer:
    """The usual body of a status."""
    return problem_answer(status, _text(status, code, message))


def error_event(status: int, code: str | None, message: str | None) -> Sequence[Event]:
    """The line that takes the place of whatever was to come."""
    return (Event({"error": _text(status, code, message)}, part=Part.CLOSING),)


def worded(problem: Problem) -> str:
    """What is wrong with a body, as the server says it."""
    path, expected, got = problem.path, problem.expected, problem.got
    option = path.startswith("options.")
    match problem.kind:
        case Kind.UNREADABLE:
            return f"invalid JSON: {got}"
        case Kind.UNKNOWN:
            return f'json: unknown field "{got}"'
        case Kind.MISSING:
            return f"{path} is required"
        case Kind.TYPE if option:
            return f'option "{path.partition(".")[2]}" must be of type {_TYPES.get(expected, expected)}'
        case Kind.TYPE:
            given = _GIVEN.get(got, got)
            return (
                f"json: cannot unmarshal {given} into Go struct field {path} of type {_TYPES.get(expected, expected)}"
            )
        case Kind.BELOW | Kind.ABOVE if path == "top_logprobs":
            return "top_logprobs must be between 0 and 20"
        case Kind.FORMAT if path == "keep_alive":
            return f'time: invalid duration "{got}"'
        case Kind.FORMAT:
            return "illegal base64 data at input byte 0"
        case _:
            return f"{path}: {problem.kind.value}, expected {expected}, got {got}"


def refuse(problem: Problem) -> Answer:
    """The 400 of a body that does not fit."""
    return problem_answer(400, worded(problem))


def compat_error(status: int, text: str, kind: str | None = None) -> Answer:
    """An error of the OpenAI-compatible side."""
    usual = {400: "invalid_request_error", 404: "not_found_error"}.get(status, "api_error")
    body = {"error": {"message": text, "type": kind or usual, "param": None, "code": None}}
    return Answer(status, payload=body, problem=text)


def compat_error_event(status: int, code: str | None, message: str | None, sent: int) -> Sequence[Event]:
    """The same object inside one of its streams."""
    return (Event(compat_error(status, _text(status, code, message)).payload, part=Part.CLOSING),)


def compat_refuse(problem: Problem) -> Answer:
    """The 400 of the OpenAI-compatible side."""
    return compat_error(400, worded(problem))


def find_key(request: Request) -> str | None:
    """The bearer token, or None."""
    scheme, _, token = (request.header("authorization") or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def authenticate(request: Request, key: str | None) -> Answer | None:
    """No key is needed; one that contains ``invalid`` is refused as the cloud refuses it."""
    return problem_answer(401, "unauthorized") if key is not None and "invalid" in key else None
