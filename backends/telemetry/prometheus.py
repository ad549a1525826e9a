"""Metrics for Prometheus: the reports of any number of backends as one page of its text format (0.0.4).

Serve what :func:`render` returns under any path with the content type :data:`CONTENT_TYPE`. Nothing here counts, keeps
state, opens a port or shows a key: labels hold fingerprints.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Protocol

from backends.telemetry.limits import READINGS, Labels, readings

__all__ = ["CONTENT_TYPE", "FAMILIES", "Reporting", "render"]

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
"""The ``Content-Type`` that Prometheus expects with this text."""


def _family(reading: str) -> str:
    """Return the name under which a reading of the limits stands here."""
    return f"backends_{reading.replace('.', '_')}{'_seconds' if READINGS[reading].unit == 's' else ''}"


FAMILIES: Final[Mapping[str, tuple[str, str]]] = {
    "backends_uptime_seconds": ("gauge", "Seconds since the start or the last reset of the counters."),
    "backends_requests_total": ("counter", "Finished requests by outcome."),
    "backends_requests_active": ("gauge", "Requests started and not finished."),
    "backends_attempts_total": ("counter", "Requests on the wire."),
    "backends_retries_total": ("counter", "Repeats by what made them necessary."),
    "backends_errors_total": ("counter", "Failed requests by error class."),
    "backends_tokens_total": ("counter", "Tokens by direction."),
    "backends_token_details_total": ("counter", "Tokens of a kind; each is contained in one direction's count."),
    "backends_requests_without_usage_total": ("counter", "Successes whose tokens are unknown or estimated."),
    "backends_request_duration_seconds": ("summary", "Submission to end of successful requests, waiting included."),
    "backends_queue_duration_seconds": ("summary", "Time spent waiting for a slot."),
    "backends_first_token_seconds": ("summary", "Submission to first content of streams."),
    "backends_model_requests_total": ("counter", "Finished requests by model and outcome."),
    "backends_model_tokens_total": ("counter", "Tokens by model and direction."),
    "backends_model_cost_dollars_total": ("counter", "What is known to have been charged, in US dollars, by model."),
    "backends_requests_of_unknown_cost_total": ("counter", "Requests that were charged nobody knows what, by model."),
    "backends_tenant_requests_total": ("counter", "Finished requests by tenant and outcome."),
    "backends_tenant_tokens_total": ("counter", "Tokens by tenant and direction."),
    "backends_tenant_cost_dollars_total": ("counter", "What is known to have been charged, in US dollars, by tenant."),
    "backends_endpoint_requests_total": ("counter", "Finished requests by endpoint and outcome."),
    "backends_queue_refused_total": ("counter", "Requests turned away by a full queue, by how."),
    "backends_retry_budget_decisions_total": ("counter", "Repeats that the retry budget granted or denied."),
    "backends_breaker_opened_total": ("counter", "How often the circuit breaker opened."),
    "backends_key_requests_total": ("counter", "Outcomes recorded for a key."),
    "backends_key_failures_total": ("counter", "Failures recorded for a key."),
    "backends_key_tokens_total": ("counter", "Tokens by key and direction."),
    "backends_key_in_flight": ("gauge", "Requests in flight on a key."),
    "backends_key_state": ("gauge", "1 for the state that a key is in, 0 for the others."),
    "backends_cache_total": ("counter", "Calls that met a cache, by what it did."),
    "backends_batch_requests_total": ("counter", "Requests that shared a wire call."),
    "backends_batch_wire_calls_total": ("counter", "Wire calls that carried more than one request."),
    "backends_observer_failures_total": ("counter", "Events that an observer failed on."),
    **{_family(name): ("gauge", kind.told) for name, kind in READINGS.items()},
}
"""Name -> type and help of all that is ever written; a summary has ``_sum`` and ``_count`` besides its quantiles."""

_OUTCOMES: Final = {"success": "successes", "failure": "failures", "cancelled": "cancelled"}
_DIRECTIONS: Final = {"input": "input_tokens", "output": "output_tokens"}
_DETAILS: Final = ("cached", "cache_write", "reasoning", "audio")
_QUANTILES: Final = {"0.5": "p50", "0.9": "p90", "0.95": "p95", "0.99": "p99"}
_LATENCIES: Final = {
    "total": "backends_request_duration_seconds",
    "queued": "backends_queue_duration_seconds",
    "first_token": "backends_first_token_seconds",
}
_KEY_STATES: Final = ("ready", "cooling", "retired")

Sample = tuple[str, Labels, float | None]


class Reporting(Protocol):
    """Anything with a report: every backend."""

    def report(self) -> dict[str, Any]:
        """Return counters, latencies, queue, breaker, keys and endpoints."""
        ...


def render(backends: Iterable[Reporting] | Mapping[str, Reporting]) -> str:
    """Return the page.

    Args:
        backends: what is reported. The label ``backend`` is the row name, with ``#2`` and so on behind it for further ones
            of the same row; a mapping gives names of your own.
    """
    page = _Page()
    for name, report in _named(backends):
        for family, labels, value in _samples(report):
            page.add(family, {"backend": name, **labels}, value)
    return page.text()


def _named(backends: Iterable[Reporting] | Mapping[str, Reporting]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(backends, Mapping):
        yield from ((name, backend.report()) for name, backend in backends.items())
        return
    seen: dict[str, int] = {}
    for backend in backends:
        report = backend.report()
        row = report["api_name"]
        seen[row] = seen.get(row, 0) + 1
        yield (row if seen[row] == 1 else f"{row}#{seen[row]}"), report


class _Page:
    """Samples gathered by family, so that each family is written in one piece; what has the same labels is added up."""

    def __init__(self) -> None:
        self._samples: dict[str, dict[tuple[str, str], float]] = {}

    def add(self, name: str, labels: Labels, value: float | None) -> None:
        """Add one sample; None means that there is nothing to say."""
        if value is None:
            return
        family = name if name in FAMILIES else name.rpartition("_")[0]
        found = self._samples.setdefault(family, {})
        place = (name, ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items()))
        found[place] = found.get(place, 0) + value

    def text(self) -> str:
        """Return all families that have samples, in their order."""
        lines: list[str] = []
        for family, (kind, told) in FAMILIES.items():
            samples = self._samples.get(family)
            if samples:
                lines += [f"# HELP {family} {told}", f"# TYPE {family} {kind}"]
                lines += [f"{name}{{{labels}}} {_number(value)}" for (name, labels), value in samples.items()]
        return "\n".join(lines) + "\n" if lines else ""


def _samples(report: Mapping[str, Any]) -> Iterator[Sample]:
    tokens = report["tokens"]
    yield "backends_uptime_seconds", {}, report["uptime_seconds"]
    yield from _rows("backends_requests_total", "outcome", _OUTCOMES, report)
    yield "backends_requests_active", {}, report["active_requests"]
    yield "backends_attempts_total", {}, report["attempts"]
    for name, label, counts in (
        ("backends_retries_total", "reason", report["retries"]),
        ("backends_errors_total", "error", report["errors"]),
    ):
        for key, count in counts.items():
            yield name, {label: key}, count
    yield from _rows("backends_tokens_total", "direction", {"input": "input", "output": "output"}, tokens)
    yield from _rows("backends_token_details_total", "kind", {kind: kind for kind in _DETAILS}, tokens)
    yield "backends_requests_without_usage_total", {"usage": "estimated"}, tokens["estimated_requests"]
    yield "backends_requests_without_usage_total", {"usage": "unknown"}, tokens["unreported_requests"]
    for phase, name in _LATENCIES.items():
        yield from _summary(name, report["latency"][phase])
    for model, row in report["models"].items():
        yield from _rows("backends_model_requests_total", "outcome", _OUTCOMES, row, model=model)
        yield from _rows("backends_model_tokens_total", "direction", _DIRECTIONS, row, model=model)
        yield "backends_model_cost_dollars_total", {"model": model}, row["cost"]
        yield "backends_requests_of_unknown_cost_total", {"model": model}, row["unknown_costs"]
    for tenant, row in report["tenants"].items():
        yield from _rows("backends_tenant_requests_total", "outcome", _OUTCOMES, row, tenant=tenant)
        yield from _rows("backends_tenant_tokens_total", "direction", _DIRECTIONS, row, tenant=tenant)
        yield "backends_tenant_cost_dollars_total", {"tenant": tenant}, row["cost"]
    for event, count in report["cache"].items():
        if event != "hits":  # the sum of others
            yield "backends_cache_total", {"event": event}, count
    yield "backends_batch_requests_total", {}, report["batching"]["requests"]
    yield "backends_batch_wire_calls_total", {}, report["batching"]["wire_calls"]
    for endpoint, described in report["endpoints"].items():
        yield from _endpoint(endpoint, described)
    for name, labels, value in readings(report):
        yield _family(name), labels, value
    for observer in report.get("observers", ()):
        yield "backends_observer_failures_total", {"observer": observer["observer"]}, observer["failures"]


def _endpoint(endpoint: str, described: Mapping[str, Any]) -> Iterator[Sample]:
    place = {"endpoint": endpoint}
    queue, breaker = described["queue"], described["circuit_breaker"]
    if described["counters"]:
        yield from _rows("backends_endpoint_requests_total", "outcome", _OUTCOMES, described["counters"], **place)
    yield from _rows(
        "backends_queue_refused_total", "how", {"rejected": "rejected", "dropped": "dropped"}, queue, **place
    )
    if queue["retry_budget"] is not None:
        decisions = {"granted": "granted", "denied": "denied"}
        yield from _rows("backends_retry_budget_decisions_total", "decision", decisions, queue["retry_budget"], **place)
    yield "backends_breaker_opened_total", place, breaker["opened"]
    for key in described["keys"]:
        held = {**place, "key": key["fingerprint"] or "(removed)"}
        yield "backends_key_requests_total", held, key["requests"]
        yield "backends_key_failures_total", held, key["failures"]
        yield from _rows("backends_key_tokens_total", "direction", _DIRECTIONS, key, **held)
        yield "backends_key_in_flight", held, key["in_flight"]
        if key["state"] in _KEY_STATES:  # one that was removed may be back under the same fingerprint
            yield from _states("backends_key_state", _KEY_STATES, key["state"], held)


def _rows(name: str, label: str, fields: Mapping[str, str], row: Mapping[str, Any], **labels: str) -> Iterator[Sample]:
    """One sample a field: ``fields`` maps the label's value to the field that holds the number."""
    for value, field in fields.items():
        yield name, {**labels, label: value}, row[field]


def _states(name: str, states: tuple[str, ...], current: str, labels: Labels) -> Iterator[Sample]:
    for state in states:
        yield name, {**labels, "state": state}, int(state == current)


def _summary(name: str, histogram: Mapping[str, Any]) -> Iterator[Sample]:
    for quantile, field in _QUANTILES.items():
        yield name, {"quantile": quantile}, histogram[field]
    count = histogram["count"]
    yield f"{name}_sum", {}, histogram["mean"] * count if count else 0.0
    yield f"{name}_count", {}, count


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    return repr(value)
