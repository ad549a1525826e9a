"""What a fault can do to the framing of a body: chunks that lie, content codings that are broken, foreign or not there at
all, connections that end when nobody looks."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Final

from conformance.simulators.actions import Action, Hit
from conformance.simulators.delivery import Abort, Body, Close, End, Head, Raw, Sleep, Steps

__all__ = ["BadChunk", "Coded", "CutInCharacter", "CutInChunk", "DropIdle"]

_WINDOWS: Final = {"gzip": 31, "deflate": 15, "raw deflate": -15}
"""Content coding -> window bits; ``raw deflate`` is what some servers send under the name deflate."""


@dataclass(frozen=True, slots=True)
class CutInChunk(Action):
    """Announce a chunk of the body's first piece and close in the middle of it."""

    def deliver(self, steps: Steps, hit: Hit) -> Steps:
        """An answer with a length becomes a chunked one first."""
        for step in steps:
            if isinstance(step, Head):
                step.length = None
            if isinstance(step, Body):
                hit()
                yield Raw(b"%x\r\n%b" % (len(step.data), step.data[: len(step.data) // 2]))
                yield Close()
                return
            yield step


@dataclass(frozen=True, slots=True)
class BadChunk(Action):
    """The size of a chunk is no number.

    Attributes:
        size: what stands there.
        after: how many pieces of the body come before it.
        seconds: of silence before it, so that it comes apart from what was before.
    """

    size: str = "zz"
    after: int = 0
    seconds: float = 0.0

    def deliver(self, steps: Steps, hit: Hit) -> Steps:
        """An answer with a length becomes a chunked one first."""
        left = self.after
        for step in steps:
            if isinstance(step, Head):
                step.length = None
            if isinstance(step, Body) and left:
                left -= 1
            elif isinstance(step, Body):
                hit()
                if self.seconds:
                    yield Sleep(self.seconds)
                yield Raw(self.size.encode("latin-1") + b"\r\n" + step.data + b"\r\n")
                yield Close()
                return
            yield step


@dataclass(frozen=True, slots=True)
class CutInCharacter(Action):
    """Close after the first byte of the first character that has several."""

    def deliver(self, steps: Steps, hit: Hit) -> Steps:
        """The pieces before it are whole."""
        for step in steps:
            if isinstance(step, Body):
                inside = next((place for place, byte in enumerate(step.data, 1) if byte >= 0xC0), 0)
                if inside:
                    hit()
                    yield Body(step.data[:inside])
                    yield Close()
                    return
            yield step


@dataclass(frozen=True, slots=True)
class Coded(Action):
    """The body under a content coding: gzip, deflate or ``raw deflate`` for real, any other name as a lie.

    Attributes:
        coding: what it is coded with.
        keep: how much of the coded body is sent, as a share; what is left out is missing at its end.
    """

    coding: str = "gzip"
    keep: float = 1.0

    def deliver(self, steps: Steps, hit: Hit) -> Steps:
        """The body is gathered first; it comes in one piece, its framing is right."""
        whole = b""
        for step in steps:
            if isinstance(step, Head):
                step.length = None
                step.headers.append(("content-encoding", self.coding.removeprefix("raw ")))
                yield step
            elif isinstance(step, Body):
                whole += step.data
            elif isinstance(step, End):
                hit()
                coded = self._coded(whole)
                yield Body(coded[: int(len(coded) * self.keep)])
                yield step
            else:
                yield step

    def _coded(self, whole: bytes) -> bytes:
        if self.coding not in _WINDOWS:
            return whole
        packer = zlib.compressobj(9, zlib.DEFLATED, _WINDOWS[self.coding])
        return packer.compress(whole) + packer.flush()


@dataclass(frozen=True, slots=True)
class DropIdle(Action):
    """End the connection so many seconds after a whole answer that kept it: by closing, or with ``reset`` by a reset."""

    seconds: float = 0.0
    reset: bool = False

    def deliver(self, steps: Steps, hit: Hit) -> Steps:
        """Nothing in the answer says so."""
        for step in steps:
            yield step
            if isinstance(step, End):
                hit()
                if self.seconds:
                    yield Sleep(self.seconds)
                yield Abort() if self.reset else Close()
                return
