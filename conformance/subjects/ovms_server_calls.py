"""Declared calls of the OVMS backend outside the OpenAI dialect: KServe v2, configuration, metrics, TensorFlow Serving."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from typing import Any, Final

from backends.ovms import tensor
from conformance.simulators.record import Seen
from conformance.subject import CallCase
from conformance.subjects.stories import Story, do, once, story
from conformance.trial import Trial

__all__ = ["SERVER_CALLS"]

Judge = Callable[[Trial, Any, Seen], None]

_ROWS: Final = [[1.0, 2.0], [3.0, 4.0]]


def _doubled(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(reply.output("y").nested(), [[2.0, 4.0], [6.0, 8.0]], "the numbers, doubled")
    trial.equal((reply.id, reply.model, reply.model_version), ("r7", "double", "1"), "id, model and version")


def _doubled_in_binary(trial: Trial, reply: Any, seen: Seen) -> None:
    _doubled(trial, reply, seen)
    length = seen.header("inference-header-content-length")
    trial.expect(length is not None and length.isdigit(), "the length of the JSON part was not sent")
    head, content = seen.body[: int(length or 0)], seen.body[int(length or 0) :]
    entry = json.loads(head)["inputs"][0]
    trial.equal(content, struct.pack("<4f", 1, 2, 3, 4), "bytes of the tensor on the wire")
    trial.equal((entry["parameters"], "data" in entry), ({"binary_data_size": 16}, False), "the tensor's description")
    trial.equal(reply.raw["outputs"][0]["parameters"], {"binary_data_size": 16}, "the answer's JSON part, untouched")


def _one_request_for_two(trial: Trial, reply: Any, seen: Seen) -> None:
    found = [one.output().nested() for one in reply]
    trial.equal(found, [[[2.0, 4.0]], [[6.0, 8.0], [10.0, 12.0]]], "each caller's own rows")
    trial.equal(len(trial.requests), 1, "requests on the wire for two of the caller's")
    trial.expect(all(seen.nonce in repr(one.parameters) for one in reply), "a reply is not the server's")


def _described(trial: Trial, reply: Any, seen: Seen) -> None:
    ports = [(port.name, port.datatype, port.shape) for port in (*reply.inputs, *reply.outputs)]
    trial.equal(ports, [("x", "FP32", (-1, -1)), ("y", "FP32", (-1, -1))], "inputs and outputs")


def _is(value: Any, about: str) -> Judge:
    def judge(trial: Trial, reply: Any, seen: Seen) -> None:
        trial.equal(reply, value, about)

    return judge


def _listed(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal([one.state for one in reply.models["gone"]], ["END"], "state of a retired model")
    trial.expect(all(one.available for one in reply.models["scale"]), "a version is not available")
    trial.equal(reply.raw["scale"]["model_version_status"][1]["version"], "2", "raw")


def _reloaded(trial: Trial, reply: Any, seen: Seen) -> None:
    _listed(trial, reply, seen)
    trial.equal(reply.reloaded, True, "whether the server said 201")


def _versions(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal([(one.version, one.state) for one in reply], [("1", "AVAILABLE"), ("2", "AVAILABLE")], "versions")


def _inferred_first(name: str) -> Callable[[], Story]:
    def plan() -> Story:
        yield do("infer", {"x": _ROWS}, model="double")
        return (yield do(name))

    return plan


def _sampled(trial: Trial, reply: Any, seen: Seen) -> None:
    found = [
        one.value for one in reply.samples if one.name == "ovms_requests_success" and one.labels.get("name") == "double"
    ]
    trial.equal(found, [1.0], "requests that the server counted")


def _counted(trial: Trial, reply: Any, seen: Seen) -> None:
    found = {one.name: one for one in reply.models}["double"]
    trial.equal((found.succeeded, found.failed, found.request.count), (1, 0, 1), "what the server counted")
    trial.close_to(found.request.mean, 0.0015, "seconds of a request", 1e-9)


def _predicted(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(reply.predictions, [[2.0, 4.0], [6.0, 8.0]], "predictions")


SERVER_CALLS: Final[Mapping[str, CallCase]] = {
    "infer": once(
        "POST /v2/models/*/infer",
        "infer",
        {"x": _ROWS},
        options={"model": "double", "outputs": ["y"], "id": "r7"},
        judge=_doubled_in_binary,
    ),
    "infer_json": once(
        "POST /v2/models/*/infer",
        "infer",
        [tensor("x", _ROWS)],
        options={"model": "double", "version": 1, "id": "r7", "binary": False, "parameters": {"mood": "good"}},
        sends={
            "id": "r7",
            "parameters": {"mood": "good"},
            "inputs": [{"name": "x", "shape": [2, 2], "datatype": "FP32", "data": [1.0, 2.0, 3.0, 4.0]}],
        },
        judge=_doubled,
        whole_json=True,
    ),
    "infer_batch": once(
        "POST /v2/models/*/infer",
        "infer_batch",
        [{"x": [[1.0, 2.0]]}, {"x": [[3.0, 4.0], [5.0, 6.0]]}],
        options={"model": "double"},
        judge=_one_request_for_two,
    ),
    "metadata": once(
        "GET /v2/models/*", "metadata", "double", options={"version": "1"}, judge=_described, whole_json=True
    ),
    "model_ready": once(
        "GET /v2/models/*/ready", "model_ready", "double", judge=_is(True, "whether it is ready"), nonce=False
    ),
    "server_live": once("GET /v2/health/live", "server_live", judge=_is(True, "whether it lives"), nonce=False),
    "server_ready": once("GET /v2/health/ready", "server_ready", judge=_is(True, "whether it is ready"), nonce=False),
    "server_metadata": once("GET /v2", "server_metadata", whole_json=True),
    "config": once("GET /v1/config", "config", judge=_listed, nonce=False),
    "reload": once("POST /v1/config/reload", "reload", judge=_reloaded, nonce=False),
    "model_status": once("GET /v1/config", "model_status", "scale", judge=_versions, nonce=False),
    "metrics": story("GET /metrics", _inferred_first("metrics"), judge=_sampled, nonce=False),
    "statistics": story("GET /metrics", _inferred_first("statistics"), judge=_counted, nonce=False),
    "predict": once(
        "POST /v1/models/*:predict",
        "predict",
        _ROWS,
        options={"model": "double"},
        sends={"instances": _ROWS},
        judge=_predicted,
        whole_json=True,
    ),
    "serving_status": once("GET /v1/models/*", "serving_status", "scale", judge=_versions, nonce=False),
    "serving_metadata": once(
        "GET /v1/models/*/metadata", "serving_metadata", "double", judge=_described, whole_json=True
    ),
}
