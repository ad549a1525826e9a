"""Saboteurs of chapter TRK: trackers that miscount, invent or grow."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from backends.telemetry.metrics import Metrics
from backends.types import Usage
from conformance.saboteurs import EVERY_ROW, saboteur
from conformance.saboteurs.common import replying


@saboteur("TRK-01", "gives every request the same id", subjects=EVERY_ROW)
def one_id_for_all(backend: Any) -> None:
    """The id belongs to the backend."""
    first = backend._ids()
    backend._ids = lambda: first


@saboteur("TRK-01", "makes ids of a counter")
def counts_instead_of_ids(backend: Any) -> None:
    """Unique in this process, and nowhere else."""
    numbers = iter(range(1, 10**9))
    backend._ids = lambda: f"request-{next(numbers)}"


@saboteur("TRK-02", "counts requests that were cancelled as nothing", subjects=EVERY_ROW)
def forgets_cancellations(backend: Any) -> None:
    """Requests minus endings grows with every impatient user."""
    finish = backend._finished

    def spoilt(call: Any, endpoint: Any, outcome: Any, *rest: Any) -> None:
        if outcome != "cancelled":
            finish(call, endpoint, outcome, *rest)

    backend._finished = spoilt


@saboteur("TRK-03", "estimates tokens and calls them the provider's")
def invents_tokens(backend: Any) -> None:
    """Four characters are a token."""
    replying(backend, lambda reply: replace(reply, usage=Usage(len(reply.text) // 4 + 1, len(reply.text) // 4 + 1)))


@saboteur("TRK-03", "takes a zero of the provider for a missing count")
def zero_is_missing(backend: Any) -> None:
    """``or None`` (litellm#37992)."""
    replying(
        backend,
        lambda reply: replace(
            reply,
            usage=replace(
                reply.usage,
                input_tokens=reply.usage.input_tokens or None,
                output_tokens=reply.usage.output_tokens or None,
            ),
        ),
    )


def _with_metrics(backend: Any, kind: type[Metrics]) -> None:
    backend._metrics = kind(backend._clock.monotonic(), backend._clock.time())


@saboteur("TRK-04", "counts only successes per endpoint")
def flatters_endpoints(backend: Any) -> None:
    """The parts are smaller than the whole."""
    finish = backend._finished

    def spoilt(call: Any, endpoint: Any, outcome: Any, error: Any, usage: Any, first: Any) -> None:
        if outcome == "failure":
            call.model = None

            class Nameless:
                name = "unknown"

            endpoint = Nameless()
        finish(call, endpoint, outcome, error, usage, first)

    backend._finished = spoilt


@saboteur("TRK-05", "starts the clock when the slot is granted")
def forgets_the_queue(backend: Any) -> None:
    """Latency without the wait looks splendid under load."""
    make = backend._call

    def spoilt(*arguments: Any) -> Any:
        call = make(*arguments)
        attempt = call.attempt

        async def late(own: Any, key: Any) -> Any:
            own.started = backend._clock.monotonic()
            own.queued = 0.0
            return await attempt(own, key)

        call.attempt = late
        return call

    backend._call = spoilt


@saboteur("TRK-06", "keeps every latency in a list")
def keeps_everything(backend: Any) -> None:
    """The sketch of the original plan."""

    class Hoarder(Metrics):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            self.latencies: list[float] = []
            super().__init__(*arguments, **options)

        def finished(self, *arguments: Any, **facts: Any) -> None:
            self.latencies.append(facts["total"])
            super().finished(*arguments, **facts)

    _with_metrics(backend, Hoarder)


@saboteur("TRK-07", "reports without the promised success rate")
def incomplete_report(backend: Any) -> None:
    """A field is missing."""
    report = backend.report

    def spoilt() -> dict[str, Any]:
        told: dict[str, Any] = report()
        del told["success_rate"]
        return told

    backend.report = spoilt


@saboteur("TRK-07", "does not reset")
def remembers_everything(backend: Any) -> None:
    """reset_metrics returns, and nothing changes."""
    backend.reset_metrics = lambda: None
