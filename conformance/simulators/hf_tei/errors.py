"""TEI's error bodies: ``{"error", "error_type"}`` with capitalised kinds, flat ones at ``/v1``, plain text of the framework."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.simulators.hf_tgi.errors import plain, refuse
from conformance.simulators.provider import Answer, Event, Part, Request

__all__ = [
    "authenticate",
    "empty",
    "error",
    "error_event",
    "failure",
    "find_key",
    "flat",
    "invalid",
    "not_found",
    "refuse",
    "wrong_model",
]

_USUAL: dict[int, tuple[str, str]] = {
    400: ("Empty", "`inputs` cannot be empty"),
    422: ("Validation", "Input validation error: `inputs` cannot be empty"),
    424: ("Backend", "Backend error: NaN score"),
    503: ("Unhealthy", "unhealthy"),
}
_OF_KIND = {
    "Overloaded": "Model is overloaded",
    "Tokenizer": "tokenizer error unknown token",
    "Backend": "Backend error: NaN score",
    "Validation": "Input validation error: `inputs` cannot be empty",
}
_FRONT_END = "Rate limit reached. Please log in or use a HF access token"
_TOO_LARGE = "Failed to buffer the request body: length limit exceeded"
_NO_JSON = "Expected request with `Content-Type: application/json`"
_EMPTY = frozenset({401, 404, 405})


def failure(status: int, kind: str, text: str) -> Answer:
    """An error of the server's own."""
    return Answer(status, payload={"error": text, "error_type": kind}, problem=text)


def empty(name: str) -> Answer:
    """An empty list."""
    return failure(400, "Empty", f"`{name}` cannot be empty")


def invalid(text: str) -> Answer:
    """What the validation found."""
    return failure(422, "Validation", f"Input validation error: {text}")


def wrong_model(what: str) -> Answer:
    """A call that the model is not for."""
    return failure(424, "Backend", f"model is not {what}")


def flat(answer: Answer) -> Answer:
    """The same error as the OpenAI side words it."""
    body = answer.payload
    payload = {"message": body["error"], "code": answer.status, "type": body["error_type"]}
    return Answer(answer.status, payload=payload, problem=answer.problem)


def error(status: int, code: str | None, message: str | None) -> Answer:
    """The usual body of a status; a code is its kind."""
    if status in _EMPTY:
        return Answer(status, content_type=None, problem=f"HTTP {status}")
    if code is None and status in (413, 415):
        return plain(status, message or (_TOO_LARGE if status == 413 else _NO_JSON))
    if code is None and status == 429:
        return Answer(429, payload={"error": message or _FRONT_END}, problem="the front end's rate limit")
    kind, text = _USUAL.get(status, ("Backend", "Something went wrong"))
    return failure(status, code or kind, message or _OF_KIND.get(code or "") or text)


def error_event(status: int, code: str | None, message: str | None) -> Sequence[Event]:
    """Nothing streams here; what a stream would hold instead of its next event."""
    return (Event(error(status, code, message).payload, part=Part.CLOSING),)


def not_found(request: Request, nearest: str) -> Answer:
    """An unknown path, or a method the path does not take: no body either way."""
    status = 405 if nearest.partition(" ")[2] == request.path else 404
    return Answer(status, content_type=None, problem=f"no such route; the nearest is {nearest}")


def find_key(request: Request) -> str | None:
    """The bearer token, or None; the scheme must be spelt ``Bearer``."""
    scheme, _, token = (request.header("authorization") or "").partition(" ")
    return token.strip() or None if scheme == "Bearer" else None


def authenticate(request: Request, key: str | None) -> Answer | None:
    """A key that contains ``invalid`` is refused without a word."""
    return Answer(401, content_type=None, problem="the key was refused") if key and "invalid" in key else None
