"""Traces and metrics for OpenTelemetry, by its semantic conventions for generative AI.

One CLIENT span a call covers its queueing and all its attempts; each attempt that failed is a child span. Attribute and
metric names are those of semantic conventions 1.44; what the conventions have no name for stands under ``backends.``.
Texts of requests and answers and messages of errors are never recorded; keys appear as fingerprints.

It needs the package ``opentelemetry-api``, which only passes on what it is told; the application decides with the SDK
where that goes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from backends.errors import ConfigurationError
from backends.telemetry.events import AttemptEnded, CallEnded, CallFacts, CallStarted, Event, FirstToken

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import Span, TracerProvider

__all__ = ["OpenTelemetry"]

Attributes = dict[str, Any]

_SCHEMA: Final = "https://opentelemetry.io/schemas/1.44.0"
_SCOPE: Final = "backends"
_INSTALL: Final = "OpenTelemetry needs its API package: pip install 'backends-conformance[otel]'"
_NANOSECONDS: Final = 1_000_000_000
_SECONDS: Final = tuple(0.01 * 2**power for power in range(14))
_TOKENS: Final = tuple(4**power for power in range(14))
"""Bucket boundaries that the conventions recommend for durations and for tokens."""

_PROVIDERS: Final = {"claude": "anthropic", "gemini": "gcp.gemini"}
"""Row name -> well-known value of ``gen_ai.provider.name``; every other row's name is its own value."""
_OPERATIONS: Final = {
    "complete": "text_completion",
    "generate": "text_completion",
    "responses": "chat",
    "embed": "embeddings",
    "openai_embed": "embeddings",
    "retrieve": "retrieval",
}
"""Capability -> well-known value of ``gen_ai.operation.name``; every other capability's name is its own value."""
_GEMINI_OPERATIONS: Final = {"chat": "generate_content"}
_MODEL_ATTRIBUTES: Final[Mapping[str, str | None]] = {"s3_kit": "aws.s3.bucket", "llvm": None}
"""What the ``model`` of a call is where it is no model: a bucket; the name of the operation once more."""


class OpenTelemetry:
    """An observer that makes spans and measurements.

    A span's parent is the span that is current where the call was made, in asynchronous and in synchronous callers alike.

    Args:
        tracer_provider, meter_provider: where they come from; the global ones when not given.

    Raises:
        ConfigurationError: the package is not installed; the message is the line that installs it.
    """

    def __init__(
        self, tracer_provider: TracerProvider | None = None, meter_provider: MeterProvider | None = None
    ) -> None:
        try:
            from opentelemetry import metrics, trace
        except ImportError:
            raise ConfigurationError(_INSTALL) from None
        self._trace = trace
        self._tracer = trace.get_tracer(_SCOPE, tracer_provider=tracer_provider, schema_url=_SCHEMA)
        meter = metrics.get_meter(_SCOPE, meter_provider=meter_provider, schema_url=_SCHEMA)
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
        common = _common(call)
        span = self._tracer.start_span(
            _span_name(call, common),
            kind=self._trace.SpanKind.CLIENT,
            attributes={
                **common,
                "backends.request.id": call.request_id,
                "backends.endpoint": call.endpoint,
                "backends.priority": call.priority,
                **({"backends.tenant": call.tenant} if call.tenant is not None else {}),
                **({"gen_ai.request.stream": True} if call.stream else {}),
            },
            start_time=_nanoseconds(call.at),
        )
        self._open[call] = (span, common)

    def _attempted(self, event: AttemptEnded) -> None:
        if event.error is None:
            return
        span, common = self._open[event.call]
        self._failed_attempts.add(1, {**common, "backends.attempt.reason": event.reason})
        told = {
            "backends.attempt.number": event.number,
            "backends.attempt.reason": event.reason,
            "backends.attempt.delay": event.delay,
            "backends.key.fingerprint": event.key,
            "http.response.status_code": event.status,
            "error.type": event.error,
        }
        attempt = self._tracer.start_span(
            "attempt",
            context=self._trace.set_span_in_context(span),
            attributes=_present(told),
            start_time=_nanoseconds(event.at - event.seconds),
        )
        attempt.set_status(self._trace.StatusCode.ERROR)
        attempt.end(_nanoseconds(event.at))

    def _ended(self, event: CallEnded) -> None:
        span, common = self._open.pop(event.call)
        measured = _present({**common, "gen_ai.response.model": event.model, "error.type": _error_type(event)})
        self._durations.record(event.total, measured)
        self._count(event, measured)
        if span.is_recording():
            span.set_attributes(_ending(event))
        if event.outcome == "failure":
            span.set_status(self._trace.StatusCode.ERROR)
        span.end(_nanoseconds(event.call.at + event.total))

    def _count(self, event: CallEnded, measured: Attributes) -> None:
        usage = event.usage
        if usage is not None and not usage.estimated:
            for kind, tokens in (("input", usage.input_tokens), ("output", usage.output_tokens)):
                if tokens is not None:
                    self._tokens.record(tokens, {**measured, "gen_ai.token.type": kind})
        if event.cost is not None:
            self._cost.add(event.cost, measured)


def _common(call: CallFacts) -> Attributes:
    """Return what a call's span and all its measurements have in common."""
    try:
        place = urlsplit(call.base_url)
        address, port = place.hostname, place.port or {"https": 443, "http": 80}.get(place.scheme)
    except ValueError:  # another wire's address
        address = port = None
    common = {
        "gen_ai.operation.name": _operation(call),
        "gen_ai.provider.name": _PROVIDERS.get(call.provider, call.provider),
        "server.address": address,
        "server.port": port if address is not None else None,
    }
    model = _MODEL_ATTRIBUTES.get(call.provider, "gen_ai.request.model")
    if model is not None:
        common[model] = call.model
    return _present(common)


def _operation(call: CallFacts) -> str:
    """Return ``gen_ai.operation.name``; that an answer is streamed is told by an attribute of its own."""
    name = call.operation.removeprefix("stream_")
    if call.provider == "gemini":
        name = _GEMINI_OPERATIONS.get(name, name)
    return _OPERATIONS.get(name, name)


def _ending(event: CallEnded) -> Attributes:
    usage = event.usage
    told: Attributes = {
        "gen_ai.response.model": event.model,
        "gen_ai.response.finish_reasons": (event.finish_reason,) if event.finish_reason is not None else None,
        "gen_ai.response.time_to_first_chunk": event.first_token,
        "error.type": _error_type(event),
        "http.response.status_code": event.status,
        "backends.outcome": event.outcome,
        "backends.attempts": event.attempts,
        "backends.cached": event.cached,
        "backends.cost": event.cost,
        "backends.queued": event.queued,
        "backends.key.fingerprint": event.key,
        "backends.provider_request_id": event.provider_request_id,
    }
    if usage is not None:
        told |= {
            "gen_ai.usage.input_tokens": usage.input_tokens,
            "gen_ai.usage.output_tokens": usage.output_tokens,
            "gen_ai.usage.cache_read.input_tokens": usage.cached_tokens,
            "gen_ai.usage.cache_creation.input_tokens": usage.cache_write_tokens,
            "gen_ai.usage.reasoning.output_tokens": usage.reasoning_tokens,
        }
    return _present(told)


def _span_name(call: CallFacts, common: Attributes) -> str:
    target = call.model if _MODEL_ATTRIBUTES.get(call.provider, "") == "" else None
    return f"{common['gen_ai.operation.name']} {target}" if target else str(common["gen_ai.operation.name"])


def _error_type(event: CallEnded) -> str | None:
    return "cancelled" if event.outcome == "cancelled" else event.error


def _present(attributes: Mapping[str, Any]) -> Attributes:
    return {name: value for name, value in attributes.items() if value is not None}


def _nanoseconds(seconds: float) -> int:
    return int(seconds * _NANOSECONDS)
