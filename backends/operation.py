"""What a provider module hands to the call path: one call as data, and how its answer reads.

A provider says *what* is sent and *how the answer reads*. It never sends, waits, retries or locks; the call path (from
:mod:`backends.http` on) does, and knows nothing of any provider beyond these values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Generic, Literal, Protocol, TypedDict, TypeVar, runtime_checkable

from backends.batch_plan import BatchPlan
from backends.secret import Key
from backends.types import Chunk, Priority, Usage
from backends.wire.multipart import Multipart

__all__ = [
    "CONVERSATION",
    "EXACT",
    "PROMPT",
    "Answer",
    "Cacheable",
    "CallOptions",
    "CountsSoFar",
    "Operation",
    "Repeat",
    "SoFar",
    "StreamReader",
]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class CallOptions(TypedDict, total=False):
    """Arguments that every call takes besides its own.

    Attributes:
        priority: order among the waiting.
        endpoint: name of an endpoint made with ``create_endpoint``.
        deadline: seconds for the whole call: waiting, retries and streaming included; None means no limit.
        request_id: a UUID of the caller's own instead of a fresh one.
        extra_headers: headers added to the request; they cannot replace authentication. A credential among them is best
            given as a :class:`backends.secret.Key`: then no local variable of any frame shows it.
        extra_body: fields merged into the JSON body as they are, for what the provider takes and this library does not name.
        cache: False neither looks into the cache nor keeps the answer; True is as set up.
        tenant: on whose behalf: counted, charged and bounded apart, and kept answers are shared within a tenant only.
        cache_tenant: within whom kept answers are shared instead.
        patience: seconds that this call may wait for its next attempt or for a cooling key; where it would have to wait
            longer it ends with the failure at hand. None leaves it to the settings.
        use_key: name or fingerprint of the one key that this call may go with.
    """

    priority: Priority
    endpoint: str | None
    deadline: float | None
    request_id: str | None
    extra_headers: Mapping[str, str | Key] | None
    extra_body: Mapping[str, Any] | None
    cache: bool | None
    tenant: str | None
    cache_tenant: str | None
    patience: float | None
    use_key: str | None


class Repeat(Enum):
    """When the same request may be put on the wire again."""

    ALWAYS = "always"
    """A repeat is harmless, or what every client of this provider does (a generation is only billed again)."""
    UNPROCESSED = "unprocessed"
    """Only when the server cannot have started work: never connected, or it answered that it refused (409, 429, 503)."""
    NEVER = "never"
    """The body can be read only once."""


@dataclass(slots=True)
class Answer:
    """A whole answer of the provider and the facts of the request that led to it; input of ``Operation.read``.

    ``data`` is the decoded JSON for ``expect="json"``, ``str`` for ``"text"``, ``bytes`` for ``"bytes"``; for a stream
    that ended, None.
    """

    status: int
    headers: Mapping[str, str]
    data: Any
    request_id: str
    provider_request_id: str | None
    attempts: int
    latency: float
    model: str | None = None

    def facts(self) -> dict[str, Any]:
        """Return the fields that every :class:`~backends.types.Reply` takes from its request."""
        return {
            "raw": self.data,
            "request_id": self.request_id,
            "provider_request_id": self.provider_request_id,
            "attempts": self.attempts,
            "latency": self.latency,
            "headers": self.headers,
        }


class StreamReader(Protocol[T_co]):
    """Bytes of one stream in, chunks out; pure, one instance per attempt.

    ``feed`` and ``finish`` raise :class:`backends.errors.BackendError` for an error event of the provider and
    :class:`backends.wire.values.FormatError` for bytes that break the format.
    """

    @property
    def done(self) -> bool:
        """True once the provider's own terminator was seen. Bytes that end earlier were cut short."""
        ...

    def feed(self, data: bytes) -> Iterable[Chunk]:
        """Take the next bytes and return the chunks they complete."""
        ...

    def finish(self) -> Iterable[Chunk]:
        """Say that the bytes have ended; return what was still held back."""
        ...

    def partial(self) -> Any:
        """Return the content so far, None when there is none."""
        ...

    def reply(self, answer: Answer) -> T_co:
        """Return the whole reply of a finished stream."""
        ...


@dataclass(frozen=True, slots=True)
class Cacheable:
    """How the answer to an operation may be kept; its ``read`` gives a :class:`~backends.types.Reply`, its body is JSON.

    Attributes:
        question: the field of the body in which the question stands, a text or a conversation; texts that mean the same
            may share an answer while all the rest is equal. None where only an equal request has the same answer.
        volatile: fields of the body that label the request and change no answer.
    """

    question: str | None = None
    volatile: frozenset[str] = field(default_factory=frozenset)


EXACT: Final = Cacheable()
"""Only an equal request has the same answer: vectors, rankings."""
CONVERSATION: Final = Cacheable("messages")
PROMPT: Final = Cacheable("prompt")


@dataclass(frozen=True, slots=True)
class SoFar:
    """What a stream has come to when it breaks off.

    Attributes:
        text: everything the model has written: answers, reasoning, arguments of tool calls.
        usage: what the provider has counted; all None where it has not.
        counted: its counts cover all that came, so nothing has to be estimated.
        model: that answers, as the provider names it.
        raw: what the provider has said besides, in the shape of a whole answer.
    """

    text: str
    usage: Usage = field(default_factory=Usage)
    counted: bool = False
    model: str | None = None
    raw: Any = None


@runtime_checkable
class CountsSoFar(Protocol):
    """A stream's reader that can say what there is to charge when the stream breaks off."""

    def so_far(self) -> SoFar:
        """Return what has come; called at most once, after the last ``feed``."""
        ...


@dataclass(frozen=True, slots=True)
class Operation(Generic[T]):
    """One call to a provider, as data.

    Attributes:
        name: the capability, as the caller knows it (``"chat"``); names counters and errors.
        read: turns a whole answer into the reply.
        method: HTTP verb.
        path: path below the base URL, already escaped (``wire.values.segment``).
        body: JSON object, multipart form, raw bytes or None.
        query: query parameters, escaped by the call path.
        headers: headers of this call only.
        model: the model asked for, for counters.
        expect: what the answer's body is.
        stream: makes a reader for the answer's bytes; None for a whole answer.
        repeat: when the request may be sent again.
        repeat_once: statuses after which it is sent once more and no oftener: the same work would most likely fail
            again (a computation that failed). A server that says it is overloaded or not ready is asked as usual.
        accepted: statuses below 400 are answers; these further ones are, too (a HEAD that may say 404).
        inspect: looks at a whole answer before it counts as a success and may raise a BackendError
            (an error inside a 200).
        silence: seconds for which this call may be silent where that is longer than the settings allow (verifying a
            large file sends no progress).
        cacheable: how its answer may be kept; None for whatever changes something at the provider, or lists and reads
            what is kept there.
        batch: how it may share a wire call with others of its kind; None where every call is a request of its own.
    """

    name: str
    read: Callable[[Answer], T]
    path: str
    method: str = "POST"
    body: Mapping[str, Any] | Multipart | bytes | None = None
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    model: str | None = None
    expect: Literal["json", "text", "bytes", "none"] = "json"
    stream: Callable[[], StreamReader[T]] | None = None
    repeat: Repeat = Repeat.ALWAYS
    repeat_once: frozenset[int] = field(default_factory=frozenset)
    accepted: frozenset[int] = field(default_factory=frozenset)
    inspect: Callable[[Answer], None] | None = None
    silence: float | None = None
    cacheable: Cacheable | None = None
    batch: BatchPlan[T] | None = None
