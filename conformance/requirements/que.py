"""The queue: limits, order, cancellation, and every request ending exactly once."""

from __future__ import annotations

from typing import Final

from conformance.requirement import Level, Requirement

__all__ = ["REQUIREMENTS"]

REQUIREMENTS: Final = (
    Requirement(
        "QUE-01",
        Level.MUST,
        "The server never has more requests of one endpoint in flight than max_concurrent_requests.",
        "house rule: concurrency limit",
        black_box=True,
    ),
    Requirement(
        "QUE-02",
        Level.MUST,
        "Among the waiting, HIGH goes before NORMAL and NORMAL before LOW, in the order seen at the server.",
        "house rule: priority queue",
        black_box=True,
    ),
    Requirement(
        "QUE-03",
        Level.MUST,
        "Within one priority the waiting go in the order of their arrival.",
        "house rule: priority queue",
        black_box=True,
    ),
    Requirement(
        "QUE-04",
        Level.MUST,
        "With the queue full a further request fails at once with QueueFullError and is never sent; the "
        "policy can be set to wait for room or to displace the lowest instead.",
        "house rule: bounded state",
        black_box=True,
    ),
    Requirement(
        "QUE-05",
        Level.MUST,
        "Every request that was submitted ends exactly once, as a result, an error or a cancellation, "
        "whatever the interleaving.",
        "litellm#20256",
    ),
    Requirement(
        "QUE-06",
        Level.MUST,
        "A request cancelled while it waits is never sent.",
        "litellm#20256",
        black_box=True,
    ),
    Requirement(
        "QUE-07",
        Level.MUST,
        "A request cancelled in flight gives back its slot, key and probe, and its connection is closed.",
        "litellm#20256; maverick-mcp#272",
        black_box=True,
    ),
    Requirement(
        "QUE-08",
        Level.MUST,
        "One object serves many threads and several event loops, in turn and at once, and goes on working "
        "after a fork.",
        "asyncio clients bound to one loop: the field's most common complaint",
        applies_to=frozenset({"sync"}),
    ),
    Requirement(
        "QUE-09",
        Level.MUST,
        "The limits of concurrency and of the queue can be changed while requests are under way, and hold "
        "from then on.",
        "house rule: live settings",
    ),
    Requirement(
        "QUE-10",
        Level.MUST,
        "queue_status tells the waiting by priority, the active requests, the limits and how long the oldest "
        "has waited.",
        "public interface; public interface: report()",
    ),
    Requirement(
        "QUE-11",
        Level.MUST,
        "A request that waits for its retry holds no slot and no key: others pass.",
        "known defect of naive backends: slot held while sleeping",
        black_box=True,
    ),
    Requirement(
        "QUE-12",
        Level.MUST,
        "An open stream holds its slot until its end; closed early or dropped, it gives the slot back.",
        "ai-gateway#199",
        applies_to=frozenset({"stream"}),
        black_box=True,
    ),
    Requirement(
        "QUE-13",
        Level.SHOULD,
        "A LOW request is not passed over for ever: waiting lifts it.",
        "queueing practice: starvation",
    ),
    Requirement(
        "QUE-14",
        Level.MUST,
        "Adding to and taking from the queue stays fast with a million waiting.",
        "known defect of naive backends: queue sorted on every insertion",
        traffic=False,
    ),
    Requirement(
        "QUE-15",
        Level.MUST,
        "Whatever callers, operator, provider and clock do, and in whatever order, each request ends exactly once, the "
        "limits hold, the counters add up, and an idle or closed backend holds nothing.",
        "house rule: the whole path of a call is searched, not only its parts",
        applies_to=frozenset({"http"}),
    ),
)
