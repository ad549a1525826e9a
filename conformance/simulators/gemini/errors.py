"""Gemini's error bodies, ``google.rpc.Status`` as JSON, and the words in which it refuses a body."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from conformance.simulators.provider import Answer, Event, Part, Request
from conformance.simulators.shape import Kind, Problem

__all__ = ["authenticate", "error", "error_event", "find_key", "not_found", "problem_answer", "refuse"]

_TYPE = "type.googleapis.com/google.rpc."
_BY_STATUS = {
    400: ("INVALID_ARGUMENT", "Request contains an invalid argument."),
    401: ("UNAUTHENTICATED", "Request had invalid authentication credentials."),
    402: ("RESOURCE_EXHAUSTED", "Your prepaid credit is used up. Add credit to go on."),
    403: ("PERMISSION_DENIED", "The caller does not have permission"),
    404: ("NOT_FOUND", "Requested entity was not found."),
    405: ("UNIMPLEMENTED", "The method is not allowed."),
    409: ("ABORTED", "The operation was aborted."),
    413: ("INVALID_ARGUMENT", "Request payload size exceeds the limit: 20971520 bytes."),
    429: ("RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."),
    499: ("CANCELLED", "The operation was cancelled."),
    500: ("INTERNAL", "An internal error has occurred. Please retry."),
    501: ("UNIMPLEMENTED", "Operation is not implemented, or supported, or enabled."),
    503: ("UNAVAILABLE", "The model is overloaded. Please try again later."),
    504: ("DEADLINE_EXCEEDED", "Deadline expired before operation could complete."),
}
_WORDS = frozenset(word for word, _ in _BY_STATUS.values()) | {"FAILED_PRECONDITION"}
_EXCEEDED = "You exceeded your current quota, please check your plan and billing details."
_QUOTAS = {
    "insufficient_quota": "GenerateRequestsPerDayPerProjectPerModel-FreeTier",
    "per_minute": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
}
"""Codes that a fault may ask for, and the quota that is exceeded then."""
_METRIC = "generativelanguage.googleapis.com/generate_content_free_tier_requests"


def problem_answer(
    status: int, message: str, *, word: str | None = None, details: Sequence[dict[str, Any]] = ()
) -> Answer:
    """An error whose every field is given; ``word`` is the RPC's own name of the status."""
    body: dict[str, Any] = {"code": status, "message": message, "status": word or _word(status)}
    if details:
        body["details"] = list(details)
    return Answer(status, payload={"error": body}, content_type="application/json; charset=UTF-8", problem=message)


def _word(status: int) -> str:
    return _BY_STATUS.get(status, ("UNKNOWN" if status >= 500 else "INVALID_ARGUMENT", ""))[0]


def _info(reason: str) -> dict[str, Any]:
    return {
        "@type": _TYPE + "ErrorInfo",
        "reason": reason,
        "domain": "googleapis.com",
        "metadata": {"service": "generativelanguage.googleapis.com"},
    }


def error(status: int, code: str | None, message: str | None) -> Answer:
    """The usual body of a status; a ``code`` is a quota (see above), the RPC's word for the status, or a reason."""
    quota = _QUOTAS.get(code or "")
    if quota is not None:
        text = message or f"{_EXCEEDED}\n* Quota exceeded for metric: {_METRIC}, limit: 20\nPlease retry in 45.8379s."
        violation = {"quotaMetric": _METRIC, "quotaId": quota, "quotaValue": "20"}
        details: list[dict[str, Any]] = [
            {"@type": _TYPE + "QuotaFailure", "violations": [violation]},
            {"@type": _TYPE + "RetryInfo", "retryDelay": "45.8379s"},
        ]
        return problem_answer(status, text, details=details)
    text = message or _BY_STATUS.get(status, ("", "Error."))[1]
    if code in _WORDS:
        return problem_answer(status, text, word=code)
    return problem_answer(status, text, details=[_info(code)] if code is not None else ())


def error_event(status: int, code: str | None, message: str | None) -> Sequence[Event]:
    """The same object inside a stream, where it ends the stream; ``error`` must be its first key."""
    return (Event(error(status, code, message).payload, part=Part.CLOSING),)


def refuse(problem: Problem) -> Answer:
    """The 400 of a body that does not fit the field tables."""
    text = _worded(problem)
    field, _, _ = problem.path.partition("[")
    details = [{"@type": _TYPE + "BadRequest", "fieldViolations": [{"field": field, "description": text}]}]
    return problem_answer(400, text, details=details)


def _worded(problem: Problem) -> str:
    path, expected, got = problem.path, problem.expected, problem.got
    match problem.kind:
        case Kind.UNKNOWN:
            parent = path.rpartition(".")[0]
            at = f" at '{parent}'" if parent else ""
            return f'Invalid JSON payload received. Unknown name "{got}"{at}: Cannot find field.'
        case Kind.MISSING:
            return f"* GenerateContentRequest.{path}: {path.rpartition('.')[2]} is not specified"
        case Kind.UNREADABLE:
            return f"Invalid JSON payload received. {expected} was expected: {got}"
        case Kind.SHORT:
            return f"* GenerateContentRequest.{path}: {path.rpartition('.')[2]} must not be empty"
        case Kind.BELOW | Kind.ABOVE:
            side = "at least" if problem.kind is Kind.BELOW else "at most"
            return f"* GenerateContentRequest.{path}: must be {side} {expected}, not {got}"
        case _:
            return f"Invalid value at '{path}' ({expected}), \"{got}\""


def not_found(request: Request, nearest: str) -> Answer:
    """The front end's page for an unknown path."""
    page = (
        f"<!DOCTYPE html>\n<html lang=en>\n<title>Error 404 (Not Found)!!1</title>\n<p>{request.method}</p>\n</html>\n"
    )
    return Answer(404, body=page.encode(), content_type="text/html; charset=UTF-8", problem=f"the nearest is {nearest}")


def find_key(request: Request) -> str | None:
    """The key in the header, else in the URL."""
    return request.header("x-goog-api-key") or request.parameters.get("key") or None


def authenticate(request: Request, key: str | None) -> Answer | None:
    """Any key is good unless it contains ``invalid``; a bad one is a 400, a missing one a 403."""
    if key is None:
        return problem_answer(
            403,
            "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or "
            "other form of API consumer identity to call this API.",
        )
    if "invalid" in key:
        message = "API key not valid. Please pass a valid API key."
        return problem_answer(400, message, details=[_info("API_KEY_INVALID")])
    return None
