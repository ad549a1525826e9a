"""Limits: what ``queue_status()`` tells of them, and the same as gauges of Prometheus and of OpenTelemetry."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from clocks import Hurried
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, PeriodicExportingMetricReader
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes, server_attributes
from prometheus_client.parser import text_string_to_metric_families
from telemetry_bench import ASKED, KEY, OTHER_KEY, REPLY, answering
from test_telemetry_otel import Receiver

from backends import HFTEI, OpenAI, errors
from backends.secret import Key
from backends.telemetry.limits import READINGS
from backends.telemetry.otel_limits import observe_limits
from backends.telemetry.prometheus import render

FIRST, SECOND = Key(KEY).fingerprint, Key(OTHER_KEY).fingerprint


async def limited() -> OpenAI:
    """Return a backend with every limit there is, after one answer and with one key that rests."""
    backend = answering(
        200,
        429,
        200,
        api_keys=[KEY, OTHER_KEY],
        adaptive_concurrency=True,
        rate_limit_headers=True,
        requests_per_minute=60,
        tokens_per_minute=9000,
        retry_budget=0.2,
        retry_reserve=7,
    )
    await backend.achat(ASKED)
    await backend.achat(ASKED)
    return backend


class Gauges:
    """What a collection gives: name -> attributes -> number."""

    def __init__(self) -> None:
        self.reader = InMemoryMetricReader()
        self.meters = MeterProvider([self.reader], shutdown_on_exit=False)

    def collect(self) -> dict[str, list[tuple[dict[str, Any], float]]]:
        data = self.reader.get_metrics_data()
        found: dict[str, list[tuple[dict[str, Any], float]]] = {}
        for resource in data.resource_metrics if data is not None else ():
            for metric in resource.scope_metrics[0].metrics:
                points: Any = metric.data.data_points
                found[metric.name] = [(dict(point.attributes), point.value) for point in points]
        return found

    def value(self, name: str, **wanted: Any) -> float:
        attributes = {name.replace("__", "."): value for name, value in wanted.items()}
        (found,) = [value for told, value in self.collect()[name] if attributes.items() <= told.items()]
        return found


@pytest.fixture
def gauges() -> Iterator[Gauges]:
    made = Gauges()
    yield made
    made.meters.shutdown()


async def test_queue_status_tells_breaker_keys_and_budgets() -> None:
    status = (await limited()).queue_status()
    assert status["breaker"] == "closed"
    assert status["keys"] == {"ready": 1, "cooling": 1, "retired": 0}
    assert status["retry_budget"] == {"left": 7.0, "granted": 0, "denied": 0}
    told = {(rate["key"], rate["kind"], rate["source"]): (rate["limit"], rate["left"]) for rate in status["rates"]}
    assert told[FIRST, "requests", "provider"][0] == 100
    assert {key[1:] for key in told} == {("requests", "declared"), ("tokens", "declared"), ("requests", "provider")}
    assert sorted({key[0] for key in told}) == sorted({FIRST, SECOND})


async def test_a_server_without_keys_has_budgets_of_its_own() -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=[[0.5]])

    backend = HFTEI(
        base_url="http://tei", transport=httpx.MockTransport(respond), clock=Hurried(), requests_per_minute=10
    )
    await backend.aembed("a text")
    assert backend.queue_status()["keys"] == {"ready": 0, "cooling": 0, "retired": 0}
    assert [(rate["key"], rate["limit"], rate["left"]) for rate in backend.queue_status()["rates"]] == [(None, 10, 9)]


async def test_every_reading_is_a_gauge_of_prometheus() -> None:
    families = {family.name: family for family in text_string_to_metric_families(render([await limited()]))}
    for name, kind in READINGS.items():
        family = families[f"backends_{name.replace('.', '_')}{'_seconds' if kind.unit == 's' else ''}"]
        assert (family.type, family.documentation) == ("gauge", kind.told)
        assert all(sample.labels["endpoint"] == "default" for sample in family.samples)
    (ceiling,) = families["backends_queue_ceiling"].samples
    assert ceiling.value == 5
    resting = {sample.labels["key"]: sample.value for sample in families["backends_key_rest_seconds"].samples}
    assert resting[FIRST] > 0 == resting[SECOND] or resting[SECOND] > 0 == resting[FIRST]
    left = {
        tuple(sample.labels[name] for name in ("key", "kind", "source"))
        for sample in families["backends_rate_left"].samples
    }
    assert (FIRST, "tokens", "declared") in left


async def test_every_reading_is_an_observable_gauge_of_opentelemetry(gauges: Gauges) -> None:
    backend = await limited()
    observe_limits([backend], gauges.meters)
    found = gauges.collect()
    assert set(found) == {f"backends.{name}" for name in READINGS}
    common = {
        "backends.name": "openai",
        gen_ai_attributes.GEN_AI_PROVIDER_NAME: "openai",
        server_attributes.SERVER_ADDRESS: "api.openai.com",
        server_attributes.SERVER_PORT: 443,
        "backends.endpoint": "default",
    }
    assert all(common.items() <= told.items() for points in found.values() for told, _ in points)
    assert gauges.value("backends.keys", backends__state="cooling") == 1
    assert gauges.value("backends.breaker.state", backends__state="closed") == 1
    assert gauges.value("backends.retry_budget.left") == 7
    budget = {"backends__rate__kind": "tokens", "backends__rate__source": "declared"}
    assert gauges.value("backends.rate.limit", backends__key__fingerprint=FIRST, **budget) == 9000
    assert KEY not in repr(found)


async def test_a_gauge_follows_what_happens(gauges: Gauges) -> None:
    reached = asyncio.Event()
    backend = answering(0, 500, reached=reached, max_retries=0, failure_threshold=1, max_concurrent_requests=1)
    observe_limits({"mine": backend}, gauges.meters)
    assert gauges.collect() == {}, "no endpoint was used yet"
    first = asyncio.ensure_future(backend.achat(ASKED))
    await reached.wait()
    second = asyncio.ensure_future(backend.achat(ASKED))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert gauges.value("backends.queue.active", backends__name="mine") == 1
    assert gauges.value("backends.queue.waiting", backends__priority="normal") == 1
    first.cancel()
    await asyncio.gather(first, second, return_exceptions=True)
    assert gauges.value("backends.queue.active") == 0
    assert gauges.value("backends.breaker.state", backends__state="open") == 1
    assert gauges.value("backends.breaker.retry_after") == 30


async def test_backends_of_one_row_are_told_apart_and_those_that_are_gone_are_not_shown(gauges: Gauges) -> None:
    kept, gone = [answering(200) for _ in range(2)]
    for backend in (kept, gone):
        await backend.achat(ASKED)
    observe_limits([kept, gone], gauges.meters)
    names = [told["backends.name"] for told, _ in gauges.collect()["backends.queue.slots"]]
    assert names == ["openai", "openai#2"]
    del gone, backend
    gc.collect()
    assert [told["backends.name"] for told, _ in gauges.collect()["backends.queue.slots"]] == ["openai"]


async def test_a_collection_asks_a_backend_once(gauges: Gauges) -> None:
    """Sixteen gauges show the same moment, and the next collection the next one."""
    async with await limited() as backend:
        asked: list[Any] = []

        class Asked:
            def report(self) -> dict[str, Any]:
                asked.append(backend.report())
                return asked[-1]

        asking = Asked()
        observe_limits([asking], gauges.meters)
        asked.clear()  # what it is called was asked, too
        for collections in (1, 2, 3):
            assert len(gauges.collect()) > 10
            assert len(asked) == collections


async def test_a_closed_backend_still_answers(gauges: Gauges) -> None:
    async with answering(200) as backend:
        await backend.achat(ASKED)
    observe_limits([backend], gauges.meters)
    assert gauges.value("backends.queue.active") == 0


def test_without_the_package_the_error_is_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(errors.ConfigurationError, match=r"pip install 'backends-conformance\[otel\]'"):
        observe_limits([])


async def test_otlp_carries_the_gauges() -> None:
    backend, receiver = await limited(), Receiver()
    try:
        reader = PeriodicExportingMetricReader(OTLPMetricExporter(f"{receiver.address}/v1/metrics"), 3_600_000)
        meters = MeterProvider([reader], shutdown_on_exit=False)
        observe_limits([backend], meters)
        await asyncio.to_thread(meters.force_flush)
        body = receiver.received["/v1/metrics"]
        await asyncio.to_thread(meters.shutdown)
    finally:
        receiver.close()
    metrics = ExportMetricsServiceRequest.FromString(body).resource_metrics[0].scope_metrics[0].metrics
    assert {metric.name for metric in metrics} == {f"backends.{name}" for name in READINGS}
    assert all(metric.WhichOneof("data") == "gauge" for metric in metrics)
    told = {one.key for metric in metrics for point in metric.gauge.data_points for one in point.attributes}
    assert told == {
        gen_ai_attributes.GEN_AI_PROVIDER_NAME,
        server_attributes.SERVER_ADDRESS,
        server_attributes.SERVER_PORT,
        *(f"backends.{name}" for name in ("name", "endpoint", "priority", "state", "key.fingerprint")),
        *("backends.rate.kind", "backends.rate.source"),
    }
    assert (KEY.encode() in body, REPLY["model"].encode() in body) == (False, False)
