"""The limits of backends as readings of the moment: what there is, what is in use, what is left, who rests.

Pure: it turns a report into names, labels and numbers. Prometheus and OpenTelemetry show the same readings under their own names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["READINGS", "Kind", "Labels", "Reading", "readings"]

Labels = dict[str, str]


@dataclass(frozen=True, slots=True)
class Kind:
    """What a reading is of.

    Attributes:
        unit: by the code for units of measure (UCUM).
        told: what it is, in a sentence.
    """

    unit: str
    told: str


READINGS: Final[Mapping[str, Kind]] = {
    "queue.waiting": Kind("{request}", "Requests waiting for a slot, by priority."),
    "queue.active": Kind("{request}", "Slots in use."),
    "queue.slots": Kind("{request}", "Slots there are now: the limit, where it is adaptive as it stands."),
    "queue.ceiling": Kind("{request}", "The most slots that an adaptive limit may give."),
    "queue.size": Kind("{request}", "Requests that may wait."),
    "queue.oldest_wait": Kind("s", "How long the oldest waiting request has waited."),
    "queue.expected_wait": Kind("s", "How long an arrival of normal priority is expected to wait."),
    "queue.held_back": Kind("s", "How long nobody starts, because no key has budget."),
    "retry_budget.left": Kind("{retry}", "Repeats that the retry budget holds."),
    "breaker.state": Kind("1", "1 for the state that the circuit breaker is in, 0 for the others."),
    "breaker.retry_after": Kind("s", "How long until the circuit breaker lets a probe through, 0 unless it is open."),
    "keys": Kind("{key}", "Keys by state; those that rest are cooling."),
    "key.rest": Kind("s", "How long a key rests until it is used again, 0 unless it is cooling."),
    "rate.limit": Kind(
        "1", "What a key, or a server without keys, may be asked for a minute, by kind and by who says so."
    ),
    "rate.left": Kind("1", "What is left of it now."),
    "rate.reset": Kind("s", "How long until the provider makes it whole again, where it says so."),
}
"""Name -> what it is."""

_PRIORITIES: Final = ("high", "normal", "low")
_BREAKER_STATES: Final = ("closed", "open", "half_open")
_KEY_STATES: Final = ("ready", "cooling", "retired")

Reading = tuple[str, Labels, float]


def readings(report: Mapping[str, Any]) -> Iterator[Reading]:
    """Yield every reading of a backend's report: name, labels (``endpoint`` and whatever tells further) and number."""
    for endpoint, described in report["endpoints"].items():
        yield from _of(endpoint, described)


def _of(endpoint: str, described: Mapping[str, Any]) -> Iterator[Reading]:
    place = {"endpoint": endpoint}
    queue, breaker = described["queue"], described["circuit_breaker"]
    for priority in _PRIORITIES:
        yield "queue.waiting", {**place, "priority": priority}, queue["waiting"][priority]
    yield "queue.active", place, queue["active"]
    yield "queue.slots", place, queue["max_concurrent_requests"]
    if queue["adaptive"] is not None:
        yield "queue.ceiling", place, queue["adaptive"]["ceiling"]
    yield "queue.size", place, queue["queue_size"]
    yield "queue.oldest_wait", place, queue["oldest_wait_seconds"]
    yield "queue.expected_wait", place, queue["expected_wait_seconds"]
    yield "queue.held_back", place, queue["held_back_seconds"]
    if queue["retry_budget"] is not None:
        yield "retry_budget.left", place, queue["retry_budget"]["left"]
    for state in _BREAKER_STATES:
        yield "breaker.state", {**place, "state": state}, int(state == breaker["state"])
    yield "breaker.retry_after", place, breaker["retry_after"]
    for state in _KEY_STATES:
        yield "keys", {**place, "state": state}, queue["keys"][state]
    for key in described["keys"]:
        if key["state"] in _KEY_STATES:  # one that was removed may be back under the same fingerprint
            yield "key.rest", {**place, "key": key["fingerprint"]}, key["cooling_for"]
    for rate in queue["rates"]:
        labels = {**place, "key": rate["key"] or "", "kind": rate["kind"], "source": rate["source"]}
        for name, value in (("limit", rate["limit"]), ("left", rate["left"]), ("reset", rate["resets_in"])):
            if value is not None:
                yield f"rate.{name}", labels, value
