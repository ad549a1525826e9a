"""Batching: who shares a request with whom, when it leaves, and that everybody gets what is theirs."""

from __future__ import annotations

from typing import Final

from conformance.requirement import Level, Requirement

__all__ = ["REQUIREMENTS"]

_BATCHES: Final = frozenset({"batch"})

REQUIREMENTS: Final = (
    Requirement(
        "BAT-01",
        Level.MUST,
        "A shared request leaves when it holds max_batch_size inputs or batch_timeout after its first caller came, "
        "without waiting for another; it never holds more than that or than the provider's own limit.",
        "known defect of naive backends: a batch is flushed only when the next request arrives",
        applies_to=_BATCHES,
        black_box=True,
    ),
    Requirement(
        "BAT-02",
        Level.MUST,
        "Each caller of a shared request gets the answers to its own inputs, in its own order.",
        "providers' documentation: an answer names its input by index or by order",
        applies_to=_BATCHES,
        black_box=True,
    ),
    Requirement(
        "BAT-03",
        Level.MUST,
        "Calls with another model, other parameters or other headers never share a request.",
        "house rule: what a caller asked for is what is sent",
        applies_to=_BATCHES,
        black_box=True,
    ),
    Requirement(
        "BAT-04",
        Level.MUST,
        "An input that the provider refuses fails its own caller alone; an outage fails every caller of the request, "
        "and none is left waiting.",
        "known defect of naive backends: an error of a queued batch loses its futures",
        applies_to=_BATCHES,
        black_box=True,
    ),
    Requirement(
        "BAT-05",
        Level.MUST,
        "Unless it is switched on, every call is a request of its own, sent at once.",
        "house rule: nothing waits that was not asked to",
        applies_to=_BATCHES,
        black_box=True,
    ),
    Requirement(
        "BAT-06",
        Level.MUST,
        "A caller that gives up, waiting or on the way, leaves the others of its request untouched; a request that "
        "nobody waits for is given up.",
        "house rule: cancellation is one caller's own",
        applies_to=_BATCHES,
    ),
    Requirement(
        "BAT-07",
        Level.MUST,
        "What a shared request used is split among its callers exactly and flagged as estimated; every caller counts "
        "once, under its own id; the request has the priority of its highest caller.",
        "providers' documentation: usage is told for a request, not for its inputs",
        applies_to=_BATCHES,
    ),
)
