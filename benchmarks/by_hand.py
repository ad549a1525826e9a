"""What logging and OpenTelemetry cost by themselves: the same record, span and measurements as ours, made by hand.

What is written is taken from one call that was watched, so it stays the same when the observers change. It measures
nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final

from benchmarks import workload
from benchmarks.in_memory import AtOnce

__all__ = ["Telemetry", "logging_alone"]

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


async def _watched(observer: Any) -> None:
    """Make one call under an observer."""
    from backends import OpenAI

    async with OpenAI(
        api_key=workload.KEY,
        base_url="http://127.0.0.1:9/v1",
        model=workload.MODEL,
        transport=AtOnce(),
        observers=[observer],
    ) as backend:
        await backend.achat(workload.MESSAGES)


class _Keeping(logging.Handler):
    """Keeps the last record."""

    kept: logging.LogRecord

    def emit(self, record: logging.LogRecord) -> None:
        self.kept = record


async def logging_alone(logger: logging.Logger) -> Callable[[], None]:
    """Return what logs the record of a call, with the standard library alone."""
    from backends.telemetry.logs import CallLog

    own, keeping = logging.Logger("benchmark", logging.INFO), _Keeping()
    own.addHandler(keeping)
    await _watched(CallLog(own))
    record = keeping.kept
    extra = {name: value for name, value in vars(record).items() if name not in _STANDARD}
    words, arguments = str(record.msg), record.args or ()

    def log() -> None:
        logger.info(words, *arguments, extra=extra)

    return log


class Telemetry:
    """OpenTelemetry with its SDK, spans exported into memory.

    Raises:
        ImportError: the SDK is not installed.

    Attributes:
        observer: ours.
    """

    def __init__(self) -> None:
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import InMemoryMetricReader
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

        from backends.telemetry.otel import OpenTelemetry

        self._spans = InMemorySpanExporter()
        self._tracers = TracerProvider(shutdown_on_exit=False)
        self._tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        self._reader = InMemoryMetricReader()
        self._meters = MeterProvider([self._reader], shutdown_on_exit=False)
        self.observer = OpenTelemetry(self._tracers, self._meters)

    def without_sdk(self) -> Any:
        """Return our observer over an API that does nothing."""
        from opentelemetry.metrics import NoOpMeterProvider
        from opentelemetry.trace import NoOpTracerProvider

        from backends.telemetry.otel import OpenTelemetry

        return OpenTelemetry(NoOpTracerProvider(), NoOpMeterProvider())

    def forget(self) -> None:
        """Throw away the spans, as an exporter does that has sent them."""
        self._spans.clear()

    async def sdk_alone(self) -> Callable[[], None]:
        """Return what makes the span and the measurements of a call with the SDK alone, all attributes ready."""
        await _watched(self.observer)
        (span,) = self._spans.get_finished_spans()
        name, kind, attributes = span.name, span.kind, dict(span.attributes or {})
        begin, end = span.start_time, span.end_time
        self.forget()
        data = self._reader.get_metrics_data()
        assert data is not None
        tracer, meter = self._tracers.get_tracer("by hand"), self._meters.get_meter("by hand")
        points: list[tuple[Callable[..., None], float, dict[str, Any]]] = []
        for metric in data.resource_metrics[0].scope_metrics[0].metrics:
            for point in metric.data.data_points:
                told: Any = point
                if hasattr(told, "explicit_bounds"):
                    histogram = meter.create_histogram(
                        metric.name, metric.unit or "", explicit_bucket_boundaries_advisory=told.explicit_bounds
                    )
                    points.append((histogram.record, told.sum, dict(told.attributes)))
                elif metric.name.endswith("cost"):
                    points.append(
                        (meter.create_counter(metric.name, metric.unit or "").add, told.value, dict(told.attributes))
                    )

        def make() -> None:
            made = tracer.start_span(name, kind=kind, attributes=attributes, start_time=begin)
            made.end(end)
            for measure, value, told in points:
                measure(value, told)

        return make
