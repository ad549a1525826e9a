"""Retries and backoff: what is repeated, when, how often, and what is never repeated."""

from __future__ import annotations

from typing import Final

from conformance.requirement import Level, Requirement

__all__ = ["REQUIREMENTS"]

REQUIREMENTS: Final = (
    Requirement(
        "BAK-01",
        Level.MUST,
        "Answers 408, 409, 429, 5xx and 529, refused or reset connections and read timeouts before an answer "
        "are tried again; 400, 401, 403, 404, 413 and 422 are sent once; a provider's own words go before the status.",
        "official client libraries' retry tables; RFC 9110 15",
        black_box=True,
    ),
    Requirement(
        "BAK-02",
        Level.MUST,
        "The n-th delay is the smaller of initial * factor^n and the maximum, varied by up to the jitter "
        "share both ways, also at the maximum.",
        "AWS Architecture Blog, exponential backoff and jitter",
    ),
    Requirement(
        "BAK-03",
        Level.MUST,
        "A request is on the wire at most one time more than max_retries; nothing beneath repeats it a second "
        "time; the last error tells the attempts and its cause.",
        "litellm#34129",
        black_box=True,
    ),
    Requirement(
        "BAK-04",
        Level.MUST,
        "The latest answer's hint is a floor for the next delay, in every dialect: retry-after-ms, seconds, "
        "fractions, dates, spelled durations, RetryInfo, rate-limit resets; nonsense is ignored.",
        "litellm#20722; RFC 9110 10.2.3; google.rpc.RetryInfo",
        black_box=True,
    ),
    Requirement(
        "BAK-05",
        Level.MUST,
        "A hint longer than allowed, or one that ends after the deadline, fails the call at once instead of sleeping.",
        "users of other clients: Retry-After 1e9",
    ),
    Requirement(
        "BAK-06",
        Level.MUST,
        "The deadline covers waiting in the queue, retries and the reading of a stream.",
        "house rule: one deadline",
    ),
    Requirement(
        "BAK-07",
        Level.MUST,
        "The header x-should-retry decides about a repeat, both ways.",
        "openai-python and anthropic-sdk-python",
        black_box=True,
    ),
    Requirement(
        "BAK-08",
        Level.MUST,
        "Used-up credit, spend limits and daily quotas are not tried again.",
        "OpenAI error codes: insufficient_quota",
        black_box=True,
    ),
    Requirement(
        "BAK-09",
        Level.MUST,
        "A repeated request is the same to the byte and carries the same idempotency key where the provider takes one.",
        "draft-ietf-httpapi-idempotency-key-header",
        black_box=True,
    ),
    Requirement(
        "BAK-10",
        Level.MUST,
        "Once a stream has given content it is not started again; before that it may be.",
        "house rule: replay safety",
        applies_to=frozenset({"stream"}),
        black_box=True,
    ),
    Requirement(
        "BAK-11",
        Level.SHOULD,
        "Retries over all requests are bounded by a share of the requests, so that a dead provider sees "
        "little more traffic than a healthy one.",
        "Google SRE book, handling overload: retry budgets",
    ),
)
