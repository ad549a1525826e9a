"""What the contract is asked of: a provider's backend, as a factory and its representative calls. Data only; it runs
nothing."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from backends.resilience.clock import Clock
    from conformance.simulators.record import Seen
    from conformance.trial import Trial

__all__ = [
    "PLANTED_KEY",
    "BatchCase",
    "CallCase",
    "Live",
    "Recorded",
    "Site",
    "Subject",
    "built",
    "load",
    "standard_arguments",
]

PLANTED_KEY: Final = "sk-planted-4b1d5e0c7a9f4e2d8c36-conformance"
"""The key of a backend that a check gave none: planted, so that a leak of it is found."""


class Site(Protocol):
    """Where a backend is to live: what a subject's factory needs to know. A trial is one."""

    random: random.Random

    @property
    def base_url(self) -> str:
        """The simulator's address for this subject."""
        ...

    @property
    def clock(self) -> Clock:
        """Time of the backend."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCase:
    """One declared call of a provider, for the chapters CAP and REAL.

    Attributes:
        route: verb and path glob below the provider's mount: ``POST */chat/completions``.
        run: makes the call on a backend and returns the reply (a stream is read to its end).
        twin: the same through the synchronous twin; None where there is none.
        sends: fields that the server must have seen in the JSON body; None when the body is not JSON.
        judge: further judgement of what was sent and of what was read.
        stream: the reply comes as a stream.
        nonce: the simulated answer carries a nonce that must show in the reply.
        whole_json: the answer is one JSON object, and the reply's ``raw`` is that object.
        empty: the call returns None.
        headers: the answer's headers stand on the reply.
        requests: how many requests the call is, where the provider takes long lists in parts.
    """

    route: str
    run: Callable[[Any], Awaitable[Any]]
    twin: Callable[[Any], Any] | None = None
    sends: Mapping[str, Any] | None = None
    judge: Callable[[Trial, Any, Seen], None] | None = None
    stream: bool = False
    nonce: bool = True
    whole_json: bool = False
    empty: bool = False
    headers: bool = True
    requests: int = 1

    @property
    def method(self) -> str:
        """The verb."""
        return self.route.partition(" ")[0]

    @property
    def path(self) -> str:
        """The glob."""
        return self.route.partition(" ")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchCase:
    """A call that several callers may share a request of, for chapter BAT.

    Attributes:
        path: path glob of its requests.
        run: makes it, with one text or a list of them: ``run(backend, texts, **options)``.
        own: what a reply says that shows whose answer it is: the same whenever the same texts are asked alone.
        different: options with which a call must not share a request with one that has none.
        bad: a text that the server refuses, None where it refuses none.
        most: items that the provider takes in one request, None where it sets no bound.
        light: options that keep the answer to so many items small.
        apart: options that change nothing of the answer and with which a call must not share a request either: a header,
            where requests have some.
        several: a call can bring more than one text.
    """

    path: str
    run: Callable[..., Coroutine[Any, Any, Any]]
    own: Callable[[Any], Any]
    different: tuple[Mapping[str, Any], ...] = ()
    bad: str | None = None
    most: int | None = None
    light: Mapping[str, Any] = field(default_factory=dict)
    apart: Mapping[str, Any] = field(default_factory=lambda: {"extra_headers": {"x-tenant": "another"}})
    several: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One recorded exchange that goes through the backend, for CAP-05.

    Attributes:
        run: makes the recorded request on a backend: ``run(backend, exchange)``.
        judge: compares the reply with the recording: ``judge(trial, reply, exchange)``; None where it was an error.
        error: the class that a recorded error must become.
        differs: fields in which the request may differ from the recorded one.
        stream: the answer was a stream; it is replayed at many splits of its bytes.
    """

    run: Callable[[Any, Any], Awaitable[Any]]
    judge: Callable[[Any, Any, Any], None] | None = None
    error: type[Exception] | None = None
    differs: tuple[str, ...] = ()
    stream: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """How to reach the vendor itself.

    Attributes:
        variables: environment variables of which one must be set.
        make: builds a backend from the environment.
    """

    variables: tuple[str, ...]
    make: Callable[[Mapping[str, str]], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One backend under the contract.

    Attributes:
        name: row name (``openai``).
        title: name for people.
        tags: what it has, matched against ``Requirement.applies_to``: ``http``, ``keys``, ``key_required``, ``chat``,
            ``stream``, ``embed``, ``batch`` (callers may share requests), ``cache`` (answers can be kept), ``tools``, ``sync``,
            ``models``, ``s3``, ``runs_code`` (a stranger's machine code) ...
        make: builds a backend that lives at a site; ``settings`` are those of the constructor and win over the
            defaults.
        call: the representative cheap call: ``await call(backend, text, **options)``.
        call_name: name of its synchronous twin on the backend (``chat``); its source has the prefix ``a``.
        call_arguments: positional arguments of that method for a text, so that twins can be called alike.
        call_path: path glob of that call below the provider's mount.
        stream: the same as a stream, ``stream(backend, text, **options)``; None where there is none.
        stream_name: name of the synchronous stream method.
        provider: name of its simulator; None when it has no HTTP wire.
        declared: the calls that it says it has, by name.
        not_applicable: requirement id -> why it does not concern this subject.
        sources: modules whose source is its own, for static analysis.
        live: how to reach the vendor; None when it has not been tried.
        real: builds a backend as ``make`` does, whose server it starts on this machine itself; None where there is
            none.
        features: what CAP-04 asks of the representative capability, by name (system prompt, tools ...); each is sent
            and judged.
        batched: the calls that callers may share, by name; they are those that the backend lists in ``batches``.
        recorded: exchanges with a real server that are replayed, by ``source/name``.
        refusals: the calls that it says it does not have, by name.
        usage_fields: where input and output tokens stand in the representative call's answer (``usage.prompt_tokens``).
        request_id_field: field of the representative call's body in which the server takes our id, None where there is none.
        missing_usage: the part of the answer without which no count is known; None where a missing count means zero.
        expected: its :class:`conformance.expectations.Expectations`, where they do not stand in a module of their own.
    """

    name: str
    title: str
    tags: frozenset[str]
    make: Callable[..., Any]
    call: Callable[..., Awaitable[Any]]
    call_name: str
    call_arguments: Callable[[str], tuple[Any, ...]]
    call_path: str
    stream: Callable[..., Any] | None = None
    stream_name: str | None = None
    provider: str | None = None
    declared: Mapping[str, CallCase] = field(default_factory=dict)
    not_applicable: Mapping[str, str] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    live: Live | None = None
    real: Callable[..., Any] | None = None
    features: Mapping[str, CallCase] = field(default_factory=dict)
    refusals: tuple[str, ...] = ()
    batched: Mapping[str, BatchCase] = field(default_factory=dict)
    recorded: Mapping[str, Recorded] = field(default_factory=dict)
    usage_fields: tuple[str, str] = ("usage.prompt_tokens", "usage.completion_tokens")
    missing_usage: str | None = "usage"
    request_id_field: str | None = None
    expected: Any = None


def standard_arguments(site: Site, settings: Mapping[str, Any], **defaults: Any) -> dict[str, Any]:
    """Return constructor arguments for a backend at a site: no environment, no credentials file, injected time and
    chance.

    Args:
        site: where it lives.
        settings: what the check asked for; wins.
        **defaults: what this provider needs besides; ``api_key`` is planted unless a source of keys is given.
    """
    arguments: dict[str, Any] = {
        "base_url": site.base_url,
        "clock": site.clock,
        "random": site.random.random,
        "environ": {},
        "credentials_path": "/nonexistent/conformance/credentials",
        "api_key": PLANTED_KEY,
        **defaults,
        **settings,
    }
    if "api_key" not in settings and {"api_keys", "metadata", "environ", "credentials_path"} & set(settings):
        del arguments["api_key"]
    return arguments


def built() -> tuple[str, ...]:
    """Return the row names that have a subject, in the order of the rows."""
    from conformance.rows import ROWS

    return tuple(row.name for row in ROWS if find_spec(f"conformance.subjects.{row.name}") is not None)


def load(name: str) -> Subject:
    """Import and return a subject.

    Raises:
        LookupError: there is none of this name.
    """
    if name not in built():
        raise LookupError(f"no subject is called {name!r}")
    subject = import_module(f"conformance.subjects.{name}").SUBJECT
    assert isinstance(subject, Subject)
    return subject
