"""What a provider's own documents say about errors, arguments and names: tables beside its subject, for checks that ask all alike.

``conformance/subjects/<name>_expected.py`` holds ``EXPECTED``; a provider without one is asked only what holds for all. Data
only; nothing is judged here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from backends import errors as kinds
from conformance.costs import Costs
from conformance.faults.fault import End
from conformance.simulators.actions import Action
from conformance.subject import Subject

__all__ = ["BY_STATUS", "REPEATED", "BadCall", "ErrorCase", "Expectations", "NamedCall", "NoAnswer", "expectations_of"]


def _tool(name: str) -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}, "unit": {"type": "string", "enum": ["naïve ☃"]}},
        "required": ["city", "unit"],
    }
    return {"type": "function", "function": {"name": name, "description": "Tells it.", "parameters": schema}}


@dataclass(frozen=True, slots=True)
class ErrorCase:
    """One documented error answer: what the server sends, and what it must become."""

    status: int
    expected: type[kinds.BackendError]
    code: str | None = None
    message: str | None = None


BY_STATUS: Final = (
    ErrorCase(400, kinds.InvalidRequestError),
    ErrorCase(401, kinds.AuthenticationError),
    ErrorCase(402, kinds.AuthenticationError),
    ErrorCase(403, kinds.PermissionDeniedError),
    ErrorCase(404, kinds.NotFoundError),
    ErrorCase(405, kinds.UnsupportedError),
    ErrorCase(408, kinds.ServerError),
    ErrorCase(409, kinds.ServerError),
    ErrorCase(413, kinds.InvalidRequestError),
    ErrorCase(422, kinds.InvalidRequestError),
    ErrorCase(429, kinds.RateLimitError),
    ErrorCase(500, kinds.ServerError),
    ErrorCase(502, kinds.ServerError),
    ErrorCase(503, kinds.OverloadedError),
    ErrorCase(504, kinds.ServerError),
    ErrorCase(529, kinds.OverloadedError),
)
"""What a status means where the provider's own tables do not say otherwise."""
REPEATED: Final = frozenset({408, 409, 429, 500, 502, 503, 504, 529, 599})
"""Statuses that are repeated where the provider's own tables do not say otherwise."""


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """An answer with status 200 that is none, though its framing is right: an error, a refusal, an excuse, silence.

    ``expected`` is the class that it must become, ``words`` are those of which one must be in the message (``a|b``). Without
    ``make`` and ``path`` it is the representative call that is answered so.
    """

    action: Action
    expected: type[kinds.BackendError]
    words: str
    make: Callable[[Any], Any] | None = None
    path: str | None = None


@dataclass(frozen=True, slots=True)
class BadCall:
    """A call that must not reach the wire: ``make`` makes it, ``names`` must stand in the error."""

    names: str
    make: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class NamedCall:
    """A call whose argument becomes one segment of the path behind ``prefix``; ``good`` is a name that is sent.

    With ``slashes`` it becomes the rest of the path: it may hold slashes, and must not climb.
    """

    prefix: str
    make: Callable[[Any, str], Any]
    good: str = "plain-name.1"
    slashes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectations:
    """The tables of one provider.

    Attributes:
        statuses: plain statuses that mean something else at this provider.
        errors: error answers that a status alone does not decide.
        passing: error answers that soon pass, whatever their plain status would mean: the call is repeated.
        lasting: error answers that stay, although their plain status would pass: the call is sent once.
        no_answers: answers with status 200 that are none.
        json_answers: the representative call is answered by JSON.
        unreadable: where it is not: what the server does to that answer, the class, words of which one must be in the message (``a|b``).
        bad_calls: arguments that must be refused.
        unsayable: calls with numbers, texts or lists that JSON or the provider cannot take.
        injections: calls that take a text for a header or an id, given a text with a line break.
        named_calls: calls with a name in the path.
        models: unknown or retired models, and a name that must be among the suggestions (None: any suggestion will do).
        warm: called before those models are asked for, so that a server's own models are known.
        tools: options of the representative call that make the model call two tools.
        content: where the content stands in the representative call's whole answer and in an event of its stream; None
            where the answer has no such field.
        stream_count: where an event holds the count of output tokens, if not where a whole answer does.
        ends: ends of mishaps that are right for this provider and differ from the catalogue's. Names are, the narrowest
            first, ``name mode``, ``name``, family or stage.
        spared: why mishaps cannot happen on its wire, by the same names.
        costs: what its answers cost, where prices are known or can be given.
        tool_calls: how many it then calls at least: 2, or 1 where the server makes one call a turn.
    """

    statuses: tuple[ErrorCase, ...] = ()
    errors: tuple[ErrorCase, ...] = ()
    passing: tuple[ErrorCase, ...] = ()
    lasting: tuple[ErrorCase, ...] = ()
    no_answers: tuple[NoAnswer, ...] = ()
    json_answers: bool = True
    unreadable: tuple[tuple[Action, type[kinds.BackendError], str], ...] = ()
    bad_calls: tuple[BadCall, ...] = ()
    unsayable: tuple[BadCall, ...] = ()
    injections: tuple[Callable[[Any, str], Any], ...] = ()
    named_calls: tuple[NamedCall, ...] = ()
    models: tuple[tuple[str, str | None], ...] = ()
    warm: Callable[[Any], Any] | None = None
    tools: Mapping[str, Any] = field(default_factory=lambda: {"tools": [_tool("weather"), _tool("tide")]})
    tool_calls: int = 2
    content: tuple[str, str] | None = ("choices[0].message.content", "choices[0].delta.content")
    stream_count: str | None = None
    ends: Mapping[str, End] = field(default_factory=dict)
    spared: Mapping[str, str] = field(default_factory=dict)
    costs: Costs | None = None


_NONE: Final = Expectations()


def expectations_of(subject: Subject) -> Expectations:
    """Return the tables of a subject, empty ones where it has none."""
    if subject.expected is not None:
        assert isinstance(subject.expected, Expectations)
        return subject.expected
    return _told_by_module(subject.name)


@cache
def _told_by_module(name: str) -> Expectations:
    module = f"conformance.subjects.{name}_expected"
    if find_spec(module) is None:
        return _NONE
    found = import_module(module).EXPECTED
    assert isinstance(found, Expectations)
    return found
