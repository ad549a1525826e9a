"""OpenTelemetry: names of the official package, spans and measurements in memory, and the same over OTLP."""

from __future__ import annotations

import asyncio
import gzip
import threading
from collections.abc import Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes, server_attributes
from opentelemetry.semconv._incubating.attributes.gen_ai_attributes import (
    GenAiOperationNameValues,
    GenAiProviderNameValues,
    GenAiTokenTypeValues,
)
from opentelemetry.semconv._incubating.metrics import gen_ai_metrics
from opentelemetry.semconv.attributes import error_attributes, http_attributes
from opentelemetry.semconv.schemas import Schemas
from opentelemetry.trace import SpanKind, StatusCode
from telemetry_bench import ANSWER, ASKED, KEY, QUESTION, answering, busy

from backends import errors
from backends.secret import Key
from backends.telemetry import otel_names
from backends.telemetry.events import CallFacts
from backends.telemetry.otel import OpenTelemetry


class Collector:
    """An SDK that keeps everything in memory."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.reader = InMemoryMetricReader()
        self.tracers = TracerProvider(shutdown_on_exit=False)
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.meters = MeterProvider([self.reader], shutdown_on_exit=False)
        self.observer = OpenTelemetry(self.tracers, self.meters)

    @property
    def spans(self) -> list[ReadableSpan]:
        return list(self.exporter.get_finished_spans())

    def points(self, name: str) -> list[Any]:
        data = self.reader.get_metrics_data()
        assert data is not None
        metrics = data.resource_metrics[0].scope_metrics[0].metrics
        return [point for metric in metrics if metric.name == name for point in metric.data.data_points]


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.tracers.shutdown()
    made.meters.shutdown()


async def test_a_call_is_one_span_with_the_official_names(collector: Collector) -> None:
    await busy([collector.observer])
    attempt, first, *_ = collector.spans
    assert (first.name, first.kind, first.status.status_code) == ("chat gpt-test", SpanKind.CLIENT, StatusCode.UNSET)
    told = dict(first.attributes or {})
    assert told[gen_ai_attributes.GEN_AI_OPERATION_NAME] == GenAiOperationNameValues.CHAT.value
    assert told[gen_ai_attributes.GEN_AI_PROVIDER_NAME] == GenAiProviderNameValues.OPENAI.value
    assert told[gen_ai_attributes.GEN_AI_REQUEST_MODEL] == "gpt-test"
    assert told[gen_ai_attributes.GEN_AI_RESPONSE_MODEL] == "gpt-test-2026"
    assert told[gen_ai_attributes.GEN_AI_RESPONSE_FINISH_REASONS] == ("stop",)
    assert told[gen_ai_attributes.GEN_AI_USAGE_INPUT_TOKENS] == 7
    assert told[gen_ai_attributes.GEN_AI_USAGE_OUTPUT_TOKENS] == 5
    assert (told[server_attributes.SERVER_ADDRESS], told[server_attributes.SERVER_PORT]) == ("api.openai.com", 443)
    assert told["backends.key.fingerprint"] == Key(KEY).fingerprint
    assert attempt.parent is not None
    assert attempt.parent.span_id == first.context.span_id
    assert dict(attempt.attributes or {})[http_attributes.HTTP_RESPONSE_STATUS_CODE] == 503
    assert first.instrumentation_scope is not None
    assert first.instrumentation_scope.schema_url == Schemas.V1_44_0.value


async def test_failures_cancellations_and_streams(collector: Collector) -> None:
    await busy([collector.observer])
    calls = [span for span in collector.spans if span.kind is SpanKind.CLIENT]
    assert [span.status.status_code.name for span in calls] == ["UNSET", "ERROR", "UNSET", "UNSET"]
    told = [dict(span.attributes or {}) for span in calls]
    assert [one.get(error_attributes.ERROR_TYPE) for one in told] == [None, "InvalidRequestError", "cancelled", None]
    assert [one["backends.outcome"] for one in told] == ["success", "failure", "cancelled", "success"]
    assert [one.get(gen_ai_attributes.GEN_AI_REQUEST_STREAM) for one in told] == [None, None, None, True]
    assert told[3][gen_ai_attributes.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK] == 0.0
    assert collector.observer._open == {}, "a span that nobody will end"


async def test_a_span_takes_the_time_of_the_call(collector: Collector) -> None:
    await answering(503, 200, jitter=0.0, initial_retry_delay=4.0, observers=[collector.observer]).achat(ASKED)
    call = collector.spans[-1]
    assert call.start_time == 1_795_001_000 * 10**9
    assert call.end_time == 1_795_001_004 * 10**9


async def test_measurements(collector: Collector) -> None:
    await busy([collector.observer])
    durations = collector.points(gen_ai_metrics.GEN_AI_CLIENT_OPERATION_DURATION)
    assert sum(point.count for point in durations) == 4
    assert {point.attributes.get("error.type") for point in durations} == {None, "InvalidRequestError", "cancelled"}
    assert tuple(durations[0].explicit_bounds) == pytest.approx(
        [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92]
    )
    tokens = {
        point.attributes[gen_ai_attributes.GEN_AI_TOKEN_TYPE]: (point.sum, point.explicit_bounds[-1])
        for point in collector.points(gen_ai_metrics.GEN_AI_CLIENT_TOKEN_USAGE)
        if point.attributes[gen_ai_attributes.GEN_AI_RESPONSE_MODEL] == "gpt-test-2026"
    }
    assert tokens == {
        GenAiTokenTypeValues.INPUT.value: (14, 67_108_864),
        GenAiTokenTypeValues.OUTPUT.value: (10, 67_108_864),
    }
    (first,) = collector.points(gen_ai_metrics.GEN_AI_CLIENT_OPERATION_TIME_TO_FIRST_CHUNK)
    assert first.count == 1
    failed = {
        one.attributes["backends.attempt.reason"]: one.value
        for one in collector.points("backends.client.failed_attempts")
    }
    assert failed == {"outage": 1, "request": 1}


async def test_a_call_is_a_child_of_the_callers_span(collector: Collector) -> None:
    tracer = collector.tracers.get_tracer("application")
    backend = answering(200, observers=[collector.observer])
    with tracer.start_as_current_span("asynchronous") as parent:
        await backend.achat(ASKED)
        await backend.astream_chat(ASKED).collect()
    for span in collector.spans[:2]:
        assert span.parent is not None
        assert span.parent.span_id == parent.get_span_context().span_id

    def synchronous() -> int:
        with (
            tracer.start_as_current_span("synchronous") as own,
            answering(200, observers=[collector.observer]) as other,
        ):
            other.chat(ASKED)
            other.stream_chat(ASKED).collect()
            return own.get_span_context().span_id

    own = await asyncio.to_thread(synchronous)
    parents = [span.parent.span_id for span in collector.spans[3:5] if span.parent is not None]
    assert parents == [own, own]


async def test_an_application_without_an_sdk_costs_and_shows_nothing() -> None:
    backend = await busy([OpenTelemetry()])
    assert backend.report()["observers"][0]["failures"] == 0


@pytest.mark.parametrize(
    ("provider", "operation", "model", "name", "expected"),
    [
        ("claude", "chat", "m", "chat m", {"gen_ai.provider.name": GenAiProviderNameValues.ANTHROPIC.value}),
        (
            "gemini",
            "chat",
            "m",
            "generate_content m",
            {
                "gen_ai.provider.name": GenAiProviderNameValues.GCP_GEMINI.value,
                "gen_ai.operation.name": GenAiOperationNameValues.GENERATE_CONTENT.value,
            },
        ),
        ("groq", "stream_chat", "m", "chat m", {"gen_ai.provider.name": GenAiProviderNameValues.GROQ.value}),
        ("hf_tei", "embed", None, "embeddings", {"gen_ai.operation.name": GenAiOperationNameValues.EMBEDDINGS.value}),
        (
            "vllm",
            "complete",
            "m",
            "text_completion m",
            {"gen_ai.operation.name": GenAiOperationNameValues.TEXT_COMPLETION.value, "gen_ai.request.model": "m"},
        ),
        ("opea", "retrieve", None, "retrieval", {"gen_ai.operation.name": GenAiOperationNameValues.RETRIEVAL.value}),
        ("s3_kit", "download", "bucket", "download", {"aws.s3.bucket": "bucket"}),
        ("llvm", "optimize", "optimize", "optimize", {"gen_ai.operation.name": "optimize"}),
    ],
)
def test_well_known_values(
    provider: str, operation: str, model: str | None, name: str, expected: dict[str, str]
) -> None:
    facts = CallFacts(provider, operation, model, "id", "default", "https://host:8443/v1", "normal", False, 0.0)
    common = otel_names.common(facts)
    assert expected.items() <= common.items()
    assert otel_names.span_name(facts, common) == name
    assert (common["server.address"], common["server.port"]) == ("host", 8443)
    assert ("gen_ai.request.model" in common) == (model == "m")


@pytest.mark.parametrize("address", ["", "this machine", "http://[broken", "http://host:99999999"])
def test_an_address_that_is_none(address: str) -> None:
    facts = CallFacts("llvm", "run", None, "id", "default", address, "normal", False, 0.0)
    assert "server.address" not in otel_names.common(facts)


def test_without_the_package_the_error_is_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(errors.ConfigurationError, match=r"pip install 'backends-conformance\[otel\]'"):
        OpenTelemetry()


# -- over the wire -----------------------------------------------------------------------------------------------------


class Receiver:
    """An OTLP endpoint in a thread: keeps what was posted, decompressed, by path."""

    def __init__(self) -> None:
        received = self.received = dict[str, bytes]()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                received[self.path] = gzip.decompress(body) if self.headers["content-encoding"] == "gzip" else body
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *arguments: Any) -> None:
                """Write nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


OURS = {
    f"backends.{name}"
    for name in (
        *("request.id", "endpoint", "priority", "outcome", "attempts", "cached", "queued"),
        *("key.fingerprint", "provider_request_id"),
    )
}


def names_of_our_own(names: Iterable[str]) -> set[str]:
    """Return the names that are not those of the official package."""
    modules = (gen_ai_attributes, server_attributes, error_attributes, http_attributes)
    official = {value for module in modules for name, value in vars(module).items() if name.isupper()}
    return set(names) - official


async def test_otlp_carries_the_same(receiver: Receiver) -> None:
    tracers = TracerProvider(shutdown_on_exit=False)
    tracers.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(f"{receiver.address}/v1/traces")))
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(f"{receiver.address}/v1/metrics"), 3_600_000)
    meters = MeterProvider([reader], shutdown_on_exit=False)
    await answering(200, observers=[OpenTelemetry(tracers, meters)]).achat(ASKED)
    await asyncio.to_thread(meters.force_flush)
    await asyncio.to_thread(meters.shutdown)
    tracers.shutdown()
    traces = ExportTraceServiceRequest.FromString(receiver.received["/v1/traces"])
    (span,) = traces.resource_spans[0].scope_spans[0].spans
    told = {one.key: one.value for one in span.attributes}
    assert span.name == "chat gpt-test"
    assert told[gen_ai_attributes.GEN_AI_USAGE_INPUT_TOKENS].int_value == 7
    assert told[gen_ai_attributes.GEN_AI_PROVIDER_NAME].string_value == "openai"
    assert told["backends.key.fingerprint"].string_value == Key(KEY).fingerprint
    assert names_of_our_own(told) == OURS
    metrics = ExportMetricsServiceRequest.FromString(receiver.received["/v1/metrics"])
    names = {metric.name: metric for metric in metrics.resource_metrics[0].scope_metrics[0].metrics}
    assert gen_ai_metrics.GEN_AI_CLIENT_OPERATION_DURATION in names
    assert sum(point.count for point in names[gen_ai_metrics.GEN_AI_CLIENT_TOKEN_USAGE].histogram.data_points) == 2
    measured = {
        one.key
        for name, metric in names.items()
        for point in getattr(metric, metric.WhichOneof("data")).data_points
        for one in point.attributes
    }
    assert {name for name in names if not name.startswith("backends.")} <= {
        value for name, value in vars(gen_ai_metrics).items() if name.startswith("GEN_AI_")
    }
    assert names_of_our_own(measured) == set()
    everything = b"".join(receiver.received.values())
    assert [secret for secret in (KEY, QUESTION, ANSWER) if secret.encode() in everything] == []
