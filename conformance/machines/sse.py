"""The decoder of server-sent events beside one that reads the whole stream at once, as the standard describes it.

Source: WHATWG HTML, section 9.2.6. Bytes stand in steps as Latin-1 text, one character a byte.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from backends.wire.sse import SSEDecoder
from backends.wire.values import FormatError
from conformance.machines import strategies as own
from conformance.machines.bench import Bench, Rules, run_rules

__all__ = ["SSEBench", "SSERules", "run"]

_PLENTY = 1_000_000
_SCRAPS = [
    *(
        b"data: ",
        b"data:",
        b"data",
        b"event: delta",
        b"event:",
        b"id: 7",
        b"id:\x00",
        b": ping",
        b"retry: 5",
        b"unknown: x",
    ),
    *(
        b"retry: 5",
        b"unknown: x",
        b"\n",
        b"\r",
        b"\r\n",
        b"\n\n",
        b"\r\n\r\n",
        b"data: [DONE]\n\n",
        b'data: {"a":1}\n\n',
    ),
    *("é".encode(), "€".encode(), "😀".encode(), b"\xff", b"\xe2\x82", b"\xef\xbb\xbf", b"\xef\xbb", b" ", b":"),
]

_HEADS = st.sampled_from([b"", b"\xef\xbb\xbf", b'data: {"a":1}\n\n', b'\xef\xbb\xbfdata: {"a":1}\n\n'])
"""How a stream may begin: what matters only there would hardly ever be drawn there by chance."""


def _events(data: bytes) -> list[tuple[str, str, str | None]]:
    """Read a whole stream; an unfinished event at its end is dropped."""
    text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    events: list[tuple[str, str, str | None]] = []
    lines: list[str] = []
    kind = ""
    identity: str | None = None
    for line in re.split("\r\n|\r|\n", text)[:-1]:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if lines:
                events.append(("\n".join(lines), kind, identity))
            lines, kind = [], ""
        elif name == "data":
            lines.append(value)
        elif name == "event":
            kind = value
        elif name == "id" and "\0" not in value:
            identity = value
    return events


class SSEBench(Bench):
    """Steps: new, decode, bound."""

    machine = "sse"

    def do_new(self) -> None:
        """Each stream gets a decoder of its own; there is nothing to make."""

    def do_decode(self, data: str, places: list[int]) -> None:
        """Feed one stream, cut at the given places."""
        stream = data.encode("latin-1")
        decoder: SSEDecoder = self.subject(_PLENTY)
        events = [event for piece in own.pieces(stream, places) for event in decoder.feed(piece)]
        events += decoder.close()
        self.agree("the events", _events(stream), [(one.data, one.event or "", one.id) for one in events])

    def do_bound(self, length: int, limit: int, size: int) -> None:
        """Feed one event of ``length`` bytes in pieces of ``size`` to a decoder that takes events up to ``limit``."""
        decoder: SSEDecoder = self.subject(limit)
        stream = b"data: " + b"x" * max(0, length - 6) + b"\n\n"
        length = len(stream) - 2
        refused = False
        try:
            for start in range(0, len(stream), size):
                decoder.feed(stream[start : start + size])
        except FormatError:
            refused = True
        self.agree(f"whether {length} bytes are refused where {limit} may come", length > limit, refused)


class SSERules(Rules):
    """Random streams, well-formed and not, cut anywhere."""

    bench_class = SSEBench
    subject = SSEDecoder
    bench: SSEBench

    @initialize()
    def new(self) -> None:
        """Begin."""
        self.do("new")

    @rule(head=_HEADS, scraps=st.lists(st.sampled_from(_SCRAPS), max_size=24), places=own.splits())
    def decode(self, head: bytes, scraps: list[bytes], places: list[int]) -> None:
        """One stream."""
        self.do("decode", data=(head + b"".join(scraps)).decode("latin-1"), places=places)

    @rule(scraps=st.lists(st.sampled_from(_SCRAPS), min_size=1, max_size=12))
    def byte_by_byte(self, scraps: list[bytes]) -> None:
        """One stream, one byte at a time."""
        data = b"".join(scraps)
        self.do("decode", data=data.decode("latin-1"), places=list(range(len(data))))

    @rule(length=st.integers(6, 80), limit=st.integers(8, 64), size=st.integers(1, 100))
    def bound(self, length: int, limit: int, size: int) -> None:
        """One event near the bound."""
        self.do("bound", length=length, limit=limit, size=size)


def run(settings: hypothesis.settings | None = None, machine_class: Callable[..., Any] = SSEDecoder) -> None:
    """Check a decoder class; raises Disagreement when it is wrong (STR-02, STR-06)."""
    run_rules(SSERules, machine_class, settings)
