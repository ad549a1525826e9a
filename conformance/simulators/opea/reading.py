"""Bodies as the services read them: a microservice checks its model and says what is wrong; a megaservice reads the raw
request, and what is wrong with it is a plain 500."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NoReturn

from conformance.simulators.multipart import parse
from conformance.simulators.opea.errors import failed, refuse
from conformance.simulators.provider import Answer, Call
from conformance.simulators.shape import Kind, Problem, Record, Shape

__all__ = ["Plain", "mega", "micro"]

Plain = Callable[[Call], Answer]


def micro(shape: Shape, handler: Plain) -> Plain:
    """A handler of a microservice whose body may have one of several shapes."""
    return _checked(shape, handler, refuse)


def mega(shape: Record, handler: Plain) -> Plain:
    """A handler of a megaservice; a form is taken as well."""
    return _checked(shape, handler, lambda problem: failed(str(problem)))


def _checked(shape: Shape, handler: Plain, refused: Callable[[Problem], Answer]) -> Plain:
    def handle(call: Call) -> Answer:
        try:
            body = _body(call, shape)
        except (ValueError, RecursionError) as error:
            return refused(Problem(Kind.UNREADABLE, "", "a body that can be read", str(error)[:200]))
        problem = shape.check(body, "")
        return refused(problem) if problem else handler(replace(call, body=body))

    return handle


def _body(call: Call, shape: Shape) -> Any:
    request = call.request
    if request.media_type == "multipart/form-data":
        return shape.from_form(parse(request.header("content-type") or "", request.body).gathered())
    if request.media_type != "application/json":
        raise ValueError(f"the content type is {request.media_type or 'missing'}")
    return json.loads(request.body, parse_constant=_no_constant)


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")
