"""What a fault can do to the bytes of an answer and to the time between them.

Each action wraps the steps of a delivery. It counts bytes of the body before HTTP framing, so a cut falls at the same
place of the document whether or not the answer is chunked.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from conformance.simulators.actions import Action, Hit
from conformance.simulators.delivery import Abort, Body, Close, End, Head, Raw, Sleep, Steps, head_bytes
from conformance.simulators.delivery import Hang as HangStep

__all__ = [
    "Bomb",
    "CutAfter",
    "Hang",
    "Oversized",
    "Reset",
    "SlowChunks",
    "SlowFirstByte",
    "SplitAt",
    "SplitEvery",
    "WrongLength",
]

_PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class SlowFirstByte(Action):
    """Wait before the status line."""

    seconds: float

    def deliver(self, steps: Steps, hit: Hit) -> Steps:
        """Time of the loop, so virtual where the loop's time is."""
        hit()
        yield Sleep(self.seconds)
        yield from steps


@dataclass(frozen=True, slots=True)
class SlowChunks(Action):
    """Wait before every piece of the body from number ``after`` on (the default spares the first)."""

    seconds: float
    after: int = 1

    def deliver(self, steps: Steps, hit: Hit) -> Steps:
        """A body of one piece has no time between its pieces unless ``after`` is 0."""
        number = 0
        for step in steps:
            if isinstance(step, Body):
                if number >= self.after:
                    hit()
                    yield Sleep(self.seconds)
                number += 1
            yield step


@dataclass(frozen=True, slots=True)
class Hang(Action):
    """Never answer; with ``after`` stop after so many pieces of the body. Ends when the client leaves."""

    after: int | None = None

    def deliver(self, steps: Steps, hit: Hit) -> Steps:
        """Even the end of the body is withheld."""
        number = 0
        for step in steps:
            if self.after is None or (isinstance(step, Body | End) and number >= self.after):
                hit()
                yield HangStep()
                return
            number += isinstance(step, Body)
            yield step


@dataclass(frozen=True, slots=True)
class CutAfter(Action):
    """Close the connection after so many bytes of the body, before its length or its last chunk is reached."""

    body_bytes: int

    def deliver(self, steps: Steps, hit: Hit) -> Steps:
        """A body that is not longer is delivered whole and the fault has not fired."""
        yield from _cut(steps, self.body_bytes, Close(), hit)


@dataclass(frozen=True, slots=True)
class Reset(Action):
    """Reset the connection.

    ``accept``: as soon as it is accepted, before anything is read; no request exists yet, so the fault's provider,
    path, method and key do not count, and ``nth`` counts connections. ``headers``: after ``after`` bytes of the head
    (0: none). ``body``: after ``after`` bytes of the body.
    """

    stage: str = "headers"
    after: int = 0

    def __post_init__(self) -> None:
        if self.stage not in ("accept", "headers", "body"):
            raise ValueError(f"{self.stage!r} is not a stage: accept, headers, body")

    def deliver(self, steps: Steps, hit: Hit) -> Steps:
        """Stage ``accept`` never comes here."""
        if self.stage == "body":
            yield from _cut(steps, self.after, Abort(), hit)
            return
        for step in steps:
            if isinstance(step, Head):
                hit()
                yield Raw(head_bytes(step, chunked=True, close=False)[: self.after])
                yield Abort()
                return
            yield step


@dataclass(frozen=True, slots=True)
class SplitEvery(Action):
    """Send the body in pieces of this many bytes, across event, line and character boundaries."""

    bytes: int

    def __post_init__(self) -> None:
        if self.bytes < 1:
            raise ValueError("a piece has at least one byte")

    def deliver(self, steps: Steps, hit: Hit) -> Steps:
        """Each piece is a chunk and a write of its own."""
        kept = b""
        for step in steps:
            if isinstance(step, Body):
                kept += step.data
                while len(kept) >= self.bytes:
                    hit()
                    piece, kept = kept[: self.bytes], kept[self.bytes :]
                    yield Body(piece)
                continue
            if kept and not isinstance(step, Sleep):
                yield Body(kept)
                kept = b""
            yield step


@dataclass(frozen=True, slots=True)
class SplitAt(Action):
    """Send the body in two pieces, split at this offset."""

    offset: int

    def deliver(self, steps: Steps, hit: Hit) -> Steps:
        """All events before the offset travel together, all after it too."""
        whole = b""
        for step in steps:
            if isinstance(step, Body):
                whole += step.data
                continue
            if isinstance(step, End):
                if 0 < self.offset < len(whole):
                    hit()
                    yield Body(whole[: self.offset])
                    whole = whole[self.offset :]
                if whole:
                    yield Body(whole)
            yield step


@dataclass(frozen=True, slots=True)
class WrongLength(Action):
    """A content length that is off by ``delta`` from what is sent; the connection is closed after it."""

    delta: int

    def deliver(self, steps: Steps, hit: Hit) -> Steps:
        """The body is gathered first, so a stream gets a content length too."""
        head: Head | None = None
        whole = b""
        for step in steps:
            if isinstance(step, Head):
                head = step
            elif isinstance(step, Body):
                whole += step.data
            elif isinstance(step, End) and head is not None:
                hit()
                head.length = max(0, len(whole) + self.delta)
                yield from (head, Raw(whole), Close())
            else:
                yield step


@dataclass(frozen=True, slots=True)
class Oversized(Action):
    """Blanks before the true body, or before the first event's data, until it is larger than this many bytes.

    It stays valid, so only a client that bounds what it reads notices. The blanks are made as they are sent.
    """

    bytes: int

    def deliver(self, steps: Steps, hit: Hit) -> Steps:
        """Chunked, without a length that would give it away."""
        padded = False
        for step in steps:
            if isinstance(step, Head):
                step.length = None
            if isinstance(step, Body) and not padded:
                padded = True
                hit()
                start = step.data.find(b"data: ") + 6 if step.data.startswith((b"data: ", b"event: ")) else 0
                yield Body(step.data[:start] or b" ")
                yield from (Body(blanks) for blanks in _blanks(self.bytes))
                yield Body(step.data[start:])
                continue
            yield step


@dataclass(frozen=True, slots=True)
class Bomb(Action):
    """The body as gzip, or deflate, that unpacks to this many blanks followed by the true body; a few thousandths on the wire."""

    bytes: int
    coding: str = "gzip"

    def deliver(self, steps: Steps, hit: Hit) -> Steps:
        """Packed piece by piece: neither side needs the whole in memory."""
        packer = zlib.compressobj(9, zlib.DEFLATED, 31 if self.coding == "gzip" else 15)
        begun = False
        for step in steps:
            if isinstance(step, Head):
                step.length = None
                step.headers.append(("content-encoding", self.coding))
            if isinstance(step, Body):
                if not begun:
                    begun = True
                    hit()
                    for blanks in _blanks(self.bytes):
                        packed = packer.compress(blanks)
                        if packed:
                            yield Body(packed)
                yield Body(packer.compress(step.data) + packer.flush(zlib.Z_SYNC_FLUSH))
                continue
            if isinstance(step, End):
                yield Body(packer.flush())
            yield step


def _blanks(count: int) -> Iterator[bytes]:
    piece = b" " * _PIECE
    for _ in range(count // _PIECE):
        yield piece
    yield piece[: count % _PIECE or 1]


def _cut(steps: Steps, limit: int, last: Close | Abort, hit: Hit) -> Steps:
    left = limit
    for step in steps:
        if isinstance(step, Body):
            if len(step.data) > left:
                hit()
                if left:
                    yield Body(step.data[:left])
                yield last
                return
            left -= len(step.data)
        elif isinstance(step, End) and left == 0:
            hit()
            yield last
            return
        yield step
