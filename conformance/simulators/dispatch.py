"""From a request to an answer: route, key, body, handler. Touches nothing but the provider's state; never waits."""

from __future__ import annotations

import difflib
import hashlib
import inspect
import json
from collections.abc import Awaitable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, NoReturn

from conformance.simulators.multipart import Form, parse
from conformance.simulators.provider import Answer, Call, Provider, Request, Route
from conformance.simulators.shape import Kind, Problem, Record

__all__ = ["Mounted", "make_nonce"]


def make_nonce(provider: str, body: bytes, counter: int) -> str:
    """Ten hex digits that no client can guess before it has asked and that a rerun reproduces."""
    return hashlib.sha256(b"%b\0%d\0%b" % (provider.encode(), counter, body)).hexdigest()[:10]


@dataclass(slots=True)
class Mounted:
    """A provider with its state on one server."""

    provider: Provider
    base_url: str
    state: Any = field(init=False)
    inner: int = 0
    """How many requests handlers have made themselves; part of their nonces."""

    def __post_init__(self) -> None:
        self.state = self.provider.new_state()

    def reset(self) -> None:
        """State as at the start."""
        self.close()
        self.state = self.provider.new_state()
        self.inner = 0

    def close(self) -> None:
        """Nobody asks any more."""
        self.provider.discard(self.state)

    async def answer(self, request: Request, nonce: str) -> Answer:
        """The provider's well-behaved answer."""
        call, outcome = self._run(request, nonce)
        answer = await outcome if inspect.isawaitable(outcome) else outcome
        return self.dressed(call, answer)

    def dressed(self, call: Call, answer: Answer) -> Answer:
        """The answer with the headers every answer of this provider carries; its own come first and win."""
        own = {name for name, _ in answer.headers}
        extra = tuple(pair for pair in self.provider.headers(call) if pair[0] not in own)
        return replace(answer, headers=(*answer.headers, *extra))

    def bare_call(self, request: Request, nonce: str) -> Call:
        """The call before anything has been looked at."""
        key = self.provider.find_key(request)
        return Call(self.provider, request, nonce, self.state, key, base_url=self.base_url, dispatch=self._inner)

    def _inner(self, request: Request) -> Answer:
        """Another request through the same routes, made by a handler: a batch's line."""
        self.inner += 1
        call, outcome = self._run(request, make_nonce(f"{self.provider.name}/inner", request.body, self.inner))
        if not isinstance(outcome, Answer):
            raise TypeError("an inner request cannot reach a route that waits")
        return self.dressed(call, outcome)

    def _run(self, request: Request, nonce: str) -> tuple[Call, Answer | Awaitable[Answer]]:
        call = self.bare_call(request, nonce)
        try:
            request = self.provider.decode(request)
        except ValueError as error:
            problem = Problem(Kind.UNREADABLE, "", "a body in its content coding", str(error)[:200])
            return call, replace(self.provider.refuse(problem), problem=str(problem))
        call = replace(call, request=request)
        found = self._find(request)
        if found is None:
            return call, self._nowhere(request)
        route, params = found
        if not route.open_to_all:
            refusal = self.provider.authenticate(request, call.key)
            if refusal is not None:
                return call, replace(refusal, problem=refusal.problem or "the key was refused")
        try:
            body, form = _read(route, request)
        except _RefusedError as refused:
            answer = self.provider.refuse(refused.problem)
            return call, replace(answer, problem=answer.problem or str(refused.problem))
        call = replace(call, params=params, body=body, form=form)
        return call, route.handler(call)

    def _find(self, request: Request) -> tuple[Route, dict[str, str]] | None:
        for route in self.provider.routes:
            if route.method in ("*", request.method) or (request.method == "HEAD" and route.method == "GET"):
                params = route.match(request.path)
                if params is not None:
                    return route, params
        return None

    def _nowhere(self, request: Request) -> Answer:
        wanted = f"{request.method} {request.path}"
        nearest = _nearest(wanted, tuple(f"{route.method} {route.pattern}" for route in self.provider.routes))
        answer = self.provider.not_found(request, nearest)
        return replace(answer, problem=answer.problem or f"no route for {wanted}; the nearest is {nearest}")


@lru_cache(maxsize=512)
def _nearest(wanted: str, table: tuple[str, ...]) -> str:
    """Return the entry that is most like what was wanted; the same mistakes are made again and again."""
    return next(iter(difflib.get_close_matches(wanted, table, n=1, cutoff=0.0)), "")


class _RefusedError(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def _read(route: Route, request: Request) -> tuple[Any, Form | None]:
    if route.query is not None:
        _check(route.query, route.query.from_form(dict(request.parameters)))
    if route.raw:
        return {}, None
    if route.form is not None and (route.body is None or request.media_type == "multipart/form-data"):
        return _read_form(route.form, request)
    if route.body is None:
        return {}, None
    if not request.body:
        _check(route.body, {})
        return {}, None
    if request.media_type != "application/json":
        raise _RefusedError(
            Problem(Kind.UNREADABLE, "", "the content type application/json", request.media_type or "none")
        )
    try:
        body = json.loads(request.body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise _RefusedError(Problem(Kind.UNREADABLE, "", "valid JSON", str(error)[:200])) from error
    _check(route.body, body)
    return body, None


def _read_form(shape: Record, request: Request) -> tuple[Any, Form]:
    if request.media_type != "multipart/form-data":
        raise _RefusedError(
            Problem(Kind.UNREADABLE, "", "the content type multipart/form-data", request.media_type or "none")
        )
    try:
        form = parse(request.header("content-type") or "", request.body)
        body = shape.from_form(form.gathered())
    except ValueError as error:
        raise _RefusedError(Problem(Kind.UNREADABLE, "", "a well-formed form", str(error)[:200])) from error
    _check(shape, body)
    return body, form


def _check(shape: Record, value: object) -> None:
    problem = shape.check(value, "")
    if problem is not None:
        raise _RefusedError(problem)


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")
