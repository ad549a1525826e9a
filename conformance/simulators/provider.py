"""What every simulated provider is made of: what a handler is given, what it answers, how a provider is described.

A provider is data: routes, field tables, an error shape, a stream framing. Nothing here touches a socket or waits;
handlers are plain functions from a :class:`Call` to an :class:`Answer`, so the same call gives the same answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, unquote

from conformance.simulators.multipart import Form
from conformance.simulators.shape import Problem, Record

__all__ = [
    "Answer",
    "Call",
    "Event",
    "Handler",
    "Part",
    "Provider",
    "Request",
    "Route",
    "Stream",
    "encode",
]

Headers: TypeAlias = tuple[tuple[str, str], ...]


def encode(payload: object) -> bytes:
    """Compact UTF-8 JSON, non-ASCII left as it is: what the real services write."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived, already cut to the provider.

    Attributes:
        method: upper case.
        path: the raw path below the provider's mount, never percent-decoded, always starting with ``/``.
        query: the raw query string, without ``?``.
        headers: names in lower case, in order of arrival.
        body: the whole body, transfer coding undone; content coding too once the provider has decoded it.
    """

    method: str
    path: str
    query: str = ""
    headers: Headers = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """The first value of a header (name in lower case), or None."""
        return next((value for known, value in self.headers if known == name), None)

    @property
    def parameters(self) -> dict[str, str]:
        """The query as a mapping; the last of several equal names wins."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @property
    def media_type(self) -> str:
        """The content type without its parameters, lower case, ``""`` when there is none."""
        return (self.header("content-type") or "").partition(";")[0].strip().lower()


class Part(StrEnum):
    """What an event is in its stream, so that a fault can aim: the terminator is what a strict client waits for."""

    OPENING = "opening"
    CONTENT = "content"
    CLOSING = "closing"
    TERMINATOR = "terminator"
    EXTRA = "extra"


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a stream: a payload the framing encodes, or ``raw`` bytes written as they are."""

    payload: Any = None
    name: str | None = None
    part: Part = Part.CONTENT
    raw: bytes | None = None


@dataclass(frozen=True, slots=True)
class Stream:
    """The events of a streamed answer and the function that turns one into bytes; ``events`` may be lazy.

    ``error`` and ``pings`` stand in for the provider's own where one provider has streams of several dialects;
    ``error`` is told besides status, code and message how many events went before.
    """

    events: Iterable[Event]
    frame: Callable[[Event], bytes]
    error: Callable[[int, str | None, str | None, int], Sequence[Event]] | None = None
    pings: Sequence[Event] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: exactly one of ``payload`` (JSON), ``body`` (bytes) and ``stream`` is meant.

    ``payload`` stays an object until it is written, so that faults can change it.
    """

    status: int = 200
    payload: Any = None
    body: bytes = b""
    stream: Stream | None = None
    content_type: str | None = "application/json"
    headers: Headers = ()
    problem: str | None = None
    """Why the request was refused, for the request log; None when it was accepted."""
    declared_length: int | None = None
    """Content length to declare instead of the body's own: the answer to a HEAD that has no body at hand."""

    def bytes_of_body(self) -> bytes:
        """The body of an answer that is not a stream."""
        return self.body if self.payload is None else encode(self.payload)


@dataclass(frozen=True, slots=True)
class Call:
    """One request on its way through a route.

    Attributes:
        nonce: fresh hex text of this request; every answer must carry it where a client can see it.
        body: the validated JSON object, or the form's fields in the same shape; ``{}`` when there was no body.
        form: the parsed multipart form, or None.
        params: percent-decoded path parameters of the route's pattern.
        key: the credential the caller sent, or None.
        state: what the provider's ``new_state`` made; lost at reset.
        base_url: the provider's base URL on this server.
        dispatch: runs another request through the same provider (a batch's lines), as if it had arrived now.
    """

    provider: Provider
    request: Request
    nonce: str
    state: Any
    key: str | None = None
    body: Any = field(default_factory=dict)
    form: Form | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    base_url: str = ""
    dispatch: Callable[[Request], Answer] | None = None


Handler: TypeAlias = Callable[[Call], Answer | Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Route:
    """One row of a provider's table.

    Attributes:
        method: upper case, or ``*``; HEAD also reaches the routes of GET.
        pattern: path below the mount; ``{name}`` takes one segment or a part of one, ``{name:path}`` the rest.
        body: fields of a JSON body, or None when the route takes none (or anything, see ``raw``).
        form: fields of a multipart body; with ``body`` also given both content types are taken.
        query: the known query parameters; an unknown one is refused. None switches the test off.
        raw: the handler reads ``call.request.body`` itself.
        open_to_all: no key is asked for.
    """

    method: str
    pattern: str
    handler: Handler
    body: Record | None = None
    form: Record | None = None
    query: Record | None = field(default_factory=Record)
    raw: bool = False
    open_to_all: bool = False

    def match(self, path: str) -> dict[str, str] | None:
        """Percent-decoded path parameters when ``path`` (raw) fits, else None."""
        found = _compiled(self.pattern).fullmatch(path)
        return None if found is None else {name: unquote(value) for name, value in found.groupdict().items()}


_PATTERNS: dict[str, re.Pattern[str]] = {}


def _compiled(pattern: str) -> re.Pattern[str]:
    known = _PATTERNS.get(pattern)
    if known is None:
        pieces = re.split(r"\{(\w+)(:path)?\}", pattern)
        text = re.escape(pieces[0])
        for name, rest, literal in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
            text += f"(?P<{name}>{'.+' if rest else '[^/]+'})" + re.escape(literal)
        known = _PATTERNS[pattern] = re.compile(text)
    return known


def _no_headers(_call: Call) -> Headers:
    return ()


def _as_sent(request: Request) -> Request:
    return request


def _let_go(state: Any) -> None:
    """Most states are plain values."""


@dataclass(frozen=True, slots=True)
class Provider:
    """A simulated provider, all of it data and plain functions.

    Attributes:
        name: the row name (``"openai"``).
        mount: first path segment it lives under, ``"/openai"``.
        suffix: what its official client wants after the mount in the base URL, ``"/v1"`` or ``""``.
        routes: the table, tried in order.
        new_state: makes the state a fresh or reset server starts with.
        error: ``(status, code, message) -> Answer``, the provider's own error body; code and message may be None.
        refuse: ``(problem) -> Answer``, the provider's answer to a body or query its schema does not allow.
        error_event: ``(status, code, message) -> events`` for an error inside a stream that began with 200.
        frame: how an event becomes bytes, the default for faults that make up a stream of their own.
        pings: harmless noise of this provider's streams: comments, unknown events, blank choices.
        authenticate: ``(request, key) -> Answer or None``: the refusal, or None when the key is good.
        find_key: takes the credential out of a request, or None.
        headers: what every answer of this provider carries.
        decode: undoes a content coding of the body (gzip, aws-chunked) before anything looks at it; raises
            ``ValueError`` for a body that does not follow it. The request log keeps the body as sent.
        not_found: ``(request, nearest) -> Answer`` for a path or method the table does not have.
        discard: ends a state that is asked for nothing any more, at reset and when the server closes.
    """

    name: str
    mount: str
    routes: tuple[Route, ...]
    new_state: Callable[[], Any]
    error: Callable[[int, str | None, str | None], Answer]
    refuse: Callable[[Problem], Answer]
    error_event: Callable[[int, str | None, str | None], Sequence[Event]]
    frame: Callable[[Event], bytes]
    not_found: Callable[[Request, str], Answer]
    authenticate: Callable[[Request, str | None], Answer | None]
    find_key: Callable[[Request], str | None]
    suffix: str = ""
    pings: Sequence[Event] = ()
    headers: Callable[[Call], Headers] = _no_headers
    decode: Callable[[Request], Request] = _as_sent
    discard: Callable[[Any], None] = _let_go
