"""Chapter TRK: ids, counters, tokens, latencies, and none of it growing with use."""

from __future__ import annotations

import asyncio
import sys
import uuid
from typing import Any

from backends import errors
from backends.telemetry.metrics import Metrics
from backends.telemetry.report import schema
from conformance.check import check
from conformance.checks.common import elsewhere, marked
from conformance.simulators.faults import Drop, Replace, SlowFirstByte, Status
from conformance.trial import Trial


@check("TRK-01")
async def trk_01(trial: Trial) -> None:
    """Every request has a UUID of its own, on the reply, on the error, and on the wire where the provider takes one."""
    backend = await trial.backend(max_retries=1, initial_retry_delay=0.01)
    replies = [await trial.call(backend) for _ in range(3)]
    ids = [reply.request_id for reply in replies]
    for text in ids:
        trial.equal(str(uuid.UUID(text)), text, "the id of a reply is a UUID")
    trial.equal(len(set(ids)), 3, "different ids of three requests")
    trial.fault(Status(400), nth=1)
    async with trial.raises(errors.InvalidRequestError) as caught:
        await trial.call(backend)
    trial.expect(caught.error.request_id and caught.error.request_id not in ids, "an error without an id of its own")
    header = type(backend).provider.client_request_id_header
    if header is not None:
        sent = [seen.header(header.lower()) for seen in trial.requests]
        trial.equal(sent, [*ids, caught.error.request_id], "ids on the wire")
    field = trial.subject.request_id_field
    if field is not None:
        sent = [seen.json.get(field) for seen in trial.requests]
        trial.equal(sent, [*ids, caught.error.request_id], "ids in the bodies on the wire")
    own = str(uuid.UUID(int=7))
    trial.equal((await trial.call(backend, request_id=own)).request_id, own, "an id of the caller's own")
    async with trial.raises(errors.InvalidRequestError, "an id that is no UUID"):
        await trial.call(backend, request_id="seven")


@check("TRK-02")
async def trk_02(trial: Trial) -> None:
    """While idle, requests equal successes plus failures plus cancellations."""
    backend = await trial.backend(max_retries=0, failure_threshold=1000, max_concurrent_requests=2, queue_size=4)
    trial.fault(Status(500), nth=(2, 4))
    results = await trial.outcomes(trial.call(backend, marked(number)) for number in range(9))
    trial.sim.hold()
    doomed = trial.spawn(trial.call(backend))
    await trial.sim.until(held=1)
    doomed.cancel()
    await asyncio.gather(doomed, return_exceptions=True)
    trial.sim.let_go()
    if trial.subject.stream is not None:
        await trial.stream(backend).collect()
        stream = trial.stream(backend)
        await anext(stream)
        await stream.aclose()
    report = backend.report()
    failed = sum(isinstance(result, errors.BackendError) for result in results)
    streams = trial.subject.stream is not None
    expected = {
        "total_requests": 10 + 2 * streams,
        "successes": 9 - failed + streams,
        "failures": failed,
        "cancelled": 1 + streams,
        "active_requests": 0,
    }
    trial.equal({name: report[name] for name in expected}, expected, "counters")
    trial.close_to(
        report["success_rate"], expected["successes"] / (expected["successes"] + failed), "success rate", 1e-9
    )


@check("TRK-03")
async def trk_03(trial: Trial) -> None:
    """Token counts are the provider's, in whole answers and in streams; a zero is its zero and a missing count stays missing."""
    backend = await trial.backend()
    where = trial.subject.usage_fields
    reply = await trial.call(backend, "one two three")
    trial.expect(
        (reply.usage.input_tokens or 0) > 0 and (reply.usage.output_tokens or 0) > 0, f"no counts: {reply.usage}"
    )
    trial.expect(not reply.usage.estimated, "the provider's counts are marked as estimates")
    trial.fault(Replace(where[0], 12_345), nth=1)
    trial.fault(Replace(where[1], 0), nth=1)
    changed = await trial.call(backend, "one two three")
    trial.equal(
        (changed.usage.input_tokens, changed.usage.output_tokens),
        (12_345, 0),
        "counts when the provider says 12345 and 0",
    )
    if trial.subject.missing_usage is not None:
        trial.fault(Drop(trial.subject.missing_usage), nth=1)
        silent = await trial.call(backend, "one two three")
        counts = (silent.usage.input_tokens, silent.usage.output_tokens)
        trial.expect(
            counts == (None, None) or silent.usage.estimated, f"counts when the provider gives none: {silent.usage}"
        )
    if trial.subject.stream is not None:
        stream = trial.stream(backend, "one two three")
        last = None
        async for chunk in stream:
            last = chunk.usage or last
        trial.equal(
            stream.reply.usage.input_tokens, reply.usage.input_tokens, "input tokens of the same text in a stream"
        )
        trial.equal(last, stream.reply.usage, "counts on the chunk that reports them")
    total = backend.report()["tokens"]["input"]
    trial.expect(total >= 12_345 + (reply.usage.input_tokens or 0), f"tokens in the report: {total}")


@check("TRK-04")
async def trk_04(trial: Trial) -> None:
    """Counts per model, key, endpoint and error class add up to the totals."""
    backend = await trial.backend(max_retries=0, failure_threshold=1000, queue_size=1000)
    other = await trial.another_simulator()
    backend.create_endpoint("other", **elsewhere(trial, other))
    trial.fault(Status(500), nth=2)
    trial.fault(Status(404), nth=3)
    for number in range(5):
        await trial.outcomes([trial.call(backend, marked(number))])
    for number in range(3):
        await trial.call(backend, marked(number), endpoint="other")
    report = backend.report()
    trial.equal(report["total_requests"], 8, "requests")
    trial.equal(report["failures"], 2, "failures")
    trial.equal(sum(report["errors"].values()), 2, f"errors by class: {report['errors']}")
    trial.equal(sum(row["requests"] for row in report["models"].values()), 8, "requests per model together")
    by_endpoint = {name: row["counters"]["requests"] for name, row in report["endpoints"].items()}
    trial.equal(by_endpoint, {"default": 5, "other": 3}, "requests per endpoint")
    by_key = {
        name: sum(key["requests"] for key in row["keys"]) for name, row in report["endpoints"].items() if row["keys"]
    }
    trial.expect(all(by_endpoint[name] == count for name, count in by_key.items()), f"requests per key: {by_key}")
    trial.equal(report["attempts"], len(trial.requests) + len(other.requests), "attempts and requests at the servers")


@check("TRK-05")
async def trk_05(trial: Trial) -> None:
    """Waiting time, time to the first token and total time are reported, with percentiles that match what happened."""
    backend = await trial.backend(max_concurrent_requests=1, queue_size=100)
    for number, seconds in enumerate((1.0, 2.0, 3.0, 4.0), 1):
        trial.fault(SlowFirstByte(seconds), nth=number)
    calls = [trial.spawn(trial.call(backend, marked(number))) for number in range(4)]
    replies = await asyncio.gather(*calls)
    latency = backend.report()["latency"]
    totals = sorted(reply.latency for reply in replies)
    for reply, low in zip(replies, (1.0, 3.0, 6.0, 10.0), strict=True):
        trial.close_to(reply.latency, low, "latency on the reply, waiting included", 0.2)
    trial.equal(latency["total"]["count"], 4, "latencies counted")
    trial.close_to(latency["total"]["max"], totals[-1], "the longest", 0.2)
    trial.close_to(latency["total"]["p50"], 4.5, "the median of 1, 3, 6 and 10 s lies between 3 and 6", 1.8)
    trial.close_to(latency["total"]["mean"], 5.0, "the mean", 0.2)
    trial.close_to(latency["queued"]["max"], 6.0, "the longest wait in the queue", 0.2)
    if trial.subject.stream is not None:
        trial.fault(SlowFirstByte(7.0), nth=1)
        await trial.stream(backend).collect()
        trial.close_to(backend.report()["latency"]["first_token"]["max"], 7.0, "time to the first token", 0.3)


@check("TRK-06")
async def trk_06(trial: Trial) -> None:
    """After many thousand requests the tracker is no larger than after a few."""
    backend = await trial.backend()
    await trial.call(backend)
    metrics = backend._metrics
    trial.expect(isinstance(metrics, Metrics), "the tracker is not the one whose size is known")
    sizes = []
    for count in (2_000, 40_000):
        for number in range(count):
            metrics.started()
            metrics.retried(f"reason {number}")
            metrics.finished(
                "failure" if number % 3 else "success",
                model=f"model-{number}",
                endpoint="default",
                error=f"Error{number}",
                queued=number / 1000,
                first_token=None,
                total=number / 100,
                usage=None,
                attempts=1,
            )
        sizes.append(_size(metrics, set()))
    trial.expect(sizes[1] <= sizes[0] * 1.05 + 4096, f"the tracker grew from {sizes[0]} to {sizes[1]} bytes")


def _size(value: Any, seen: set[int]) -> int:
    """Return the bytes of a value and all that it holds."""
    if id(value) in seen:
        return 0
    seen.add(id(value))
    total = sys.getsizeof(value)
    if isinstance(value, dict):
        total += sum(_size(key, seen) + _size(item, seen) for key, item in value.items())
    elif isinstance(value, list | tuple | set | frozenset):
        total += sum(_size(item, seen) for item in value)
    elif not isinstance(value, type) and not callable(value):
        total += _size(getattr(value, "__dict__", {}), seen)
        for kind in type(value).__mro__:
            total += sum(_size(getattr(value, name, None), seen) for name in getattr(kind, "__slots__", ()) or ())
    return total


@check("TRK-07")
async def trk_07(trial: Trial) -> None:
    """report() has the documented shape, valid against its schema, and reset_metrics starts counting anew."""
    import jsonschema

    backend = await trial.backend(max_retries=1, initial_retry_delay=0.01)
    trial.fault(Status(503), nth=1)
    await trial.call(backend)
    report = backend.report()
    problems = [problem.message for problem in jsonschema.Draft202012Validator(schema()).iter_errors(report)]
    trial.equal(problems, [], "differences from the schema")
    promised = {
        "timestamp", "api_name", "uptime_seconds", "total_requests", "success_rate", "latency", "queue", "circuit_breaker",
        "errors", "throughput", "models",
    }  # fmt: skip
    trial.expect(promised <= set(report), f"the report lacks {sorted(promised - set(report))}")
    trial.equal(report["api_name"], trial.subject.name, "api_name")
    trial.equal((report["total_requests"], report["attempts"]), (1, 2), "requests and attempts")
    trial.equal(backend.get_metrics_report()["total_requests"], 1, "get_metrics_report() is the same report")
    backend.reset_metrics()
    after = backend.report()
    trial.equal(
        (after["total_requests"], after["attempts"], after["latency"]["total"]["count"]),
        (0, 0, 0),
        "counters after the reset",
    )
    await trial.call(backend)
    trial.equal(backend.report()["total_requests"], 1, "requests counted after the reset")
