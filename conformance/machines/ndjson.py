"""The decoder of newline-delimited JSON beside one that splits the whole stream at once.

Bytes stand in steps as Latin-1 text, one character a byte.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from backends.wire.ndjson import NDJSONDecoder
from backends.wire.values import FormatError
from conformance.machines import strategies as own
from conformance.machines.bench import Bench, Rules, run_rules

__all__ = ["NDJSONBench", "NDJSONRules", "run"]

_PLENTY = 1_000_000
_SCRAPS = [
    *(b'{"response":"a"}', b"{}", b"\n", b"\n", b"\r\n", b"\n\n", b"\r", b" ", b"\t"),
    *("é".encode(), "€".encode(), "😀".encode(), "\u2028".encode(), "\x85".encode()),
]


class NDJSONBench(Bench):
    """Steps: new, decode, bound."""

    machine = "ndjson"

    def do_new(self) -> None:
        """Each stream gets a decoder of its own; there is nothing to make."""

    def do_decode(self, data: str, places: list[int]) -> None:
        """Feed one stream, cut at the given places; only a line feed ends a line."""
        stream = data.encode("latin-1")
        decoder: NDJSONDecoder = self.subject(_PLENTY)
        lines = [line for piece in own.pieces(stream, places) for line in decoder.feed(piece)]
        lines += decoder.close()
        expected = [line.strip() for line in stream.split(b"\n") if line.strip()]
        self.agree("the lines", [line.decode() for line in expected], [line.strip(" \t\r") for line in lines])

    def do_bound(self, length: int, limit: int, size: int) -> None:
        """Feed one line of ``length`` bytes in pieces of ``size`` to a decoder that takes lines up to ``limit``."""
        decoder: NDJSONDecoder = self.subject(limit)
        stream = b"1" * length + b"\n"
        refused = False
        try:
            for start in range(0, len(stream), size):
                decoder.feed(stream[start : start + size])
        except FormatError:
            refused = True
        self.agree(f"whether {length} bytes are refused where {limit} may come", length > limit, refused)


class NDJSONRules(Rules):
    """Random streams cut anywhere."""

    bench_class = NDJSONBench
    subject = NDJSONDecoder
    bench: NDJSONBench

    @initialize()
    def new(self) -> None:
        """Begin."""
        self.do("new")

    @rule(scraps=st.lists(st.sampled_from(_SCRAPS), max_size=24), places=own.splits())
    def decode(self, scraps: list[bytes], places: list[int]) -> None:
        """One stream."""
        self.do("decode", data=b"".join(scraps).decode("latin-1"), places=places)

    @rule(scraps=st.lists(st.sampled_from(_SCRAPS), min_size=1, max_size=12))
    def byte_by_byte(self, scraps: list[bytes]) -> None:
        """One stream, one byte at a time."""
        data = b"".join(scraps)
        self.do("decode", data=data.decode("latin-1"), places=list(range(len(data))))

    @rule(length=st.integers(1, 80), limit=st.integers(8, 64), size=st.integers(1, 100))
    def bound(self, length: int, limit: int, size: int) -> None:
        """One line near the bound."""
        self.do("bound", length=length, limit=limit, size=size)


def run(settings: hypothesis.settings | None = None, machine_class: Callable[..., Any] = NDJSONDecoder) -> None:
    """Check a decoder class; raises Disagreement when it is wrong (STR-02)."""
    run_rules(NDJSONRules, machine_class, settings)
