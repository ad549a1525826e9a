"""What an OpenTelemetry SDK receives of a backend's observer, kept in memory for checks to look at. It judges nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from backends.telemetry.otel import OpenTelemetry

__all__ = ["Collector", "collecting"]


class Collector:
    """What an OpenTelemetry SDK received, kept in memory."""

    def __init__(self) -> None:
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import InMemoryMetricReader
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

        self._spans = InMemorySpanExporter()
        self._reader = InMemoryMetricReader()
        self._tracers = TracerProvider(shutdown_on_exit=False)
        self._tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        self._meters = MeterProvider([self._reader], shutdown_on_exit=False)
        self.observer = OpenTelemetry(self._tracers, self._meters)

    def close(self) -> None:
        """Let the SDK go."""
        self._tracers.shutdown()
        self._meters.shutdown()

    def spans(self) -> list[Any]:
        """Return the spans that ended, in that order."""
        return list(self._spans.get_finished_spans())

    def points(self) -> list[tuple[str, Any]]:
        """Return name and data point of every measurement."""
        data = self._reader.get_metrics_data()
        found: list[tuple[str, Any]] = []
        for resource in data.resource_metrics if data is not None else ():
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    found.extend((metric.name, point) for point in metric.data.data_points)
        return found


@contextmanager
def collecting() -> Iterator[Collector]:
    """Collect while the block runs."""
    collector = Collector()
    try:
        yield collector
    finally:
        collector.close()
