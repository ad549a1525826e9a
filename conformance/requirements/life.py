"""Life cycle: what importing, building, closing and moving between loops and threads may do."""

from __future__ import annotations

from typing import Final

from conformance.requirement import Level, Requirement

__all__ = ["REQUIREMENTS"]

REQUIREMENTS: Final = (
    Requirement(
        "LIFE-01",
        Level.MUST,
        "Importing and building do no network or file access, read no key and start no thread.",
        "users of other clients: importing opens no socket",
        traffic=False,
    ),
    Requirement(
        "LIFE-02",
        Level.MUST,
        "After close no task, thread, socket or warning is left.",
        "asyncio development mode: unclosed resources",
    ),
    Requirement(
        "LIFE-03",
        Level.MUST,
        "One object works over two runs of an event loop, two loops at once, two threads and a fork.",
        "users of other clients: same client from two loops and two threads",
        applies_to=frozenset({"sync"}),
    ),
    Requirement(
        "LIFE-04",
        Level.MUST,
        "Every asynchronous call has a synchronous twin with the same parameters, results and errors.",
        "any-llm test_api_signature",
        applies_to=frozenset({"sync"}),
    ),
    Requirement(
        "LIFE-05",
        Level.MUST,
        "Under threads and event loops at once, whatever the interleaving, each call ends once, the limits hold, the counters "
        "add up, and an idle or closed backend holds nothing.",
        "house rule: one object serves threads and loops at once",
        applies_to=frozenset({"http", "sync"}),
    ),
)
