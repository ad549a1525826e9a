"""Bodies read as the real server reads them: whatever the content type, with its words for an absent or broken one.

The routes take bodies raw and wrap their handlers here, because the two sides of the server word refusals differently.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import NoReturn

from conformance.simulators.ollama.errors import problem_answer, refuse
from conformance.simulators.provider import Answer, Call
from conformance.simulators.shape import Kind, Problem, Record

__all__ = ["compatible", "native"]

Plain = Callable[[Call], Answer]


def native(shape: Record, handler: Plain) -> Plain:
    """A handler of Ollama's own API that gets the body its field table allows; ``name`` stands for ``model``."""

    def handle(call: Call) -> Answer:
        if not call.request.body:
            return problem_answer(400, "missing request body")
        body = _read(call, shape)
        if isinstance(body, Problem):
            return refuse(body)
        if "model" in shape.optional and not body.get("model"):
            if not body.get("name"):
                return problem_answer(400, "model is required")
            body = {**body, "model": body["name"]}
        return handler(replace(call, body=body))

    return handle


def compatible(shape: Record, handler: Plain, refused: Callable[[Problem], Answer]) -> Plain:
    """The same for the compatible sides, each with its own refusals."""

    def handle(call: Call) -> Answer:
        body = _read(call, shape)
        return refused(body) if isinstance(body, Problem) else handler(replace(call, body=body))

    return handle


def _read(call: Call, shape: Record) -> dict[str, object] | Problem:
    try:
        body = json.loads(call.request.body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        return Problem(Kind.UNREADABLE, "", "JSON", str(error)[:200])
    problem = shape.check(body, "")
    return problem or body


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")
