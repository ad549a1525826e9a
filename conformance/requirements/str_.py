"""Streams: every byte counts, however it is cut, and an end is only what the provider announced as one."""

from __future__ import annotations

from typing import Final

from conformance.requirement import Level, Requirement

__all__ = ["REQUIREMENTS"]

REQUIREMENTS: Final = (
    Requirement(
        "STR-01",
        Level.MUST,
        "The chunks joined are the whole text, and the first one arrives before the server has sent the last.",
        "WHATWG HTML 9.2, server-sent events",
        applies_to=frozenset({"stream"}),
        black_box=True,
    ),
    Requirement(
        "STR-02",
        Level.MUST,
        "The same bytes give the same events however they are split: inside lines, inside characters, with "
        "any line ending, with a byte order mark.",
        "WHATWG HTML 9.2.6",
        applies_to=frozenset({"stream"}),
    ),
    Requirement(
        "STR-03",
        Level.MUST,
        "An error event inside an answer 200 raises a typed error, with the partial text when content had come.",
        "users of other clients: SSE error after 200",
        applies_to=frozenset({"stream"}),
        black_box=True,
    ),
    Requirement(
        "STR-04",
        Level.MUST,
        "A stream that ends without its terminator is an error, not an end.",
        "users of other clients: truncated final chunk",
        applies_to=frozenset({"stream"}),
        black_box=True,
    ),
    Requirement(
        "STR-05",
        Level.MUST,
        "The token counts of a stream arrive with its last chunk and stand on its reply.",
        "OpenAI stream_options.include_usage",
        applies_to=frozenset({"stream", "usage"}),
        black_box=True,
    ),
    Requirement(
        "STR-06",
        Level.MUST,
        "Pings, comments, unknown events and blank choices change nothing.",
        "WHATWG HTML 9.2.6; Azure OpenAI empty choices",
        applies_to=frozenset({"stream"}),
        black_box=True,
    ),
    Requirement(
        "STR-07",
        Level.MUST,
        "The pieces of a tool call assemble to the whole call.",
        "OpenAI chat streaming: tool_calls deltas",
        applies_to=frozenset({"stream", "tools"}),
        black_box=True,
    ),
    Requirement(
        "STR-08",
        Level.MUST,
        "A stream that is slow to begin, or stalls between chunks, fails after the time set for that.",
        "users of other clients: stalled streams",
        applies_to=frozenset({"stream"}),
        black_box=True,
    ),
    Requirement(
        "STR-09",
        Level.MUST,
        "A consumer slower than the server costs a bounded amount of memory.",
        "TCP backpressure; house rule: bounded state",
        applies_to=frozenset({"stream"}),
    ),
    Requirement(
        "STR-10",
        Level.MUST,
        "A stream without any content and without its terminator is an error.",
        "users of other clients: empty streams taken for answers",
        applies_to=frozenset({"stream"}),
    ),
)
