"""The circuit breaker: what opens it, what may pass, what closes it."""

from __future__ import annotations

from typing import Final

from conformance.requirement import Level, Requirement

__all__ = ["REQUIREMENTS"]

REQUIREMENTS: Final = (
    Requirement(
        "BRK-01",
        Level.MUST,
        "As many outage-class failures in a row as the threshold open the breaker; a success before that "
        "starts the count anew.",
        "Nygard, Release It!; known defect of naive backends: count never reset",
        black_box=True,
    ),
    Requirement(
        "BRK-02",
        Level.MUST,
        "While it is open a call fails at once, sends nothing and says when to come back.",
        "Nygard, Release It!",
        black_box=True,
    ),
    Requirement(
        "BRK-03",
        Level.MUST,
        "After reset_timeout exactly one request goes through as a probe; the others still fail at once.",
        "known defect of naive backends: everyone admitted in HALF-OPEN",
        black_box=True,
    ),
    Requirement(
        "BRK-04",
        Level.MUST,
        "A probe that succeeds closes the breaker and clears its count; one that fails opens it again with a "
        "fresh timer.",
        "resilience4j semantics",
    ),
    Requirement(
        "BRK-05",
        Level.MUST,
        "Answers 4xx, 429 included, never open the breaker.",
        "house rule: only outages feed the breaker",
        black_box=True,
    ),
    Requirement(
        "BRK-06",
        Level.MUST,
        "A probe that is cancelled or expires makes room for the next one: HALF-OPEN cannot be wedged.",
        "maverick-mcp#272",
    ),
    Requirement(
        "BRK-07",
        Level.MUST,
        "A success that was under way when the breaker opened does not close it.",
        "ray#65068",
    ),
    Requirement(
        "BRK-08",
        Level.MUST,
        "A stream that dies counts as a failure when it dies; one that the caller leaves does not count.",
        "ai-gateway#136; ai-gateway#199",
        applies_to=frozenset({"stream"}),
    ),
    Requirement(
        "BRK-09",
        Level.MUST,
        "The breaker of one endpoint leaves the others alone, and the same failure of one request on two keys "
        "counts once.",
        "opencode-go-multi-auth#6",
        black_box=True,
    ),
    Requirement(
        "BRK-10",
        Level.MUST,
        "Every transition is recorded with monotonic and wall time, and only the legal ones exist.",
        "house rule: observable state machines",
    ),
)
