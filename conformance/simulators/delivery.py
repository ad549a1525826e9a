"""An answer as a lazy sequence of steps, so that misbehaviour is a transformation of steps and needs no special server.

:func:`steps` turns an :class:`~conformance.simulators.provider.Answer` into steps; faults wrap the iterator; the server
performs one step at a time, waiting for the client to take what was written, so even an endless body needs no memory.
Nothing here waits or touches a socket.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TypeAlias

from conformance.simulators.provider import Answer

__all__ = ["Abort", "Body", "Close", "End", "Hang", "Head", "Raw", "Sleep", "Step", "Steps", "head_bytes", "steps"]


@dataclass(slots=True)
class Head:
    """Status line and headers. ``length`` is the content length, None means chunked (or until close for HTTP/1.0)."""

    status: int
    headers: list[tuple[str, str]]
    length: int | None


@dataclass(frozen=True, slots=True)
class Body:
    """Bytes of the body; each step becomes one chunk when the answer is chunked."""

    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes written as they are, without any framing."""

    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sleep:
    """Wait this many seconds of the loop's time."""

    seconds: float


@dataclass(frozen=True, slots=True)
class End:
    """The body is complete: write the terminating chunk if there is one and keep the connection."""


@dataclass(frozen=True, slots=True)
class Close:
    """Send what is buffered and close the connection (FIN), whatever is still owed."""


@dataclass(frozen=True, slots=True)
class Abort:
    """Reset the connection (RST) once what was written has left."""


@dataclass(frozen=True, slots=True)
class Hang:
    """Do nothing until the client leaves."""


Step: TypeAlias = Head | Body | Raw | Sleep | End | Close | Abort | Hang
Steps: TypeAlias = Iterator[Step]

_WITHOUT_BODY = frozenset({204, 304})


def steps(answer: Answer) -> Steps:
    """The well-behaved delivery of an answer."""
    headers = list(answer.headers)
    if answer.content_type is not None:
        headers.insert(0, ("content-type", answer.content_type))
    if answer.stream is not None:
        yield Head(answer.status, headers, None)
        for event in answer.stream.events:
            data = answer.stream.frame(event) if event.raw is None else event.raw
            if data:
                yield Body(data)
    else:
        body = b"" if answer.status in _WITHOUT_BODY else answer.bytes_of_body()
        yield Head(answer.status, headers, len(body) if answer.declared_length is None else answer.declared_length)
        if body:
            yield Body(body)
    yield End()


def head_bytes(head: Head, *, chunked: bool, close: bool) -> bytes:
    """The status line and headers as they go out."""
    try:
        reason = HTTPStatus(head.status).phrase
    except ValueError:
        reason = "Unknown"
    lines = [f"HTTP/1.1 {head.status} {reason}"]
    lines += [f"{name}: {value}" for name, value in head.headers]
    if head.length is not None:
        if head.status not in _WITHOUT_BODY:
            lines.append(f"content-length: {head.length}")
    elif chunked:
        lines.append("transfer-encoding: chunked")
    if close:
        lines.append("connection: close")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
