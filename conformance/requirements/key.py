"""Credentials: where keys come from, how many share the work, and where they must never show."""

from __future__ import annotations

from typing import Final

from conformance.requirement import Level, Requirement

__all__ = ["REQUIREMENTS"]

REQUIREMENTS: Final = (
    Requirement(
        "KEY-01",
        Level.MUST,
        "A credential given as an argument wins over metadata, metadata over the environment, the environment "
        "over the credentials file; the environment is read under the provider's official names.",
        "official client libraries; house rule: one chain",
        applies_to=frozenset({"keys"}),
    ),
    Requirement(
        "KEY-02",
        Level.MUST,
        "A credentials file that is malformed is reported with file, line and field and never with a value; "
        "one that others can read is refused with the command that mends it.",
        "house rule: hostile input, named remedy",
        applies_to=frozenset({"keys"}),
        traffic=False,
    ),
    Requirement(
        "KEY-03",
        Level.MUST,
        "Where a key is required and none is found, the call fails before anything is sent and names the "
        "variables to set; a server that needs no key is called without one.",
        "official client libraries fail at construction with the variable's name",
        applies_to=frozenset({"keys"}),
        black_box=True,
        traffic=False,
    ),
    Requirement(
        "KEY-04",
        Level.MUST,
        "Round robin spreads calls over the keys so that their counts differ by at most one; least-loaded "
        "takes the key with the fewest requests in flight and rotates among equals.",
        "litellm routing strategies; house rule: multiplexing",
        applies_to=frozenset({"keys"}),
        black_box=True,
    ),
    Requirement(
        "KEY-05",
        Level.MUST,
        "An answer 429 rests the key it was sent with for as long as the provider asked, and no other; the "
        "request itself goes on with another key.",
        "per-key rate limits of every vendor; bifrost#5876",
        applies_to=frozenset({"keys"}),
        black_box=True,
    ),
    Requirement(
        "KEY-06",
        Level.MUST,
        "An answer 401, 402 or 403 takes the key out of service and the next one is tried without waiting, "
        "over every healthy key and whatever the number of retries.",
        "bifrost#5876",
        applies_to=frozenset({"keys"}),
        black_box=True,
    ),
    Requirement(
        "KEY-07",
        Level.MUST,
        "What each key used adds up to the totals, and no key counts a request in flight while the backend is "
        "idle: not after cancels, streams or errors.",
        "litellm#39322; litellm#1783",
        applies_to=frozenset({"keys"}),
    ),
    Requirement(
        "KEY-08",
        Level.MUST,
        "Keys can be added, rotated and removed while calls are under way; what is in flight ends on the key "
        "it began with.",
        "operational rotation; bifrost key reload",
        applies_to=frozenset({"keys"}),
    ),
    Requirement(
        "KEY-09",
        Level.MUST,
        "The key of one endpoint reaches no other endpoint, and no key follows a redirect to another host.",
        "RFC 9110 15.4; CVE-2018-18074 (requests)",
        applies_to=frozenset({"keys"}),
        black_box=True,
    ),
    Requirement(
        "KEY-10",
        Level.MUST,
        "A key travels in a header and never in an address, and shows in no representation, message, "
        "traceback, log record, report or pickle.",
        "OWASP logging guidance",
        applies_to=frozenset({"keys"}),
        black_box=True,
    ),
    Requirement(
        "KEY-11",
        Level.SHOULD,
        "Calls that begin with the same long text stay on one key while it is healthy, so that the provider's "
        "prompt cache can serve them.",
        "vendors' prompt caching is per organisation or key",
        applies_to=frozenset({"keys"}),
    ),
    Requirement(
        "KEY-12",
        Level.MUST,
        "A limit of requests in flight per key holds, seen at the server.",
        "house rule: multiplexing",
        applies_to=frozenset({"keys"}),
    ),
)
