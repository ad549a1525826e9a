"""Traces and metrics for OpenTelemetry, by its semantic conventions for generative AI.

One CLIENT span a call covers its queueing and all its attempts; each attempt that failed is a child span. Attribute and
metric names are those of semantic conventions 1.44; what the conventions have no name for stands under ``backends.``.
Texts of requests and answers and messages of errors are never recorded; keys appear as fingerprints.

It needs the package ``opentelemetry-api``, which only passes on what it is told; the application decides with the SDK
where that goes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from backends.errors import ConfigurationError
from backends.telemetry import otel_names
from backends.telemetry.events import AttemptEnded, CallEnded, CallFacts, CallStarted, Event, FirstToken, Interest
from backends.telemetry.otel_names import INSTALL, SCHEMA, SCOPE, Attributes

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import Span, TracerProvider

__all__ = ["OpenTelemetry"]

_NANOSECONDS: Final = 1_000_000_000
_SECONDS: Final = tuple(0.01 * 2**power for power in range(14))
_TOKENS: Final = tuple(4**power for power in range(14))
"""Bucket boundaries that the conventions recommend for durations and for tokens."""

_MOST_SHARED: Final = 1024
"""Kinds of calls whose common attributes are remembered."""


class OpenTelemetry:
    """An observer that makes spans and measurements.

    A span's parent is the span that is current where the call was made, in asynchronous and in synchronous callers alike.

    Args:
        tracer_provider, meter_provider: where they come from; the global ones when not given.

    Raises:
        ConfigurationError: the package is not installed; the message is the line that installs it.
    """

    interest = Interest.STARTS | Interest.FAILED_ATTEMPTS | Interest.FIRST_TOKENS | Interest.ENDS

    def __init__(
        self, tracer_provider: TracerProvider | None = None, meter_provider: MeterProvider | None = None
    ) -> None:
        try:
            from opentelemetry import metrics, trace
        except ImportError:
            raise ConfigurationError(INSTALL) from None
        self._trace = trace
        self._tracer = trace.get_tracer(SCOPE, tracer_provider=tracer_provider, schema_url=SCHEMA)
        meter = metrics.get_meter(SCOPE, meter_provider=meter_provider, schema_url=SCHEMA)
        self._durations = meter.create_histogram(
            "gen_ai.client.operation.duration",
            unit="s",
            description="GenAI operation duration.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
        self._first_chunks = meter.create_histogram(
            "gen_ai.client.operation.time_to_first_chunk",
            unit="s",
            description="Time to the first chunk of a streamed answer.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
        self._tokens = meter.create_histogram(
            "gen_ai.client.token.usage",
            unit="{token}",
            description="Number of input and output tokens used.",
            explicit_bucket_boundaries_advisory=_TOKENS,
        )
        self._failed_attempts = meter.create_counter(
            "backends.client.failed_attempts", unit="{attempt}", description="Attempts that failed, by reason."
        )
        self._cost = meter.create_counter("backends.client.cost", unit="{USD}", description="Cost where it is known.")
        self._open: dict[CallFacts, tuple[Span, Attributes]] = {}
        self._shared: dict[tuple[str, str, str | None, str], tuple[str, Attributes]] = {}

    def __call__(self, event: Event, /) -> None:
        """Begin or end a span, or measure."""
        if isinstance(event, CallStarted):
            self._started(event.call)
        elif isinstance(event, AttemptEnded):
            self._attempted(event)
        elif isinstance(event, FirstToken):
            self._first_chunks.record(event.seconds, self._open[event.call][1])
        else:
            self._ended(event)

    def _started(self, call: CallFacts) -> None:
        name, shared = self._shared_by(call)
        span = self._tracer.start_span(
            name,
            kind=self._trace.SpanKind.CLIENT,
            attributes=otel_names.starting(call, shared),
            start_time=_nanoseconds(call.at),
        )
        self._open[call] = (span, shared)

    def _shared_by(self, call: CallFacts) -> tuple[str, Attributes]:
        """Return the span's name and the attributes that calls of this kind share; nobody may change them."""
        kind = (call.provider, call.operation, call.model, call.base_url)
        found = self._shared.get(kind)
        if found is None:
            shared = otel_names.common(call)
            if len(self._shared) >= _MOST_SHARED:
                self._shared.clear()
            found = self._shared[kind] = (otel_names.span_name(call, shared), shared)
        return found

    def _attempted(self, event: AttemptEnded) -> None:
        if event.error is None:
            return
        span, shared = self._open[event.call]
        self._failed_attempts.add(1, {**shared, "backends.attempt.reason": event.reason})
        attempt = self._tracer.start_span(
            "attempt",
            context=self._trace.set_span_in_context(span),
            attributes=otel_names.attempted(event),
            start_time=_nanoseconds(event.at - event.seconds),
        )
        attempt.set_status(self._trace.StatusCode.ERROR)
        attempt.end(_nanoseconds(event.at))

    def _ended(self, event: CallEnded) -> None:
        span, shared = self._open.pop(event.call)
        measured = otel_names.measured(event, shared)
        self._durations.record(event.total, measured)
        self._count(event, measured)
        if span.is_recording():
            span.set_attributes(otel_names.ending(event))
        if event.outcome == "failure":
            span.set_status(self._trace.StatusCode.ERROR)
        span.end(_nanoseconds(event.call.at + event.total))

    def _count(self, event: CallEnded, measured: Attributes) -> None:
        if event.cost is not None:
            self._cost.add(event.cost, measured)
        usage = event.usage
        if usage is None or usage.estimated:
            return
        if usage.input_tokens is not None:
            self._tokens.record(usage.input_tokens, {**measured, "gen_ai.token.type": "input"})
        if usage.output_tokens is not None:
            self._tokens.record(usage.output_tokens, {**measured, "gen_ai.token.type": "output"})


def _nanoseconds(seconds: float) -> int:
    return int(seconds * _NANOSECONDS)
