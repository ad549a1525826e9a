"""Configuration, reload, status, metrics and statistics; the TensorFlow Serving API where it is allowed."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import numpy
import pytest
from ovms_bench import answering, backend_at, mocked, said

from backends import errors
from backends.dialects.prometheus import Metric, read_metrics
from backends.ovms import OVMS, TensorSpec
from backends.ovms.management import read_statistics
from conformance.simulators import Simulator
from conformance.simulators.openai.answers.media import picture

VERSIONS = {"model_version_status": [{"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK"}}]}


async def test_config_and_status(sim: Simulator, ovms: OVMS) -> None:
    found = await ovms.aconfig()
    assert [(one.version, one.state, one.available) for one in found.models["gone"]] == [("1", "END", False)]
    assert (found.models["llama3"][0].error_code, found.models["llama3"][0].error_message) == ("OK", "OK")
    assert found.reloaded is False
    assert [one.version for one in await ovms.amodel_status("scale")] == ["1", "2"]
    with pytest.raises(errors.UnknownModelError, match="scales") as caught:
        await ovms.amodel_status("scales")
    assert caught.value.suggestions == ("scale",)
    assert [seen.path for seen in sim.requests] == ["/v1/config"] * 3


async def test_reload_says_whether_anything_changed(sim: Simulator, ovms: OVMS) -> None:
    first, second = await ovms.areload(), await ovms.areload()
    assert (first.reloaded, second.reloaded) == (True, False)
    assert first.models == second.models
    assert [(seen.method, seen.status, seen.body) for seen in sim.requests] == [("POST", 201, b""), ("POST", 200, b"")]


async def test_config_answers_that_break_the_format() -> None:
    async with mocked(httpx.Response(200, json={})) as ovms:
        assert (await ovms.aconfig()).models == {}
    for body in ({"m": 1}, {"m": {}}, {"m": {"model_version_status": [{"version": 1, "state": "AVAILABLE"}]}}, []):
        async with mocked(httpx.Response(200, json=body)) as ovms:
            with pytest.raises(errors.ResponseFormatError):
                await ovms.aconfig()
    async with mocked(said(200, "Reloading config file failed. Check server logs for more info.")) as ovms:
        with pytest.raises(errors.ServerError, match="Check server logs"):
            await ovms.areload()
    async with mocked(httpx.Response(200, json={"m": VERSIONS})) as ovms:
        assert (await ovms.amodel_status())[0].error_message == ""


async def test_metrics_and_statistics(ovms: OVMS) -> None:
    for _ in range(3):
        await ovms.ainfer({"x": [[1.0]]}, model="double")
    with pytest.raises(errors.ServerError):
        await ovms.ainfer({"x": [[1.0]]}, model="broken")
    found = await ovms.ametrics()
    assert found.raw.startswith("# HELP ovms_requests_success")
    labels = {"api": "KServe", "interface": "REST", "method": "ModelInfer", "name": "double", "version": "1"}
    assert Metric("ovms_requests_success", labels, 3.0) in found.samples
    known = {(one.name, one.version): one for one in (await ovms.astatistics()).models}
    double, broken = known["double", "1"], known["broken", "1"]
    assert (double.succeeded, double.failed, double.active) == (3, 0, 0)
    assert (broken.succeeded, broken.failed) == (0, 2)  # repeated once
    assert (double.request.count, double.request.seconds) == (3, pytest.approx(0.0045))
    assert double.inference.mean == pytest.approx(0.0015)
    assert broken.request.mean is None
    assert known["llama3", ""].active == 0


async def test_counters_that_count_nothing() -> None:
    for value in ("NaN", "+Inf", "-Inf"):
        async with mocked(httpx.Response(200, text=f'ovms_requests_fail{{name="m"}} {value}\n')) as ovms:
            assert len((await ovms.ametrics()).samples) == 1
            with pytest.raises(errors.ResponseFormatError, match="ovms_requests_fail counts"):
                await ovms.astatistics()


async def test_a_page_instead_of_metrics() -> None:
    async with mocked(httpx.Response(200, text="<html>hello there</html>")) as ovms:
        with pytest.raises(errors.ResponseFormatError, match="of the metrics has no name"):
            await ovms.ametrics()


def test_statistics_of_graphs_and_of_several_interfaces() -> None:
    samples = read_metrics(
        'ovms_requests_accepted{api="V3",interface="REST",method="Unary",name="llama3"} 4\n'
        'ovms_requests_rejected{api="V3",interface="REST",method="Unary",name="llama3"} 1\n'
        'ovms_current_graphs{name="llama3"} 2\n'
        'ovms_requests_success{interface="REST",name="m",version="1"} 4\n'
        'ovms_requests_success{interface="gRPC",name="m",version="1"} 3\n'
        'ovms_request_time_us_sum{interface="REST",name="m",version="1"} 2000000\n'
        'ovms_request_time_us_count{interface="REST",name="m",version="1"} 4\n'
        'ovms_streams{name="m",version="2"} 8\n'
        "process_cpu_seconds 3\n"
    )
    llama, first, second = read_statistics(samples)
    assert (llama.name, llama.succeeded, llama.failed, llama.active) == ("llama3", 4, 1, 2)
    assert (first.succeeded, first.request.mean) == (7, 0.5)
    assert (second.version, second.succeeded) == ("2", 0)


@pytest.mark.parametrize("name", ["predict", "serving_status", "serving_metadata"])
async def test_the_removed_api_is_refused_unless_allowed(name: str) -> None:
    seen: list[httpx.Request] = []
    async with OVMS(transport=answering(said(400, "no"), seen=seen), environ={}, model="m") as ovms:
        with pytest.raises(errors.UnsupportedError, match="tensorflow_serving=True") as caught:
            await getattr(ovms, "a" + name)(*[[[1.0]]] if name == "predict" else [])
    assert "v2026.3" in caught.value.message
    assert (caught.value.provider, seen) == ("ovms", [])
    with pytest.raises(errors.ConfigurationError, match="tensorflow_serving"):
        OVMS(environ={}, tensorflow_serving="yes")


async def test_predict_in_rows_and_columns(sim: Simulator) -> None:
    async with backend_at(sim, tensorflow_serving=True) as ovms:
        rows = await ovms.apredict([[1.0, 2.0]], model="double", signature_name="serving_default")
        assert (rows.predictions, rows.outputs) == ([[2.0, 4.0]], None)
        assert sim.requests[0].json == {"instances": [[1.0, 2.0]], "signature_name": "serving_default"}
        columns = await ovms.apredict(inputs={"a": [[1, 2]], "b": [[3, 4]]}, model="sum")
        assert columns.outputs == {"total": [[4, 6]], "difference": [[-2, -2]]}
        named = await ovms.apredict([{"a": [1, 2], "b": [3, 4]}], model="sum")
        assert named.predictions == [{"total": [4, 6], "difference": [-2, -2]}]
        first = await ovms.apredict(numpy.array([[1.0, 2.0]]), model="scale", version=1)
        assert first.predictions == [[1.0, 2.0]]
        sides = await ovms.apredict([picture("c0ffee", 7)], model="picture")
        assert sides.predictions == [[7, 7]]
        assert list(sim.requests[4].json["instances"][0]) == ["b64"]
        with pytest.raises(errors.InvalidRequestError, match="Invalid input shape"):
            await ovms.apredict([1.0], model="double")
    assert sim.requests[3].path == "/v1/models/scale/versions/1:predict"


async def test_status_and_metadata_of_older_servers(sim: Simulator) -> None:
    async with backend_at(sim, tensorflow_serving=True) as ovms:
        assert [one.version for one in await ovms.aserving_status("scale", version=2)] == ["2"]
        assert (await ovms.aserving_status("gone"))[0].state == "END"
        found = await ovms.aserving_metadata("sum")
        assert (found.name, found.versions) == ("sum", ("1",))
        assert found.inputs == (TensorSpec("a", "INT32", (-1, 2)), TensorSpec("b", "INT32", (-1, 2)))
        with pytest.raises(errors.UnknownModelError):
            await ovms.aserving_status("nobody")


async def test_predictions_that_are_hostile() -> None:
    deep: Any = 1.0
    for _ in range(80):
        deep = [deep]
    async with mocked(httpx.Response(200, json={"nothing": 1}), tensorflow_serving=True) as ovms:
        with pytest.raises(errors.ResponseFormatError, match="neither predictions nor outputs"):
            await ovms.apredict([1.0])
        with pytest.raises(errors.InvalidRequestError, match="nested more than"):
            await ovms.apredict(deep)
        with pytest.raises(errors.InvalidRequestError, match="either instances or inputs"):
            await ovms.apredict()
    broken = {"modelSpec": {"name": "m", "version": "1"}, "metadata": {"signature_def": {}}}
    async with mocked(httpx.Response(200, json=broken), tensorflow_serving=True) as ovms:
        with pytest.raises(errors.ResponseFormatError):
            await ovms.aserving_metadata()


async def test_the_synchronous_twins_of_the_server(sim: Simulator) -> None:
    def work() -> list[Any]:
        with backend_at(sim, tensorflow_serving=True) as ovms:
            return [
                len(ovms.config().models) > 10,
                ovms.reload().reloaded,
                ovms.model_status("add")[0].available,
                ovms.predict([[1.0]], model="double").predictions,
                len(ovms.metrics().samples) > 10,
                {one.name: one.succeeded for one in ovms.statistics().models}["double"],
                ovms.serving_status("add")[0].available,
                ovms.serving_metadata("add").name,
            ]

    assert await asyncio.to_thread(work) == [True, True, True, [[2.0]], True, 1, True, "add"]
