"""Limits: a concurrency limit that follows the provider, rate budgets per key, a queue bounded by the wait."""

from __future__ import annotations

from typing import Final

from conformance.requirement import Level, Requirement

__all__ = ["REQUIREMENTS"]

REQUIREMENTS: Final = (
    Requirement(
        "LIM-01",
        Level.MUST,
        "An adaptive concurrency limit falls when the provider refuses for overload or rate, and when its answers take longer "
        "than they used to.",
        "Netflix concurrency-limits: Gradient2Limit; RFC 9438: multiplicative decrease",
        applies_to=frozenset({"http"}),
        black_box=True,
    ),
    Requirement(
        "LIM-02",
        Level.MUST,
        "It never leaves the span from 1 to its ceiling, it grows back when the provider answers as usual again, and calls that "
        "were cancelled or ran out of time do not move it.",
        "Netflix concurrency-limits; plan: adaptive queue sizes and concurrency",
        applies_to=frozenset({"http"}),
        black_box=True,
    ),
    Requirement(
        "LIM-03",
        Level.MUST,
        "With a budget of requests per minute the server sees no more than that of a key in any sixty seconds; the others wait "
        "in their order, holding nothing, or end at their deadline.",
        "litellm#5783: rpm and tpm limits are not respected by concurrent calls",
        applies_to=frozenset({"http", "keys"}),
        unasked="a program has its own clock: that no sixty seconds see too many takes minutes of watching it",
    ),
    Requirement(
        "LIM-04",
        Level.MUST,
        "Where asked to, a key that has nothing left by its provider's headers rests until they say it has again, while the "
        "others go on; headers that make no sense are ignored.",
        "rate-limit headers of OpenAI, Groq and Anthropic",
        applies_to=frozenset({"http", "keys"}),
        black_box=True,
    ),
    Requirement(
        "LIM-05",
        Level.MUST,
        "With a bound on the wait, a request that would wait longer at the present rate is refused at once and never sent; a "
        "higher priority counts only those before it.",
        "FIELD: typed queue full; queueing practice: Little's law",
        applies_to=frozenset({"http"}),
        black_box=True,
    ),
)
