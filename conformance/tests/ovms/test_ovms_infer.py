"""Inference against the simulated server: JSON and binary, versions, batches, metadata, health, in both modes."""

from __future__ import annotations

import asyncio
import json
import math
from array import array
from typing import Any

import httpx
import numpy
import pytest
from ovms_bench import SAMPLES, answering, backend_at, binary, mocked, said

from backends import errors
from backends.ovms import OVMS, Tensor, TensorSpec, tensor
from conformance.simulators import Fault, Simulator
from conformance.simulators.faults import Status
from conformance.simulators.openai.answers.media import picture

ROWS = [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize("datatype", SAMPLES)
async def test_every_datatype_in_binary(sim: Simulator, ovms: OVMS, datatype: str) -> None:
    given = tensor("x", [SAMPLES[datatype]], datatype)
    reply = await ovms.ainfer([given], model=f"identity_{datatype.lower()}", outputs=["y"])
    assert reply.output("y") == Tensor("y", datatype, (1, 2), given.content)
    assert reply.raw["outputs"][0]["parameters"] == {"binary_data_size": len(given.content)}
    assert sim.requests[0].header("content-type") == "application/octet-stream"
    assert sim.requests[0].problem is None


@pytest.mark.parametrize("datatype", sorted({*SAMPLES} - {"FP16", "BF16", "BYTES"}))
async def test_every_datatype_of_json(sim: Simulator, ovms: OVMS, datatype: str) -> None:
    given = tensor("x", [SAMPLES[datatype]], datatype)
    reply = await ovms.ainfer([given], model=f"identity_{datatype.lower()}", binary=False)
    assert reply.output().values == given.values
    assert sim.requests[0].json["inputs"][0]["data"] == list(given.values)
    assert sim.requests[0].header("inference-header-content-length") is None


async def test_json_in_and_binary_out_and_the_other_way(sim: Simulator, ovms: OVMS) -> None:
    out = await ovms.ainfer({"x": ROWS}, model="double", outputs=["y"], binary=False, binary_output=True)
    back = await ovms.ainfer({"x": ROWS}, model="double", outputs=["y"], binary_output=False)
    unlisted = await ovms.ainfer({"x": ROWS}, model="double")
    for reply in (out, back, unlisted):
        assert reply.output("y").nested() == [[2.0, 4.0], [6.0, 8.0]]
    assert "data" not in out.raw["outputs"][0]
    assert back.raw["outputs"][0]["data"] == [2.0, 4.0, 6.0, 8.0]
    assert "data" in unlisted.raw["outputs"][0]  # the server reads binary_data_output for listed outputs only
    assert b'"binary_data_output":true' in sim.requests[2].body


async def test_inputs_of_many_kinds(ovms: OVMS) -> None:
    for data in (ROWS, numpy.array(ROWS, dtype="f4"), tensor("x", ROWS), tensor("other", ROWS).nested()):
        assert (await ovms.ainfer({"x": data}, model="double")).output("y").values == (2.0, 4.0, 6.0, 8.0)
    flat = tensor("x", array("f", [1.0, 2.0]), shape=(1, 2))
    assert (await ovms.ainfer((flat,), model="add")).output().values == (2.0, 3.0)


async def test_several_inputs_and_outputs(sim: Simulator, ovms: OVMS) -> None:
    inputs = {"b": numpy.array([[1, 2]], dtype="i4"), "a": tensor("a", [[5, 7]], "INT32")}
    both = await ovms.ainfer(inputs, model="sum")
    assert {one.name: one.values for one in both.outputs} == {"total": (6, 9), "difference": (4, 5)}
    some = await ovms.ainfer(inputs, model="sum", outputs=["difference", "total"], id="mine")
    assert [one.name for one in some.outputs] == ["difference", "total"]
    assert (some.id, both.id) == ("mine", None)
    assert some.parameters == {"nonce": sim.requests[1].nonce}


async def test_texts_and_pictures(ovms: OVMS) -> None:
    loud = await ovms.ainfer({"text": ["hello", "naïve"]}, model="shout", outputs=["loud"])
    assert loud.output().texts == ("HELLO", "NAïVE")  # bytes are raised, not characters
    plain = await ovms.ainfer({"text": "hello"}, model="shout", binary=False)
    assert plain.output().texts == ("HELLO",)
    sizes = await ovms.ainfer({"image": [picture("c0ffee", 4), picture("c0ffee", 9)]}, model="picture")
    assert sizes.output("sides").nested() == [[4, 4], [9, 9]]
    with pytest.raises(errors.InvalidRequestError, match="JPEG or PNG"):
        await ovms.ainfer({"image": b"no picture"}, model="picture")


async def test_versions(sim: Simulator, ovms: OVMS) -> None:
    newest = await ovms.ainfer({"x": ROWS}, model="scale")
    first = await ovms.ainfer({"x": ROWS}, model="scale", version=1)
    assert (newest.model_version, first.model_version) == ("2", "1")
    assert first.output().nested() == ROWS
    assert sim.requests[1].path == "/v2/models/scale/versions/1/infer"
    with pytest.raises(errors.NotFoundError, match="version is not found") as caught:
        await ovms.ainfer({"x": ROWS}, model="scale", version="9")
    assert caught.value.code == "version_not_found"


async def test_extra_fields_go_into_the_json_part(sim: Simulator, ovms: OVMS) -> None:
    with pytest.raises(errors.InvalidRequestError, match="mood"):
        await ovms.ainfer({"x": ROWS}, model="double", extra_body={"mood": "good"})
    length = int(sim.requests[0].header("inference-header-content-length"))
    assert json.loads(sim.requests[0].body[:length])["mood"] == "good"


async def test_a_batch_is_one_request(sim: Simulator, ovms: OVMS) -> None:
    replies = await ovms.ainfer_batch([{"x": [[float(n), 0.0]]} for n in range(5)], model="double", outputs=["y"])
    assert [reply.output().nested() for reply in replies] == [[[2.0 * n, 0.0]] for n in range(5)]
    assert len(sim.requests) == 1
    assert {reply.request_id for reply in replies} == {replies[0].request_id}
    texts = await ovms.ainfer_batch([{"text": ["a"]}, {"text": ["b", "c"]}], model="shout", outputs=["loud"])
    assert [reply.output().texts for reply in texts] == [("A",), ("B", "C")]


async def test_a_batch_whose_answer_lost_rows() -> None:
    head = {"model_name": "m", "outputs": [{"name": "y", "shape": [1], "datatype": "FP32", "data": [1.0]}]}
    async with mocked(httpx.Response(200, json=head)) as ovms:
        with pytest.raises(errors.ResponseFormatError, match="for 2 rows"):
            await ovms.ainfer_batch([{"x": [1.0]}, {"x": [2.0]}])


async def test_metadata_and_health(sim: Simulator, ovms: OVMS) -> None:
    found = await ovms.ametadata("scale")
    assert (found.name, found.versions, found.platform) == ("scale", ("1", "2"), "OpenVINO")
    assert found.inputs == (TensorSpec("x", "FP32", (-1, -1)),)
    assert found.raw["rt_info"] == {"nonce": sim.requests[0].nonce}
    assert (await ovms.aserver_metadata()).name == "OpenVINO Model Server"
    assert await ovms.aserver_live() is await ovms.aserver_ready() is True
    assert await ovms.amodel_ready("add") is True
    assert await ovms.amodel_ready("late") is False
    assert await ovms.amodel_ready("late") is True
    assert await ovms.amodel_ready("gone", version=1) is False
    with pytest.raises(errors.UnknownModelError, match="nobody"):
        await ovms.amodel_ready("nobody")
    with pytest.raises(errors.NotFoundError):
        await ovms.amodel_ready("add", version=7)
    sim._mounted["ovms"].state.ready = False
    assert await ovms.aserver_ready() is False
    sim.script(Fault(Status(500), path="/v2/health/live"))
    assert await ovms.aserver_live() is False
    assert len(sim.requests) == 12  # a question about health is asked once


async def test_health_by_the_letter_of_the_specification() -> None:
    for path, body, expected in (("live", {"live": False}, False), ("ready", {"ready": True}, True)):
        async with mocked(httpx.Response(200, json=body)) as ovms:
            assert await getattr(ovms, f"aserver_{path}")() is expected
    async with mocked(httpx.Response(200, json={"name": "m", "ready": False})) as ovms:
        assert await ovms.amodel_ready() is False
    async with mocked(httpx.Response(404, content=b"<html>")) as ovms:
        with pytest.raises(errors.NotFoundError):
            await ovms.amodel_ready()


GOOD = {"name": "y", "shape": [2], "datatype": "FP32"}


def one(**changes: Any) -> dict[str, Any]:
    """An answer with one output that differs from a good one; None leaves a field out."""
    entry = {**GOOD, "data": [1.0, 2.0], **changes}
    return {"model_name": "m", "outputs": [{name: value for name, value in entry.items() if value is not None}]}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (one(shape=[3]), "has 2 elements where the shape [3] has 3"),
        (one(shape=[-1]), "axis whose size"),
        (one(shape=[2.0]), "axis whose size"),
        (one(shape=[2**62, 2**62]), "more elements"),
        (one(shape=[1] * 100), "axes"),
        (one(shape="2"), "no name, datatype or shape"),
        (one(datatype="FP8"), "does not know"),
        (one(datatype=None), "'datatype' is missing"),
        (one(data=["a", "b"]), "holds a str, which is no FP32"),
        (one(data=[1e39, 0]), "range of FP32"),
        (one(data=None), "'data' is missing"),
        (one(data={"0": 1}), "no list of elements"),
        (one(datatype="INT8", data=[1.5, 1]), "holds a float, which is no INT8"),
        (one(datatype="INT8", data=[128, 1]), "range of INT8"),
        (one(datatype="BOOL", data=[0, 2]), "which is no BOOL"),
        (one(data=[1.0, [2.0, [[3.0]]]]), "has 3 elements"),
        (one(parameters={"binary_data_size": 8}), "has 8 bytes where 0 are left"),
        (one(parameters={"binary_data_size": -8}), "is no size"),
        (one(parameters={"binary_data_size": "8"}), "is no size"),
        ({"model_name": "m"}, "'outputs' is missing"),
        ({"model_name": "m", "outputs": []}, "not a list of tensors"),
        ({"model_name": "m", "outputs": {"y": 1}}, "not a list of tensors"),
        ({"model_name": "m", "outputs": [7]}, "a JSON object was expected"),
        ([1], "a JSON object was expected"),
    ],
)
async def test_hostile_json(answer: Any, words: str) -> None:
    async with mocked(httpx.Response(200, json=answer)) as ovms:
        with pytest.raises(errors.ResponseFormatError) as caught:
            await ovms.ainfer({"x": [1.0]})
    assert words in caught.value.message
    assert caught.value.attempts == 1


B8 = one(data=None, parameters={"binary_data_size": 8})


@pytest.mark.parametrize(
    ("response", "words"),
    [
        (binary(B8, b"\0" * 7), "has 8 bytes where 7 are left"),
        (binary(B8, b"\0" * 9), "1 bytes follow the last tensor"),
        (binary(one(data=None, parameters={"binary_data_size": 4}), b"\0" * 4), "has 1 elements"),
        (binary(one(data=None, parameters={"binary_data_size": 5}), b"\0" * 5), "no whole number of FP32"),
        (binary(B8, b"", length="999999"), "no length within the answer"),
        (binary(B8, b"", length="-1"), "no length within the answer"),
        (binary(B8, b"", length="9" * 5000), "no length within the answer"),
        (binary(B8, b"", length="1e3"), "no length within the answer"),
        (binary(B8, b"\0" * 8, length="20"), "not JSON"),
        (binary(one(data=None, parameters={"binary_data_size": 2**70}), b""), "bytes where 0 are left"),
        (
            binary(one(datatype="BYTES", data=None, shape=[1], parameters={"binary_data_size": 5}), b"\xff\xff\xff\xffa"),
            "names an element of 4294967295 bytes where 1 are left",
        ),
        (binary(one(datatype="BYTES", data=None, parameters={"binary_data_size": 6}), b"\x02\0\0\0ab"), "has 1 elements"),
        (binary(one(datatype="BYTES", data=None, parameters={"binary_data_size": 3}), b"\x02\0\0"), "within the length"),
        (httpx.Response(200, content=b"\x00\x01\x02"), "not JSON"),
        (httpx.Response(200, content=b""), "an empty body"),
    ],
)  # fmt: skip
async def test_hostile_binary(response: httpx.Response, words: str) -> None:
    async with mocked(response) as ovms:
        with pytest.raises(errors.ResponseFormatError) as caught:
            await ovms.ainfer({"x": [1.0]})
    assert words in caught.value.message


async def test_what_other_servers_write_is_read() -> None:
    nested = one(shape=[1, 2], data=[[1, 2.5]])
    flags = one(datatype="BOOL", data=[0, 1])
    half = one(datatype="FP16", data=[1.5, 2])
    for answer, expected in ((nested, (1.0, 2.5)), (flags, (False, True)), (half, (1.5, 2.0))):
        async with mocked(httpx.Response(200, json=answer)) as ovms:
            assert (await ovms.ainfer({"x": [1.0]})).output().values == expected
    async with mocked(said(200, "Internal inference error")) as ovms:
        with pytest.raises(errors.ServerError, match="Internal inference error"):
            await ovms.ainfer({"x": [1.0]})


async def test_an_output_that_was_asked_for_must_come() -> None:
    async with mocked(httpx.Response(200, json=one())) as ovms:
        with pytest.raises(errors.ResponseFormatError, match="'z' was asked for"):
            await ovms.ainfer({"x": [1.0]}, outputs=["y", "z"])


async def test_not_a_number_travels_in_binary_only(ovms: OVMS) -> None:
    reply = await ovms.ainfer([tensor("x", [[math.nan, math.inf]])], model="identity_fp32", outputs=["y"])
    assert math.isnan(reply.output().values[0])
    with pytest.raises(errors.InvalidRequestError, match=r"inputs\[0\].data\[0\] is not a finite number"):
        await ovms.ainfer([tensor("x", [[math.nan]])], model="identity_fp32", binary=False)


async def test_an_answer_larger_than_allowed() -> None:
    head = one(shape=[2**20], data=None, parameters={"binary_data_size": 2**22})
    async with mocked(binary(head, bytes(2**22)), max_response_bytes=2**20) as ovms:
        with pytest.raises(errors.ResponseFormatError, match="larger than allowed"):
            await ovms.ainfer({"x": [1.0]})


async def test_the_synchronous_twins(sim: Simulator) -> None:
    def work() -> list[Any]:
        with backend_at(sim) as ovms:
            return [
                ovms.infer({"x": ROWS}, model="double").output().values,
                len(ovms.infer_batch([{"x": ROWS}, {"x": ROWS}], model="double")),
                ovms.metadata("double").name,
                (ovms.server_live(), ovms.server_ready(), ovms.model_ready("double")),
                ovms.server_metadata().version,
            ]

    assert await asyncio.to_thread(work) == [(2.0, 4.0, 6.0, 8.0), 2, "double", (True, True, True), "2026.3.0"]


async def test_names_are_escaped_and_models_are_needed(sim: Simulator) -> None:
    seen: list[httpx.Request] = []
    async with OVMS(transport=answering(httpx.Response(200, json=one()), seen=seen), environ={}) as ovms:
        await ovms.ainfer({"x": [1.0]}, model="org/model v1")
        with pytest.raises(errors.InvalidRequestError, match="model is missing"):
            await ovms.ainfer({"x": [1.0]})
    assert seen[0].url.raw_path == b"/v2/models/org%2Fmodel%20v1/infer"
