"""vLLM's error bodies: ``{"error": {"message", "type", "param", "code": <status>}}``, and the two that are a bare text."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.simulators.provider import Answer, Event, Part, Request
from conformance.simulators.shape import Kind, Problem
from conformance.simulators.vllm.framing import DONE

__all__ = [
    "authenticate",
    "detail",
    "error",
    "error_event",
    "find_key",
    "missing_model",
    "problem_answer",
    "refuse",
    "too_long",
]

_TYPES = {
    400: "BadRequestError",
    401: "AuthenticationError",
    403: "PermissionDeniedError",
    404: "NotFoundError",
    422: "UnprocessableEntityError",
    429: "RateLimitError",
    501: "NotImplementedError",
}
_TEXTS = {
    400: "The request is not valid.",
    404: "The thing asked for does not exist.",
    429: "Too many requests.",
    500: "EngineCore encountered an issue. See stack trace (above) for the root cause.",
    501: "This model does not support this API",
}
_GUARDED = ("/v1", "/v2", "/inference", "/cohere")
_PLAIN = {401: "Unauthorized", 503: "The model is currently scaling. Please try again later."}
_PYDANTIC = {
    "a string": ("string_type", "Input should be a valid string"),
    "an integer": ("int_type", "Input should be a valid integer"),
    "a decimal": ("float_parsing", "Input should be a valid number"),
    "a boolean": ("bool_parsing", "Input should be a valid boolean"),
    "an array": ("list_type", "Input should be a valid list"),
    "an object": ("dict_type", "Input should be a valid dictionary"),
}


def problem_answer(status: int, message: str, *, kind: str | None = None, param: str | None = None) -> Answer:
    """An error whose every field is given."""
    kind = kind or _TYPES.get(status, "InternalServerError" if status >= 500 else "BadRequestError")
    body = {"error": {"message": message, "type": kind, "param": param, "code": status}}
    return Answer(status, payload=body, problem=message)


def error(status: int, code: str | None, message: str | None) -> Answer:
    """The usual body of a status: 401 and 503 are a bare text; a scripted ``code`` is the type of the others."""
    if status in _PLAIN and code is None:
        text = message or _PLAIN[status]
        return Answer(status, payload={"error": text}, problem=text)
    return problem_answer(status, message or _TEXTS.get(status, "Something went wrong."), kind=code)


def error_event(status: int, code: str | None, message: str | None) -> Sequence[Event]:
    """The object inside a stream; ``[DONE]`` still follows."""
    text = message or _TEXTS.get(status, "Something went wrong.")
    return (Event(problem_answer(status, text, kind=code).payload, part=Part.CLOSING), DONE)


def detail(status: int, text: str) -> Answer:
    """What the web framework says by itself."""
    return Answer(status, payload={"detail": text}, problem=text)


def missing_model(name: str, known: Sequence[str]) -> Answer:
    """The 404 of a model that is not served."""
    message = f"The model `{name[:200]}` does not exist. Valid aliases: {', '.join(known)}."
    return problem_answer(404, message, param="model")


def too_long(characters: int, size: int) -> Answer:
    """The 400 of a prompt that cannot fit: refused by its characters, before it is made into tokens."""
    most = 6 * size
    message = (
        f"This model's maximum context length is {size} tokens. However, your prompt contains {characters} characters "
        f"(more than {most} characters, which is the upper bound for {size} input tokens). Please reduce the length of "
        f"the input prompt. (parameter=input_text, value={characters})"
    )
    return problem_answer(400, message, param="input_text")


def refuse(problem: Problem) -> Answer:
    """The 400 (never 422) of a body that does not fit the field tables: ranges in the engine's words, types in
    pydantic's."""
    path, expected, got = problem.path, problem.expected, problem.got
    if problem.kind in (Kind.BELOW, Kind.ABOVE):
        side = "at least" if problem.kind is Kind.BELOW else "at most"
        message = f"{path} must be {side} {expected}, got {got}. (parameter={path}, value={got})"
        return problem_answer(400, message, param=path)
    place = "body" + "".join(f".{part}" for part in path.replace("[", ".").replace("]", "").split(".") if part)
    kind, words = _worded(problem)
    text = f"1 validation error:\n  {{'type': '{kind}', 'loc': '{place}', 'msg': '{words}', 'input': '{got}'}}"
    return problem_answer(400, text, kind="Bad Request", param=place)


def _worded(problem: Problem) -> tuple[str, str]:
    match problem.kind:
        case Kind.MISSING:
            return "missing", "Field required"
        case Kind.UNREADABLE:
            return "json_invalid", "JSON decode error"
        case Kind.UNKNOWN:
            return "extra_forbidden", f"The simulator knows no field {problem.got}"
        case Kind.TYPE:
            return _PYDANTIC.get(problem.expected, ("type_error", f"Input should be {problem.expected}"))
        case Kind.CHOICE:
            return "literal_error", f"Input should be {problem.expected}".replace("'", '"')
        case _:
            return "value_error", f"Value error, {problem.kind.value}, expected {problem.expected}"


def find_key(request: Request) -> str | None:
    """The bearer token, or None."""
    scheme, _, token = (request.header("authorization") or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def authenticate(request: Request, key: str | None) -> Answer | None:
    """A server without a key takes any; one that contains ``invalid`` is refused where a key guards at all."""
    if key is None or "invalid" not in key or not request.path.startswith(_GUARDED):
        return None
    return error(401, None, None)
