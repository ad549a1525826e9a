"""Chapter TRK, second part: what those who watch are told of a call: observers, logs, traces, measurements and metrics."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from backends import errors
from backends.telemetry.events import AttemptEnded, CallEnded, CallStarted, Event, FirstToken
from backends.telemetry.logs import CallLog
from backends.telemetry.prometheus import render
from conformance.check import check
from conformance.checks.collected import collecting
from conformance.checks.common import marked
from conformance.simulators.faults import Status
from conformance.simulators.record import fingerprint
from conformance.subject import PLANTED_KEY
from conformance.trial import Trial

_OWN: Final = "backends."


def _unofficial(names: set[str], kind: str) -> list[str]:
    """Return which of the names the official package lacks; ``kind`` is ``attributes`` or ``metrics``."""
    others = {name for name in names if not name.startswith(_OWN)}
    known: set[str] = set()
    for area in {name.partition(".")[0] for name in others}:
        if find_spec(f"opentelemetry.semconv._incubating.{kind}.{area}_{kind}") is not None:
            module = import_module(f"opentelemetry.semconv._incubating.{kind}.{area}_{kind}")
            known.update(value for name, value in vars(module).items() if name.isupper() and isinstance(value, str))
    return sorted(others - known)


async def _busy(trial: Trial, backend: Any) -> tuple[Any, Any, int]:
    """Make a call that is repeated once, one that fails, one that is cancelled and a stream where there are streams.

    Returns:
        the reply of the first, the error of the second, and how many calls were made.
    """
    start = len(trial.requests)
    trial.fault(Status(503), nth=start + 1)
    trial.fault(Status(503), nth=(start + 3, start + 4))
    reply = await trial.call(backend, marked(1))
    async with trial.raises(errors.ServerError) as caught:
        await trial.call(backend, marked(2))
    trial.sim.hold()
    doomed = trial.spawn(trial.call(backend, marked(3)))
    await trial.sim.until(held=1)
    doomed.cancel()
    await asyncio.gather(doomed, return_exceptions=True)
    trial.sim.let_go()
    if trial.subject.stream is None:
        return reply, caught.error, 3
    await trial.stream(backend, marked(4)).collect()
    return reply, caught.error, 4


@check("TRK-09")
async def trk_09(trial: Trial) -> None:
    """OpenTelemetry is told of a call as one span that covers all its attempts, and in measurements, under the names of
    the semantic conventions for generative AI."""
    with collecting() as collector:
        backend = await trial.backend(observers=[collector.observer], max_retries=1, initial_retry_delay=5.0)
        reply, error, calls = await _busy(trial, backend)
        spans, points = collector.spans(), collector.points()
    trial.equal([one["failures"] for one in backend.report()["observers"]], [0], "failures of the observer")
    _names_are_official(trial, spans, points)
    whole = [span for span in spans if span.kind.name == "CLIENT"]
    trial.equal(len(whole), calls, "spans of calls")
    first, failed, cancelled = (dict(span.attributes) for span in whole[:3])
    for attributes in (first, failed, cancelled):
        trial.expect(attributes.get("gen_ai.provider.name"), "a span without gen_ai.provider.name")
        operation = attributes.get("gen_ai.operation.name")
        trial.expect(
            operation and whole[0].name.startswith(operation), "a span whose name does not begin with its operation"
        )
    trial.equal(first.get("backends.request.id"), reply.request_id, "the request's id on its span")
    trial.equal(first.get("gen_ai.usage.input_tokens"), reply.usage.input_tokens, "input tokens on the span")
    trial.expect(
        (whole[0].end_time - whole[0].start_time) / 1e9 >= 4.0, "the span does not cover the wait between two attempts"
    )
    attempts = [span for span in spans if span.parent is not None and span.parent.span_id == whole[0].context.span_id]
    trial.equal(
        [span.attributes["http.response.status_code"] for span in attempts], [503], "failed attempts under the span"
    )
    trial.equal(failed.get("error.type"), type(error).__name__, "error.type of a failure")
    outcomes = [whole[number].status.status_code.name for number in range(3)]
    trial.equal(outcomes, ["UNSET", "ERROR", "UNSET"], "status of a success, a failure and a cancellation")
    _measured(trial, points, reply, calls)


def _names_are_official(trial: Trial, spans: list[Any], points: list[tuple[str, Any]]) -> None:
    attributes = {name for span in spans for name in span.attributes}
    attributes |= {name for _, point in points for name in point.attributes}
    trial.equal(_unofficial(attributes, "attributes"), [], "attributes that the conventions do not have")
    trial.equal(_unofficial({name for name, _ in points}, "metrics"), [], "metrics that the conventions do not have")


def _measured(trial: Trial, points: list[tuple[str, Any]], reply: Any, calls: int) -> None:
    durations = [point for name, point in points if name == "gen_ai.client.operation.duration"]
    trial.equal(sum(point.count for point in durations), calls, "durations measured")
    failed = [point.value for name, point in points if name == "backends.client.failed_attempts"]
    trial.equal(sum(failed), 3, "failed attempts measured")
    if reply.usage.input_tokens is not None:
        tokens = [
            point
            for name, point in points
            if name == "gen_ai.client.token.usage" and point.attributes["gen_ai.token.type"] == "input"
        ]
        trial.expect(sum(point.sum for point in tokens) >= reply.usage.input_tokens, "input tokens were not measured")
    if trial.subject.stream is not None:
        first = [point for name, point in points if name == "gen_ai.client.operation.time_to_first_chunk"]
        trial.equal(sum(point.count for point in first), 1, "times to the first chunk measured")


class _Broken:
    """An observer that fails at everything."""

    def __call__(self, event: Event, /) -> None:
        """Fail."""
        raise RuntimeError("this observer is broken")


@check("TRK-10")
async def trk_10(trial: Trial) -> None:
    """Observers are told of every call's start, of each attempt and of its end, once each and in order; one that fails
    breaks no call and deafens no other, is counted in the report and logged once."""
    events: list[Event] = []
    with _listening(logging.WARNING) as written:
        backend = await trial.backend(
            observers=[_Broken(), events.append], max_retries=1, initial_retry_delay=5.0, failure_threshold=1000
        )
        try:
            reply, error, calls = await _busy(trial, backend)
        except RuntimeError:
            trial.expect(False, "the error of an observer reached the caller")
            raise
    told: dict[str, list[Any]] = {}
    for event in events:
        told.setdefault(event.call.request_id, []).append(event)
    trial.equal(len(told), calls, "calls that the observer heard of")
    shapes = [[type(event) for event in one] for one in told.values()]
    once, twice = ([CallStarted, *[AttemptEnded] * attempts, CallEnded] for attempts in (1, 2))
    trial.equal(shapes[:3], [twice, twice, once], "events of the calls")
    if trial.subject.stream is not None:
        trial.equal(shapes[3], [CallStarted, AttemptEnded, FirstToken, CallEnded], "events of a stream")
    repeated, answered, ended = told[reply.request_id][1:]
    trial.equal((repeated.number, repeated.status), (1, 503), "number and status of the first attempt")
    trial.close_to(repeated.delay, 5.0, "the delay before the next attempt", 1.1)
    trial.equal((answered.number, answered.reason, answered.delay), (2, "answered", None), "the second attempt")
    trial.equal((ended.outcome, ended.attempts, ended.usage), ("success", 2, reply.usage), "the end of the call")
    trial.close_to(ended.total, reply.latency, "the total time", 0.1)
    last = told[error.request_id][-1]
    trial.equal((last.outcome, last.error, last.status), ("failure", type(error).__name__, 503), "the end of a failure")
    outcomes = [one[-1].outcome for one in told.values()]
    trial.equal(outcomes[2:3], ["cancelled"], "the end of a call that was cancelled")
    failures = [one["failures"] for one in backend.report()["observers"]]
    trial.equal(failures, [len(events), 0], "failures in the report")
    records = [line for line in written.getvalue().splitlines() if _Broken.__name__ in line]
    trial.equal(len(records), 1, "log records about the broken observer")


@contextmanager
def _listening(level: int) -> Iterator[io.StringIO]:
    """Return what the library logs meanwhile, each record with all that it carries."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(_Everything())
    logger = logging.getLogger("backends")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(level)
    try:
        yield written
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


class _Everything(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """Return the message, the traceback and every attribute."""
        return f"{super().format(record)} {vars(record)!r}"


@check("TRK-11")
async def trk_11(trial: Trial) -> None:
    """What observers, logs, traces and metrics are told holds the fingerprint of the key that was used, and neither the
    key nor text of the request or answer."""
    shown: dict[str, str] = {}
    events: list[Event] = []
    echo = {"error": {"message": f"no {PLANTED_KEY} and {marked(2)}", "code": PLANTED_KEY, "type": PLANTED_KEY}}
    with collecting() as collector, _listening(logging.DEBUG) as written:
        backend = await trial.backend(
            observers=[events.append, CallLog(), collector.observer], max_retries=1, initial_retry_delay=0.01
        )
        trial.fault(Status(503, body=echo), nth=1)
        trial.fault(Status(503, body=echo), nth=(3, 4))
        reply = await trial.call(backend, marked(1))
        async with trial.raises(errors.BackendError):
            await trial.call(backend, marked(2))
        spans, points = collector.spans(), collector.points()
    shown["events"] = repr(events)
    shown["log"] = written.getvalue()
    shown["traces"] = "".join(span.to_json() for span in spans)
    shown["metrics for Prometheus"] = render([backend])
    for place, text in shown.items():
        trial.expect(fingerprint(PLANTED_KEY) in text, f"no fingerprint in the {place}: the search may look at nothing")
    shown["measurements"] = repr(points)
    shown["report"] = json.dumps(backend.report())
    answer = getattr(reply, "text", None) or "no text"
    for place, text in shown.items():
        trial.expect(PLANTED_KEY not in text, f"the key shows in the {place}")
        trial.expect("call-number-" not in text, f"text of a request shows in the {place}")
        trial.expect(answer not in text, f"text of an answer shows in the {place}")
