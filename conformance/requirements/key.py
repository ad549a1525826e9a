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
    Requirement(
        "KEY-13",
        Level.MUST,
        "Keys with weights get calls in proportion to them, evenly spread; one that rests leaves its share to the others.",
        "nginx: smooth weighted round robin; litellm#5410",
        applies_to=frozenset({"keys"}),
        black_box=True,
    ),
    Requirement(
        "KEY-14",
        Level.MUST,
        "Where asked to, calls go to the key with the largest share left of its provider's own rate limits; a key of which "
        "nothing is known counts as fresh, and equals take turns.",
        "vendors' rate-limit headers; recomposesh/recompose#44",
        applies_to=frozenset({"keys", "http"}),
        black_box=True,
    ),
    Requirement(
        "KEY-15",
        Level.MUST,
        "A call that names a key goes with that key and no other: it waits for it, or fails with what the key met, while "
        "calls that name none use them all; without its last key a backend sends nothing.",
        "plan: get a client by name or by strategy",
        applies_to=frozenset({"keys"}),
    ),
    Requirement(
        "KEY-16",
        Level.MUST,
        "A call whose patience is shorter than the wait for its next attempt, or for a cooling key, ends at once with the "
        "failure at hand.",
        "ai-triad-research#1593 (120 s of sleep before the next key is tried)",
        applies_to=frozenset({"http"}),
    ),
    Requirement(
        "KEY-17",
        Level.MUST,
        "A chain goes to its next hop without sleeping when a hop fails through no fault of the request, keeps one request "
        "id and one deadline, and tells why each hop failed; a request at fault itself is sent once.",
        "litellm fallbacks; litellm#34129 (attempts multiply), bifrost#5876",
        applies_to=frozenset({"chat", "http"}),
    ),
    Requirement(
        "KEY-18",
        Level.MUST,
        "A streamed chain goes to its next hop until there is content, and never after it.",
        "anthropic-sdk-python#1258, litellm#32835 (duplicated output)",
        applies_to=frozenset({"chat", "stream"}),
    ),
)
