"""Tracking: identity, counters, tokens, latency, cost, and none of it growing with use."""

from __future__ import annotations

from typing import Final

from conformance.requirement import Level, Requirement

__all__ = ["REQUIREMENTS"]

REQUIREMENTS: Final = (
    Requirement(
        "TRK-01",
        Level.MUST,
        "Every request has a UUID of its own, on the reply, on the error, and on the wire where the provider "
        "takes one.",
        "public interface: request ids; OpenAI X-Client-Request-Id",
    ),
    Requirement(
        "TRK-02",
        Level.MUST,
        "While idle, requests equal successes plus failures plus cancellations.",
        "litellm#39322",
    ),
    Requirement(
        "TRK-03",
        Level.MUST,
        "Token counts are the provider's, in whole answers and in streams; a zero is its zero, a missing "
        "count stays missing and an estimate is marked.",
        "users of other clients: zero usage reported as zero",
        applies_to=frozenset({"usage"}),
        black_box=True,
    ),
    Requirement(
        "TRK-04",
        Level.MUST,
        "Counts per model, key, endpoint and error class add up to the totals.",
        "public interface: report()",
    ),
    Requirement(
        "TRK-05",
        Level.MUST,
        "Waiting time, time to the first token and total time are reported with percentiles that match what happened.",
        "public interface: report()",
    ),
    Requirement(
        "TRK-06",
        Level.MUST,
        "After a million requests the tracker is no larger than after a few.",
        "known defect of naive backends: latencies kept in lists",
    ),
    Requirement(
        "TRK-07",
        Level.MUST,
        "report() has the documented shape, valid against its schema, and reset_metrics starts counting anew.",
        "public interface",
    ),
    Requirement(
        "TRK-08",
        Level.MUST,
        "Cost prices cached, cache-write, reasoning and audio tokens apart; an unknown figure gives None; "
        "prices carry source and date; a stream that broke off is charged for what came; a call that a budget has no "
        "room for is not sent.",
        "vendors' price pages; users of other clients: silent zero costs",
        applies_to=frozenset({"cost"}),
    ),
    Requirement(
        "TRK-09",
        Level.MUST,
        "OpenTelemetry is told of a call as one span that covers all its attempts, and in measurements, under the "
        "names of the semantic conventions for generative AI.",
        "OpenTelemetry semantic conventions 1.44: gen_ai spans and metrics",
    ),
    Requirement(
        "TRK-10",
        Level.MUST,
        "Observers are told of every call's start, of each attempt and of its end, once each and in order; one that "
        "fails breaks no call and deafens no other, is counted in the report and logged once.",
        "public interface: observers; users of other clients: a failing callback fails the request",
    ),
    Requirement(
        "TRK-11",
        Level.MUST,
        "What observers, logs, traces and metrics are told holds the fingerprint of the key that was used, and "
        "neither the key nor text of the request or answer.",
        "OWASP logging guidance; CWE-532",
        applies_to=frozenset({"keys"}),
    ),
)
