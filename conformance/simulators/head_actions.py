"""What a fault can do before the body begins: to the head of an answer, to what comes before it, and to the time it takes.

Like ``wire_actions`` each wraps the steps of a delivery; a head is written as a well-behaved server would write it, so that
what is cut, slowed or flooded is right until then.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from conformance.simulators.actions import Action, Hit
from conformance.simulators.delivery import Body, Close, End, Hang, Head, Raw, Sleep, Steps, head_bytes

__all__ = ["CutHead", "Fields", "HangInHead", "Informational", "SlowHead", "StatusLine", "Unsolicited"]

Pairs: TypeAlias = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class CutHead(Action):
    """Close the connection, without a reset, after so many bytes of the head; 0 is before anything is said."""

    after: int = 0

    def deliver(self, steps: Steps, hit: Hit) -> Steps:
        """Nothing behind the head is sent."""
        for step in steps:
            if isinstance(step, Head):
                hit()
                yield Raw(_head(step)[: self.after])
                yield Close()
                return
            yield step


@dataclass(frozen=True, slots=True)
class HangInHead(Action):
    """Stop after so many bytes of the head and say nothing more until the client leaves."""

    after: int = 20

    def deliver(self, steps: Steps, hit: Hit) -> Steps:
        """The connection stays open."""
        for step in steps:
            if isinstance(step, Head):
                hit()
                yield Raw(_head(step)[: self.after])
                yield Hang()
                return
            yield step


@dataclass(frozen=True, slots=True)
class SlowHead(Action):
    """Send the head byte by byte, with so many seconds before each: a slow loris on the server's side."""

    seconds: float = 1.0

    def deliver(self, steps: Steps, hit: Hit) -> Steps:
        """What follows the head comes at its usual pace."""
        for step in steps:
            if isinstance(step, Head):
                hit()
                for byte in _head(step):
                    yield Sleep(self.seconds)
                    yield Raw(bytes((byte,)))
                yield from _rest(step, steps)
                return
            yield step


@dataclass(frozen=True, slots=True)
class Informational(Action):
    """So many answers of the status 1xx before the answer: all at once, or with ``seconds`` before each."""

    count: int
    status: int = 103
    seconds: float = 0.0

    def deliver(self, steps: Steps, hit: Hit) -> Steps:
        """The answer itself is untouched."""
        for step in steps:
            if isinstance(step, Head):
                hit()
                early = b"HTTP/1.1 %d Early\r\nlink: </a>; rel=preload\r\n\r\n" % self.status
                if not self.seconds:
                    yield Raw(early * self.count)
                for _ in range(self.count if self.seconds else 0):
                    yield Sleep(self.seconds)
                    yield Raw(early)
            yield step


@dataclass(frozen=True, slots=True)
class StatusLine(Action):
    """Put this in place of the status line; the headers and the body stay."""

    line: str

    def deliver(self, steps: Steps, hit: Hit) -> Steps:
        """The text may be anything without a line break."""
        for step in steps:
            if isinstance(step, Head):
                hit()
                _, _, fields = _head(step).partition(b"\r\n")
                yield Raw(self.line.encode("latin-1") + b"\r\n" + fields)
                yield from _rest(step, steps)
                return
            yield step


@dataclass(frozen=True, slots=True)
class Fields(Action):
    """Add these header fields to the answer, each ``times`` times; a field that the server writes itself is then there twice."""

    pairs: Pairs
    times: int = 1

    def deliver(self, steps: Steps, hit: Hit) -> Steps:
        """Numbered where ``times`` is more than 1, so that they are different fields."""
        for step in steps:
            if isinstance(step, Head):
                hit()
                for number in range(self.times):
                    mark = f"-{number}" if self.times > 1 else ""
                    step.headers.extend((name + mark, value) for name, value in self.pairs)
            yield step


@dataclass(frozen=True, slots=True)
class Unsolicited(Action):
    """A second answer that nobody asked for, so many seconds after the first, on the same connection; then silence."""

    data: bytes = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
    seconds: float = 0.0

    def deliver(self, steps: Steps, hit: Hit) -> Steps:
        """The first answer is whole and its connection is kept."""
        for step in steps:
            yield step
            if isinstance(step, End):
                hit()
                if self.seconds:
                    yield Sleep(self.seconds)
                yield Raw(self.data)


def _head(head: Head) -> bytes:
    return head_bytes(head, chunked=head.length is None, close=False)


def _rest(head: Head, steps: Steps) -> Iterator[Body | Raw | Sleep | End | Close | Hang]:
    """Yield what follows a head that was written by hand: the framing of the body must be written by hand too."""
    for step in steps:
        if isinstance(step, Body) and head.length is None:
            yield Raw(b"%x\r\n%b\r\n" % (len(step.data), step.data))
        elif isinstance(step, Body):
            yield Raw(step.data)
        elif isinstance(step, End):
            if head.length is None:
                yield Raw(b"0\r\n\r\n")
            yield Close()
        elif isinstance(step, Raw | Sleep | Close | Hang):
            yield step
