"""OPEA's error bodies, which are FastAPI's: a list of complaints for a body that does not fit, a text for what a service
raised, ``Internal Server Error`` in plain text for the rest, a page of the proxy in front."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.simulators.openai import errors as dialect
from conformance.simulators.provider import Answer, Event, Part, Request
from conformance.simulators.shape import Kind, Problem

__all__ = [
    "authenticate",
    "detail",
    "error",
    "error_event",
    "failed",
    "find_key",
    "not_found",
    "refuse",
]

_TEXTS = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed"}
_OF_THE_MODEL = frozenset({"insufficient_quota", "credit_balance_exhausted", "context_length_exceeded"})
"""Codes that no service of OPEA has: they come from a model's own server, where that stands behind the address."""
_KINDS = {
    Kind.MISSING: ("missing", "Field required"),
    Kind.UNKNOWN: ("extra_forbidden", "Extra inputs are not permitted"),
    Kind.UNREADABLE: ("json_invalid", "JSON decode error"),
}


def detail(status: int, text: str) -> Answer:
    """An error that a service raised."""
    return Answer(status, payload={"detail": text}, problem=text)


def failed(why: str) -> Answer:
    """Anything that nobody caught, a service behind this one included; ``why`` is for the request log."""
    return Answer(500, body=b"Internal Server Error", content_type="text/plain; charset=utf-8", problem=why)


def error(status: int, code: str | None, message: str | None) -> Answer:
    """The usual body of a status."""
    if code in _OF_THE_MODEL:
        return dialect.error(status, code, message)
    if status in (502, 504):
        title = {502: "502 Bad Gateway", 504: "504 Gateway Time-out"}[status]
        page = f"<html>\r\n<head><title>{title}</title></head>\r\n<body><h1>{title}</h1>nginx</body>\r\n</html>\r\n"
        return Answer(status, body=page.encode(), content_type="text/html", problem=title)
    if status == 422:
        entry = {"type": "value_error", "loc": ["body"], "msg": message or "Value error", "input": None}
        return Answer(status, payload={"detail": [entry]}, problem=message or "Value error")
    if status == 500 and message is None:
        return failed("an error was asked for")
    return detail(status, message or _TEXTS.get(status, "Error"))


def error_event(status: int, code: str | None, message: str | None) -> Sequence[Event]:
    """How the model's own server, where it stands behind the address, breaks off a stream."""
    body = {"message": message or "Internal server error", "type": "InternalServerError", "param": None, "code": status}
    return (Event({"error": body}, part=Part.CLOSING),)


def refuse(problem: Problem) -> Answer:
    """The 422 of a body that does not fit a microservice."""
    kind, text = _KINDS.get(problem.kind, (problem.kind.value.replace(" ", "_"), ""))
    if not text:
        text = f"Input should be {problem.expected or 'valid'}, got {problem.got}"
    place = [part for part in problem.path.replace("[", ".").replace("]", "").split(".") if part]
    loc = ["body", *(int(part) if part.isdigit() else part for part in place)]
    entry = {"type": kind, "loc": loc, "msg": text, "input": problem.got or None}
    return Answer(422, payload={"detail": [entry]}, problem=str(problem))


def not_found(request: Request, nearest: str) -> Answer:
    """404 for an unknown path, 405 where another verb would do."""
    status = 405 if nearest.partition(" ")[2] == request.path else 404
    return Answer(status, payload={"detail": _TEXTS[status]}, problem=f"try {nearest}")


def find_key(request: Request) -> str | None:
    """The bearer token, or None; a megaservice without a key of its own sends the word ``None``."""
    scheme, _, token = (request.header("authorization") or "").partition(" ")
    token = token.strip()
    return token if scheme.lower() == "bearer" and token not in ("", "None") else None


def authenticate(request: Request, key: str | None) -> Answer | None:
    """No service asks for a key; the gateway in front refuses one that contains ``invalid``."""
    return detail(401, "Unauthorized") if key is not None and "invalid" in key else None
